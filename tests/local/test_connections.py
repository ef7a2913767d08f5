"""Connections to the engine's port: closed ones are gone, and there are never too many."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypercorn.asyncio import run, serve
from hypercorn.config import Config

from chime_local import _connections
from chime_local.engine import Engine


def sockets(engine: Engine) -> int:
    """Return how many sockets an engine has open."""
    assert engine._process is not None
    open_files = Path(f"/proc/{engine._process.pid}/fd")
    return sum(os.readlink(one).startswith("socket:") for one in open_files.iterdir() if one.is_symlink())


def test_closed_connections_leave_no_descriptor(engine: Engine) -> None:
    """Who connects and goes, with or without a request, leaves nothing in the engine."""
    for request in (
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ):
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", engine.port), 20) as connection:
                connection.sendall(request)
                if b"Host" in request:
                    connection.recv(4096)
    for _ in range(20):  # each call takes a turn of the engine's loop in which it closes what has ended
        engine.client("sts").get_caller_identity()
    assert sockets(engine) < 50


class Server:
    """Hypercorn in this process, with an application that answers at once, or holds /busy open."""

    def __init__(self) -> None:
        listener, self._stop, config = socket.socket(), asyncio.Event(), Config()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self.port = listener.getsockname()[1]
        config.bind, config.graceful_timeout = [f"fd://{listener.detach()}"], 0
        self._serving = asyncio.create_task(serve(self._application, config, shutdown_trigger=self._stop.wait))
        self._clients: list[Client] = []

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            is_busy = scope["path"] == "/busy"
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
            await send({"type": "http.response.body", "body": b"text"[: 2 if is_busy else 4], "more_body": is_busy})
            while is_busy and (await receive())["type"] != "http.disconnect":
                pass

    async def connect(self, path: str = "/") -> Client:
        """Connect, and request a path."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        client.first = await client.request(path)
        return client

    async def end(self) -> None:
        """Close all connections and stop."""
        for client in self._clients:
            client.writer.close()
        self._stop.set()
        await self._serving


@dataclass
class Client:
    """A connection to a server, and the start of its first response."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    first: bytes = b""

    async def request(self, path: str = "/") -> bytes:
        """Request a path; return the first bytes of the response, or nothing where the connection ends."""
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        try:
            await self.reader.readuntil(b"\r\n\r\nte" if path == "/busy" else b"\r\n\r\ntext")
        except (ConnectionError, asyncio.IncompleteReadError):
            return b""
        await turn()
        return b"200"


async def turn() -> None:
    """Let the server's side do all that it can."""
    for _ in range(1000):
        await asyncio.sleep(0)


@pytest.fixture
def two_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have hypercorn accept two connections at once."""
    monkeypatch.setattr(run, "TCPServer", run.TCPServer)
    monkeypatch.setattr(_connections, "MAX_CONNECTIONS", 2)
    _connections.install()


@pytest.mark.usefixtures("two_connections")
def test_connection_too_many_is_closed_and_another_takes_its_place() -> None:
    """Beyond the limit a connection ends unanswered; as soon as one of the busy ones ends there is room."""

    async def run_clients() -> None:
        server = Server()
        clients = [await server.connect("/busy") for _ in range(3)]
        assert [client.first for client in clients] == [b"200", b"200", b""]
        clients[0].writer.close()
        await clients[0].writer.wait_closed()
        await turn()
        assert len(_connections.Connection._open) == 1
        assert (await server.connect()).first == b"200"
        await server.end()

    asyncio.run(run_clients())


@pytest.mark.usefixtures("two_connections")
def test_new_connection_takes_the_place_of_the_one_that_is_idle_longest() -> None:
    """At the limit the connection whose last request is the oldest is closed, however old the connection is."""

    async def run_clients() -> None:
        server = Server()
        older, newer = await server.connect(), await server.connect()
        assert await older.request() == b"200"
        assert (await server.connect()).first == b"200"
        assert await newer.reader.read() == b""
        assert await older.request() == b"200"
        assert len(_connections.Connection._open) == 2
        await server.end()

    asyncio.run(run_clients())


@pytest.mark.usefixtures("two_connections")
def test_new_connection_leaves_busy_connections_alone() -> None:
    """At the limit an idle connection is closed, not one whose request is under way, which may be older."""

    async def run_clients() -> None:
        server = Server()
        busy, idle = await server.connect("/busy"), await server.connect()
        clients = [await server.connect() for _ in range(5)]
        assert [client.first for client in clients] == [b"200"] * 5
        assert await idle.reader.read() == b""
        assert not busy.reader.at_eof()
        assert len(_connections.Connection._open) == 2
        await server.end()

    asyncio.run(run_clients())


@pytest.mark.usefixtures("two_connections")
def test_connections_that_come_at_once_take_one_place_each() -> None:
    """As many as are idle get a place when several come together; the limit holds."""

    async def run_clients() -> None:
        server = Server()
        for _ in range(2):
            await server.connect()
        clients = await asyncio.gather(*(server.connect("/busy") for _ in range(4)))
        assert sorted(client.first for client in clients) == [b"", b"", b"200", b"200"]
        assert len(_connections.Connection._open) == 2
        await server.end()

    asyncio.run(run_clients())
