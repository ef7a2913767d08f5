"""Fixtures: the deployed Lambda in its own process, and a server with the endpoints of AWS that it calls."""

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
    """Run the server that all execution environments connect to."""
    with WireServer(tmp_path_factory.mktemp("wire")) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty HOME folder: no ~/.aws/config, no ~/.aws/credentials."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def start_environment(server: WireServer, empty_home: Path) -> Iterator[Start]:
    """Return a function that starts an execution environment with a clock speed and environment variables."""
    with ExitStack() as cleanup:

        def start(speed: float = 1, **variables: str) -> Environment:
            return cleanup.enter_context(Environment(_asset.directory(), server, empty_home, speed, **variables))

        yield start


@pytest.fixture(scope="session")
def two_environments(server: WireServer, empty_home: Path) -> Iterator[tuple[Environment, Environment]]:
    """Run two execution environments that are reused by all tests, as Lambda reuses warm ones."""
    asset = _asset.directory()
    with Environment(asset, server, empty_home) as first, Environment(asset, server, empty_home) as second:
        yield first, second


@pytest.fixture(scope="session")
def warm_environment(two_environments: tuple[Environment, Environment]) -> Environment:
    """Return an execution environment that is reused by all tests."""
    return two_environments[0]


@pytest.fixture(scope="session")
def fast_environment(server: WireServer, empty_home: Path) -> Iterator[Environment]:
    """Run an execution environment whose clock runs ten times as fast, so that time-outs end soon."""
    with Environment(_asset.directory(), server, empty_home, speed=10) as environment:
        yield environment


@pytest.fixture
def stack(server: WireServer) -> Stack:
    """Return a stack with an app instance in us-east-1, on an emulated service with read_misses=0."""
    return Stack(server.begin(Behaviors(read_misses=0)))
