"""The deployed Lambda in a process of its own, and a server that plays AWS on the wire."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cdk_chime_messaging import _asset
from chime_local.chime import Behaviors
from wire.execution import Environment, Start
from wire.stack import Stack
from wire.wire_server import WireServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireServer]:
    """Run the server."""
    with WireServer(tmp_path_factory.mktemp("wire")) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home without settings of AWS's tools."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def start(server: WireServer, home: Path) -> Iterator[Start]:
    """Return what starts an execution environment, with variables and speed of its own."""
    with ExitStack() as stack:

        def start_one(speed: float = 1, **variables: str) -> Environment:
            return stack.enter_context(Environment(_asset.directory(), server, home, speed, **variables))

        yield start_one


@pytest.fixture(scope="session")
def pair(server: WireServer, home: Path) -> Iterator[tuple[Environment, Environment]]:
    """Run two execution environments that serve one test after another, as warm ones do."""
    asset = _asset.directory()
    with Environment(asset, server, home) as first, Environment(asset, server, home) as second:
        yield first, second


@pytest.fixture(scope="session")
def warm(pair: tuple[Environment, Environment]) -> Environment:
    """Return one execution environment that serves one test after another."""
    return pair[0]


@pytest.fixture(scope="session")
def fast(server: WireServer, home: Path) -> Iterator[Environment]:
    """Run an execution environment whose clock runs ten times as fast, to wait for servers that hang."""
    with Environment(_asset.directory(), server, home, speed=10) as environment:
        yield environment


@pytest.fixture
def stack(server: WireServer) -> Stack:
    """Return a stack with an app instance in us-east-1, and a service that misses no read."""
    return Stack(server.begin(Behaviors(read_misses=0)))
