"""Right in every world and weather, and the simulation's own teeth."""

from __future__ import annotations

import pytest
from history import History, Violation
from mistakes import MISTAKES, made

HISTORIES = 3000
PART = 250


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_no_violation(first: int) -> None:
    """After each history the channels are those declared and retained, and nothing was lost, doubled or told."""
    for seed in range(first, first + PART):
        History(seed).run()


def caught_after(mistake: str, most: int) -> int | None:
    """Give how many histories it took to catch a mistake."""
    with made(mistake):
        for seed in range(most):
            try:
                History(seed).run()
            except Violation:
                return seed + 1
    return None


@pytest.mark.parametrize("mistake", MISTAKES)
def test_teeth(mistake: str) -> None:
    """Each mistake in the handler is caught."""
    assert caught_after(mistake, 4000) is not None
