"""The life of one channel, with all behaviors: the real entry point against the emulated service."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from chime_handler.arns import parse_channel_arn
from chime_handler.channel.ownership import OWNER_TAG
from chime_handler.errors import ServiceError
from chime_local.chime import Behaviors
from helpers.harness import STACK, Harness


def _worlds() -> Iterator[str]:
    """Return the default behaviors, and each switch's other values on their own and together with Forbidden."""
    yield ""
    for name, values in Behaviors.values().items():
        for value in values[1:]:
            yield f"{name}={value}"
    yield "missing_channel=NotFound,token_after_delete=dead,deleted_channel_id=conflict,read_misses=2"
    yield "missing_channel=Forbidden,token_alive=conflict,deleted_channel_id=conflict,read_misses=3"
    yield "update_omitted=kept,bad_member=skipped,moderator_is_member=no,token_after_delete=conflict"


@pytest.fixture(params=list(_worlds()), ids=lambda text: text or "default")
def harness(request: pytest.FixtureRequest) -> Harness:
    """Set the harness with all behaviors."""
    return Harness(Behaviors.parse(request.param))


@pytest.fixture
def plain() -> Harness:
    """Set the harness with the default behaviors."""
    return Harness()


def arns(harness: Harness) -> list[str]:
    """Return the ARNs of all channels that are there."""
    return [channel.arn for channel in harness.service.channels()]


def say(harness: Harness, arn: str, content: str) -> None:
    """Send a message, so that a lost channel shows."""
    harness.now += 1
    harness.messaging(
        "SendChannelMessage",
        ChannelArn=arn,
        ChimeBearer=harness.boss,
        Content=content,
        Type="STANDARD",
        Persistence="PERSISTENT",
        ClientRequestToken=str(uuid.uuid4()),
    )


