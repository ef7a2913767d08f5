"""Under the documented rates nothing fails, and little time is lost over what the rates themselves ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from load.fleet import Fleet, floor

CHANNELS = 490
"""A stack's limit of 500 resources, less the provider's own."""
MAX_LOSS = 1.15
CHANGE_SECONDS = 240.0
"""How long a Create or Update may act."""
TWO = [("a", "boss"), ("b", "boss")]
APART = [("a", "boss"), ("b", "chief")]


def play(fleet: Fleet, stacks: list[tuple[str, str]], record: Callable[[str, object], None]) -> dict[str, float]:
    """Create, update and delete all channels at once; return how much time each took, in parts of the floor."""
    planned = [fleet.stack(name, CHANNELS, bearer) for name, bearer in stacks]
    parts = {}
    for kind, name, old, left in (
        ("Create", "first", "", CHANNELS * len(stacks)),
        ("Update", "second", "first", CHANNELS * len(stacks)),
        ("Delete", "second", "", 0),
    ):
        fleet.function.throttled = 0
        at_least = floor(kind, fleet.region, planned)
        # What the rates alone make longer than a request may act, nobody can do at once.
        rounds = [planned] if at_least < CHANGE_SECONDS else [[stack] for stack in planned]
        done = [fleet.all_at_once(kind, stacks_at_once, name, old) for stacks_at_once in rounds]
        seconds, failures = sum(took for took, _ in done), [failure for _, failed in done for failure in failed]
        record(kind, f"{seconds:.1f} s / {at_least:.1f} s, {fleet.function.throttled} throttled")
        assert failures == []
        assert fleet.function.dropped == 0
        assert [channel.name for channel in fleet.service.channels()] == [name] * left
        parts[kind] = seconds / at_least
    return parts


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
def test_all_at_once_lose_little_time_over_the_rates(
    region: str, stacks: list[tuple[str, str]], record_property: Callable[[str, object], None]
) -> None:
    """490 channels a stack are created, updated and deleted at once: none fails, in at most 1.15 of the floor."""
    parts = play(Fleet(region), stacks, record_property)
    assert {kind: part for kind, part in parts.items() if part > MAX_LOSS} == {}


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_no_event_is_dropped_with_ten_environments(
    region: str, record_property: Callable[[str, object], None]
) -> None:
    """Where Lambda runs ten environments at once and retries events later and later, all channels succeed."""
    play(Fleet(region, concurrency=10), TWO[:1], record_property)
