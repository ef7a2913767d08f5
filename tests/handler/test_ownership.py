"""No channel is taken from another owner; a renamed construct keeps its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from chime_handler.channel.ownership import OWNER_TAG
from chime_handler.errors import ServiceError
from helpers.harness import STACK, Context
from helpers.resources import Place


class Killed(BaseException):
    """The execution environment ends without a word."""


A = {"StackId": STACK, "LogicalResourceId": "First"}
B = {"StackId": STACK.replace("demo", "other"), "LogicalResourceId": "Second"}
ADOPT = {"ChannelId": "lobby", "AdoptExisting": "true"}
FROM_OTHER = {**ADOPT, "AdoptFromOtherOwner": "true"}
OWN_ID = {"ChannelId": "lobby"}


@pytest.fixture(params=["", "tag_misses=3,read_misses=3", "missing_channel=NotFound,missing_tags=empty"])
def place(request: pytest.FixtureRequest) -> Place:
    """Return a place without the lobby, with some behaviors."""
    place = Place(request.param)
    place.harness.messaging("DeleteChannel", ChannelArn=place.lobby, ChimeBearer=place.harness.boss)
    place.harness.now += 100
    return place


def deliver(
    place: Place, kind: str, owner: Mapping[str, str], given: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """Deliver a request in the name of an owner, a minute after the one before."""
    place.harness.now += 60
    return place.harness.deliver(place.harness.event(kind, place.harness.properties(**given), **owner, **more))


def channels(place: Place) -> dict[str, tuple[str, ...]]:
    """Return the channels that are there, with their messages."""
    return {channel.arn: channel.messages for channel in place.harness.service.channels()}


def mark(place: Place, arn: str) -> str:
    """Return a channel's mark."""
    return place.harness.service.tags[arn][OWNER_TAG]


def is_left(place: Place, arn: str) -> bool:
    """Check whether the log says of a channel that it was left."""
    return any('"left", ' in line and arn in line for line in place.harness.lines)


