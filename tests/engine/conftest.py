"""The emulated service over real HTTP, reached by real boto3; or AWS itself, with --aws."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chime_local.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Run an engine without IAM."""
    with Engine(auth=False) as running:
        yield running
