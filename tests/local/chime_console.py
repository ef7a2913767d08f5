"""The console of a running engine, as a command uses it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from chime_local.engine import Engine


@dataclass
class Console:
    """Asks and does with the console's token."""

    engine: Engine

    @property
    def token(self) -> str:
        """The token of this start of the engine."""
        return self.engine.console_url.partition("token=")[2]

    def send(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request as it is given; return status, headers and body."""
        url = f"http://127.0.0.1:{self.engine.port}/_chime/{path}"
        request = urllib.request.Request(
            url, data, {key.replace("_", "-"): value for key, value in headers.items()}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, dict(refused.headers), refused.read()

    def get(self, path: str) -> Any:
        """Ask the API."""
        status, _, body = self.send(f"api/{path}", Authorization=f"Bearer {self.token}")
        assert status == 200, body
        return json.loads(body)

    def post(self, path: str, **given: Any) -> Any:
        """Have the API do something."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "X_Chime_Console": "1",
            "Content_Type": "application/json",
        }
        status, _, body = self.send(f"api/{path}", json.dumps(given).encode(), **headers)
        assert status == 200, body
        return json.loads(body)

    def page(self, path: str) -> str:
        """Return a page."""
        status, _, body = self.send(path, Authorization=f"Bearer {self.token}")
        assert status == 200, body
        return body.decode()

    def requests(self, stack_name: str) -> list[Any]:
        """Return the requests of a stack's operations, the newest operation first."""
        return [
            one
            for operation in self.get("deploys")["operations"]
            if operation["stack_name"] == stack_name
            for one in operation["requests"]
        ]
