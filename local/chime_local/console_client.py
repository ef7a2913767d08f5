"""The console's API for commands: `ConsoleClient(server).get("status")`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import quote

from chime_local.environment import HOST
from chime_local.errors import ChimeLocalError

_SECONDS = 60.0


class _Server(Protocol):
    @property
    def port(self) -> int: ...
    @property
    def console_token(self) -> str: ...


class ConsoleClient:
    """Calls the API below /_chime/api/ of a running server; every call raises ChimeLocalError with its sentence."""

    def __init__(self, server: _Server, timeout: float = _SECONDS) -> None:
        self._server = server
        self._timeout = timeout

    def get(self, path: str) -> Any:
        """Return what is at a path, such as `status`."""
        return self._call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Have something done, and return the answer."""
        return self._call("POST", path, json.dumps(body if body is not None else {}).encode())

    def create_console_url(self) -> str:
        """Return an address that opens the console once, within a minute, for a browser that keeps its history."""
        return f"http://{HOST}:{self._server.port}/_chime/?code={self.post('codes')['code']}"

    def events(self, since: str = "") -> Iterator[str]:
        """Yield the name of each topic that changes, until the server ends."""
        path = f"events?since={quote(since)}" if since else "events"
        connection = self._connect(None)
        try:
            response = self._request(connection, "GET", path)
            for line in response:
                field, _, value = line.decode().partition(": ")
                if field == "event":
                    yield value.strip()
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        connection = self._connect(self._timeout)
        try:
            response = self._request(connection, method, path, body)
            return json.loads(response.read())
        except TimeoutError:
            raise ChimeLocalError(
                f"the server on port {self._server.port} does not answer; chime-local down ends it"
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as failed:
            raise ChimeLocalError(
                f"the server on port {self._server.port} cannot be reached ({failed}); see chime-local status"
            ) from None
        finally:
            connection.close()

    def _connect(self, timeout: float | None) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(HOST, self._server.port, timeout=timeout)

    def _request(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
    ) -> http.client.HTTPResponse:
        """Send a request; raises ChimeLocalError with the API's sentence where it is refused."""
        headers = {
            "Authorization": f"Bearer {self._server.console_token}",
            "X-Chime-Console": "1",
            "Content-Type": "application/json",
        }
        connection.request(method, f"/_chime/api/{path}", body, headers)
        response = connection.getresponse()
        if response.status >= 400:
            raise ChimeLocalError(_sentence(response))
        return response


def _sentence(response: http.client.HTTPResponse) -> str:
    text = response.read().decode("utf-8", "replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {response.status}: {text.strip() or response.reason}"
