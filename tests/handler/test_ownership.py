"""No channel is taken from another owner; a renamed construct keeps its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from chime_handler.channel.ownership import OWNER_TAG
from chime_handler.errors import ServiceError
from helpers.harness import STACK, Context
from helpers.resources import AppInstanceSetup


class Killed(BaseException):
    """The execution environment ends without a word."""


A = {"StackId": STACK, "LogicalResourceId": "First"}
B = {"StackId": STACK.replace("demo", "other"), "LogicalResourceId": "Second"}
ADOPT = {"ChannelId": "lobby", "AdoptExisting": "true"}
FROM_OTHER = {**ADOPT, "AdoptFromOtherOwner": "true"}
OWN_ID = {"ChannelId": "lobby"}


@pytest.fixture(params=["", "tag_misses=3,read_misses=3", "missing_channel=NotFound,missing_tags=empty"])
def setup(request: pytest.FixtureRequest) -> AppInstanceSetup:
    """Return an app instance without the lobby, with some behaviors."""
    setup = AppInstanceSetup(request.param)
    setup.harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=setup.harness.boss)
    setup.harness.now += 100
    return setup


def deliver(
    setup: AppInstanceSetup, kind: str, owner: Mapping[str, str], given: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """Deliver a request in the name of an owner, a minute after the one before."""
    setup.harness.now += 60
    return setup.harness.deliver(setup.harness.event(kind, setup.harness.properties(**given), **owner, **more))


def channels(setup: AppInstanceSetup) -> dict[str, tuple[str, ...]]:
    """Return the channels that are there, with their messages."""
    return {channel.arn: channel.messages for channel in setup.harness.service.channels()}


def mark(setup: AppInstanceSetup, arn: str) -> str:
    """Return a channel's mark."""
    return setup.harness.service.tags[arn][OWNER_TAG]


def is_left(setup: AppInstanceSetup, arn: str) -> bool:
    """Check whether the log says of a channel that it was left."""
    return any('"not deleted", ' in line and arn in line for line in setup.harness.lines)


