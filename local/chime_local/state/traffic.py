"""The requests that are being served: how many, which of them change something, and whether they may begin."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_READS = re.compile(
    r"(?:Describe|List|Get|Head|Search|BatchGet|Query|Scan|Lookup|Filter|Validate|Estimate)(?![a-z])"
)
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_MAX_LOOKED_AT = 4096
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

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Let no request begin for as long as the block runs."""
        self._opened.clear()
        try:
            yield
        finally:
            self._opened.set()


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