@pytest.mark.parametrize("given", [OWN_ID, ADOPT])
def test_channel_of_another_owner_is_refused(place: Place, given: dict[str, Any]) -> None:
    """A channel with another owner's mark is not taken, not even with adoption of what has no owner."""
    held = deliver(place, "Create", A, OWN_ID)["PhysicalResourceId"]
    place.say(held, "hello")
    before, of = place.everything(), mark(place, held)
    answer = deliver(place, "Create", B, {**given, "Name": "ours"})
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith("unmade:")
    assert ("adopt_from_other_owner=True" if given is ADOPT else "adopt_existing=True") in answer["Reason"]
    assert (
        deliver(place, "Delete", B, given, PhysicalResourceId=answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    )
    assert (place.everything(), mark(place, held)) == (before, of)


SECOND = {"another stack": B, "the same stack": {**A, "LogicalResourceId": "Second"}}


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", [OWN_ID, {}], ids=["own ChannelId", "derived ChannelId"])
def test_channel_adopted_from_another_owner_survives_the_first_owners_delete(
    place: Place, first: dict[str, Any], second: str
) -> None:
    """Taken in so many words, a channel keeps its messages, and the first owner's Delete leaves it."""
    held = deliver(place, "Create", A, first)["PhysicalResourceId"]
    place.say(held, "hello")
    taken = {**FROM_OTHER, "ChannelId": held.rpartition("/")[2]}
    answer = deliver(place, "Create", SECOND[second], taken)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held), answer
    assert deliver(place, "Delete", A, first, PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert channels(place) == {held: ("hello",)}
    assert is_left(place, held)
    assert deliver(place, "Delete", SECOND[second], taken, PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert channels(place) == {}


@pytest.mark.parametrize("tag_misses", [0, 1, 3])
def test_former_owners_delete_at_once_after_an_adoption_leaves_the_channel(tag_misses: int) -> None:
    """An adoption is answered when its mark can be read: a Delete that comes at once sees it."""
    place = Place(f"tag_misses={tag_misses}")
    harness = place.harness
    harness.messaging("DeleteChannel", ChannelArn=place.lobby, ChimeBearer=harness.boss)
    held = deliver(place, "Create", A, OWN_ID)["PhysicalResourceId"]
    adopted = harness.deliver(harness.event("Create", harness.properties(**FROM_OTHER), **B))
    assert adopted["Status"] == "SUCCESS"
    event = harness.event("Delete", harness.properties(**OWN_ID), **A, PhysicalResourceId=held)
    assert harness.deliver(event)["Status"] == "SUCCESS"
    assert channels(place) == {held: ()}
    assert is_left(place, held)


def test_update_of_a_channel_that_was_adopted_away_is_refused(place: Place) -> None:
    """The first owner's Update that looks at everything changes nothing of a channel that went over to another."""
    held = deliver(place, "Create", A, OWN_ID)["PhysicalResourceId"]
    deliver(place, "Create", B, {**FROM_OTHER, "Name": "ours"})
    before, of = place.everything(), mark(place, held)
    old = {"OldResourceProperties": place.harness.properties(**OWN_ID), "PhysicalResourceId": held}
    answer = deliver(place, "Update", A, {**OWN_ID, "Resync": "1"}, **old)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", held)
    assert "belongs to another resource" in answer["Reason"]
    assert (place.everything(), mark(place, held)) == (before, of)


@pytest.mark.parametrize("change", [{"Name": "new"}, {"Resync": "1"}], ids=["renamed", "resync"])
def test_update_leaves_a_channel_that_another_owner_made_under_the_same_id(
    place: Place, change: dict[str, str]
) -> None:
    """Where the channel vanished and another stack made one under its ChannelId, an Update leaves that alone."""
    held = deliver(place, "Create", A, OWN_ID)["PhysicalResourceId"]
    place.harness.messaging("DeleteChannel", ChannelArn=held, ChimeBearer=place.harness.boss)
    place.harness.now += 60
    deliver(place, "Create", B, {**OWN_ID, "Name": "theirs"})
    place.harness.now += 60
    before, of = place.everything(), mark(place, held)
    old = {"OldResourceProperties": place.harness.properties(**OWN_ID), "PhysicalResourceId": held}
    answer = deliver(place, "Update", A, {**OWN_ID, **change}, **old)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", held)
    assert (place.everything(), mark(place, held)) == (before, of)


def test_adoption_of_what_has_no_owner_needs_no_more_words(place: Place) -> None:
    """A channel that no construct made is adopted with adoption alone, and marked as adopted."""
    harness = place.harness
    arn = f"{harness.app}/channel/lobby"
    harness.messaging(
        "CreateChannel",
        AppInstanceArn=harness.app,
        ChannelId="lobby",
        Name="theirs",
        Mode="RESTRICTED",
        Privacy="PRIVATE",
        ClientRequestToken="another-token",
        ChimeBearer=harness.boss,
    )
    answer = deliver(place, "Create", B, ADOPT)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert mark(place, arn).endswith("-adopted")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("end", ["timer", "refusal", "crash"])
def test_rollback_of_an_adoption_leaves_the_channel(place: Place, moment: str, end: str) -> None:
    """An adoption that ends at any of its calls is rolled back without a loss: channel and messages stay."""
    harness = place.harness
    held = deliver(place, "Create", A, OWN_ID)["PhysicalResourceId"]
    of = mark(place, held)
    for number in range(1, 30):
        hit: list[str] = []

        def strike(operation: str, _: object, number: int = number, hit: list[str] = hit) -> None:
            hit.append(operation)
            if len(hit) == number and end == "timer":
                harness.timers[-1].call()
            elif len(hit) >= number and end == "refusal":
                raise ServiceError(operation, "BadRequestException", "no", 400)
            elif len(hit) == number and end == "crash":
                raise Killed

        setattr(harness, moment, strike)
        harness.now += 60
        event = harness.event("Create", harness.properties(**FROM_OTHER, MemberArns=["user/ann"]), **B)
        harness.answers.clear()
        with suppress(Killed):
            harness.provider.serve(event, Context(harness, 900))
        harness.heal()
        if len(hit) < number:
            assert harness.answers[0]["Status"] == "SUCCESS"
            return
        known = harness.answers[0]["PhysicalResourceId"] if harness.answers else "demo-Second-1XY2Z3"
        assert deliver(place, "Delete", B, FROM_OTHER, PhysicalResourceId=known)["Status"] == "SUCCESS"
        assert channels(place) == {held: ()}, (number, known)
        # The mark goes last: an adoption that was refused half-way has left the channel to its owner.
        assert mark(place, held) == of or (moment, end) != ("before", "refusal")
    raise AssertionError("an adoption makes fewer than 30 calls")


RENAMED = {
    "in the same stack": {**A, "LogicalResourceId": "Renamed"},
    "to another stack": {**A, "StackId": STACK.replace("demo", "third")},
    "to another stack, under another name": {"StackId": STACK.replace("demo", "third"), "LogicalResourceId": "New"},
}


@pytest.mark.parametrize("resync", [False, True], ids=["before an Update", "after an Update"])
@pytest.mark.parametrize("how", RENAMED)
def test_refactored_construct_deletes_its_channel(place: Place, how: str, *, resync: bool) -> None:
    """A construct that `cdk refactor` renamed or moved changes and deletes its channel with derived ChannelId."""
    held = deliver(place, "Create", A, {})["PhysicalResourceId"]
    place.say(held, "hello")
    if resync:
        known = {"PhysicalResourceId": held, "OldResourceProperties": place.harness.properties()}
        answer = deliver(place, "Update", RENAMED[how], {"Resync": "1", "Name": "Help"}, **known)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held), answer
        assert channels(place) == {held: ("hello",)}
    known = {"PhysicalResourceId": held}
    assert deliver(place, "Delete", RENAMED[how], {}, **known)["Status"] == "SUCCESS"
    assert channels(place) == {}


WRONG = (
    {"Privacy": "SECRET"},
    {"ChannelId": "-"},
    {"AppInstanceArn": "app"},
    {"ElasticChannelConfiguration": {"MaximumSubChannels": "1"}},
    {"ChannelId": "wrong", "AdoptFromOtherOwner": "true"},
    {"Privacy": "PRIVATE", "Mode": "OPEN"},
)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize("how", RENAMED)
def test_refactored_construct_keeps_its_messages_when_a_refused_update_is_rolled_back(
    place: Place, how: str, wrong: dict[str, Any]
) -> None:
    """An Update of a renamed construct that breaks a rule is taken back without replacing the channel."""
    held = deliver(place, "Create", A, {"Privacy": "PUBLIC"})["PhysicalResourceId"]
    place.say(held, "hello")
    good, bad = {"Privacy": "PUBLIC"}, {"Privacy": "PUBLIC", **wrong}
    known = {"PhysicalResourceId": held, "OldResourceProperties": place.harness.properties(**good)}
    assert deliver(place, "Update", RENAMED[how], bad, **known)["Status"] == "FAILED"
    known = {"PhysicalResourceId": held, "OldResourceProperties": place.harness.properties(**bad)}
    answer = deliver(place, "Update", RENAMED[how], good, **known)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held), answer
    assert channels(place) == {held: ("hello",)}


