"""Which channel of several a resource goes back to, completes, takes over or leaves, over a history of requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from chime_handler.errors import ServiceError
from helpers.harness import Context, Harness
from helpers.resources import KINDS, AppInstanceSetup


class Killed(BaseException):
    """The execution environment ends without a word."""


@pytest.fixture
def setup() -> AppInstanceSetup:
    """Return an app instance without a channel."""
    setup = AppInstanceSetup()
    setup.harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=setup.harness.boss)
    setup.harness.now += 100
    return setup


def channels(setup: AppInstanceSetup) -> dict[str, tuple[str, ...]]:
    """Return the channels that are there, with their messages."""
    return {channel.arn: channel.messages for channel in setup.harness.service.channels()}


PUBLIC = {"Privacy": "PUBLIC"}


def test_rollback_leaves_a_retained_channel_that_nobody_has_used_yet(setup: AppInstanceSetup) -> None:
    """What was there before the channel that the stack holds is no leftover of the Update that failed."""
    harness = setup.harness
    first = harness.create()["PhysicalResourceId"]
    harness.now += 600
    second = harness.update(first, {}, PUBLIC)["PhysicalResourceId"]  # and the first is retained
    harness.now += 600
    failed = harness.update(second, PUBLIC, {"MemberArns": ["user/nobody"]})
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", second)
    harness.now += 60
    assert harness.update(second, {"MemberArns": ["user/nobody"]}, PUBLIC)["Status"] == "SUCCESS"
    assert channels(setup) == {first: (), second: ()}


@pytest.mark.parametrize("pause", [0, 60])
@pytest.mark.parametrize("tag_misses", [0, 1, 3])
def test_rollback_deletes_what_the_failed_update_made(tag_misses: int, pause: int) -> None:
    """A replacement that failed goes with the rollback's Update, however soon."""
    setup = AppInstanceSetup(f"tag_misses={tag_misses}")
    harness = setup.harness
    harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=harness.boss)
    first = harness.create()["PhysicalResourceId"]
    harness.now += 600

    declared = {**PUBLIC, "MemberArns": ["user/nobody"]}
    failed = harness.update(first, {}, declared)
    assert failed["PhysicalResourceId"] == first
    assert "user/nobody: NotFound" in failed["Reason"]
    assert len(channels(setup)) == 2
    harness.now += pause
    assert harness.update(first, declared, {})["Status"] == "SUCCESS"
    assert channels(setup) == {first: ()}