@pytest.mark.parametrize("given", [OWN_ID, ADOPT])
def test_channel_of_another_owner_is_refused(setup: AppInstanceSetup, given: dict[str, Any]) -> None:
    """A channel with another owner's mark is not taken, not even with adoption of what has no owner."""
    held = deliver(setup, "Create", A, OWN_ID)["PhysicalResourceId"]
    setup.say(held, "hello")
    before, of = setup.everything(), mark(setup, held)
    answer = deliver(setup, "Create", B, {**given, "Name": "ours"})
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith("unmade:")
    assert ("adopt_from_other_owner=True" if given is ADOPT else "adopt_existing=True") in answer["Reason"]
    assert (
        deliver(setup, "Delete", B, given, PhysicalResourceId=answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    )
    assert (setup.everything(), mark(setup, held)) == (before, of)


SECOND = {"another stack": B, "the same stack": {**A, "LogicalResourceId": "Second"}}


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", [OWN_ID, {}], ids=["own ChannelId", "derived ChannelId"])
def test_channel_adopted_from_another_owner_survives_the_first_owners_delete(
    setup: AppInstanceSetup, first: dict[str, Any], second: str
) -> None:
    """Adopted from its owner as asked for, a channel keeps its messages, and the first owner's Delete leaves it."""
    held = deliver(setup, "Create", A, first)["PhysicalResourceId"]
    setup.say(held, "hello")
    taken = {**FROM_OTHER, "ChannelId": held.rpartition("/")[2]}
    answer = deliver(setup, "Create", SECOND[second], taken)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held), answer
    assert deliver(setup, "Delete", A, first, PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert channels(setup) == {held: ("hello",)}
    assert is_left(setup, held)
    assert deliver(setup, "Delete", SECOND[second], taken, PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert channels(setup) == {}


@pytest.mark.parametrize("tag_misses", [0, 1, 3])
def test_former_owners_delete_at_once_after_an_adoption_leaves_the_channel(tag_misses: int) -> None:
    """An adoption is answered when its mark can be read: a Delete that comes at once sees it."""
    setup = AppInstanceSetup(f"tag_misses={tag_misses}")
    harness = setup.harness
    harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=harness.boss)
    held = deliver(setup, "Create", A, OWN_ID)["PhysicalResourceId"]
    adopted = harness.deliver(harness.event("Create", harness.properties(**FROM_OTHER), **B))
    assert adopted["Status"] == "SUCCESS"
    event = harness.event("Delete", harness.properties(**OWN_ID), **A, PhysicalResourceId=held)
    assert harness.deliver(event)["Status"] == "SUCCESS"
    assert channels(setup) == {held: ()}
    assert is_left(setup, held)


def test_update_of_a_channel_that_was_adopted_away_is_refused(setup: AppInstanceSetup) -> None:
    """The first owner's Update that looks at everything changes nothing of a channel that went over to another."""
    held = deliver(setup, "Create", A, OWN_ID)["PhysicalResourceId"]
    deliver(setup, "Create", B, {**FROM_OTHER, "Name": "ours"})
    before, of = setup.everything(), mark(setup, held)
    old = {"OldResourceProperties": setup.harness.properties(**OWN_ID), "PhysicalResourceId": held}
    answer = deliver(setup, "Update", A, {**OWN_ID, "Resync": "1"}, **old)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", held)
    assert "belongs to another resource" in answer["Reason"]
    assert (setup.everything(), mark(setup, held)) == (before, of)


@pytest.mark.parametrize("change", [{"Name": "new"}, {"Resync": "1"}], ids=["renamed", "resync"])
def test_update_leaves_a_channel_that_another_owner_made_under_the_same_id(
    setup: AppInstanceSetup, change: dict[str, str]
) -> None:
    """Where the channel vanished and another stack made one under its ChannelId, an Update leaves that alone."""
    held = deliver(setup, "Create", A, OWN_ID)["PhysicalResourceId"]
    setup.harness.messaging("DeleteChannel", ChannelArn=held, ChimeBearer=setup.harness.boss)
    setup.harness.now += 60
    deliver(setup, "Create", B, {**OWN_ID, "Name": "theirs"})
    setup.harness.now += 60
    before, of = setup.everything(), mark(setup, held)
    old = {"OldResourceProperties": setup.harness.properties(**OWN_ID), "PhysicalResourceId": held}
    answer = deliver(setup, "Update", A, {**OWN_ID, **change}, **old)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", held)
    assert (setup.everything(), mark(setup, held)) == (before, of)


def test_adoption_of_what_has_no_owner_needs_no_more_words(setup: AppInstanceSetup) -> None:
    """A channel that no construct made is adopted with adoption alone, and marked as adopted."""
    harness = setup.harness
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
    answer = deliver(setup, "Create", B, ADOPT)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert mark(setup, arn).endswith("-adopted")


RENAMED = {
    "in the same stack": {**A, "LogicalResourceId": "Renamed"},
    "to another stack": {**A, "StackId": STACK.replace("demo", "third")},
    "to another stack, under another name": {"StackId": STACK.replace("demo", "third"), "LogicalResourceId": "New"},
}


def test_rollback_of_an_adoption_that_a_second_delivery_failed_leaves_the_channel(setup: AppInstanceSetup) -> None:
    """A delivery that finds the channel adopted by the first, and fails, does not respond with it as created."""
    harness = setup.harness
    held = deliver(setup, "Create", A, OWN_ID)["PhysicalResourceId"]
    setup.say(held, "hello")
    harness.now += 60
    event = harness.event("Create", harness.properties(**FROM_OTHER), **B)

    def die(operation: str, _: object) -> None:
        if operation == "TagResource":
            raise Killed

    harness.after = die
    with pytest.raises(Killed):
        harness.provider.serve(event, Context(harness, 900))
    harness.heal()
    harness.now += 60

    def refuse(operation: str, _: object) -> None:
        if operation == "ListChannelMemberships":
            raise ServiceError(operation, "BadRequestException", "no", 400)

    harness.before = refuse
    failed = harness.deliver(event)
    harness.heal()
    assert failed["Status"] == "FAILED"
    known = failed["PhysicalResourceId"]
    assert deliver(setup, "Delete", B, FROM_OTHER, PhysicalResourceId=known)["Status"] == "SUCCESS"
    assert channels(setup) == {held: ("hello",)}


def test_second_delivery_of_an_adoption_waits_until_its_mark_can_be_read() -> None:
    """Whichever delivery responds: the former owner's Delete may come at once, and sees the new owner's mark."""
    setup = AppInstanceSetup("tag_misses=3")
    harness = setup.harness
    deliver(setup, "Create", A, OWN_ID)
    harness.now += 60
    event = harness.event("Create", harness.properties(**FROM_OTHER), **B)
    assert harness.deliver(event)["Status"] == "SUCCESS"
    before = harness.now
    assert harness.deliver(event)["Status"] == "SUCCESS"
    assert harness.now - before >= 15


@pytest.mark.parametrize("how", RENAMED)
def test_second_delivery_leaves_what_the_first_created_for_a_moved_construct(
    setup: AppInstanceSetup, how: str
) -> None:
    """A moved construct whose channel is gone gets another; the Update's second delivery does not take it away."""
    harness = setup.harness
    held = deliver(setup, "Create", A, {})["PhysicalResourceId"]
    harness.messaging("DeleteChannel", ChannelArn=held, ChimeBearer=harness.boss)
    harness.now += 600
    known = {"PhysicalResourceId": held, "OldResourceProperties": harness.properties()}
    event = harness.event("Update", harness.properties(Name="Help"), **RENAMED[how], **known)
    made = harness.deliver(event)["PhysicalResourceId"]
    created = {channel.arn: channel.created for channel in harness.service.channels()}
    assert made != held
    assert harness.deliver(event)["PhysicalResourceId"] == made
    assert {channel.arn: channel.created for channel in harness.service.channels()} == created


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("end", ["timer", "refusal", "crash"])
def test_rollback_of_an_adoption_leaves_the_channel(setup: AppInstanceSetup, moment: str, end: str) -> None:
    """An adoption that ends at any of its calls is rolled back without a loss: channel and messages stay."""
    harness = setup.harness
    held = deliver(setup, "Create", A, OWN_ID)["PhysicalResourceId"]
    of = mark(setup, held)
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
        assert deliver(setup, "Delete", B, FROM_OTHER, PhysicalResourceId=known)["Status"] == "SUCCESS"
        assert channels(setup) == {held: ()}, (number, known)
        # The mark goes last: an adoption that was refused half-way has left the channel to its owner.
        assert mark(setup, held) == of or (moment, end) != ("before", "refusal")
    raise AssertionError("an adoption makes fewer than 30 calls")


@pytest.mark.parametrize("resync", [False, True], ids=["before an Update", "after an Update"])
@pytest.mark.parametrize("how", RENAMED)
def test_refactored_construct_deletes_its_channel(setup: AppInstanceSetup, how: str, *, resync: bool) -> None:
    """A construct that `cdk refactor` renamed or moved changes and deletes its channel with derived ChannelId."""
    held = deliver(setup, "Create", A, {})["PhysicalResourceId"]
    setup.say(held, "hello")
    if resync:
        known = {"PhysicalResourceId": held, "OldResourceProperties": setup.harness.properties()}
        answer = deliver(setup, "Update", RENAMED[how], {"Resync": "1", "Name": "Help"}, **known)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held), answer
        assert channels(setup) == {held: ("hello",)}
    known = {"PhysicalResourceId": held}
    assert deliver(setup, "Delete", RENAMED[how], {}, **known)["Status"] == "SUCCESS"
    assert channels(setup) == {}


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
    setup: AppInstanceSetup, how: str, wrong: dict[str, Any]
) -> None:
    """An Update of a renamed construct that breaks a rule is taken back without replacing the channel."""
    held = deliver(setup, "Create", A, {"Privacy": "PUBLIC"})["PhysicalResourceId"]
    setup.say(held, "hello")
    good, bad = {"Privacy": "PUBLIC"}, {"Privacy": "PUBLIC", **wrong}
    known = {"PhysicalResourceId": held, "OldResourceProperties": setup.harness.properties(**good)}
    assert deliver(setup, "Update", RENAMED[how], bad, **known)["Status"] == "FAILED"
    known = {"PhysicalResourceId": held, "OldResourceProperties": setup.harness.properties(**bad)}
    answer = deliver(setup, "Update", RENAMED[how], good, **known)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held), answer
    assert channels(setup) == {held: ("hello",)}