REPLACED = {
    "privacy": {"Privacy": "PRIVATE"},
    "an id of its own": {"ChannelId": "hall"},
    "elastic": {
        "ElasticChannelConfiguration": {
            "MaximumSubChannels": "5",
            "TargetMembershipsPerSubChannel": "100",
            "MinimumMembershipPercentage": "40",
        }
    },
}


@pytest.mark.parametrize("what", REPLACED)
@pytest.mark.parametrize("how", RENAMED)
def test_refactored_construct_keeps_its_messages_when_a_failed_replacement_is_rolled_back(
    place: Place, how: str, what: str
) -> None:
    """A moved construct's channel is known by what it is, whatever the failed Update declared."""
    good = {"Privacy": "PUBLIC"}
    held = deliver(place, "Create", A, good)["PhysicalResourceId"]
    place.say(held, "hello")
    place.harness.now += 600
    bad = {**good, **REPLACED[what], "MemberArns": ["user/nobody"]}
    known = {"PhysicalResourceId": held, "OldResourceProperties": place.harness.properties(**good)}
    failed = deliver(place, "Update", RENAMED[how], bad, **known)
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", held)
    assert "user/nobody: NotFound" in failed["Reason"]
    known = {"PhysicalResourceId": held, "OldResourceProperties": place.harness.properties(**bad)}
    answer = deliver(place, "Update", RENAMED[how], good, **known)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held), answer
    assert channels(place) == {held: ("hello",)}


