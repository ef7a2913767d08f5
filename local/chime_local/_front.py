"""One port for all: Amazon Chime SDK calls go to the emulated service, everything else to MiniStack."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from chime_local.iam.gate import IamGate
from chime_local.iam.history import PolicyHistory
from chime_local.service import ChimeError
from chime_local.service.asgi import (
    ChimeApp,
    Receive,
    Scope,
    Send,
    read_body,
    refuse,
    respond,
    scope_of,
)

ANSWERS = "/_ministack/cfn-response/"
_MOST_BYTES = 256_000_000
_LOCAL_HOST = re.compile(r"(?:127\.0\.0\.1|\[::1\]|(?:[\w.-]+\.)?localhost)(?::\d+)?", re.IGNORECASE)


class Front:
    """Tells requests apart by the service in their SigV4 credential scope."""

    def __init__(
        self,
        chime: ChimeApp,
        ministack: Any,
        *,
        auth: bool,
        deliver: Callable[[str, bytes], None] | None = None,
        hold: Callable[[bytes], Awaitable[None]] | None = None,
        history: PolicyHistory | None = None,
    ) -> None:
        self._chime = chime
        self._ministack = ministack
        self._gate = IamGate(chime.service, history) if auth else None
        self._deliver = deliver
        self._hold = hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event."""
        if scope["type"] == "lifespan":
            await self._ministack(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        if not _LOCAL_HOST.fullmatch(headers.get("host", "")):
            # A page in a browser could reach this port under a name of its own (DNS rebinding).
            if scope["type"] == "http":
                await respond(send, 403, b'{"Message": "this engine serves localhost only"}')
            return
        if scope["type"] != "http":
            await self._ministack(_as_if_over_tls(scope), receive, send)
            return
        if int(headers.get("content-length", "0") or 0) > _MOST_BYTES:
            await respond(send, 413, b'{"Message": "the body is too long for this engine"}')
            return
        signed = scope_of(headers)
        if signed and signed[1] == "chime":
            await self._serve_chime(scope, receive, send, headers)
        elif self._deliver and scope["method"] == "PUT" and scope["path"].startswith(ANSWERS):
            await self._take_answer(scope["path"].removeprefix(ANSWERS), receive, send, headers)
        elif self._hold and signed and signed[1] == "cloudformation":
            body = await _whole(receive)
            await self._hold(body)
            await self._ministack(_as_if_over_tls(scope), _replayed(body, receive), send)
        else:
            await self._ministack(_as_if_over_tls(scope), receive, send)

    async def _take_answer(self, token: str, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        """Take what is PUT to a ResponseURL, which on AWS is a pre-signed URL of S3 without a content type."""
        assert self._deliver is not None
        if headers.get("content-type"):
            await respond(send, 403, b"SignatureDoesNotMatch: a ResponseURL takes no content-type")
            return
        self._deliver(token, await _whole(receive))
        await respond(send, 200, b"")

    async def _serve_chime(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        try:
            body = await read_body(receive)
            if self._gate is not None:
                self._gate.authorize(scope, headers, body)
        except ChimeError as refused:
            await refuse(send, refused)
            return

        await self._chime(scope, _replayed(body, receive), send)


async def _whole(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read once more, and then what follows it, such as the end of the connection."""
    first = True

    async def again() -> Any:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def _as_if_over_tls(scope: Scope) -> Scope:
    """Make a request look as it would on AWS, where bucket policies refuse what does not come over TLS."""
    kept = [(key, value) for key, value in scope["headers"] if key.lower() != b"x-forwarded-proto"]
    return {**scope, "headers": [*kept, (b"x-forwarded-proto", b"https")]}