@pytest.mark.parametrize("vanished", [False, True], ids=["held", "vanished"])
@pytest.mark.parametrize("tag_misses", [0, 3])
def test_rollback_at_once_finds_what_an_unanswered_update_made(tag_misses: int, *, vanished: bool) -> None:
    """A replacement made a moment ago goes, although reads miss its mark; also where the first channel is gone."""
    setup = AppInstanceSetup(f"tag_misses={tag_misses}")
    harness = setup.harness
    harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=harness.boss)
    first = harness.create()["PhysicalResourceId"]
    harness.now += 600

    def die(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "CreateChannel":
            raise Killed

    known = {"PhysicalResourceId": first, "OldResourceProperties": harness.properties()}
    harness.after = die
    with pytest.raises(Killed):
        harness.provider.serve(
            harness.event("Update", harness.properties(**PUBLIC), **known), Context(harness, 900)
        )
    harness.heal()
    (second,) = set(channels(setup)) - {first}
    if vanished:
        harness.messaging("DeleteChannel", ChannelArn=first, ChimeBearer=harness.boss)
    answer = harness.update(first, PUBLIC, {})
    assert answer["Status"] == "SUCCESS"
    assert second not in channels(setup)
    assert channels(setup) == {answer["PhysicalResourceId"]: ()}
    assert vanished or answer["PhysicalResourceId"] == first


@pytest.mark.parametrize("operation", ["CreateChannelBan", "AssociateChannelFlow", "BatchCreateChannelMembership"])
def test_replacement_that_fails_at_any_of_its_parts_goes_with_the_rollback(
    setup: AppInstanceSetup, operation: str
) -> None:
    """Whatever fails after CreateChannel, and however, no second channel stays."""
    harness = setup.harness
    first = harness.create()["PhysicalResourceId"]
    harness.now += 600

    def refuse(called: str, _: Mapping[str, Any]) -> None:
        if called == operation:
            raise ServiceError(called, "BadRequestException", "no", 400)

    harness.before = refuse
    declared = {**PUBLIC, "MemberArns": ["user/ann"], "BanArns": ["user/bob"], "ChannelFlowArn": setup.flow}
    failed = harness.update(first, {}, declared)
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", first)
    assert f"{operation}: BadRequest" in failed["Reason"]
    harness.heal()
    assert harness.update(first, declared, {})["PhysicalResourceId"] == first
    assert channels(setup) == {first: ()}


def test_replacement_that_another_delivery_made_stays_where_this_one_fails(setup: AppInstanceSetup) -> None:
    """The second of two deliveries that fails deletes nothing: the first has responded with that channel."""
    harness = setup.harness
    first = harness.create()["PhysicalResourceId"]
    harness.now += 600
    known = {"PhysicalResourceId": first, "OldResourceProperties": harness.properties()}
    event = harness.event("Update", harness.properties(**PUBLIC), **known)
    second = harness.deliver(event)["PhysicalResourceId"]

    def refuse(called: str, _: Mapping[str, Any]) -> None:
        if called == "DescribeChannel":
            raise ServiceError(called, "BadRequestException", "no", 400)

    harness.before = refuse
    assert harness.deliver(event)["Status"] == "FAILED"
    assert channels(setup) == {first: (), second: ()}


def test_update_goes_back_to_the_latest_of_its_former_channels(setup: AppInstanceSetup) -> None:
    """Of two retained lives, the later one is taken back, and the earlier one stays as it is."""
    harness = setup.harness
    first = harness.create()["PhysicalResourceId"]
    setup.say(first, "first")
    harness.now += 200_000
    second = harness.create()["PhysicalResourceId"]
    setup.say(second, "second")
    harness.now += 200_000
    third = harness.update(second, {}, PUBLIC)["PhysicalResourceId"]
    setup.say(third, "third")
    harness.now += 200_000
    assert harness.update(third, PUBLIC, {"Name": "again"})["PhysicalResourceId"] == second
    assert channels(setup) == {first: ("first",), second: ("second",), third: ("third",)}
    assert {channel.arn: channel.name for channel in harness.service.channels()} == {
        first: "Support secret name",
        second: "again",
        third: "Support secret name",
    }


def test_own_channel_that_was_retained_is_adopted_without_more_words(setup: AppInstanceSetup) -> None:
    """A channel of this resource's former life is taken over with adoption alone: it is no other owner's."""
    harness = setup.harness
    own = {"ChannelId": "own"}
    arn = harness.create(**own)["PhysicalResourceId"]
    setup.say(arn, "hello")
    harness.now += 200_000
    refused = harness.create(**own)
    assert refused["Status"] == "FAILED"
    assert "adopt_existing=True" in refused["Reason"]
    answer = harness.create(**own, AdoptExisting="true")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert channels(setup) == {arn: ("hello",)}


@pytest.mark.parametrize(
    "behaviors", ["", "token_after_delete=dead", "token_after_delete=conflict", "token_alive=conflict"]
)
def test_token_of_the_users_own_never_leads_to_a_former_channel(behaviors: str) -> None:
    """A second life under the same token is another channel, also where the first is still there."""
    for first_is_there in (False, True):
        setup = AppInstanceSetup(behaviors)
        harness, token = setup.harness, {"ClientRequestToken": "my-token"}
        first = harness.create(**token)["PhysicalResourceId"]
        setup.say(first, "hello")
        harness.now += 200_000
        if not first_is_there:
            harness.delete(first, **token)
            harness.now += 200_000
        second = harness.create(**token)
        assert second["Status"] == "SUCCESS", second
        arn = second["PhysicalResourceId"]
        expected = {arn: (), setup.lobby: ()} | ({first: ("hello",)} if first_is_there else {})
        assert channels(setup) == expected
        if first_is_there:
            assert arn != first


@pytest.mark.parametrize("behaviors", ["", "token_after_delete=dead", "token_after_delete=conflict"])
def test_token_and_channel_id_of_the_users_own_are_good_for_a_second_life(behaviors: str) -> None:
    """A token that stands for a channel that is gone does not keep a new one from its ChannelId."""
    setup = AppInstanceSetup(behaviors)
    harness, own = setup.harness, {"ChannelId": "own", "ClientRequestToken": "my-token"}
    first = harness.create(**own)["PhysicalResourceId"]
    assert harness.delete(first, **own)["Status"] == "SUCCESS"
    harness.now += 100
    second = harness.create(**own)
    assert (second["Status"], second["PhysicalResourceId"]) == ("SUCCESS", first), second
    assert channels(setup) == {first: (), setup.lobby: ()}


def test_adoption_that_one_delivery_ended_and_another_failed_deletes_nothing() -> None:
    """A channel that this very request has adopted already is not what a failed replacement has created."""
    setup = AppInstanceSetup()
    harness = setup.harness
    setup.say(setup.lobby, "hello")
    first = harness.create()["PhysicalResourceId"]
    harness.now += 200_000
    properties = harness.properties(ChannelId="lobby", AdoptExisting="true")
    known = {"PhysicalResourceId": first, "OldResourceProperties": harness.properties()}
    event = harness.event("Update", properties, **known)

    def die(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "TagResource":
            raise Killed

    harness.after = die
    with pytest.raises(Killed):
        harness.provider.serve(event, Context(harness, 900))
    harness.heal()
    harness.now += 60

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "ListChannelBans":
            raise ServiceError(operation, "BadRequestException", "no", 400)

    harness.before = refuse
    failed = harness.deliver(event)
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", first)
    assert channels(setup) == {first: (), setup.lobby: ("hello",)}


@pytest.mark.parametrize("count", [9, 10, 11, 12, 25])
def test_any_number_of_moderators_is_there_from_the_beginning(setup: AppInstanceSetup, count: int) -> None:
    """CreateChannel takes ten; the others follow one by one, and none is left out or sent twice."""
    harness = setup.harness
    people = [harness.user(f"m{number}") for number in range(count)]
    answer = harness.create(ModeratorArns=people)
    assert answer["Status"] == "SUCCESS", answer
    (channel,) = harness.service.channels()
    assert set(channel.moderators) == {harness.boss, *people}
    assert len(dict(harness.calls)["CreateChannel"]["ModeratorArns"]) == min(count, 10)
    followed = [given["ChannelModeratorArn"] for name, given in harness.calls if name == "CreateChannelModerator"]
    assert followed == people[10:]


PARTS = {
    "member": ("MemberArns", "DeleteChannelMembership", "MemberArn"),
    "hidden member": ("HiddenMemberArns", "DeleteChannelMembership", "MemberArn"),
    "ban": ("BanArns", "DeleteChannelBan", "MemberArn"),
    "eleventh moderator": ("ModeratorArns", "DeleteChannelModerator", "ChannelModeratorArn"),
    "moderator who is a hidden member": ("ModeratorArns", "DeleteChannelModerator", "ChannelModeratorArn"),
}


@pytest.mark.parametrize("age", [60, 86_300, 86_500])
@pytest.mark.parametrize("part", PARTS)
def test_update_completes_what_an_interrupted_creation_has_left_out(
    setup: AppInstanceSetup, part: str, age: int
) -> None:
    """Within a day of its creation a channel gets the declared parts that never came; later, guests decide."""
    harness = setup.harness
    declared, removal, parameter = PARTS[part]
    people = [harness.user(f"m{number}") for number in range(11)]
    given = {declared: people if part == "eleventh moderator" else people[-1:]}
    if part == "moderator who is a hidden member":
        given["HiddenMemberArns"] = people[-1:]
    arn = harness.create(**given)["PhysicalResourceId"]
    complete = setup.everything()
    harness.messaging(removal, ChannelArn=arn, ChimeBearer=harness.boss, **{parameter: people[-1]})
    assert setup.everything() != complete
    harness.now += age
    assert harness.update(arn, given, {**given, "Resync": ""})["PhysicalResourceId"] == arn
    assert (setup.everything() == complete) is (age < 86_400)


def test_rollback_completes_what_its_update_created_without_a_hidden_moderator(setup: AppInstanceSetup) -> None:
    """A moderator whom the failed Update declared as HIDDEN, and so did not give to CreateChannel, is added."""
    harness = setup.harness
    dee = harness.user("dee")
    given = {"ModeratorArns": [dee]}
    arn = harness.create(**given)["PhysicalResourceId"]
    complete = setup.everything()
    harness.messaging("DeleteChannelModerator", ChannelArn=arn, ChimeBearer=harness.boss, ChannelModeratorArn=dee)
    harness.now += 600
    assert harness.update(arn, {**given, "HiddenMemberArns": [dee]}, given)["PhysicalResourceId"] == arn
    assert setup.everything() == complete


def test_mark_of_an_adoption_goes_last_and_its_expiration_just_before(setup: AppInstanceSetup) -> None:
    """Until all is as declared, an adopted channel is not this stack's, and nothing has made it expire."""
    harness = setup.harness
    given = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "theirs", "ClientRequestToken": "tt"}
    settings = {"Mode": "UNRESTRICTED", "Privacy": "PRIVATE", "ChimeBearer": harness.boss}
    harness.messaging("CreateChannel", **given, **settings)
    harness.now += 100
    people = {"MemberArns": ["user/ann"], "ModeratorArns": ["user/bob"], "BanArns": ["user/cy"]}
    days = {"ExpirationSettings": {"ExpirationDays": "7", "ExpirationCriterion": "CREATED_TIMESTAMP"}}
    answer = harness.create(ChannelId="lobby", AdoptExisting="true", Tags={"a": "b"}, **people, **days)
    assert answer["Status"] == "SUCCESS"
    writes = [name for name, _ in harness.calls if not name.startswith(("List", "Describe"))]
    assert writes == [
        "CreateChannel",
        "UpdateChannel",
        "BatchCreateChannelMembership",
        "CreateChannelModerator",
        "CreateChannelBan",
        "PutChannelExpirationSettings",
        "TagResource",
    ]


def test_update_goes_back_to_a_retained_channel_under_its_own_channel_id(setup: AppInstanceSetup) -> None:
    """A ChannelId of the user's own leads back to the channel that this resource has had, without adoption."""
    harness = setup.harness
    first = harness.create(ChannelId="a")["PhysicalResourceId"]
    setup.say(first, "hello")
    harness.now += 200_000
    second = harness.update(first, {"ChannelId": "a"}, {"ChannelId": "b"})["PhysicalResourceId"]
    harness.now += 200_000
    answer = harness.update(second, {"ChannelId": "b"}, {"ChannelId": "a", "Name": "again"})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", first), answer
    assert channels(setup) == {first: ("hello",), second: ()}


@pytest.mark.parametrize("missing_channel", ["Forbidden", "NotFound"])
@pytest.mark.parametrize("missing_tags", ["refused", "empty", "BadRequest"])
def test_channel_id_of_a_deleted_channel_is_refused_by_its_name(missing_channel: str, missing_tags: str) -> None:
    """Where the service does not give a ChannelId again, the answer says so, and that nothing was made."""
    setup = AppInstanceSetup(
        f"deleted_channel_id=conflict,missing_tags={missing_tags},missing_channel={missing_channel}"
    )
    harness = setup.harness
    harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=harness.boss)
    harness.now += 200_000
    answer = harness.create(ChannelId="lobby")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "unmade:Support1A2B3C4D")
    assert "is taken, but no channel is there: it belonged to a channel that was deleted" in answer["Reason"]


