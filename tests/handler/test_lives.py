"""Which channel of several a resource goes back to, completes, takes over or leaves, over a history of requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from resources import KINDS, Place

from chime_handler.errors import ServiceError
from stage import Context, Stage


class Killed(BaseException):
    """The execution environment ends without a word."""


@pytest.fixture
def place() -> Place:
    """Return a place without a channel."""
    place = Place()
    place.stage.messaging("DeleteChannel", ChannelArn=place.lobby, ChimeBearer=place.stage.boss)
    place.stage.now += 100
    return place


def channels(place: Place) -> dict[str, tuple[str, ...]]:
    """Return the channels that are there, with their messages."""
    return {channel.arn: channel.messages for channel in place.stage.service.channels()}


PUBLIC = {"Privacy": "PUBLIC"}


def test_rollback_leaves_a_retained_channel_that_nobody_has_used_yet(place: Place) -> None:
    """What was there before the channel that the stack holds is no leftover of the Update that failed."""
    stage = place.stage
    first = stage.create()["PhysicalResourceId"]
    stage.now += 600
    second = stage.update(first, {}, PUBLIC)["PhysicalResourceId"]  # and the first is retained
    stage.now += 600
    failed = stage.update(second, PUBLIC, {"MemberArns": ["user/nobody"]})
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", second)
    stage.now += 60
    assert stage.update(second, {"MemberArns": ["user/nobody"]}, PUBLIC)["Status"] == "SUCCESS"
    assert channels(place) == {first: (), second: ()}


@pytest.mark.parametrize("pause", [0, 60])
@pytest.mark.parametrize("tag_misses", [0, 1, 3])
def test_rollback_deletes_what_the_failed_update_made(tag_misses: int, pause: int) -> None:
    """A replacement that failed goes with the rollback's Update, however soon."""
    place = Place(f"tag_misses={tag_misses}")
    stage = place.stage
    stage.messaging("DeleteChannel", ChannelArn=place.lobby, ChimeBearer=stage.boss)
    first = stage.create()["PhysicalResourceId"]
    stage.now += 600

    declared = {**PUBLIC, "MemberArns": ["user/nobody"]}
    failed = stage.update(first, {}, declared)
    assert failed["PhysicalResourceId"] == first
    assert "user/nobody: NotFound" in failed["Reason"]
    assert len(channels(place)) == 2
    stage.now += pause
    assert stage.update(first, declared, {})["Status"] == "SUCCESS"
    assert channels(place) == {first: ()}


