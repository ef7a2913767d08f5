"""Engines to deploy on, and a stack for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chime_local.engine import Engine
from deploy.stacks import ChannelStack

BEHAVIORS = (
    "",
    "missing_channel=NotFound,token_after_delete=dead,token_alive=conflict,deleted_channel_id=conflict,"
    "read_misses=2,update_omitted=kept,bad_member=skipped,moderator_is_member=no",
)


@pytest.fixture(scope="session", params=BEHAVIORS, ids=["default", "other"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Run an engine with IAM enforced, with each of some behaviors."""
    with Engine(request.param) as running:
        yield running


_stacks = 0


@pytest.fixture
def channel_stack(engine: Engine, tmp_path: Path) -> Iterator[ChannelStack]:
    """Return a stack of this test's own, which is deleted afterwards."""
    global _stacks  # noqa: PLW0603 - names of stacks
    _stacks += 1
    made = ChannelStack(engine, tmp_path, f"Stack{_stacks}")
    yield made
    engine.delete(made.name)
    assert made.channels() == {}, "nothing may be left after the stack's deletion"
