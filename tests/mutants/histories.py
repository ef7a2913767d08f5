"""A small fixed set of the simulation's histories, a test each: what a mutant of the handler meets at last."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "simulation"))

from attachments import Attachments
from history import History

CHANNELS, ATTACHMENTS = 150, 50


@pytest.mark.parametrize("seed", range(CHANNELS))
def test_channels_are_those_declared_after_a_history(seed: int) -> None:
    """After a history the channels are those declared and retained."""
    History(seed).run()


@pytest.mark.parametrize("seed", range(ATTACHMENTS))
def test_attachments_are_those_declared_after_a_history(seed: int) -> None:
    """After a history the attachments are those declared."""
    Attachments(seed).run()
