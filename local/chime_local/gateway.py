"""One port for all: Amazon Chime SDK calls go to the emulated service, everything else to MiniStack.

Nothing comes through that a web page could have sent, and nothing that is not signed with credentials of this
engine, save the answers to a ResponseURL and the signals to a wait condition's handle: on AWS both are presigned
URLs of S3, here they have a token in their path that nobody can guess.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from chime_local._bodies import UnverifiedBodies, read_body
from chime_local._credentials import Credentials
from chime_local._error_responses import RefusedError, answer_error
from chime_local._signature import Signature, SignatureError, Verification, check_time, read_signature
from chime_local.call_recorder import CallRecorder
from chime_local.chime import ChimeError
from chime_local.chime.protocol import (
    MAX_BODY_BYTES,
    ChimeApp,
    Receive,
    Scope,
    Send,
    respond,
    respond_error,
    scope_of,
)
from chime_local.iam.gate import IamGate
from chime_local.state.traffic import Traffic, may_change

ANSWERS = "/_ministack/cfn-response/"
SIGNALS = "/_ministack/cfn-signal/"
RESET = "/_ministack/reset"
_CONSOLE = re.compile(r"/_chime(?:/|$)")
"""The one path for pages in a browser; the console checks itself whose pages they are."""
_ADMIN = re.compile(r"/_(?:ministack|localstack)(?:/|$)|/_aws/(?!execute-api/)")
"""MiniStack's own paths: settings, reset, and views of what AWS shows to nobody."""
_MAX_BYTES = 256_000_000
_MAX_UNANNOUNCED_BYTES = 70_167_211
"""Lambda's limit for a request (D), the largest of those whose body is hashed while it comes in."""
_MAX_HEADERS = 200
_MAX_HEADER_BYTES = 16_384
"""Of the names and values of all headers; S3 takes 8 KB (D)."""
_MAX_TARGET_BYTES = 16_384
"""Of path and query string: as long as HTTP/1.1's are here; HTTP/2 would let 64 KB through."""
_TARGET = re.compile(rb"[!-~]*")
"""What a path and a query string are made of (RFC 3986); HTTP/2 lets everything else through, HTTP/1.1 does not."""
_OWN_ORIGIN = b"sandbox allow-scripts allow-forms allow-popups allow-downloads"
"""Gives each document an origin of its own: what somebody put into a bucket must not be the console's page."""
_LOCAL_HOST = re.compile(r"(?:127\.0\.0\.1|\[::1\]|(?:[\w.-]+\.)?localhost)(?::\d+)?", re.IGNORECASE)
_HINT = (
    "This engine takes only requests that are signed with its own credentials: use the environment that it "
    "printed when it started (each start makes a new secret)."
)


