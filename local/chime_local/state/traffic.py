"""The requests that are being served: how many, which of them change something, and whether they may begin."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

_READS = re.compile(
    r"(?:Describe|List|Get|Head|Search|BatchGet|Query|Scan|Lookup|Filter|Validate|Estimate)(?![a-z])"
)
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_MAX_LOOKED_AT = 4096
POLL_SECONDS = 0.02
_CHANGE_BY_READING = ("sts", "kinesis")
"""Services of which a `Get…` makes something."""


class Traffic:
    """Counts requests, and holds them back where everything is being replaced."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.when_changed: Callable[[], None] = lambda: None
        """Called when a request that may have changed something has been answered."""
        self._opened = asyncio.Event()
        self._opened.set()
        self._replacing = asyncio.Lock()

    @property
    def is_held_back(self) -> bool:
        """Whether everything is being copied or replaced."""
        return not self._opened.is_set()

    async def wait(self) -> None:
        """Wait while requests are held back."""
        await self._opened.wait()

    @contextmanager
    def served(self, *, changes: bool) -> Iterator[None]:
        """Count a request for as long as the block runs."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            if changes:
                self.when_changed()

    @asynccontextmanager
    async def held_back(self) -> AsyncIterator[None]:
        """Let no request begin for as long as the block runs, and no other such block."""
        async with self._replacing:
            self._opened.clear()
            try:
                yield
            finally:
                self._opened.set()

    async def wait_until_quiet(self, max_seconds: float) -> None:
        """Wait for a moment in which no request is being served, but not for ever: some of them poll."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + max_seconds
        while self.in_flight and loop.time() < deadline:
            await asyncio.sleep(POLL_SECONDS)


def may_change(service: str, method: str, headers: dict[str, str], body: bytes) -> bool:
    """Check whether a request may change what the engine knows; only those are excluded that surely do not."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return False
    if service in _CHANGE_BY_READING:
        return True
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if not action and (found := _ACTION.search(body[:_MAX_LOOKED_AT])):
        action = found[1].decode()
    return _READS.match(action) is None
