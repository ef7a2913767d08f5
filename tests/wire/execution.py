"""Execution environments of the Lambda: one process each, as on AWS."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from wire.wire_server import WireServer

RUNTIME = Path(__file__).with_name("lambda_runtime.py")


@dataclass(frozen=True)
class Invocation:
    """What one invocation was seen to do."""

    raised: str
    log: str
    resolved: list[str]
    """The host names that were asked for, one for each connection."""
    timeouts: dict[str, list[float | None]]
    """The time-outs of sockets, by the host that was asked for last, in order."""
    timers: list[float]
    """After how many seconds the timers that were started go off."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the log."""
        return [json.loads(line) for line in self.log.splitlines()]


class Environment:
    """One execution environment, which serves events one after another until it is closed."""

    def __init__(self, asset: str, server: WireServer, home: Path, speed: float = 1, **variables: str) -> None:
        environ = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "AWS_SESSION_TOKEN": "session",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CA_BUNDLE": str(server.bundle),
            "SSL_CERT_FILE": str(server.bundle),
            "HOME": str(home),
            "PYTHONPYCACHEPREFIX": str(home / "pycache"),
            **variables,
        }
        command = [sys.executable, "-P", str(RUNTIME), asset, str(server.port), str(speed)]
        self._process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.files: dict[str, str] = self._next()
        """Where the entry point and crhelper were imported from."""

    def _next(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def start(self, event: Any, seconds: float = 900) -> None:
        """Hand an event over, and do not wait."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"event": event, "seconds": seconds}) + "\n")
        self._process.stdin.flush()

    def end(self) -> Invocation:
        """Wait for the end of what was started."""
        return Invocation(**self._next())

    def invoke(self, event: Any, seconds: float = 900) -> Invocation:
        """Serve an event; `seconds` are left of the Lambda's time."""
        self.start(event, seconds)
        return self.end()

    def __enter__(self) -> Environment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(60)
        self._process.stdout.close()  # type: ignore[union-attr]


Start = Callable[..., Environment]
"""Starts an execution environment: `speed` of its clock, and environment variables by name."""