REPLACED: dict[str, dict[str, Any]] = {
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
    setup: AppInstanceSetup, how: str, what: str
) -> None:
    """A moved construct's channel is known by what it is, whatever the failed Update declared."""
    good = {"Privacy": "PUBLIC"}
    held = deliver(setup, "Create", A, good)["PhysicalResourceId"]
    setup.say(held, "hello")
    setup.harness.now += 600
    bad = {**good, **REPLACED[what], "MemberArns": ["user/nobody"]}
    known = {"PhysicalResourceId": held, "OldResourceProperties": setup.harness.properties(**good)}
    failed = deliver(setup, "Update", RENAMED[how], bad, **known)
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", held)
    assert "user/nobody: NotFound" in failed["Reason"]
    known = {"PhysicalResourceId": held, "OldResourceProperties": setup.harness.properties(**bad)}
    answer = deliver(setup, "Update", RENAMED[how], good, **known)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held), answer
    assert channels(setup) == {held: ("hello",)}


@pytest.mark.parametrize("untagged", [False, True], ids=["marked", "mark removed"])
@pytest.mark.parametrize("how", RENAMED)
def test_refactored_construct_with_its_own_channel_id(setup: AppInstanceSetup, how: str, *, untagged: bool) -> None:
    """With a ChannelId of its own the channel goes with the construct in the same stack.

    Moved to another stack, it looks like the channel of another: it is left as it is, until somebody removes the
    mark; then the next Update that looks at everything writes the construct's own.
    """
    held = deliver(setup, "Create", A, OWN_ID)["PhysicalResourceId"]
    setup.harness.now += 60
    if untagged:
        setup.harness.messaging("UntagResource", ResourceARN=held, TagKeys=[OWNER_TAG])
        setup.harness.now += 60
    moved = RENAMED[how]["StackId"] != STACK
    known = {"PhysicalResourceId": held, "OldResourceProperties": setup.harness.properties(**OWN_ID)}
    answer = deliver(setup, "Update", RENAMED[how], {**OWN_ID, "Resync": "1"}, **known)
    assert answer["Status"] == ("FAILED" if moved and not untagged else "SUCCESS")
    known = {"PhysicalResourceId": held}
    assert deliver(setup, "Delete", RENAMED[how], OWN_ID, **known)["Status"] == "SUCCESS"
    left = moved and not untagged
    assert channels(setup) == ({held: ()} if left else {})
    assert is_left(setup, held) is left


