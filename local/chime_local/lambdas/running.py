"""Ends running Lambdas before the engine is reset, and lets none begin or be retried until the reset is done.

Otherwise their logs and retries would appear in the fresh engine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from chime_local.cloudformation._ministack import Lambda

_MAX_SECONDS = 10.0
"""For what runs to end; MiniStack kills a process that is still there two seconds after SIGTERM."""
_POLL_SECONDS = 0.02
_RESETS_AT_REQUEST: ContextVar[int | None] = ContextVar("resets_before_request", default=None)
"""The number of resets when the current request began; threads see it if they run in a copy of its context."""


class RunningLambdas:
    """Wraps the one function of MiniStack's through which every Lambda is executed."""

    def __init__(self, ministack: Lambda) -> None:
        self._ministack = ministack
        self._original_execute = ministack.execute
        self._resets = 0
        self._is_resetting = False

    def install(self) -> None:
        """Put this in the place of MiniStack's function."""
        self._ministack.execute = self._execute

    def mark(self) -> None:
        """Remember in the current context how many resets there were when its request began."""
        _RESETS_AT_REQUEST.set(self._resets)

    def _execute(self, func: Any, config: Any, event: Any, request_id: str, started: float) -> dict[str, Any]:
        if self._is_resetting or _RESETS_AT_REQUEST.get() not in (None, self._resets):
            return {"body": {"errorMessage": "The engine was reset."}, "error": True, "log": ""}
        result: dict[str, Any] = self._original_execute(func, config, event, request_id, started)
        return result

    @contextmanager
    def ended(self) -> Iterator[None]:
        """End all that runs, and let nothing begin until the end of the block."""
        self._resets += 1
        self._is_resetting = True
        try:
            self._end()
            yield
        finally:
            self._is_resetting = False

    def _end(self) -> None:
        """Kill workers until no Lambda runs, for at most _MAX_SECONDS; a starting one is found in the next turn."""
        deadline = time.monotonic() + _MAX_SECONDS
        while self._ministack.executions_in_flight()[0] and time.monotonic() < deadline:
            with self._ministack.workers_lock:
                workers = [worker for pool in self._ministack.workers.values() for worker in pool if worker.in_use]
            self._ministack.kill_workers(workers)
            time.sleep(_POLL_SECONDS)