@pytest.mark.parametrize("untagged", [False, True], ids=["marked", "mark removed"])
@pytest.mark.parametrize("how", RENAMED)
def test_refactored_construct_with_its_own_channel_id(place: Place, how: str, *, untagged: bool) -> None:
    """With a ChannelId of its own the channel goes with the construct in the same stack.

    Moved to another stack, it looks like the channel of another: it is left as it is, until somebody removes the
    mark; then the next Update that looks at everything writes the construct's own.
    """
    held = deliver(place, "Create", A, OWN_ID)["PhysicalResourceId"]
    place.harness.now += 60
    if untagged:
        place.harness.messaging("UntagResource", ResourceARN=held, TagKeys=[OWNER_TAG])
        place.harness.now += 60
    moved = RENAMED[how]["StackId"] != STACK
    known = {"PhysicalResourceId": held, "OldResourceProperties": place.harness.properties(**OWN_ID)}
    answer = deliver(place, "Update", RENAMED[how], {**OWN_ID, "Resync": "1"}, **known)
    assert answer["Status"] == ("FAILED" if moved and not untagged else "SUCCESS")
    known = {"PhysicalResourceId": held}
    assert deliver(place, "Delete", RENAMED[how], OWN_ID, **known)["Status"] == "SUCCESS"
    left = moved and not untagged
    assert channels(place) == ({held: ()} if left else {})
    assert is_left(place, held) is left


@pytest.mark.parametrize("first", [OWN_ID, {}], ids=["own ChannelId", "derived ChannelId"])
def test_channel_made_anew_by_another_owner_is_left(place: Place, first: dict[str, Any]) -> None:
    """Where the channel vanished and another stack made one under its ChannelId, the Delete leaves that one."""
    held = deliver(place, "Create", A, first)["PhysicalResourceId"]
    place.harness.messaging("DeleteChannel", ChannelArn=held, ChimeBearer=place.harness.boss)
    same = {"ChannelId": held.rpartition("/")[2]}
    assert deliver(place, "Create", B, same)["PhysicalResourceId"] == held
    assert deliver(place, "Delete", A, first, PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert channels(place) == {held: ()}
    assert is_left(place, held)


def test_channel_whose_mark_was_taken_off_is_deleted_all_the_same(place: Place) -> None:
    """A channel that this resource holds and that bears no mark at all is deleted: nobody else claims it."""
    held = deliver(place, "Create", A, {})["PhysicalResourceId"]
    place.harness.messaging("UntagResource", ResourceARN=held, TagKeys=[OWNER_TAG])
    assert deliver(place, "Delete", A, {}, PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert channels(place) == {}


@pytest.mark.parametrize("held", ["unproven:{}", "demo-First-1XY2Z3"])
def test_channel_of_another_stack_is_no_leftover(place: Place, held: str) -> None:
    """Neither a pending nor a made-up id leads a Delete to a channel that bears another owner's mark."""
    arn = deliver(place, "Create", A, OWN_ID)["PhysicalResourceId"]
    assert deliver(place, "Delete", B, OWN_ID, PhysicalResourceId=held.format(arn))["Status"] == "SUCCESS"
    assert channels(place) == {arn: ()}


def test_stacks_with_the_same_logical_ids_have_channels_of_their_own(place: Place) -> None:
    """Two stacks of one app make two channels, and each deletes its own."""
    other = {**A, "StackId": B["StackId"]}
    first, second = (deliver(place, "Create", owner, {})["PhysicalResourceId"] for owner in (A, other))
    assert first != second
    assert deliver(place, "Delete", A, {}, PhysicalResourceId=first)["Status"] == "SUCCESS"
    assert channels(place) == {second: ()}
