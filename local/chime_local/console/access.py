"""Who may use the console: its own pages in a browser that has the token, and commands that have it.

What each rule is for: docs/adr/0016.
"""

from __future__ import annotations

import hmac
import json
import math
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFIX = "/_chime"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    b"content-security-policy": _CSP.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_HOST = re.compile(r"(?:127\.0\.0\.1|\[::1\]|localhost)(?::(?P<port>\d+))?", re.IGNORECASE)
_OPEN = "Open the address that chime-local printed: it ends with the token of this start of the engine."
_SAFE_METHODS = ("GET", "HEAD")
CODE_SECONDS = 60.0
_MAX_CODES = 100


class Access:
    """Lets requests to the console through, or answers with one sentence."""

    def __init__(self, app: ASGIApp, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._token = token
        self._clock = clock
        self._codes: dict[str, float] = {}
        """When each stops being valid."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        guarded = _with_headers(send)
        refusal = self._refuse_foreign(scope, headers)
        if refusal:
            await _answer(guarded, 403, refusal, scope["path"])
            return
        given = QueryParams(scope.get("query_string", b""))
        if scope["path"] in (PREFIX, f"{PREFIX}/") and ("token" in given or "code" in given):
            refusal = self._refuse_entry(given, headers)
            if refusal:
                await _answer(guarded, 403, refusal, scope["path"])
            else:
                await self._let_in(guarded, headers["host"])
            return
        if not self._has_token(headers):
            await _answer(guarded, 403, f"The console needs its token. {_OPEN}", scope["path"])
            return
        if (scope["method"], scope["path"]) == ("POST", f"{PREFIX}/api/codes"):
            await _respond_json(guarded, 200, {"code": self._create_code()})
            return
        await self._app(scope, receive, guarded)

    @staticmethod
    def _refuse_foreign(scope: Scope, headers: dict[str, str]) -> str:
        """Return why a request may be another page's; nothing where it is not."""
        host = headers.get("host", "")
        if not _HOST.fullmatch(host):
            return "The console is served under localhost only."
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "The console takes no requests from other pages, links included: enter its address yourself."
        if headers.get("origin", f"http://{host}").lower() != f"http://{host}".lower():
            return "The console takes no requests from other pages."
        if scope["method"] not in _SAFE_METHODS and headers.get("x-chime-console") != "1":
            return "A request that changes something needs the header X-Chime-Console: 1."
        return ""

    def _refuse_entry(self, given: QueryParams, headers: dict[str, str]) -> str:
        """Return why an address that is to open the console does not; nothing where it does."""
        if "token" in given:
            return "" if self._is_token(given["token"]) else f"This is not the console's token. {_OPEN}"
        if self._use_code(given["code"]) or self._has_token(headers):
            return ""
        return f"This code was used, or is older than {CODE_SECONDS:g} seconds. {_OPEN}"

    def _create_code(self) -> str:
        """Return what opens the console once, and soon: in a browser's history it is worth nothing."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = self._clock() + CODE_SECONDS
        while len(self._codes) > _MAX_CODES:
            del self._codes[next(iter(self._codes))]
        return code

    def _use_code(self, given: str) -> bool:
        return self._codes.pop(given, -math.inf) >= self._clock()

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._token.encode())

    def _has_token(self, headers: dict[str, str]) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._is_token(bearer.strip())
        # Any of several: a server on another port can set one of this name, too, which must not lock the user out.
        name, pairs = _cookie_name(headers["host"]), headers.get("cookie", "").split(";")
        return any(self._is_token(cookie_parser(pair).get(name, "")) for pair in pairs)

    async def _let_in(self, send: Send, host: str) -> None:
        """Put the token into a cookie, and out of the address."""
        cookie = f"{_cookie_name(host)}={self._token}; Path={PREFIX}; HttpOnly; SameSite=Strict"
        headers = [
            (b"location", f"{PREFIX}/".encode()),
            (b"set-cookie", cookie.encode()),
            (b"content-length", b"0"),
        ]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _cookie_name(host: str) -> str:
    """Return a name for each port: browsers send cookies to all ports of a host."""
    found = _HOST.fullmatch(host)
    return f"chime_console_{(found and found['port']) or 80}"


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(key, value) for key, value in message["headers"] if key.lower() not in _HEADERS]
            message = {**message, "headers": [*kept, *_HEADERS.items()]}
        await send(message)

    return sent


async def _answer(send: Send, status: int, sentence: str, path: str) -> None:
    if path.startswith(f"{PREFIX}/api/"):
        await _respond_json(send, status, {"error": sentence})
    else:
        await _respond(send, status, b"text/plain; charset=utf-8", f"{sentence}\n".encode())


async def _respond_json(send: Send, status: int, content: dict[str, str]) -> None:
    await _respond(send, status, b"application/json", json.dumps(content).encode())


async def _respond(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers: list[Any] = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