@pytest.mark.parametrize("misses", [0, 1, 5])
def test_replacement_is_complete_although_reads_miss_it_at_first(misses: int) -> None:
    """Lists of a channel made a moment ago may be refused: they are asked for again."""
    setup = AppInstanceSetup(f"read_misses={misses}")
    harness = setup.harness
    first = harness.create()["PhysicalResourceId"]
    harness.now += 200_000
    declared = {**PUBLIC, "ModeratorArns": ["user/bob"], "MemberArns": ["user/ann"]}
    answer = harness.update(first, {}, declared)
    assert answer["Status"] == "SUCCESS", answer
    (channel,) = (one for one in harness.service.channels() if one.arn == answer["PhysicalResourceId"])
    assert set(channel.moderators) == {harness.boss, setup.bob}
    assert {setup.ann, harness.boss} <= set(channel.members)


# Attachments.


@pytest.mark.parametrize("second_flow", ["replaces", "conflict"])
def test_flow_that_a_failed_update_has_associated_with_another_channel_goes(second_flow: str) -> None:
    """Moved to another channel and rolled back, an association is on the first channel alone."""
    setup = AppInstanceSetup(f"second_flow={second_flow}")
    harness, kind = setup.harness, KINDS["flow"]
    other = harness.create(ChannelId="other")["PhysicalResourceId"]
    harness.now += 100
    moved = kind._replace(second=lambda setup: {**kind.first(setup), "ChannelArn": other})
    held = moved.create(setup)["PhysicalResourceId"]
    harness.now += 100
    before = setup.everything()
    moved.update(setup, held)
    harness.now += 100
    assert moved.update(setup, held, back=True)["Status"] == "SUCCESS"
    assert setup.everything() == before


