"""Stack operations in progress: who asks how a stack is doing is answered when it is done.

The CDK CLI asks every five seconds. Holding its question back for as long as that ends its wait at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from chime_local.cloudformation._ministack import CloudFormation

MAX_WAIT_SECONDS = 4.0
"""Shorter than the CDK CLI's pause between two questions."""
MAX_END_SECONDS = 10.0
"""For what a reset has cancelled to end."""
_DESCRIBE = re.compile(rb"(?:^|&)Action=DescribeStacks(?:&|$)")


class RunningOperations:
    """Knows which stacks are being changed."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.when_ended: Callable[[], None] = lambda: None
        """Called when an operation has ended."""
        self.wait_until_saved: Callable[[], Awaitable[None]] | None = None
        """Where state is kept: waits until what the operations that have ended have made is on the disk."""

    @property
    def in_progress(self) -> bool:
        """Whether any stack is being changed."""
        return any(count > 0 for count in self._running.values())

    def install(self, ministack: CloudFormation) -> None:
        """Watch every operation that MiniStack starts."""
        start = ministack.start_operation

        def watched(work: Awaitable[None], stack: dict[str, Any] | None, stack_id: str | None = None) -> None:
            names = {str((stack or {}).get("StackName")), str(stack_id or (stack or {}).get("StackId"))}
            self._running.update(names)
            start(self._watch(work, names), stack, stack_id)

        ministack.start_operation = watched

    async def _watch(self, work: Awaitable[None], names: set[str]) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await work
        finally:
            self._tasks.discard(task)
            self._running.subtract(names)
            self.when_ended()
            async with self._changed:
                self._changed.notify_all()

    def cancel(self) -> None:
        """Have every operation end where it stands, without a rollback; to be called from another thread.

        One that waits in a thread for a custom resource or a signal ends only when that wait does.
        """
        for task in tuple(self._tasks):
            task.get_loop().call_soon_threadsafe(task.cancel)

    def wait_until_ended(self) -> None:
        """Wait, but not for ever, until no operation is in progress; to be called from another thread."""
        for loop in {task.get_loop() for task in tuple(self._tasks)}:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        self._running.clear()  # one that was cancelled before it began has not been counted as ended

    async def _end(self) -> None:
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=MAX_END_SECONDS)

    async def wait_while_in_progress(self, body: bytes) -> None:
        """Wait, for DescribeStacks of a stack that is being changed, until the change is over or has been long."""
        if not _DESCRIBE.search(body):
            return
        names = parse_qs(body.decode("latin-1")).get("StackName", ())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                if any(self._running[name] > 0 for name in names):
                    async with self._changed:
                        await self._changed.wait_for(lambda: not any(self._running[name] > 0 for name in names))
        if self.wait_until_saved and not self.in_progress:
            await self.wait_until_saved()
