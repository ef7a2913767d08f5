"""Plays Lambda's runtime in a process of its own: hands events to the asset's entry point, one after another.

The entry point, crhelper, boto3, botocore, urllib3 and http.client are as they are deployed. What is around them is
other than on AWS, since nothing else could be on a machine of one's own:

- Every host name leads to the test's server. AWS_ENDPOINT_URL would do that too, but then no endpoint of AWS would
  ever be asked for, and no certificate checked against its name; answers do not know it at all.
- A sleep moves the clock instead of taking time.
- The clock can run faster, time-outs of sockets and timers with it, so that a hanging server is waited for in full.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

ASSET, PORT, SPEED = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
UNKNOWN_HOSTS = os.environ.get("WIRE_UNKNOWN_HOSTS", "").split()
real_time = time.time


class Clock:
    """The clock of this process."""

    def __init__(self) -> None:
        self._began, self.slept = real_time(), 0.0

    def time(self) -> float:
        """Return the time: since the start it has run faster, and every sleep has moved it."""
        return self._began + (real_time() - self._began) * SPEED + self.slept

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.slept += seconds


class Network:
    """What was asked of the resolver, and which time-outs sockets and timers got."""

    def __init__(self) -> None:
        self.resolved: list[str] = []
        self.timeouts: dict[str, list[float | None]] = {}
        self.timers: list[float] = []

    def resolve(self, host: str | bytes | None, _port: object, *_: Any, **__: Any) -> list[Any]:
        """Lead every name, and every address, to the test's server."""
        name = host.decode() if isinstance(host, bytes) else str(host)
        self.resolved.append(name)
        if name in UNKNOWN_HOSTS:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", PORT))]

    def note_timeout(self, seconds: float | None) -> None:
        """Note a time-out of a socket that leads to the host resolved last."""
        host = self.resolved[-1] if self.resolved else ""
        self.timeouts.setdefault(host, []).append(seconds)


clock, network = Clock(), Network()
real_settimeout: Callable[..., None] = socket.socket.settimeout
real_gettimeout: Callable[..., float | None] = socket.socket.gettimeout


def settimeout(self: socket.socket, seconds: float | None) -> None:
    """Set a time-out on this process's clock."""
    network.note_timeout(seconds)
    real_settimeout(self, seconds and seconds / SPEED)


def gettimeout(self: socket.socket) -> float | None:
    """Return a time-out on this process's clock."""
    seconds = real_gettimeout(self)
    return seconds and round(seconds * SPEED, 6)


class Timer(threading.Timer):
    """A timer on this process's clock."""

    def __init__(self, interval: float, function: Callable[..., object]) -> None:
        network.timers.append(interval)
        super().__init__(interval / SPEED, function)


class Context:
    """What Lambda hands to a handler beside the event."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"
    function_name = "provider"

    def __init__(self, seconds: float) -> None:
        self._end = clock.time() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left."""
        return int((self._end - clock.time()) * 1000)


def invoke(handler: Callable[[Any, Any], object], event: Any, seconds: float) -> dict[str, Any]:
    """Hand an event to the handler and return what was seen."""
    network.resolved, network.timeouts, network.timers, clock.slept = [], {}, [], 0.0
    written, raised = io.StringIO(), ""
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        try:
            handler(event, Context(seconds))
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
    return {
        "raised": raised,
        "log": written.getvalue(),
        "resolved": network.resolved,
        "timeouts": network.timeouts,
        "timers": network.timers,
    }


def main() -> None:
    """Import the entry point and serve events until there are no more."""
    for owner, name, ours in (
        (time, "time", clock.time),
        (time, "sleep", clock.sleep),
        (threading, "Timer", Timer),
        (socket, "getaddrinfo", network.resolve),
        (socket.socket, "settimeout", settimeout),
        (socket.socket, "gettimeout", gettimeout),
    ):
        setattr(owner, name, ours)
    results = sys.stdout
    sys.path.insert(0, ASSET)
    index, crhelper = importlib.import_module("index"), importlib.import_module("crhelper")
    print(json.dumps({"index": index.__file__, "crhelper": crhelper.__file__}), file=results, flush=True)
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps(invoke(index.handler, given["event"], given["seconds"])), file=results, flush=True)


main()