@pytest.mark.parametrize("name", ["membership", "moderator", "ban"])
def test_rollback_removes_with_the_bearer_that_stays(name: str) -> None:
    """The bearer that a failed Update had brought may be gone: the declared one takes back what was attached."""
    setup, kind = AppInstanceSetup(), KINDS[name]
    harness = setup.harness
    deputy = harness.user("deputy")
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=deputy)
    held = kind.create(setup)["PhysicalResourceId"]
    harness.now += 100
    before = setup.everything()["channels"]
    changed = kind._replace(second=lambda setup: {**kind.second(setup), "ChimeBearer": deputy})
    changed.update(setup, held)
    harness.identity("DeleteAppInstanceUser", AppInstanceUserArn=deputy)
    harness.now += 100
    assert changed.update(setup, held, back=True)["Status"] == "SUCCESS"
    assert setup.everything()["channels"] == before


@pytest.mark.parametrize("kind", ["HIDDEN", "DEFAULT"])
def test_membership_is_of_the_declared_type(kind: str) -> None:
    """A HIDDEN member is hidden, from the first moment."""
    setup = AppInstanceSetup()
    member = KINDS["membership"]
    made = member._replace(first=lambda setup: {**member.first(setup), "Type": kind}).create(setup)
    assert made["Status"] == "SUCCESS"
    (channel,) = setup.harness.service.channels()
    assert channel.members[setup.ann] == kind