@pytest.mark.parametrize("first", [OWN_ID, {}], ids=["own ChannelId", "derived ChannelId"])
def test_channel_made_anew_by_another_owner_is_left(setup: AppInstanceSetup, first: dict[str, Any]) -> None:
    """Where the channel vanished and another stack made one under its ChannelId, the Delete leaves that one."""
    held = deliver(setup, "Create", A, first)["PhysicalResourceId"]
    setup.harness.messaging("DeleteChannel", ChannelArn=held, ChimeBearer=setup.harness.boss)
    same = {"ChannelId": held.rpartition("/")[2]}
    assert deliver(setup, "Create", B, same)["PhysicalResourceId"] == held
    assert deliver(setup, "Delete", A, first, PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert channels(setup) == {held: ()}
    assert is_left(setup, held)


def test_channel_whose_mark_was_taken_off_is_deleted_all_the_same(setup: AppInstanceSetup) -> None:
    """A channel that this resource holds and that bears no mark at all is deleted: nobody else claims it."""
    held = deliver(setup, "Create", A, {})["PhysicalResourceId"]
    setup.harness.messaging("UntagResource", ResourceARN=held, TagKeys=[OWNER_TAG])
    assert deliver(setup, "Delete", A, {}, PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert channels(setup) == {}


@pytest.mark.parametrize("held", ["unproven:{}", "demo-First-1XY2Z3"])
def test_channel_of_another_stack_is_no_leftover(setup: AppInstanceSetup, held: str) -> None:
    """Neither a pending nor a made-up id leads a Delete to a channel that bears another owner's mark."""
    arn = deliver(setup, "Create", A, OWN_ID)["PhysicalResourceId"]
    assert deliver(setup, "Delete", B, OWN_ID, PhysicalResourceId=held.format(arn))["Status"] == "SUCCESS"
    assert channels(setup) == {arn: ()}


def test_stacks_with_the_same_logical_ids_have_channels_of_their_own(setup: AppInstanceSetup) -> None:
    """Two stacks of one app make two channels, and each deletes its own."""
    other = {**A, "StackId": B["StackId"]}
    first, second = (deliver(setup, "Create", owner, {})["PhysicalResourceId"] for owner in (A, other))
    assert first != second
    assert deliver(setup, "Delete", A, {}, PhysicalResourceId=first)["Status"] == "SUCCESS"
    assert channels(setup) == {second: ()}
