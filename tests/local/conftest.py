"""One engine for the tests of the engine itself, with IAM enforced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chime_local.engine import Engine
from local.scripted_stack import ScriptedStack


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Run an engine."""
    with Engine() as running:
        yield running


@pytest.fixture
def scripted(engine: Engine) -> ScriptedStack:
    """Return a stack of this test's own."""
    return ScriptedStack(engine)
