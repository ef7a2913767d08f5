"""What stacks already hold: derived ids, tokens and marks must come out the same in every later release."""

from __future__ import annotations

import pytest

from chime_handler.app_instance_admin import MARK_PREFIX
from chime_handler.channel import ownership
from chime_handler.channel.ownership import OwnerMark
from chime_handler.physical_id import Held, MadeUp, NotCreated, Pending, PhysicalId
from helpers.arns import APP
from helpers.harness import STACK, Harness

PLAIN = (APP, "PRIVATE", None)
OWNER = "Support1A2B3C4D-660217831fa99041c091851b3a5a2fc0"


@pytest.mark.parametrize(
    ("logical_id", "fixed", "generation", "expected"),
    [
        ("Support1A2B3C4D", PLAIN, 0, "Support1A2B3C4D-4db30679fb9176a9513a93e19e3749fc"),
        ("Support1A2B3C4D", PLAIN, 1, "Support1A2B3C4D-ce0da94361f7f101e699eec4b923b6ba"),
        ("Support1A2B3C4D", (APP, "PUBLIC", (5, 100, 40)), 0, "Support1A2B3C4D-c4c6666430652a4b5034fe38f8ff10c6"),
        ("ÄÄÄÄÄ", PLAIN, 15, "Channel-c4f9b88db49b7bbcfbc1c476ee77b700"),
        ("L" * 255, PLAIN, 0, "L" * 31 + "-b373553de002cc217ea832ac43f43c3c"),
    ],
)
def test_channel_id_stays_the_same(logical_id: str, fixed: object, generation: int, expected: str) -> None:
    """A later release finds the channel of an unanswered Create under the id that an earlier one derived."""
    assert ownership.channel_id(STACK, logical_id, fixed, generation) == expected


def test_token_stays_the_same() -> None:
    """A redelivery that a later release serves sends the token of the first."""
    token = ownership.client_request_token(STACK, "Support1A2B3C4D", PLAIN, "request-1", 0)
    assert token == "Support1A2B3C4D-27019f6dffc3febb6701a9b2bd93be2e"


def test_marks_stay_the_same() -> None:
    """Every stack of an earlier release stays the owner of its channels, and of its admins' marks."""
    mark = ownership.owner_mark(STACK, "Support1A2B3C4D", "request-1")
    assert mark == f"{OWNER}.be0ac1d911542190"
    assert ownership.adoption_mark(mark) == f"{OWNER}.be0ac1d911542190-adopted"
    assert ownership.owner_mark(STACK, "L" * 255, "r") == (
        "L" * 64 + "-e02b8da9bb08c86396d29f95833666cf.5bde92d4cfdfb875"
    )
    assert ownership.OWNER_TAG == "cdk-chime-messaging:owner"
    assert MARK_PREFIX + ownership.digest_of_owner(STACK, "Admin") == (
        "cdk-chime-messaging:admin-4bd45596c9d731ed244998dfb6117940"
    )
    assert ownership.GENERATIONS == 16


def test_ids_and_marks_of_a_deployed_channel() -> None:
    """What the service and CloudFormation are given is what is derived."""
    harness = Harness()
    answer = harness.create()
    created = dict(harness.calls)["CreateChannel"]
    assert answer["PhysicalResourceId"] == f"{harness.app}/channel/{created['ChannelId']}"
    assert created["Tags"] == [{"Key": "cdk-chime-messaging:owner", "Value": f"{OWNER}.be0ac1d911542190"}]
    assert len(created["ChannelId"]) <= 64
    assert 2 <= len(created["ClientRequestToken"]) <= 64


def test_mark_is_read_as_it_is_written() -> None:
    """Owner, request and adoption are told apart, and the owner's stack is known."""
    mark = OwnerMark.parse(f"{OWNER}.be0ac1d911542190")
    assert mark == (OWNER, "be0ac1d911542190", False)
    assert mark.logical_id == "Support1A2B3C4D"
    assert OwnerMark.parse(f"{OWNER}.be0ac1d911542190-adopted") == (OWNER, "be0ac1d911542190", True)
    assert mark.is_of_stack(STACK)
    assert not mark.is_of_stack(STACK + "x")


OTHER_OWNER, OTHER_REQUEST = f"{OWNER[:-1]}1", "be0ac1d911542191"


def test_owner_and_request_are_both_compared() -> None:
    """A mark of another resource, or of another request, is never taken for ours."""
    ours = f"{OWNER}.be0ac1d911542190"
    assert ownership.same_owner(f"{OWNER}.{OTHER_REQUEST}-adopted", ours)
    assert not ownership.same_owner(f"{OTHER_OWNER}.be0ac1d911542190", ours)
    assert not ownership.same_owner(None, ours)
    assert ownership.same_request(f"{ours}-adopted", ours)
    assert not ownership.same_request(f"{OWNER}.{OTHER_REQUEST}", ours)
    assert not ownership.same_request(f"{OTHER_OWNER}.be0ac1d911542190", ours)
    assert not ownership.same_request(None, ours)


def test_what_is_derived_differs_by_each_of_its_parts() -> None:
    """Another stack, logical id, fixed property, life or request has other ids and tokens."""
    base = (STACK, "Support", PLAIN)
    others = [
        (STACK + "x", "Support", PLAIN),
        (STACK, "Supporu", PLAIN),
        (STACK, "Support", (APP, "PUBLIC", None)),
        (STACK, "Support", (APP + "1", "PRIVATE", None)),
        (STACK, "Support", (APP, "PRIVATE", (5, 100, 40))),
    ]
    ids = {ownership.channel_id(*parts, generation) for parts in (base, *others) for generation in range(16)}
    assert len(ids) == 6 * 16
    tokens = {
        ownership.client_request_token(*parts, request, generation)
        for parts in (base, *others)
        for request in ("r1", "r2")
        for generation in range(16)
    }
    assert len(tokens) == 6 * 2 * 16


@pytest.mark.parametrize(
    ("text", "state", "identity"),
    [
        ("unmade:Support", NotCreated, "Support"),
        ("unmade:", NotCreated, ""),
        ("unmade:held", NotCreated, "held"),
        ("unproven:held", Pending, "held"),
        ("held", Held, "held"),
        ("unproven:other", MadeUp, "unproven:other"),
        ("unproven:unproven:held", MadeUp, "unproven:unproven:held"),
        ("demo-Support-1XY2Z3", MadeUp, "demo-Support-1XY2Z3"),
        ("Unmade:Support", MadeUp, "Unmade:Support"),
    ],
)
def test_physical_ids_of_stacks_are_read_by_every_release(
    text: str, state: type[PhysicalId], identity: str
) -> None:
    """CloudFormation sends for ever what an earlier release has answered."""
    parsed = PhysicalId.parse(text, lambda held: held == "held")
    assert parsed == state(identity)
    assert str(parsed) == text
