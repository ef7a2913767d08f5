"""Right with all behaviors and faults; and the mistakes that the simulation must find."""

from __future__ import annotations

import pytest

from simulation.attachments import Attachments
from simulation.history import PARTS, History
from simulation.mistakes import MISTAKES, OF_ATTACHMENTS, made
from simulation.seeds import is_caught, kept
from simulation.shrink import Violation, shrink

PART = 250


@pytest.mark.parametrize("first", range(0, 1250, PART))
def test_channels_are_those_declared_after_any_history(first: int) -> None:
    """After each history the channels are those declared and retained, and nothing is lost, doubled or shown."""
    for seed in range(first, first + PART):
        History(seed).run()


@pytest.mark.parametrize("first", range(0, 500, PART))
def test_attachments_are_those_declared_after_any_history(first: int) -> None:
    """After each history attachments, admins, retention and streaming are those declared, and no others."""
    for seed in range(first, first + PART):
        Attachments(seed).run()


@pytest.mark.parametrize("mistake", [*MISTAKES, *OF_ATTACHMENTS])
def test_each_mistake_is_caught(mistake: str) -> None:
    """Each mistake in the handler is caught by one of the histories that are kept for it."""
    caught = any(is_caught(mistake, seed) for seed in kept()[mistake])
    assert caught, "find histories that catch it: python tests/simulation seeds"


def first_violation(most: int) -> Violation | None:
    """Return the first violation among histories of channels."""
    for seed in range(most):
        try:
            History(seed).run()
        except Violation as found:
            return found
    return None


def test_violation_shrinks_to_a_short_story() -> None:
    """A violation shrinks to a story that needs little, and is played again from its seed."""
    with made("tags compared with live instead of declared"):
        found = first_violation(100)
        assert found
        short = shrink(found, lambda seed, without: History(seed, without).run(), PARTS)
        assert short.kind == found.kind
        assert len(short.story) < 10 < len(found.story)
        assert {"Tags", "meddling"} >= {"Tags", "meddling", "kill", "cancel", "other stack"} - short.without
        with pytest.raises(Violation) as again:
            History(short.seed, short.without).run()
        assert again.value.story == short.story
