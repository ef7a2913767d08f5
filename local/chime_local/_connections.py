"""Connections to the engine's port, where hypercorn keeps too many.

A connection that its client has closed hypercorn keeps as long as an idle one, and their number has no limit:
whoever connects often enough leaves the engine without file descriptors. Lambdas on Node.js leave idle ones behind
with every request, so at the limit a new connection takes the place of the one that has been idle longest.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any, ClassVar

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer

_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
MAX_CONNECTIONS = 1000 if _FILES == resource.RLIM_INFINITY else min(1000, _FILES // 2)
"""At once; the other descriptors are for Lambdas, files and bodies."""


class Connection(TCPServer):  # type: ignore[misc]  # hypercorn.* is not followed
    """One connection."""

    _open: ClassVar[set[Connection]] = set()
    _idle: ClassVar[dict[Connection, None]] = {}
    """Those that wait for a request; the one that has waited longest is the first."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._is_closed_by_client = False

    async def run(self) -> None:
        """Serve a connection until it ends; where there are too many, close an idle one, or else this one."""
        idle = None
        if len(self._open) >= MAX_CONNECTIONS:
            idle = self._find_longest_idle()
            if idle is None:
                await self._close()
                return
            # Before anything is awaited: no other new connection may find the same.
            self._open.discard(idle)
            self._idle.pop(idle)
        self._open.add(self)
        try:
            if idle is not None:
                await idle._initiate_server_close()
            await super().run()
        except asyncio.CancelledError:
            # hypercorn cancels what is open when the engine ends, such as a page's stream of events. asyncio of
            # Python 3.11 logs a connection that ends so with a traceback.
            pass
        finally:
            self._open.discard(self)

    def _find_longest_idle(self) -> Connection | None:
        """Return the first idle connection that has sent all of its last response, so that it closes at once."""
        return next((one for one in self._idle if not one.writer.transport.get_write_buffer_size()), None)

    async def _read_data(self) -> None:
        await super()._read_data()
        self._is_closed_by_client = True
        await self.idle_task.stop()

    async def _idle_timeout(self) -> None:
        if self._is_closed_by_client:
            return
        self._idle[self] = None
        try:
            await super()._idle_timeout()
        finally:
            self._idle.pop(self, None)


def install() -> None:
    """Put this in the place of hypercorn's class, unless a later version has other methods."""
    if all(
        hasattr(TCPServer, name) for name in ("_read_data", "_idle_timeout", "_initiate_server_close", "_close")
    ):
        run.TCPServer = Connection
