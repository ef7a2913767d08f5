"""Mounts the console in the gateway. It is made when somebody looks: most engines end before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from chime_local.chime import ChimeService
from chime_local.chime.protocol import Receive, Scope, Send
from chime_local.cloudformation.replay import Replays
from chime_local.recording import Recorder
from chime_local.state.parts import StateParts

_RESET = "/_ministack/reset"
Application = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class ConsoleParts:
    """What the console is made of."""

    service: ChimeService
    recorder: Recorder
    replays: Replays
    reset: Callable[[], None]
    """Resets what is not MiniStack's."""
    ministack: Application
    has_auth: bool
    state: StateParts


def mount(token: str, parts: ConsoleParts) -> Application:
    """Return the console as an application that imports what it needs with the first request."""
    started = datetime.now(UTC)

    async def forget() -> None:
        await _post(parts.ministack, _RESET)
        parts.reset()

    @cache
    def make() -> Application:
        from chime_local.console.app import create_console  # noqa: PLC0415 - slow to import
        from chime_local.console.engine import ConsoleEngine  # noqa: PLC0415
        from chime_local.state.snapshots import Snapshots  # noqa: PLC0415

        snapshots = Snapshots(parts.state, forget)
        engine = ConsoleEngine(
            parts.service,
            parts.recorder,
            parts.replays,
            snapshots.reset,
            parts.has_auth,
            started,
            stack_outputs=parts.state.stack_outputs,
            kept_in=str(parts.state.kept_in or ""),
            snapshots=snapshots,
        )
        return create_console(engine, token)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await make()(scope, receive, send)

    return serve


async def _post(application: Application, path: str) -> None:
    """Have an ASGI application of this process serve a POST without a body; raises RuntimeError where it fails."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-length", b"0")],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    await application(scope, receive, send)
    if statuses != [200]:
        raise RuntimeError(f"POST {path} was answered {statuses}")
