"""Lambdas that run while the engine is reset: they are ended before anything is forgotten, and not tried again.

Whoever runs one writes its log when it ends, and tries events that failed up to twice more: after a reset both
would be found by an engine that knows nothing of them.
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
_RESETS: ContextVar[int | None] = ContextVar("resets_before_request", default=None)
"""How many resets there had been when the request began that something is done for; threads inherit it."""


class RunningLambdas:
    """Wraps the one function of MiniStack's through which every Lambda is executed."""

    def __init__(self, ministack: Lambda) -> None:
        self._ministack = ministack
        self._dispatch = ministack.execute
        self._resets = 0
        self._is_resetting = False

    def install(self) -> None:
        """Put this in the place of MiniStack's function."""
        self._ministack.execute = self._execute

    def mark(self) -> None:
        """Remember, in the present context, after which reset a request began."""
        _RESETS.set(self._resets)

    def _execute(self, func: Any, config: Any, event: Any, request_id: str, started: float) -> dict[str, Any]:
        if self._is_resetting or _RESETS.get() not in (None, self._resets):
            return {"body": {"errorMessage": "The engine was reset."}, "error": True, "log": ""}
        result: dict[str, Any] = self._dispatch(func, config, event, request_id, started)
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
        """Kill processes until nothing runs; one that is just being started is found in the next turn."""
        deadline = time.monotonic() + _MAX_SECONDS
        while self._ministack.executions_in_flight()[0] and time.monotonic() < deadline:
            with self._ministack.workers_lock:
                workers = [worker for pool in self._ministack.workers.values() for worker in pool if worker.in_use]
            self._ministack.kill_workers(workers)
            time.sleep(_POLL_SECONDS)