class Gateway:
    """Lets requests in, and routes them by the service in their SigV4 credential scope."""

    def __init__(
        self,
        chime: ChimeApp,
        ministack: Any,
        *,
        credentials: Credentials,
        gate: IamGate | None = None,
        deliver: Callable[[str, bytes], None] | None = None,
        wait_for_stacks: Callable[[bytes], Awaitable[None]] | None = None,
        begin: Callable[[], None] | None = None,
        reset: Callable[[], None] | None = None,
        calls: CallRecorder | None = None,
        console: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._chime = chime
        self._ministack = ministack
        self._credentials = credentials
        self._gate = gate
        self.unverified = UnverifiedBodies()
        self._deliver = deliver
        self._wait_for_stacks = wait_for_stacks
        self._begin = begin
        self._reset = reset
        self._calls = calls
        self._console = console
        self._traffic = traffic or Traffic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event."""
        if scope["type"] == "lifespan":
            await self._ministack(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        try:
            _check_form(scope, headers)
            if self._begin:
                self._begin()
            if self._console and scope["type"] == "http" and _CONSOLE.match(scope["path"]):
                # Not counted: some of its pages stay open.
                if scope["method"] == "POST":
                    await self._traffic.wait()
                await self._console(scope, receive, send)
                if scope["method"] == "POST":
                    self._traffic.when_changed()
                return
            _check_origin(headers)
            if scope["type"] == "http":
                await self._serve(scope, receive, _not_as_a_page(send), headers)
            else:
                self._verify_headers(scope, hashlib.sha256(b"").hexdigest())
                await self._ministack(_as_if_over_tls(scope), receive, send)
        except RefusedError as error:
            await _answer_error(scope, receive, send, headers, error)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        path, put = scope["path"], scope["method"] == "PUT"
        if put and self._deliver and path.startswith(ANSWERS):
            await self._take_answer(path.removeprefix(ANSWERS), receive, send, headers)
            return
        if put and path.startswith(SIGNALS):
            body = await self._read_unsigned(receive, headers)
            await self._ministack(_as_if_over_tls(scope), _replayed(body, receive), send)
            return
        signature, body = await self._verify(scope, receive, headers)
        receive = _replayed(body, receive)
        if self._wait_for_stacks and signature.service == "cloudformation":
            await self._wait_for_stacks(body)
        await self._traffic.wait()
        with self._traffic.served(changes=may_change(signature.service, scope["method"], headers, body)):
            if signature.service == "chime" and signature.expires is None:
                await self._serve_chime(scope, receive, send, headers, body)
                return
            if self._reset and (scope["method"], path) == ("POST", RESET):
                async with self._traffic.held_back():
                    await self._ministack(_as_if_over_tls(scope), receive, _followed_by(self._reset, send))
                return
            await self._ministack(_as_if_over_tls(scope), receive, send)

    async def _verify(self, scope: Scope, receive: Receive, headers: dict[str, str]) -> tuple[Signature, bytes]:
        """Read a request; raises RefusedError, before its body is read where the body's hash is announced."""
        signature, verification = self._claimed(scope)
        limit = _MAX_UNANNOUNCED_BYTES if signature.payload is None else _MAX_BYTES
        limit = MAX_BODY_BYTES if signature.service == "chime" else limit
        if signature.payload is None:
            with self.unverified.hold() as unverified:
                await read_body(receive, headers, limit, unverified.append)
                _check_headers(verification, scope, unverified.sha256)
                return signature, unverified.read()
        _check_headers(verification, scope, signature.payload)
        parts: list[bytes] = []
        await read_body(receive, headers, limit, parts.append)
        body = b"".join(parts)
        try:
            verification.check_body(body)
        except SignatureError as error:
            raise _forbidden(error) from None
        return signature, body

    async def _read_unsigned(self, receive: Receive, headers: dict[str, str]) -> bytes:
        with self.unverified.hold() as unverified:
            await read_body(receive, headers, MAX_BODY_BYTES, unverified.append)
            return unverified.read()

    def _verify_headers(self, scope: Scope, payload: str) -> None:
        signature, verification = self._claimed(scope)
        _check_headers(verification, scope, signature.payload or payload)

    def _claimed(self, scope: Scope) -> tuple[Signature, Verification]:
        """Read who claims to have signed a request, with what it takes to verify that."""
        try:
            signature = read_signature(scope["headers"], scope.get("query_string", b"").decode("latin-1"))
            check_time(signature)
            secret = self._credentials.secret_of(signature.key, signature.token)
        except SignatureError as error:
            raise _forbidden(error) from None
        if _ADMIN.match(scope["path"]) and not self._credentials.is_root(signature.key):
            raise RefusedError(403, "AccessDenied", "Only the engine's own credentials may call this path.")
        return signature, Verification(signature, secret)

    async def _take_answer(self, token: str, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        """Take what is PUT to a ResponseURL, which on AWS is a pre-signed URL of S3 without a content type."""
        assert self._deliver is not None
        if headers.get("content-type"):
            await respond(send, 403, b"SignatureDoesNotMatch: a ResponseURL takes no content-type")
            return
        self._deliver(token, await self._read_unsigned(receive, headers))
        await respond(send, 200, b"")

    async def _serve_chime(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str], body: bytes
    ) -> None:
        if self._calls:
            send = self._calls.watch(scope, headers, body, send)
        try:
            if self._gate is not None:
                self._gate.authorize(scope, headers, body)
        except ChimeError as error:
            await respond_error(send, error)
            return
        await self._chime(scope, receive, send)


def _check_form(scope: Scope, headers: dict[str, str]) -> None:
    """Check that a request is of a size that can be handled, well-formed, and for this host."""
    sizes = (len(key) + len(value) for key, value in scope["headers"])
    if len(scope["headers"]) > _MAX_HEADERS or sum(sizes) > _MAX_HEADER_BYTES:
        raise RefusedError(431, "RequestHeaderSectionTooLarge", "The request has too many or too long headers.")
    target = (scope.get("raw_path") or b"") + scope.get("query_string", b"")
    if len(target) > _MAX_TARGET_BYTES:
        raise RefusedError(414, "RequestURITooLong", "The path and query string are too long.")
    if not _TARGET.fullmatch(target):
        # What removes a tab before it looks, as URL parsers do, sees another path than what does not.
        raise RefusedError(400, "InvalidRequest", "The path has characters that must be percent-encoded.")
    if not _LOCAL_HOST.fullmatch(headers.get("host", "")):
        # A page in a browser could reach this port under a name of its own (DNS rebinding).
        raise RefusedError(403, "AccessDenied", "This engine serves localhost only.")


def _check_origin(headers: dict[str, str]) -> None:
    """Check that a request is none that a page in a browser may have made."""
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        raise RefusedError(403, "AccessDenied", "This engine takes no requests from web pages.")


def _check_headers(verification: Verification, scope: Scope, payload: str) -> None:
    path, query = scope.get("raw_path") or scope["path"].encode(), scope.get("query_string", b"")
    method = scope.get("method", "GET")  # a WebSocket's handshake has none in its scope
    try:
        verification.check_headers(
            method, path.decode("latin-1"), query.decode("latin-1"), scope["headers"], payload
        )
    except SignatureError as error:
        raise _forbidden(error) from None


def _forbidden(error: SignatureError) -> RefusedError:
    return RefusedError(403, error.code, f"{error.message} {_HINT}")


async def _answer_error(
    scope: Scope, receive: Receive, send: Send, headers: dict[str, str], error: RefusedError
) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # which is a 403 as long as it is not accepted
        return
    _, service = scope_of(headers) or ("", "")
    await answer_error(send, receive, service, headers, error)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a body that was read once more, and then what follows it, such as the end of the connection."""
    first = True

    async def again() -> Any:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def _not_as_a_page(send: Send) -> Send:
    """Leave out of an answer what would let a page in a browser read it, and let it be no page of this origin."""

    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [one for one in message["headers"] if not one[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": [*kept, (b"content-security-policy", _OWN_ORIGIN)]}
        await send(message)

    return sent


def _followed_by(reset: Callable[[], None], send: Send) -> Send:
    """Reset the rest before MiniStack's answer to its own reset is sent."""

    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            reset()
        await send(message)

    return sent


def _as_if_over_tls(scope: Scope) -> Scope:
    """Make a request look as it would on AWS, where bucket policies refuse what does not come over TLS."""
    kept = [(key, value) for key, value in scope["headers"] if key.lower() != b"x-forwarded-proto"]
    return {**scope, "headers": [*kept, (b"x-forwarded-proto", b"https")]}
