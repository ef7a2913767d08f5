"""Fixtures for tests with boto3 over HTTP, against the engine or, with --aws, AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import boto3
import pytest

from chime_local.engine import Engine
from engine.app_instances import AppInstanceUnderTest, Clients


@pytest.fixture(scope="session")
def aws(request: pytest.FixtureRequest) -> bool:
    """Check whether the tests run against AWS."""
    return bool(request.config.getoption("--aws"))


@pytest.fixture(scope="session")
def engine(aws: bool) -> Iterator[Engine]:
    """Run an engine without IAM."""
    if aws:
        pytest.skip("about the engine, not about AWS")
    with Engine(auth=False) as running:
        yield running


@pytest.fixture(scope="session")
def clients(aws: bool, request: pytest.FixtureRequest) -> Clients:
    """Return a function that creates a boto3 client for a service and region."""
    if aws:
        return lambda service, region: boto3.client(service, region_name=region)
    running: Engine = request.getfixturevalue("engine")
    return running.client


@pytest.fixture
def app_instances(clients: Clients, aws: bool) -> Iterator[Callable[[str], AppInstanceUnderTest]]:
    """Return a function that creates app instances by region; they are deleted after the test."""
    with ExitStack() as stack:

        def create(region: str) -> AppInstanceUnderTest:
            created = AppInstanceUnderTest(clients, region, aws=aws)
            stack.callback(created.end)
            return created

        yield create


@pytest.fixture
def app_instance(app_instances: Callable[[str], AppInstanceUnderTest]) -> AppInstanceUnderTest:
    """Return an app instance in us-east-1."""
    return app_instances("us-east-1")
