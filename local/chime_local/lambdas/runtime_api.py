"""The Runtime API of Lambdas with a runtime of their own (provided.al2023): each has a port of MiniStack's.

On AWS it is reachable from the execution environment alone. Here every page in a browser could reach it: take
events away, or, under a name of its own (DNS rebinding), read and answer them.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any


def install() -> None:
    """Have the standard library's HTTP server, which is used for nothing else here, refuse what a page sends."""
    parse = BaseHTTPRequestHandler.parse_request

    def parse_request(handler: Any) -> bool:
        if not parse(handler):
            return False
        if _is_of_a_page(handler):
            handler.send_error(403)
            return False
        return True

    BaseHTTPRequestHandler.parse_request = parse_request  # type: ignore[assignment,method-assign]


def _is_of_a_page(handler: Any) -> bool:
    host, port = handler.server.server_address[:2]
    headers = handler.headers
    from_browser = "Origin" in headers or headers.get("Sec-Fetch-Site", "none") != "none"
    return from_browser or headers.get("Host") != f"{host}:{port}"