def test_streaming_that_moves_to_another_app_instance_leaves_it_to_its_declaration() -> None:
    """A data type that the old app instance had and the new one has not is nothing to end in the new one."""
    setup = AppInstanceSetup()
    harness = setup.harness
    other = harness.identity("CreateAppInstance", Name="b", ClientRequestToken="other")["AppInstanceArn"]
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-"
    theirs = [{"DataType": "Channel", "ResourceArn": f"{stream}theirs"}]
    harness.messaging("PutMessagingStreamingConfigurations", AppInstanceArn=other, StreamingConfigurations=theirs)
    old = {"ServiceToken": "a", "AppInstanceArn": harness.app, "StreamArns": {"Channel": f"{stream}theirs"}}
    new = {"ServiceToken": "a", "AppInstanceArn": other, "StreamArns": {"ChannelMessage": f"{stream}b"}}
    type_ = {"ResourceType": "Custom::ChimeAppInstanceStreaming"}
    held = harness.deliver(harness.event("Create", old, **type_))["PhysicalResourceId"]
    known = {"PhysicalResourceId": held, "OldResourceProperties": old, **type_}
    assert harness.deliver(harness.event("Update", new, **known))["Status"] == "SUCCESS"
    found = harness.messaging("GetMessagingStreamingConfigurations", AppInstanceArn=other)[
        "StreamingConfigurations"
    ]
    assert {one["DataType"]: one["ResourceArn"] for one in found} == {
        "Channel": f"{stream}theirs",
        "ChannelMessage": f"{stream}b",
    }


