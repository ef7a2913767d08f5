"""A small fixed set of the simulation's histories, a test each: what a mutant of the handler meets at last."""

from __future__ import annotations

import pytest

from simulation.attachments import Attachments
from simulation.history import History

CHANNELS, ATTACHMENTS = 150, 50


@pytest.mark.parametrize("seed", range(CHANNELS))
def test_channels_are_those_declared_after_a_history(seed: int) -> None:
    """After a history the channels are those declared and retained."""
    History(seed).run()


@pytest.mark.parametrize("seed", range(ATTACHMENTS))
def test_attachments_are_those_declared_after_a_history(seed: int) -> None:
    """After a history the attachments are those declared."""
    Attachments(seed).run()
