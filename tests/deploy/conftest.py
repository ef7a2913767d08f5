"""Engines to deploy on, and a stack for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stacks import Bench

from chime_local.engine import Engine

WORLDS = (
    "",
    "missing_channel=NotFound,token_after_delete=dead,token_alive=conflict,deleted_channel_id=conflict,"
    "read_misses=2,update_omitted=kept,bad_member=skipped,moderator_is_member=no",
)


@pytest.fixture(scope="session", params=WORLDS, ids=["default", "other"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Run an engine with IAM enforced, in each world."""
    with Engine(request.param) as running:
        yield running


_stacks = 0


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Iterator[Bench]:
    """Return a stack of this test's own, which is deleted afterwards."""
    global _stacks  # noqa: PLW0603 - names of stacks
    _stacks += 1
    made = Bench(engine, tmp_path, f"Stack{_stacks}")
    yield made
    engine.delete(made.name)
    assert made.channels() == {}, "nothing may be left after the stack's deletion"
