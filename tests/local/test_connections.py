"""Connections to the engine's port: closed ones are gone, and there are never too many."""

from __future__ import annotations

import asyncio
import os
import socket
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


def test_connection_too_many_is_closed_and_another_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit a connection ends unanswered; as soon as one of the others ends there is room."""
    monkeypatch.setattr(run, "TCPServer", run.TCPServer)
    monkeypatch.setattr(_connections, "MAX_CONNECTIONS", 2)
    _connections.install()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def first_line(port: int) -> tuple[bytes, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            return await reader.readline(), writer
        except ConnectionError:
            return b"", writer

    async def connect() -> None:
        listener, stop, config = socket.socket(), asyncio.Event(), Config()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        config.bind, config.graceful_timeout = [f"fd://{listener.detach()}"], 0
        server = asyncio.create_task(serve(application, config, shutdown_trigger=stop.wait))
        answers = [await first_line(port) for _ in range(3)]
        assert [line[:12] for line, _ in answers] == [b"HTTP/1.1 200", b"HTTP/1.1 200", b""]
        answers[0][1].close()
        await answers[0][1].wait_closed()
        for _ in range(1000):
            await asyncio.sleep(0)
        assert _connections.Connection._open == 1
        line, writer = await first_line(port)
        assert line.startswith(b"HTTP/1.1 200")
        for one in (answers[1][1], writer):
            one.close()
        stop.set()
        await server

    asyncio.run(connect())
