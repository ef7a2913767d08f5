"""Whichever release's code serves an operation, stacks hold what they declare."""

from __future__ import annotations

import pytest

from simulation.upgrades import AttachmentUpgrades, Upgrades

PART = 75


@pytest.mark.parametrize("first", range(0, 225, PART))
def test_channels_are_those_declared_though_the_code_changes(first: int) -> None:
    """Upgrades, rollbacks of upgrades and downgrades between operations lose, double and orphan no channel."""
    for seed in range(first, first + PART):
        Upgrades(seed).run()


@pytest.mark.parametrize("first", range(0, 150, PART))
def test_attachments_are_those_declared_though_the_code_changes(first: int) -> None:
    """Upgrades, rollbacks of upgrades and downgrades between operations leave no attachment and no setting."""
    for seed in range(first, first + PART):
        AttachmentUpgrades(seed).run()
