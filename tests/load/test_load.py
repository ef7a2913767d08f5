"""Under the documented rates nothing fails, and little time is lost over what the rates themselves ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fleet import Fleet, floor

CHANNELS = 490
"""A stack's limit of 500 resources, less the provider's own."""
MOST = 1.15
TWO = [("a", "boss"), ("b", "boss")]
APART = [("a", "boss"), ("b", "chief")]


@pytest.mark.parametrize(
    ("region", "stacks"),
    [
        ("us-east-1", TWO[:1]),
        ("eu-central-1", TWO[:1]),
        ("us-east-1", TWO),
        ("us-east-1", APART),
        ("eu-central-1", TWO),
        ("eu-central-1", APART),
    ],
    ids=["one", "one-frankfurt", "two", "two-bearers", "two-frankfurt", "two-bearers-frankfurt"],
)
def test_all_at_once(
    region: str, stacks: list[tuple[str, str]], record_property: Callable[[str, object], None]
) -> None:
    """490 channels a stack are created, updated and deleted at once: none fails, in at most 1.15 of the floor."""
    fleet = Fleet(region)
    planned = [fleet.stack(name, CHANNELS, bearer) for name, bearer in stacks]
    least = floor(region, planned)
    for kind, name, old, left in (
        ("Create", "first", "", CHANNELS * len(stacks)),
        ("Update", "second", "first", CHANNELS * len(stacks)),
        ("Delete", "second", "", 0),
    ):
        fleet.throttled = 0
        seconds, failures = fleet.all_at_once(kind, planned, name, old)
        record_property(kind, f"{seconds:.1f} s / {least:.1f} s, {fleet.throttled} throttled")
        assert failures == []
        assert seconds <= MOST * least
        assert [channel.name for channel in fleet.service.channels()] == [name] * left
