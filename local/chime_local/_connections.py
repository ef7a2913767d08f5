"""Connections to the engine's port, where hypercorn keeps too many.

A connection that its client has closed hypercorn keeps as long as an idle one, and their number has no limit:
whoever connects often enough leaves the engine without file descriptors.
"""

from __future__ import annotations

import resource
from typing import Any

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer

_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
MAX_CONNECTIONS = 1000 if _FILES == resource.RLIM_INFINITY else min(1000, _FILES // 2)
"""At once; the other descriptors are for Lambdas, files and bodies."""


class Connection(TCPServer):  # type: ignore[misc]  # hypercorn.* is not followed
    """One connection."""

    _open = 0

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._is_closed_by_client = False

    async def run(self) -> None:
        """Serve a connection until it ends; one too many ends at once."""
        if Connection._open >= MAX_CONNECTIONS:
            await self._close()
            return
        Connection._open += 1
        try:
            await super().run()
        finally:
            Connection._open -= 1

    async def _read_data(self) -> None:
        await super()._read_data()
        self._is_closed_by_client = True
        await self.idle_task.stop()

    async def _idle_timeout(self) -> None:
        if not self._is_closed_by_client:
            await super()._idle_timeout()


def install() -> None:
    """Put this in the place of hypercorn's class, unless a later version has other methods."""
    if all(hasattr(TCPServer, name) for name in ("_read_data", "_idle_timeout", "_close")):
        run.TCPServer = Connection