def test_list_that_leaves_out_what_is_empty_is_a_whole_answer() -> None:
    """The service may leave an empty list out of an answer: it is not asked again, and not for ever."""
    harness = Harness()
    arn = harness.create()["PhysicalResourceId"]
    harness.now += 100

    def leave_out(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        lists = ("ChannelBans", "ChannelMemberships", "ChannelModerators", "Errors", "Tags")
        return {key: value for key, value in answer.items() if value or key not in lists}

    harness.garble = leave_out
    harness.user("ann")
    harness.calls.clear()
    answer = harness.update(arn, {}, {"MemberArns": ["user/ann"], "Resync": "1"})
    assert answer["Status"] == "SUCCESS", answer
    assert [name for name, _ in harness.calls].count("ListChannelBans") == 1


@pytest.mark.parametrize("pages", [49, 50, 51, 120])
def test_all_pages_of_a_list_are_read(setup: AppInstanceSetup, pages: int) -> None:
    """Who is on a later page of the list is known all the same, and is removed when no longer declared."""
    harness = setup.harness
    people = [harness.user(f"m{number}") for number in range(pages)]
    given = {"MemberArns": people[: pages // 2], "HiddenMemberArns": people[pages // 2 :]}
    arn = harness.create(**given)["PhysicalResourceId"]
    harness.now += 200_000
    assert harness.update(arn, given, {})["PhysicalResourceId"] == arn
    (channel,) = harness.service.channels()
    assert set(channel.members) == {harness.boss}


@pytest.mark.parametrize(
    ("operation", "listed", "declared"),
    [
        ("ListChannelMemberships", "ChannelMemberships", "MemberArns"),
        ("ListChannelModerators", "ChannelModerators", "ModeratorArns"),
        ("ListChannelBans", "ChannelBans", "BanArns"),
    ],
)
def test_empty_page_with_a_token_does_not_end_a_list(
    setup: AppInstanceSetup, operation: str, listed: str, declared: str
) -> None:
    """Who is on the page after an empty one is known, and removed when no longer declared."""
    harness = setup.harness
    arn = harness.create(**{declared: [setup.ann]})["PhysicalResourceId"]
    harness.now += 200_000

    def begin_with_an_empty_page(name: str, answer: dict[str, Any]) -> dict[str, Any]:
        if name != operation or "NextToken" in harness.calls[-1][1]:
            return answer
        return {**answer, listed: [], "NextToken": "0"}

    harness.garble = begin_with_an_empty_page
    assert harness.update(arn, {declared: [setup.ann]}, {})["Status"] == "SUCCESS"
    (channel,) = (one for one in harness.service.channels() if one.arn == arn)
    assert setup.ann not in {*channel.members, *channel.moderators, *channel.bans}


NEVER_REACHED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # what the channel is declared with, and what a failed Update declares beside the people and so on
    "rejected": ({}, {"Mode": "NONE"}),
    "refused, since privacy is fixed": ({"ChannelId": "own"}, {"Privacy": "PUBLIC"}),
    "meant another channel": ({}, {"Privacy": "PUBLIC"}),
    "meant another own channel": ({"ChannelId": "own"}, {"ChannelId": "other"}),
}


@pytest.mark.parametrize("why", NEVER_REACHED)
def test_rollback_takes_nothing_back_that_its_update_never_did(setup: AppInstanceSetup, why: str) -> None:
    """What others have put there stays, though an Update that failed before its first call declared the same."""
    harness, (first, wrong) = setup.harness, NEVER_REACHED[why]
    arn = harness.create(**first)["PhysicalResourceId"]
    here = {"ChannelArn": arn, "ChimeBearer": harness.boss}
    harness.messaging("CreateChannelMembership", **here, MemberArn=setup.ann, Type="DEFAULT")
    harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=setup.bob)
    harness.messaging("CreateChannelBan", **here, MemberArn=setup.cy)
    harness.messaging("AssociateChannelFlow", **here, ChannelFlowArn=setup.flow)
    harness.messaging("TagResource", ResourceARN=arn, Tags=[{"Key": "team", "Value": "others"}])
    harness.now += 100_000
    before = setup.everything()["channels"][arn]
    added = {
        "MemberArns": [setup.ann],
        "ModeratorArns": [setup.bob],
        "BanArns": [setup.cy],
        "ChannelFlowArn": setup.flow,
        "Tags": {"team": "others"},
    }
    harness.before = lambda operation, _: refuse_for_good(operation, "CreateChannel")
    assert harness.update(arn, first, {**first, **added, **wrong})["Status"] == "FAILED"
    harness.heal()
    answer = harness.update(arn, {**first, **added, **wrong}, first)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert setup.everything()["channels"] == {arn: before}


def refuse_for_good(operation: str, refused: str) -> None:
    """Refuse one operation."""
    if operation == refused:
        raise ServiceError(operation, "ResourceLimitExceeded", "No more channels.", 400)


@pytest.mark.parametrize("pinned", ["now", "before"])
def test_channel_id_that_is_written_down_takes_nothing_from_an_update(setup: AppInstanceSetup, pinned: str) -> None:
    """The derived ChannelId may be declared, and left out again: what was declared before still goes."""
    harness = setup.harness
    arn = harness.create(MemberArns=[setup.ann])["PhysicalResourceId"]
    own = {"ChannelId": arn.rpartition("/")[2]}
    old, new = ({"MemberArns": [setup.ann]}, own) if pinned == "now" else ({"MemberArns": [setup.ann], **own}, {})
    assert harness.update(arn, old, new)["PhysicalResourceId"] == arn
    (channel,) = harness.service.channels()
    assert set(channel.members) == {harness.boss}


def test_property_of_a_later_release_makes_no_declaration_count_for_nothing(setup: AppInstanceSetup) -> None:
    """The rollback of an upgrade is served by the former release, which does not know all that was declared."""
    harness = setup.harness
    arn = harness.create(MemberArns=[setup.ann])["PhysicalResourceId"]
    answer = harness.update(arn, {"MemberArns": [setup.ann], "OfALaterRelease": "true"}, {})
    assert answer["Status"] == "SUCCESS"
    (channel,) = harness.service.channels()
    assert set(channel.members) == {harness.boss}