@pytest.mark.parametrize("vanished", [False, True], ids=["held", "vanished"])
@pytest.mark.parametrize("tag_misses", [0, 3])
def test_rollback_at_once_finds_what_an_unanswered_update_made(tag_misses: int, *, vanished: bool) -> None:
    """A replacement made a moment ago goes, although reads miss its mark; also where the first channel is gone."""
    place = Place(f"tag_misses={tag_misses}")
    stage = place.stage
    stage.messaging("DeleteChannel", ChannelArn=place.lobby, ChimeBearer=stage.boss)
    first = stage.create()["PhysicalResourceId"]
    stage.now += 600

    def die(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "CreateChannel":
            raise Killed

    known = {"PhysicalResourceId": first, "OldResourceProperties": stage.properties()}
    stage.after = die
    with pytest.raises(Killed):
        stage.provider.serve(stage.event("Update", stage.properties(**PUBLIC), **known), Context(stage, 900))
    stage.heal()
    (second,) = set(channels(place)) - {first}
    if vanished:
        stage.messaging("DeleteChannel", ChannelArn=first, ChimeBearer=stage.boss)
    answer = stage.update(first, PUBLIC, {})
    assert answer["Status"] == "SUCCESS"
    assert second not in channels(place)
    assert channels(place) == {answer["PhysicalResourceId"]: ()}
    assert vanished or answer["PhysicalResourceId"] == first


@pytest.mark.parametrize("operation", ["CreateChannelBan", "AssociateChannelFlow", "BatchCreateChannelMembership"])
def test_replacement_that_fails_at_any_of_its_parts_goes_with_the_rollback(place: Place, operation: str) -> None:
    """Whatever fails after CreateChannel, and however, no second channel stays."""
    stage = place.stage
    first = stage.create()["PhysicalResourceId"]
    stage.now += 600

    def refuse(called: str, _: Mapping[str, Any]) -> None:
        if called == operation:
            raise ServiceError(called, "BadRequestException", "no", 400)

    stage.before = refuse
    declared = {**PUBLIC, "MemberArns": ["user/ann"], "BanArns": ["user/bob"], "ChannelFlowArn": place.flow}
    failed = stage.update(first, {}, declared)
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", first)
    assert f"{operation}: BadRequest" in failed["Reason"]
    stage.heal()
    assert stage.update(first, declared, {})["PhysicalResourceId"] == first
    assert channels(place) == {first: ()}


def test_replacement_that_another_delivery_made_stays_where_this_one_fails(place: Place) -> None:
    """The second of two deliveries that fails deletes nothing: the first has responded with that channel."""
    stage = place.stage
    first = stage.create()["PhysicalResourceId"]
    stage.now += 600
    known = {"PhysicalResourceId": first, "OldResourceProperties": stage.properties()}
    event = stage.event("Update", stage.properties(**PUBLIC), **known)
    second = stage.deliver(event)["PhysicalResourceId"]

    def refuse(called: str, _: Mapping[str, Any]) -> None:
        if called == "DescribeChannel":
            raise ServiceError(called, "BadRequestException", "no", 400)

    stage.before = refuse
    assert stage.deliver(event)["Status"] == "FAILED"
    assert channels(place) == {first: (), second: ()}


def test_update_goes_back_to_the_latest_of_its_former_channels(place: Place) -> None:
    """Of two retained lives, the later one is taken back, and the earlier one stays as it is."""
    stage = place.stage
    first = stage.create()["PhysicalResourceId"]
    place.say(first, "first")
    stage.now += 200_000
    second = stage.create()["PhysicalResourceId"]
    place.say(second, "second")
    stage.now += 200_000
    third = stage.update(second, {}, PUBLIC)["PhysicalResourceId"]
    place.say(third, "third")
    stage.now += 200_000
    assert stage.update(third, PUBLIC, {"Name": "again"})["PhysicalResourceId"] == second
    assert channels(place) == {first: ("first",), second: ("second",), third: ("third",)}
    assert {channel.arn: channel.name for channel in stage.service.channels()} == {
        first: "Support secret name",
        second: "again",
        third: "Support secret name",
    }


def test_own_channel_that_was_retained_is_adopted_without_more_words(place: Place) -> None:
    """A channel of this resource's former life is taken over with adoption alone: it is no other owner's."""
    stage = place.stage
    own = {"ChannelId": "own"}
    arn = stage.create(**own)["PhysicalResourceId"]
    place.say(arn, "hello")
    stage.now += 200_000
    refused = stage.create(**own)
    assert refused["Status"] == "FAILED"
    assert "adopt_existing=True" in refused["Reason"]
    answer = stage.create(**own, AdoptExisting="true")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert channels(place) == {arn: ("hello",)}


@pytest.mark.parametrize(
    "world", ["", "token_after_delete=dead", "token_after_delete=conflict", "token_alive=conflict"]
)
def test_token_of_the_users_own_never_leads_to_a_former_channel(world: str) -> None:
    """A second life under the same token is another channel, also where the first is still there."""
    for first_is_there in (False, True):
        place = Place(world)
        stage, token = place.stage, {"ClientRequestToken": "my-token"}
        first = stage.create(**token)["PhysicalResourceId"]
        place.say(first, "hello")
        stage.now += 200_000
        if not first_is_there:
            stage.delete(first, **token)
            stage.now += 200_000
        second = stage.create(**token)
        assert second["Status"] == "SUCCESS", second
        arn = second["PhysicalResourceId"]
        expected = {arn: (), place.lobby: ()} | ({first: ("hello",)} if first_is_there else {})
        assert channels(place) == expected
        if first_is_there:
            assert arn != first


@pytest.mark.parametrize("world", ["", "token_after_delete=dead", "token_after_delete=conflict"])
def test_token_and_channel_id_of_the_users_own_are_good_for_a_second_life(world: str) -> None:
    """A token that stands for a channel that is gone does not keep a new one from its ChannelId."""
    place = Place(world)
    stage, own = place.stage, {"ChannelId": "own", "ClientRequestToken": "my-token"}
    first = stage.create(**own)["PhysicalResourceId"]
    assert stage.delete(first, **own)["Status"] == "SUCCESS"
    stage.now += 100
    second = stage.create(**own)
    assert (second["Status"], second["PhysicalResourceId"]) == ("SUCCESS", first), second
    assert channels(place) == {first: (), place.lobby: ()}


def test_adoption_that_one_delivery_ended_and_another_failed_deletes_nothing() -> None:
    """A channel that this very request has adopted already is not what a failed replacement has created."""
    place = Place()
    stage = place.stage
    place.say(place.lobby, "hello")
    first = stage.create()["PhysicalResourceId"]
    stage.now += 200_000
    properties = stage.properties(ChannelId="lobby", AdoptExisting="true")
    known = {"PhysicalResourceId": first, "OldResourceProperties": stage.properties()}
    event = stage.event("Update", properties, **known)

    def die(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "TagResource":
            raise Killed

    stage.after = die
    with pytest.raises(Killed):
        stage.provider.serve(event, Context(stage, 900))
    stage.heal()
    stage.now += 60

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "ListChannelBans":
            raise ServiceError(operation, "BadRequestException", "no", 400)

    stage.before = refuse
    failed = stage.deliver(event)
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", first)
    assert channels(place) == {first: (), place.lobby: ("hello",)}


@pytest.mark.parametrize("count", [9, 10, 11, 12, 25])
def test_any_number_of_moderators_is_there_from_the_beginning(place: Place, count: int) -> None:
    """CreateChannel takes ten; the others follow one by one, and none is left out or sent twice."""
    stage = place.stage
    people = [stage.user(f"m{number}") for number in range(count)]
    answer = stage.create(ModeratorArns=people)
    assert answer["Status"] == "SUCCESS", answer
    (channel,) = stage.service.channels()
    assert set(channel.moderators) == {stage.boss, *people}
    assert len(dict(stage.calls)["CreateChannel"]["ModeratorArns"]) == min(count, 10)
    followed = [given["ChannelModeratorArn"] for name, given in stage.calls if name == "CreateChannelModerator"]
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
def test_update_completes_what_an_interrupted_creation_has_left_out(place: Place, part: str, age: int) -> None:
    """Within a day of its creation a channel gets the declared parts that never came; later, guests decide."""
    stage = place.stage
    declared, removal, parameter = PARTS[part]
    people = [stage.user(f"m{number}") for number in range(11)]
    given = {declared: people if part == "eleventh moderator" else people[-1:]}
    if part == "moderator who is a hidden member":
        given["HiddenMemberArns"] = people[-1:]
    arn = stage.create(**given)["PhysicalResourceId"]
    complete = place.everything()
    stage.messaging(removal, ChannelArn=arn, ChimeBearer=stage.boss, **{parameter: people[-1]})
    assert place.everything() != complete
    stage.now += age
    assert stage.update(arn, given, {**given, "Resync": ""})["PhysicalResourceId"] == arn
    assert (place.everything() == complete) is (age < 86_400)


def test_rollback_completes_what_its_update_created_without_a_hidden_moderator(place: Place) -> None:
    """A moderator whom the failed Update declared as HIDDEN, and so did not give to CreateChannel, is added."""
    stage = place.stage
    dee = stage.user("dee")
    given = {"ModeratorArns": [dee]}
    arn = stage.create(**given)["PhysicalResourceId"]
    complete = place.everything()
    stage.messaging("DeleteChannelModerator", ChannelArn=arn, ChimeBearer=stage.boss, ChannelModeratorArn=dee)
    stage.now += 600
    assert stage.update(arn, {**given, "HiddenMemberArns": [dee]}, given)["PhysicalResourceId"] == arn
    assert place.everything() == complete


def test_mark_of_an_adoption_goes_last_and_its_expiration_just_before(place: Place) -> None:
    """Until all is as declared, an adopted channel is not this stack's, and nothing has made it expire."""
    stage = place.stage
    given = {"AppInstanceArn": stage.app, "ChannelId": "lobby", "Name": "theirs", "ClientRequestToken": "tt"}
    settings = {"Mode": "UNRESTRICTED", "Privacy": "PRIVATE", "ChimeBearer": stage.boss}
    stage.messaging("CreateChannel", **given, **settings)
    stage.now += 100
    people = {"MemberArns": ["user/ann"], "ModeratorArns": ["user/bob"], "BanArns": ["user/cy"]}
    days = {"ExpirationSettings": {"ExpirationDays": "7", "ExpirationCriterion": "CREATED_TIMESTAMP"}}
    answer = stage.create(ChannelId="lobby", AdoptExisting="true", Tags={"a": "b"}, **people, **days)
    assert answer["Status"] == "SUCCESS"
    writes = [name for name, _ in stage.calls if not name.startswith(("List", "Describe"))]
    assert writes == [
        "CreateChannel",
        "UpdateChannel",
        "BatchCreateChannelMembership",
        "CreateChannelModerator",
        "CreateChannelBan",
        "PutChannelExpirationSettings",
        "TagResource",
    ]


def test_update_goes_back_to_a_retained_channel_under_its_own_channel_id(place: Place) -> None:
    """A ChannelId of the user's own leads back to the channel that this resource has had, without adoption."""
    stage = place.stage
    first = stage.create(ChannelId="a")["PhysicalResourceId"]
    place.say(first, "hello")
    stage.now += 200_000
    second = stage.update(first, {"ChannelId": "a"}, {"ChannelId": "b"})["PhysicalResourceId"]
    stage.now += 200_000
    answer = stage.update(second, {"ChannelId": "b"}, {"ChannelId": "a", "Name": "again"})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", first), answer
    assert channels(place) == {first: ("hello",), second: ()}


@pytest.mark.parametrize("missing_channel", ["Forbidden", "NotFound"])
@pytest.mark.parametrize("missing_tags", ["refused", "empty", "BadRequest"])
def test_channel_id_of_a_deleted_channel_is_refused_by_its_name(missing_channel: str, missing_tags: str) -> None:
    """Where the service does not give a ChannelId again, the answer says so, and that nothing was made."""
    place = Place(f"deleted_channel_id=conflict,missing_tags={missing_tags},missing_channel={missing_channel}")
    stage = place.stage
    stage.messaging("DeleteChannel", ChannelArn=place.lobby, ChimeBearer=stage.boss)
    stage.now += 200_000
    answer = stage.create(ChannelId="lobby")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "unmade:Support1A2B3C4D")
    assert "is taken, but no channel is there: it belonged to a channel that was deleted" in answer["Reason"]


@pytest.mark.parametrize("misses", [0, 1, 5])
def test_replacement_is_complete_although_reads_miss_it_at_first(misses: int) -> None:
    """Lists of a channel made a moment ago may be refused: they are asked for again."""
    place = Place(f"read_misses={misses}")
    stage = place.stage
    first = stage.create()["PhysicalResourceId"]
    stage.now += 200_000
    declared = {**PUBLIC, "ModeratorArns": ["user/bob"], "MemberArns": ["user/ann"]}
    answer = stage.update(first, {}, declared)
    assert answer["Status"] == "SUCCESS", answer
    (channel,) = (one for one in stage.service.channels() if one.arn == answer["PhysicalResourceId"])
    assert set(channel.moderators) == {stage.boss, place.bob}
    assert {place.ann, stage.boss} <= set(channel.members)


# Attachments.


@pytest.mark.parametrize("second_flow", ["replaces", "conflict"])
def test_flow_that_a_failed_update_has_associated_with_another_channel_goes(second_flow: str) -> None:
    """Moved to another channel and rolled back, an association is on the first channel alone."""
    place = Place(f"second_flow={second_flow}")
    stage, kind = place.stage, KINDS["flow"]
    other = stage.create(ChannelId="other")["PhysicalResourceId"]
    stage.now += 100
    moved = kind._replace(second=lambda place: {**kind.first(place), "ChannelArn": other})
    held = moved.create(place)["PhysicalResourceId"]
    stage.now += 100
    before = place.everything()
    moved.update(place, held)
    stage.now += 100
    assert moved.update(place, held, back=True)["Status"] == "SUCCESS"
    assert place.everything() == before


@pytest.mark.parametrize("name", ["membership", "moderator", "ban"])
def test_rollback_removes_with_the_bearer_that_stays(name: str) -> None:
    """The bearer that a failed Update had brought may be gone: the declared one takes back what was attached."""
    place, kind = Place(), KINDS[name]
    stage = place.stage
    deputy = stage.user("deputy")
    stage.identity("CreateAppInstanceAdmin", AppInstanceArn=stage.app, AppInstanceAdminArn=deputy)
    held = kind.create(place)["PhysicalResourceId"]
    stage.now += 100
    before = place.everything()["channels"]
    changed = kind._replace(second=lambda place: {**kind.second(place), "ChimeBearer": deputy})
    changed.update(place, held)
    stage.identity("DeleteAppInstanceUser", AppInstanceUserArn=deputy)
    stage.now += 100
    assert changed.update(place, held, back=True)["Status"] == "SUCCESS"
    assert place.everything()["channels"] == before


@pytest.mark.parametrize("kind", ["HIDDEN", "DEFAULT"])
def test_membership_is_of_the_declared_type(kind: str) -> None:
    """A HIDDEN member is hidden, from the first moment."""
    place = Place()
    member = KINDS["membership"]
    made = member._replace(first=lambda place: {**member.first(place), "Type": kind}).create(place)
    assert made["Status"] == "SUCCESS"
    (channel,) = place.stage.service.channels()
    assert channel.members[place.ann] == kind


def test_streaming_that_moves_to_another_app_instance_leaves_it_to_its_declaration() -> None:
    """A data type that the old app instance had and the new one has not is nothing to end in the new one."""
    place = Place()
    stage = place.stage
    other = stage.identity("CreateAppInstance", Name="b", ClientRequestToken="other")["AppInstanceArn"]
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-"
    theirs = [{"DataType": "Channel", "ResourceArn": f"{stream}theirs"}]
    stage.messaging("PutMessagingStreamingConfigurations", AppInstanceArn=other, StreamingConfigurations=theirs)
    old = {"ServiceToken": "a", "AppInstanceArn": stage.app, "StreamArns": {"Channel": f"{stream}theirs"}}
    new = {"ServiceToken": "a", "AppInstanceArn": other, "StreamArns": {"ChannelMessage": f"{stream}b"}}
    type_ = {"ResourceType": "Custom::ChimeAppInstanceStreaming"}
    held = stage.deliver(stage.event("Create", old, **type_))["PhysicalResourceId"]
    known = {"PhysicalResourceId": held, "OldResourceProperties": old, **type_}
    assert stage.deliver(stage.event("Update", new, **known))["Status"] == "SUCCESS"
    found = stage.messaging("GetMessagingStreamingConfigurations", AppInstanceArn=other)["StreamingConfigurations"]
    assert {one["DataType"]: one["ResourceArn"] for one in found} == {
        "Channel": f"{stream}theirs",
        "ChannelMessage": f"{stream}b",
    }


def test_list_that_leaves_out_what_is_empty_is_a_whole_answer() -> None:
    """The service may leave an empty list out of an answer: it is not asked again, and not for ever."""
    stage = Stage()
    arn = stage.create()["PhysicalResourceId"]
    stage.now += 100

    def leave_out(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        lists = ("ChannelBans", "ChannelMemberships", "ChannelModerators", "Errors", "Tags")
        return {key: value for key, value in answer.items() if value or key not in lists}

    stage.garble = leave_out
    stage.user("ann")
    stage.calls.clear()
    answer = stage.update(arn, {}, {"MemberArns": ["user/ann"], "Resync": "1"})
    assert answer["Status"] == "SUCCESS", answer
    assert [name for name, _ in stage.calls].count("ListChannelBans") == 1


@pytest.mark.parametrize("pages", [49, 50, 51, 120])
def test_all_pages_of_a_list_are_read(place: Place, pages: int) -> None:
    """Who is on a later page of the list is known all the same, and is removed when no longer declared."""
    stage = place.stage
    people = [stage.user(f"m{number}") for number in range(pages)]
    given = {"MemberArns": people[: pages // 2], "HiddenMemberArns": people[pages // 2 :]}
    arn = stage.create(**given)["PhysicalResourceId"]
    stage.now += 200_000
    assert stage.update(arn, given, {})["PhysicalResourceId"] == arn
    (channel,) = stage.service.channels()
    assert set(channel.members) == {stage.boss}


@pytest.mark.parametrize(
    ("operation", "listed", "declared"),
    [
        ("ListChannelMemberships", "ChannelMemberships", "MemberArns"),
        ("ListChannelModerators", "ChannelModerators", "ModeratorArns"),
        ("ListChannelBans", "ChannelBans", "BanArns"),
    ],
)
def test_empty_page_with_a_token_does_not_end_a_list(
    place: Place, operation: str, listed: str, declared: str
) -> None:
    """Who is on the page after an empty one is known, and removed when no longer declared."""
    stage = place.stage
    arn = stage.create(**{declared: [place.ann]})["PhysicalResourceId"]
    stage.now += 200_000

    def begin_with_an_empty_page(name: str, answer: dict[str, Any]) -> dict[str, Any]:
        if name != operation or "NextToken" in stage.calls[-1][1]:
            return answer
        return {**answer, listed: [], "NextToken": "0"}

    stage.garble = begin_with_an_empty_page
    assert stage.update(arn, {declared: [place.ann]}, {})["Status"] == "SUCCESS"
    (channel,) = (one for one in stage.service.channels() if one.arn == arn)
    assert place.ann not in {*channel.members, *channel.moderators, *channel.bans}