def test_create(harness: Harness) -> None:
    """A Create makes one channel as declared, marked as ours, and answers with its ARN and attributes."""
    ann, bob = harness.user("ann"), harness.user("bob")
    answer = harness.create(
        Metadata="m",
        MemberArns=[ann],
        ModeratorArns=[bob],
        Tags=[{"Key": "team", "Value": "x"}],
        ExpirationSettings={"ExpirationDays": "7", "ExpirationCriterion": "CREATED_TIMESTAMP"},
    )
    (channel,) = harness.service.channels()
    assert answer["Status"] == "SUCCESS", answer
    assert answer["PhysicalResourceId"] == channel.arn
    assert answer["Data"] == {
        "ChannelArn": channel.arn,
        "ChannelId": channel.arn.rpartition("/")[2],
        "AppInstanceArn": harness.app,
    }
    assert (channel.name, channel.mode, channel.privacy, channel.metadata) == (
        "Support secret name",
        "RESTRICTED",
        "PRIVATE",
        "m",
    )
    assert {ann, harness.boss} <= set(channel.members)
    assert {bob, harness.boss} == channel.moderators
    assert channel.expiration == {"ExpirationDays": 7, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    assert set(channel.tags) == {"team", OWNER_TAG}


def test_hidden_member_who_moderates_stays_hidden(harness: Harness) -> None:
    """Who is declared as HIDDEN member and as moderator is both, at creation and when promoted later."""
    ann, bob = harness.user("ann"), harness.user("bob")
    first = harness.properties(HiddenMemberArns=[ann], ModeratorArns=[ann])
    created = harness.deliver(harness.event("Create", first))
    second = harness.properties(HiddenMemberArns=[ann, bob], ModeratorArns=[ann, bob])
    more = {"PhysicalResourceId": created["PhysicalResourceId"], "OldResourceProperties": first}
    assert harness.deliver(harness.event("Update", second, **more))["Status"] == "SUCCESS"
    (channel,) = harness.service.channels()
    assert channel.members == {harness.boss: "DEFAULT", ann: "HIDDEN", bob: "HIDDEN"}
    assert channel.moderators == {harness.boss, ann, bob}


def test_member_dropped_by_the_template_leaves_though_still_moderator(plain: Harness) -> None:
    """Who stays moderator and is declared as member no more does not go on receiving messages as a member."""
    ann = plain.user("ann")
    both = plain.properties(MemberArns=[ann], ModeratorArns=[ann])
    created = plain.deliver(plain.event("Create", both))
    more = {"PhysicalResourceId": created["PhysicalResourceId"], "OldResourceProperties": both}
    assert (
        plain.deliver(plain.event("Update", plain.properties(ModeratorArns=[ann]), **more))["Status"] == "SUCCESS"
    )
    (channel,) = plain.service.channels()
    assert (set(channel.members), channel.moderators) == ({plain.boss}, {plain.boss, ann})


def test_creation_says_all_in_one_call(plain: Harness) -> None:
    """What CreateChannel itself takes is not said again: the bearer has ten calls a second for all its channels."""
    settings = {"ExpirationDays": "30", "ExpirationCriterion": "CREATED_TIMESTAMP"}
    said = {"Metadata": "m", "Tags": {"team": "a"}, "ExpirationSettings": settings}
    assert plain.create(**said)["Status"] == "SUCCESS"
    assert [operation for operation, _ in plain.calls] == ["CreateChannel"]


def test_spent_ids(plain: Harness) -> None:
    """A resource that has left sixteen channels behind says what to do about the next, and touches none of them."""
    for number in range(16):
        created = plain.deliver(plain.event("Create", plain.properties(), RequestId=f"life-{number}"))
        assert created["Status"] == "SUCCESS"
        plain.now += 100_000
    before = plain.service.channels()
    answer = plain.deliver(plain.event("Create", plain.properties(), RequestId="one too many"))
    assert answer["Status"] == "FAILED"
    assert "Give the construct another id, or a channel_id of your own." in answer["Reason"]
    assert plain.delete(answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert plain.service.channels() == before


def test_create_again(harness: Harness) -> None:
    """A Create that is delivered three times makes one channel and gives the same ARN each time."""
    event = harness.event("Create", harness.properties())
    ids = {harness.deliver(event)["PhysicalResourceId"] for _ in range(3)}
    assert ids == set(arns(harness))
    assert len(ids) == 1


def test_lost_answer_of_create(harness: Harness) -> None:
    """A CreateChannel whose answer is lost is found again, not made twice."""
    lost = ["CreateChannel", "CreateChannel"]

    def after(operation: str, _: Mapping[str, Any]) -> None:
        if operation in lost:
            lost.remove(operation)
            raise ServiceError(operation, "Unreachable", "connection reset")

    harness.after = after
    answer = harness.create()
    assert answer["Status"] == "SUCCESS", answer
    assert arns(harness) == [answer["PhysicalResourceId"]]


UPDATES: tuple[dict[str, Any], ...] = (
    {"Name": "Help"},
    {"Mode": "UNRESTRICTED"},
    {"Metadata": "new"},
    {"Tags": [{"Key": "team", "Value": "y"}]},
    {"ExpirationSettings": {"ExpirationDays": "9", "ExpirationCriterion": "LAST_MESSAGE_TIMESTAMP"}},
)


@pytest.mark.parametrize("change", UPDATES, ids=lambda change: next(iter(change)))
def test_update_in_place(harness: Harness, change: dict[str, Any]) -> None:
    """Each such change keeps channel and messages, takes effect, and is undone by a rollback."""
    before = harness.create()["PhysicalResourceId"]
    say(harness, before, "hello")
    (first,) = harness.service.channels()
    harness.now += 60
    assert harness.update(before, {}, change)["PhysicalResourceId"] == before
    (changed,) = harness.service.channels()
    assert changed != first
    harness.now += 60
    assert harness.update(before, change, {})["PhysicalResourceId"] == before
    (restored,) = harness.service.channels()
    assert restored == first
    assert restored.messages == ("hello",)


def test_bearer_rotates_in_place(harness: Harness) -> None:
    """A new bearer takes over without a change to the channel, and can go on to change it."""
    arn = harness.create()["PhysicalResourceId"]
    say(harness, arn, "hello")
    deputy = harness.user("deputy")
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=deputy)
    harness.now += 60
    assert harness.update(arn, {}, {"ChimeBearer": deputy})["PhysicalResourceId"] == arn
    answer = harness.update(arn, {"ChimeBearer": deputy}, {"ChimeBearer": deputy, "Name": "Help"})
    assert answer["PhysicalResourceId"] == arn
    (channel,) = harness.service.channels()
    assert (channel.name, channel.messages) == ("Help", ("hello",))


def test_members_change_in_place(harness: Harness) -> None:
    """Declared members come and go; who joined by themselves stays, and so do the messages."""
    people = [harness.user(f"user{n}") for n in range(130)]
    guest = harness.user("guest")
    arn = harness.create(MemberArns=people[:3])["PhysicalResourceId"]
    say(harness, arn, "hello")
    harness.messaging(
        "CreateChannelMembership", ChannelArn=arn, MemberArn=guest, Type="DEFAULT", ChimeBearer=harness.boss
    )
    harness.now += 60
    steps: list[dict[str, Any]] = [
        {"MemberArns": people[:3]},
        {"MemberArns": people[2:], "ModeratorArns": people[:1]},
        {"MemberArns": people[:1]},
        {},
    ]
    for old, new in pairwise(steps):
        assert harness.update(arn, old, new)["PhysicalResourceId"] == arn
        (channel,) = harness.service.channels()
        declared = set(new.get("MemberArns", ()))
        assert declared | {harness.boss, guest} <= set(channel.members)
        assert set(channel.members) <= declared | {harness.boss, guest, *new.get("ModeratorArns", ())}
        assert channel.moderators == {harness.boss, *new.get("ModeratorArns", ())}
        assert channel.messages == ("hello",)


def test_replacement_and_rollback(harness: Harness) -> None:
    """A change of Privacy makes another channel; a rollback gives the first back, with its messages."""
    first = harness.create()["PhysicalResourceId"]
    say(harness, first, "hello")
    harness.now += 60
    second = harness.update(first, {}, {"Privacy": "PUBLIC"})["PhysicalResourceId"]
    assert second != first
    assert set(arns(harness)) == {first, second}
    harness.now += 60
    assert harness.update(second, {"Privacy": "PUBLIC"}, {})["PhysicalResourceId"] == first
    assert harness.delete(second, Privacy="PUBLIC")["Status"] == "SUCCESS"
    (left,) = harness.service.channels()
    assert (left.arn, left.messages) == (first, ("hello",))


def test_failed_replacement_leaves_nothing_once_it_is_rolled_back(harness: Harness) -> None:
    """A replacement that fails after its CreateChannel leaves the old channel, and its rollback no other."""
    first = harness.create()["PhysicalResourceId"]
    harness.now += 60
    declared = {"Privacy": "PUBLIC", "MemberArns": [f"{harness.app}/user/nobody"]}
    answer = harness.update(first, {}, declared)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", first)
    assert "user/nobody" in answer["Reason"]
    assert first in arns(harness)
    assert harness.update(first, declared, {})["PhysicalResourceId"] == first
    assert arns(harness) == [first]


def test_vanished_channel_is_made_again(harness: Harness) -> None:
    """An Update whose channel was deleted behind our back makes it again, as declared."""
    first = harness.create()["PhysicalResourceId"]
    harness.now += 60
    harness.messaging("DeleteChannel", ChannelArn=first, ChimeBearer=harness.boss)
    answer = harness.update(first, {}, {"Name": "Help"})
    assert answer["Status"] == "SUCCESS", answer
    (channel,) = harness.service.channels()
    assert (channel.arn, channel.name) == (answer["PhysicalResourceId"], "Help")


def test_delete(harness: Harness) -> None:
    """A Delete removes the channel, again and again without complaint."""
    arn = harness.create()["PhysicalResourceId"]
    assert [harness.delete(arn)["Status"] for _ in range(3)] == ["SUCCESS"] * 3
    assert arns(harness) == []


def test_second_life(harness: Harness) -> None:
    """A resource that comes back under the same logical id gets a channel of its own, whatever is left."""
    first = harness.create()["PhysicalResourceId"]
    say(harness, first, "hello")
    harness.now += 7200
    second = harness.create()["PhysicalResourceId"]
    assert second != first
    assert harness.delete(second)["Status"] == "SUCCESS"
    harness.now += 7200
    third = harness.create()["PhysicalResourceId"]
    (kept, alive) = sorted(harness.service.channels(), key=lambda channel: channel.created)
    assert (kept.arn, kept.messages, alive.arn) == (first, ("hello",), third)


@pytest.mark.parametrize("made_up", ["demo-Support-1XY2Z3", "x" * 300])
def test_delete_of_unanswered_create(harness: Harness, made_up: str) -> None:
    """A Delete with an id that CloudFormation made up deletes what the unanswered Create has made."""
    harness.create()
    assert harness.delete(made_up)["Status"] == "SUCCESS"
    assert arns(harness) == []


def test_delete_outwaits_create(plain: Harness) -> None:
    """A Delete that overtakes its Create waits until that Create can act no more."""
    begun = plain.now
    plain.delete("demo-Support-1XY2Z3")
    assert plain.now - begun >= 795


def test_retained_life_survives_a_made_up_delete(harness: Harness) -> None:
    """A Delete with a made-up id spares a channel that an earlier life left behind."""
    first = harness.create()["PhysicalResourceId"]
    say(harness, first, "hello")
    harness.now += 7200
    harness.delete("demo-Support-1XY2Z3")
    assert arns(harness) == [first]


def test_foreign_channel_is_refused(harness: Harness) -> None:
    """A ChannelId that another stack holds is refused, and the rollback's Delete leaves it alone."""
    theirs = harness.event("Create", harness.properties(ChannelId="lobby"), StackId=STACK + "x")
    arn = harness.deliver(theirs)["PhysicalResourceId"]
    (before,) = harness.service.channels()
    harness.now += 60
    answer = harness.create(ChannelId="lobby", Name="mine")
    assert answer["Status"] == "FAILED"
    assert "adopt" in answer["Reason"]
    harness.delete(answer["PhysicalResourceId"], ChannelId="lobby")
    assert harness.service.channels() == [before]
    assert before.arn == arn


def test_adoption(harness: Harness) -> None:
    """With adoption asked for, a foreign channel becomes ours and as declared, and keeps its messages."""
    arn = f"{harness.app}/channel/lobby"
    harness.now += 60  # nobody is new any more
    harness.messaging(
        "CreateChannel",
        AppInstanceArn=harness.app,
        ChannelId="lobby",
        Name="theirs",
        Mode="RESTRICTED",
        Privacy="PRIVATE",
        ClientRequestToken="token-of-theirs",
        ChimeBearer=harness.boss,
    )
    harness.now += 60
    for _ in range(5):  # reads may miss a new channel for a while
        try:
            harness.messaging("DescribeChannel", ChannelArn=arn, ChimeBearer=harness.boss)
        except Exception:  # noqa: S112 - any refusal is a miss
            continue
    say(harness, arn, "hello")
    answer = harness.create(ChannelId="lobby", AdoptExisting="true", Name="ours")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    (channel,) = harness.service.channels()
    assert (channel.name, channel.messages, OWNER_TAG in channel.tags) == ("ours", ("hello",), True)


def test_users_own_token(harness: Harness) -> None:
    """A user's own ClientRequestToken is sent as it is, and does not tie a later life to a dead channel."""
    first = harness.create(ClientRequestToken="my-token")["PhysicalResourceId"]
    assert harness.service.channels()[0].token == "my-token"
    harness.delete(first, ClientRequestToken="my-token")
    harness.now += 60
    second = harness.create(ClientRequestToken="my-token")
    assert second["Status"] == "SUCCESS", second
    assert arns(harness) == [second["PhysicalResourceId"]]


def test_unknown_bearer_leaves_no_stuck_stack(harness: Harness) -> None:
    """A bearer that does not exist fails the Create by name, and the Delete that follows succeeds."""
    answer = harness.create(ChimeBearer=f"{harness.app}/user/nobody")
    assert answer["Status"] == "FAILED"
    code = "Forbidden" if harness.behaviors.missing_bearer == "403" else "UnauthorizedClient"
    assert f"CreateChannel: {code}: An invalid app instance user ARN" in answer["Reason"]
    assert "The bearer does not exist." in answer["Reason"]
    gone = harness.delete(answer["PhysicalResourceId"], ChimeBearer=f"{harness.app}/user/nobody")
    assert gone["Status"] == "SUCCESS"


def test_forbidden_delete_fails_loudly(harness: Harness) -> None:
    """A Delete that the bearer may not do fails and says so: the channel is never orphaned in silence."""
    arn = harness.create()["PhysicalResourceId"]
    weak = harness.user("weak")
    harness.now += 60  # nobody is new any more
    answer = harness.delete(arn, ChimeBearer=weak)
    assert answer["Status"] == "FAILED"
    assert "DeleteChannel: Forbidden" in answer["Reason"]
    assert arns(harness) == [arn]


@pytest.mark.parametrize("properties", [{}, {"AppInstanceArn": 5, "ChimeBearer": [], "Tags": "x"}])
def test_delete_with_bad_properties(plain: Harness, properties: dict[str, Any]) -> None:
    """A Delete whose properties no longer parse ends well when there is nothing to delete."""
    event = plain.event("Delete", properties, PhysicalResourceId="unmade:Support")
    assert plain.deliver(event)["Status"] == "SUCCESS"
    event = plain.event("Delete", properties, PhysicalResourceId="demo-Support-1")
    assert plain.deliver(event)["Status"] == "SUCCESS"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "long name": ({"Name": "n" * 257}, "Name: must have 1–256 characters, has 257"),
    "control character": ({"Name": "a\x07b"}, "Name: has a control character"),
    "metadata": ({"Metadata": "é" * 513}, "Metadata: must have at most 1024 bytes as UTF-8, has 1026"),
    "mode": ({"Mode": "RESTRICED"}, "Mode: must be RESTRICTED or UNRESTRICTED, got 'RESTRICED'"),
    "unknown": ({"Nmae": "x"}, "'Nmae': is no property of Custom::ChimeChannel"),
    "days": (
        {"ExpirationSettings": {"ExpirationDays": "soon", "ExpirationCriterion": "CREATED_TIMESTAMP"}},
        "ExpirationSettings.ExpirationDays must be a whole number, got 'soon'",
    ),
    "empty tag": ({"Tags": [{"Key": "a", "Value": ""}]}, "Tags: needs keys of 1–128 and values of 1–256"),
    "fifty tags": ({"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(50)]}, "Tags: must be at most 49"),
    "bearer": ({"ChimeBearer": "arn:aws:iam::1:role/x"}, "ChimeBearer: must be the ARN of an app instance"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_properties(plain: Harness, case: str) -> None:
    """A property that breaks a rule fails by name, value and rule, before any call."""
    properties, told = BAD[case]
    answer = plain.create(**properties)
    assert answer["Status"] == "FAILED"
    assert told in answer["Reason"]
    assert plain.calls == []


def test_all_bad_properties_at_once(plain: Harness) -> None:
    """All problems are told in one answer."""
    reason = plain.create(Mode="X", Privacy="Y", Name=None)["Reason"]
    assert all(name in reason for name in ("Mode:", "Privacy:", "Name: is required"))


def test_a_bad_update_changes_nothing(plain: Harness) -> None:
    """An Update with a bad property fails with the old id and leaves the channel as it was."""
    arn = plain.create()["PhysicalResourceId"]
    before = plain.service.channels()
    answer = plain.update(arn, {}, {"Mode": "X", "Name": "new"})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert plain.service.channels() == before


CODES = {
    "BadRequest": 400,
    "ResourceLimitExceeded": 400,
    "UnauthorizedClient": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "ThrottledClient": 429,
    "ServiceFailure": 500,
    "ServiceUnavailable": 503,
    "AccessDenied": 403,
    "Unreachable": 0,
}


@pytest.mark.parametrize("code", CODES)
def test_errors_are_named(plain: Harness, code: str) -> None:
    """Every refusal of the service ends in a Reason with operation, code and advice, never with a name."""
    words = ""

    def before(operation: str, parameters: Mapping[str, Any]) -> None:
        if operation == "CreateChannel":
            raise ServiceError(operation, f"{code}Exception", words or f"echo {parameters['Name']}", CODES[code])

    plain.before = before
    answer = plain.create()
    assert answer["Status"] == "FAILED"
    assert f"CreateChannel: {code}: (the service's message is not shown here" in answer["Reason"]
    assert "secret name" not in json.dumps(answer)
    words = "these words"
    assert f"CreateChannel: {code}: these words " in plain.create()["Reason"]
    plain.before = lambda _operation, _parameters: None
    assert plain.delete(answer["PhysicalResourceId"])["Status"] == "SUCCESS"


def test_retries_end_before_the_deadline(plain: Harness) -> None:
    """Throttling is waited out until shortly before the deadline, and no longer."""

    def before(operation: str, _: Mapping[str, Any]) -> None:
        raise ServiceError(operation, "ThrottledClientException", "slow down", 429)

    plain.before = before
    begun = plain.now
    answer = plain.deliver(plain.event("Create", plain.properties()), seconds=100)
    assert 80 < plain.now - begun < 90
    assert "without success" in answer["Reason"]


def test_requests_of_a_create_and_an_update(plain: Harness) -> None:
    """A Create that meets no surprise takes one call, an Update of one field two, a Delete two."""
    arn = plain.create()["PhysicalResourceId"]
    assert [name for name, _ in plain.calls] == ["CreateChannel"]
    plain.calls.clear()
    plain.now += 60
    plain.update(arn, {}, {"Name": "Help"})
    assert [name for name, _ in plain.calls] == ["DescribeChannel", "UpdateChannel"]
    plain.calls.clear()
    plain.delete(arn)
    assert [name for name, _ in plain.calls] == ["ListTagsForResource", "DeleteChannel"]


def test_no_secret_in_logs(harness: Harness) -> None:
    """No log line holds a ResponseURL, a name or metadata, and each is one JSON object."""
    arn = harness.create(Metadata="secret metadata")["PhysicalResourceId"]
    harness.update(arn, {"Metadata": "secret metadata"}, {"Metadata": "other secret", "Name": "secret too"})
    harness.create(Mode="X", Name="secret again")
    text = "\n".join(harness.lines)
    assert "secret" not in text.lower()
    assert "sEcReT" not in text
    assert all(isinstance(json.loads(line), dict) for line in harness.lines)


def test_client_region(plain: Harness) -> None:
    """Calls go to the region of the app instance, wherever the stack is."""
    there = Harness(region="eu-central-1")
    answer = there.create()
    found = parse_channel_arn(answer["PhysicalResourceId"])
    assert answer["Status"] == "SUCCESS"
    assert found
    assert found.app_instance_arn.split(":")[3] == "eu-central-1"
