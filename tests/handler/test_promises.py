"""What a user would lose: channels of others, former lives, access, uncertain creations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chime_handler.channel.ownership import GENERATIONS, OWNER_TAG
from chime_handler.errors import MalformedEventError, ServiceError
from chime_handler.request import parse_request
from helpers.harness import STACK, Harness
from helpers.resources import KINDS, AppInstanceSetup, Kind

ELASTIC = {
    "MaximumSubChannels": "5",
    "TargetMembershipsPerSubChannel": "100",
    "MinimumMembershipPercentage": "40",
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return each type of resource."""
    return KINDS[request.param]


def channels(setup: AppInstanceSetup) -> dict[str, tuple[str, ...]]:
    """Return the channels that are there, with their messages."""
    return {channel.arn: channel.messages for channel in setup.harness.service.channels()}


def empty(behaviors: str = "") -> AppInstanceSetup:
    """Return an app instance without a channel."""
    setup = AppInstanceSetup(behaviors)
    setup.harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=setup.harness.boss)
    setup.harness.now += 100
    return setup


def throttle(operation: str, _: Mapping[str, Any]) -> None:
    """Refuse a call for its rate."""
    raise ServiceError(operation, "ThrottledClientException", "slow down", 429)


# Creations of which nobody knows the effect.

LOST = {"500": ("ServiceFailure", 500), "502": ("Unknown", 502), "503": ("ServiceUnavailable", 503)} | {
    "504": ("Unknown", 504),
    "connection": ("Unreachable", 0),
}
VERDICTS = {
    "BadRequest": 400,
    "ResourceLimitExceeded": 400,
    "AccessDenied": 403,
    "Forbidden": 403,
    "UnauthorizedClient": 401,
    "NotFound": 404,
}


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("lost", LOST)
def test_creation_that_failed_after_its_effect_is_never_orphaned(kind: Kind, lost: str, verdict: str) -> None:
    """A failure may come after the effect: whatever the next try answers, it is undone."""
    setup = AppInstanceSetup()
    before, (code, status) = setup.everything(), LOST[lost]

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        raise ServiceError(operation, verdict, "no", VERDICTS[verdict])

    def lose(operation: str, _: Mapping[str, Any]) -> None:
        if operation == kind.effect:
            setup.harness.before = refuse
            raise ServiceError(operation, code, "failed", status)

    setup.harness.after = lose
    answer = kind.create(setup)
    setup.harness.heal()
    assert answer["PhysicalResourceId"].startswith("unproven:"), answer
    assert setup.everything() != before
    assert kind.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert setup.everything() == before


@pytest.mark.parametrize(("code", "status"), [("ThrottledClient", 429), ("ThrottlingException", 400)])
def test_throttling_is_no_effect_and_no_verdict(kind: Kind, code: str, status: int) -> None:
    """Throttling, by code or by status, is tried again; of a call that was only throttled nothing was made."""
    setup, left = AppInstanceSetup(), [3]

    def slow_down(operation: str, _: Mapping[str, Any]) -> None:
        if left[0]:
            left[0] -= 1
            raise ServiceError(operation, code, "slow down", status)

    setup.harness.before = slow_down
    assert kind.create(setup)["Status"] == "SUCCESS"
    setup = AppInstanceSetup()
    setup.harness.before = lambda operation, _: (_ for _ in ()).throw(ServiceError(operation, code, "slow", status))
    assert "without success" in kind.create(setup)["Reason"]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_failure_of_the_service_is_tried_again(kind: Kind, status: int) -> None:
    """A status that may pass is no verdict, whatever code comes with it."""
    setup = AppInstanceSetup()
    failed: list[str] = []

    def fail_once(operation: str, _: Mapping[str, Any]) -> None:
        if not failed:
            failed.append(operation)
            raise ServiceError(operation, "Unknown", "failed", status)

    setup.harness.before = fail_once
    assert kind.create(setup)["Status"] == "SUCCESS"


@pytest.mark.parametrize("tag_misses", [0, 1, 3])
@pytest.mark.parametrize("missing_tags", ["refused", "empty", "BadRequest"])
def test_pending_channel_whose_tags_come_late_is_deleted(tag_misses: int, missing_tags: str) -> None:
    """The Delete of a pending id comes at once, and reads may miss the mark: it waits for it."""
    setup = empty(f"tag_misses={tag_misses},missing_tags={missing_tags}")
    harness = setup.harness

    def lose(operation: str, _: Mapping[str, Any]) -> None:
        harness.before = throttle
        raise ServiceError(operation, "Unreachable", "connection reset")

    harness.after = lose
    held = harness.deliver(harness.event("Create", harness.properties()), seconds=30)["PhysicalResourceId"]
    harness.heal()
    assert held.startswith("unproven:")
    assert harness.delete(held)["Status"] == "SUCCESS"
    assert channels(setup) == {}


def test_delete_of_a_pending_id_reads_its_channel_once() -> None:
    """The channel that the id names is not looked at again with those of the other generations."""
    setup = empty()
    arn = setup.harness.create()["PhysicalResourceId"]
    setup.harness.calls.clear()
    assert setup.harness.delete(f"unproven:{arn}")["Status"] == "SUCCESS"
    read = [given["ResourceARN"] for operation, given in setup.harness.calls if operation == "ListTagsForResource"]
    assert read[0] == arn
    assert arn not in read[1:]
    assert len(set(read)) == GENERATIONS
    assert channels(setup) == {}


@pytest.mark.parametrize("held", ["unproven:{}", "demo-Support-1XY2Z3"])
def test_delete_of_an_uncertain_id_leaves_what_has_no_mark(held: str) -> None:
    """A channel under the declared ChannelId that nobody has marked is somebody's: no Delete guesses."""
    setup = AppInstanceSetup()  # where nobody has used the lobby, nor is it old: only the mark tells
    answer = setup.harness.delete(held.format(setup.lobby), ChannelId="lobby")
    assert answer["Status"] == "SUCCESS"
    assert channels(setup) == {setup.lobby: ()}


@pytest.mark.parametrize("held", ["unproven:{}", "demo-Support-1XY2Z3"])
@pytest.mark.parametrize("used", ["messages", "age"])
def test_delete_of_an_uncertain_id_leaves_a_former_life(held: str, used: str) -> None:
    """A retained channel of this resource, used or a day old, is no leftover of a request that failed."""
    setup = empty()
    harness = setup.harness
    arn = harness.create()["PhysicalResourceId"]
    if used == "messages":
        setup.say(arn, "hello")
        harness.now += 100
    else:
        harness.now += 86_401
    before = channels(setup)
    assert harness.delete(held.format(arn))["Status"] == "SUCCESS"
    assert channels(setup) == before != {}


def test_delete_of_an_uncertain_id_deletes_what_was_made_within_a_day() -> None:
    """A channel that an unanswered Create has made, and nobody used, goes within a day."""
    setup = empty()
    setup.harness.create()
    setup.harness.now += 86_400 - 900
    assert setup.harness.delete("demo-Support-1XY2Z3")["Status"] == "SUCCESS"
    assert channels(setup) == {}


# Channels of others, and former lives.


def test_failed_return_to_a_retained_channel_leaves_it() -> None:
    """An Update that goes back to a channel of earlier, and fails, deletes neither that channel nor the other."""
    setup = empty()
    harness = setup.harness
    first = harness.create()["PhysicalResourceId"]
    setup.say(first, "hello")
    harness.now += 7200
    second = harness.update(first, {}, {"Privacy": "PUBLIC"})["PhysicalResourceId"]  # and the first is retained
    harness.now += 7200
    answer = harness.update(second, {"Privacy": "PUBLIC"}, {"MemberArns": ["user/nobody"]})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", second)
    assert channels(setup) == {first: ("hello",), second: ()}


@pytest.mark.parametrize("misses", [0, 3])
def test_failed_replacement_goes_with_the_rollback(misses: int) -> None:
    """What a failed Update has made itself goes with its rollback, however late its mark can be read."""
    setup = empty(f"tag_misses={misses}")
    harness = setup.harness
    first = harness.create()["PhysicalResourceId"]
    harness.now += 100
    declared = {"Privacy": "PUBLIC", "MemberArns": ["user/nobody"]}
    answer = harness.update(first, {}, declared)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", first)
    assert harness.update(first, declared, {})["Status"] == "SUCCESS"
    assert channels(setup) == {first: ()}


def test_adoption_by_an_update_that_fails_leaves_the_channel() -> None:
    """An Update to the ChannelId of an existing channel that fails half-way deletes neither."""
    setup = AppInstanceSetup()
    harness = setup.harness
    setup.say(setup.lobby, "hello")
    first = harness.create()["PhysicalResourceId"]
    harness.now += 100
    adopt = {"ChannelId": "lobby", "AdoptExisting": "true", "MemberArns": ["user/nobody"]}
    answer = harness.update(first, {}, adopt)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", first)
    assert channels(setup) == {first: (), setup.lobby: ("hello",)}


@pytest.mark.parametrize("change", [{"Name": "new"}, {"Resync": "1"}])
def test_vanished_second_life_does_not_bring_back_the_first(change: dict[str, str]) -> None:
    """Where the channel of a later life vanished, a new one is made; the retained one of an earlier life stays."""
    setup = empty()
    harness = setup.harness
    first = harness.create()["PhysicalResourceId"]
    setup.say(first, "hello")
    harness.now += 200_000
    second = harness.create()["PhysicalResourceId"]
    assert second != first
    harness.now += 200_000
    harness.messaging("DeleteChannel", ChannelArn=second, ChimeBearer=harness.boss)
    before = [channel for channel in harness.service.channels() if channel.arn == first]
    harness.now += 100
    answer = harness.update(second, {}, change)
    assert answer["Status"] == "SUCCESS", answer
    assert answer["PhysicalResourceId"] != first
    assert [channel for channel in harness.service.channels() if channel.arn == first] == before
    assert len(channels(setup)) == 2


ADOPT = {"ChannelId": "lobby", "AdoptExisting": "true"}
FIXED: dict[str, tuple[dict[str, Any], str]] = {
    "Privacy": ({"Privacy": "PUBLIC"}, "Privacy of {arn} is PRIVATE and can never be changed to PUBLIC"),
    "elastic": (
        {"ElasticChannelConfiguration": ELASTIC},
        "ElasticChannelConfiguration of {arn} is none and can never be changed to "
        "5 sub-channels of 100, at least 40 % full",
    ),
}


@pytest.mark.parametrize("fixed", FIXED)
def test_adoption_of_what_can_never_be_as_declared_is_refused(fixed: str) -> None:
    """A channel with another Privacy or elastic configuration is not taken over, and not deleted afterwards."""
    setup, (declared, words) = AppInstanceSetup(), FIXED[fixed]
    setup.say(setup.lobby, "hello")
    setup.harness.now += 100
    before = setup.everything()
    answer = setup.harness.create(**ADOPT, **declared)
    assert answer["Status"] == "FAILED"
    assert words.format(arn=setup.lobby) in answer["Reason"]
    assert setup.harness.delete(answer["PhysicalResourceId"], **ADOPT, **declared)["Status"] == "SUCCESS"
    assert setup.everything() == before


@pytest.mark.parametrize("elastic", [{**ELASTIC, "MaximumSubChannels": "6"}, {**ELASTIC, "x": ""}, None])
def test_elastic_configuration_of_an_own_channel_id_is_fixed(elastic: dict[str, str] | None) -> None:
    """An elastic channel under an own ChannelId keeps its configuration, or the Update says why not."""
    setup = AppInstanceSetup()
    harness, old = setup.harness, {"ChannelId": "own", "ElasticChannelConfiguration": ELASTIC}
    arn = harness.create(**old)["PhysicalResourceId"]
    harness.now += 100
    new = {**old, "ElasticChannelConfiguration": elastic}
    if elastic and "x" in elastic:
        new = {**old, "ElasticChannelConfiguration": {**ELASTIC, "MaximumSubChannels": 5}}  # as a number: the same
        assert harness.update(arn, old, new)["PhysicalResourceId"] == arn
        return
    before = setup.everything()
    answer = harness.update(arn, old, {**new, "Name": "new"})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert "ElasticChannelConfiguration of" in answer["Reason"]
    assert setup.everything() == before


def test_privacy_of_an_own_channel_id_is_never_said_to_have_changed() -> None:
    """Under a ChannelId of the user's own Privacy cannot change: the Update fails before any change."""
    setup = AppInstanceSetup()
    harness = setup.harness
    arn = harness.create(ChannelId="own")["PhysicalResourceId"]
    setup.say(arn, "hello")
    harness.now += 100
    before = setup.everything()
    answer = harness.update(arn, {"ChannelId": "own"}, {"ChannelId": "own", "Privacy": "PUBLIC", "Name": "new"})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert "can never be changed to PUBLIC" in answer["Reason"]
    assert setup.everything() == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("end", ["timer", "refusal"])
def test_rollback_of_the_adoption_of_what_has_no_mark_leaves_the_channel(moment: str, end: str) -> None:
    """No owner's mark guards a channel made by hand: an adoption that fails at any call must not hold it yet."""
    for number in range(1, 80):
        setup = AppInstanceSetup()
        harness = setup.harness
        hit: list[str] = []
        setup.say(setup.lobby, "hello")
        harness.now += 100
        given = {**ADOPT, "MemberArns": ["user/ann"], "Tags": {"team": "x"}}

        def strike(
            operation: str, _: object, number: int = number, hit: list[str] = hit, harness: Harness = harness
        ) -> None:
            hit.append(operation)
            if len(hit) == number and end == "timer":
                harness.timers[-1].call()
            elif len(hit) >= number and end == "refusal":
                raise ServiceError(operation, "BadRequestException", "no", 400)

        setattr(harness, moment, strike)
        answer = harness.deliver(harness.event("Create", harness.properties(**given)))
        harness.heal()
        if len(hit) < number:
            assert answer["Status"] == "SUCCESS"
            assert number > 4
            return
        harness.now += 100
        assert harness.delete(answer["PhysicalResourceId"], **given)["Status"] == "SUCCESS"
        assert channels(setup) == {setup.lobby: ("hello",)}, (number, hit)
    raise AssertionError("an adoption makes fewer than 80 calls")


PROOFS = {
    "Forbidden": ("ForbiddenException", "no", 403),
    "Unauthorized": ("UnauthorizedClientException", "no", 401),
    "BadRequest": ("BadRequestException", "no", 400),
    "AccessDenied": ("AccessDeniedException", "User is not authorized to perform: chime:ListChannels", 403),
}


@pytest.mark.parametrize("refusal", PROOFS)
def test_bearer_that_may_not_list_proves_no_absence(refusal: str) -> None:
    """A channel without tags that the bearer may not delete is never taken for gone."""
    setup = empty()
    harness = setup.harness
    arn, weak = harness.create()["PhysicalResourceId"], harness.user("weak")
    harness.messaging("UntagResource", ResourceARN=arn, TagKeys=[OWNER_TAG])
    harness.now += 100

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "ListChannels":
            raise ServiceError(operation, *PROOFS[refusal])

    harness.before = refuse
    answer = harness.delete(arn, ChimeBearer=weak)
    assert answer["Status"] == "FAILED", answer
    assert arn in channels(setup)
    assert ("ListChannels: AccessDenied" if refusal == "AccessDenied" else "cannot tell whether") in answer[
        "Reason"
    ]


# Persons.


def test_admin_or_member_of_another_app_instance_is_refused_before_any_call() -> None:
    """Nobody gets a right in another app instance; what is wrong is named before anything is called."""
    setup = AppInstanceSetup()
    harness = setup.harness
    other = harness.identity("CreateAppInstance", Name="b", ClientRequestToken="other")["AppInstanceArn"]
    stranger = f"{other}/user/ann"
    cases: list[tuple[str, dict[str, str], str]] = [
        (
            "AppInstanceAdmin",
            {"AppInstanceArn": harness.app, "AppInstanceAdminArn": stranger},
            "AppInstanceAdminArn: belongs to another app instance than AppInstanceArn",
        )
    ]
    for type_ in ("ChannelMembership", "ChannelModerator", "ChannelBan"):
        here = {"ChannelArn": setup.lobby, "ChimeBearer": harness.boss, "MemberArn": setup.ann}
        words = "belongs to another app instance than the channel"
        cases.append((type_, {**here, "MemberArn": stranger}, f"MemberArn: {words}"))
        cases.append((type_, {**here, "ChimeBearer": stranger}, f"ChimeBearer: {words}"))
    for type_, given, words in cases:
        properties = {"ServiceToken": "arn", **given}
        answer = harness.deliver(harness.event("Create", properties, ResourceType=f"Custom::Chime{type_}"))
        assert answer["Status"] == "FAILED"
        assert words in answer["Reason"]
        assert answer["PhysicalResourceId"].startswith("unmade:")
    assert harness.calls == []


def test_former_admin_stays_admin_until_cloudformation_cleans_up() -> None:
    """An Update to another admin leaves the former one's right, which a rollback would need again."""
    setup, kind = AppInstanceSetup(), KINDS["admin"]
    held = kind.create(setup)["PhysicalResourceId"]
    setup.harness.now += 100
    answer = kind.update(setup, held)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", setup.bob)
    assert setup.everything()["admins"] >= {setup.ann, setup.bob}
    setup.harness.now += 100
    assert kind.delete(setup, held)["Status"] == "SUCCESS"
    assert setup.ann not in setup.everything()["admins"]
    assert setup.bob in setup.everything()["admins"]


SETTINGS: dict[str, dict[str, Any]] = {
    "Custom::ChimeAppInstanceRetention": {"RetentionDays": "7"},
    "Custom::ChimeAppInstanceStreaming": {
        "StreamArns": {"Channel": "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-a"}
    },
}


@pytest.mark.parametrize("type_", SETTINGS)
def test_setting_of_the_former_app_instance_stays_until_cloudformation_cleans_up(type_: str) -> None:
    """An Update to another app instance leaves the old setting in force: only the Delete after it ends it."""
    setup = AppInstanceSetup()
    harness = setup.harness
    other = harness.identity("CreateAppInstance", Name="b", ClientRequestToken="other")["AppInstanceArn"]
    old, new = ({"ServiceToken": "arn", "AppInstanceArn": app, **SETTINGS[type_]} for app in (harness.app, other))
    held = harness.deliver(harness.event("Create", old, ResourceType=type_))["PhysicalResourceId"]
    known = {"PhysicalResourceId": held, "ResourceType": type_}
    before = setup.everything()
    answer = harness.deliver(harness.event("Update", new, OldResourceProperties=old, **known))
    assert answer["PhysicalResourceId"] == held.replace(harness.app, other)
    assert setup.everything() == before
    assert harness.deliver(harness.event("Delete", old, **known))["Status"] == "SUCCESS"
    assert setup.everything() != before
    back = {"PhysicalResourceId": answer["PhysicalResourceId"], "ResourceType": type_}
    assert harness.deliver(harness.event("Delete", new, **back))["Status"] == "SUCCESS"


@pytest.mark.parametrize("change", ["bearer", "nothing", "type written out"])
@pytest.mark.parametrize("name", ["membership", "moderator", "ban", "flow"])
def test_update_in_place_never_detaches(name: str, change: str) -> None:
    """A member stays a member, and a banned user banned, through an Update of the same attachment."""
    setup, kind = AppInstanceSetup(), KINDS[name]
    harness = setup.harness
    deputy = harness.user("deputy")
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=deputy)
    held = kind.create(setup)["PhysicalResourceId"]
    harness.now += 100
    before = setup.everything()
    harness.calls.clear()
    changed = {"bearer": {"ChimeBearer": deputy}, "nothing": {}, "type written out": {"Type": "DEFAULT"}}[change]
    if name != "membership" and "Type" in changed:
        changed = {}
    updated = kind._replace(second=lambda setup: {**kind.first(setup), **changed})
    answer = updated.update(setup, held)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", held)
    assert [operation for operation, _ in harness.calls if operation.startswith(("Delete", "Disassociate"))] == []
    assert setup.everything() == before


def test_bearer_declared_as_member_of_an_elastic_channel_is_no_silent_success() -> None:
    """A new elastic channel has its bearer as moderator only: a membership is added, or refused by name."""
    harness = Harness()
    answer = harness.create(ElasticChannelConfiguration=ELASTIC, MemberArns=["user/boss"])
    assert dict(harness.calls)["BatchCreateChannelMembership"]["MemberArns"] == [harness.boss]
    assert answer["Status"] == "FAILED"
    assert "user/boss: BadRequest" in answer["Reason"]


def test_bearer_declared_as_member_of_a_new_channel_needs_no_call() -> None:
    """A new channel has its bearer as member and moderator already."""
    harness = Harness()
    assert harness.create(MemberArns=["user/boss"])["Status"] == "SUCCESS"
    assert [operation for operation, _ in harness.calls] == ["CreateChannel"]


def test_moderator_of_an_elastic_channel_who_stays_a_member_is_one() -> None:
    """Who is no moderator any more loses the membership at the service: it is given again where declared."""
    setup = empty()
    harness = setup.harness
    member = {"ElasticChannelConfiguration": ELASTIC, "MemberArns": ["user/ann"]}
    arn = harness.create(**member)["PhysicalResourceId"]
    here = {"ChannelArn": arn, "ChimeBearer": harness.boss}
    harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=setup.ann)
    sub_channel = {"SubChannelId": "s", "MemberArn": setup.ann, "Type": "DEFAULT"}
    harness.messaging("CreateChannelMembership", **here, **sub_channel)
    harness.now += 100_000
    answer = harness.update(arn, {**member, "ModeratorArns": ["user/ann"]}, member)
    assert answer["Status"] == "SUCCESS", answer
    (channel,) = harness.service.channels()
    assert (channel.moderators, channel.members.get(setup.ann)) == (frozenset({harness.boss}), "DEFAULT")


# Events and answers.


@pytest.mark.parametrize("physical_id", [None, "", 5])
@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_update_or_delete_without_a_physical_id_is_no_request(kind: str, physical_id: object) -> None:
    """Nothing is changed or deleted for an event that does not say of which resource."""
    harness = Harness()
    event = harness.event(kind, harness.properties(), OldResourceProperties=harness.properties())
    if physical_id is not None:
        event["PhysicalResourceId"] = physical_id
    with pytest.raises(MalformedEventError, match="PhysicalResourceId is missing or no string"):
        parse_request(event)
    assert harness.deliver(event)["Status"] == "FAILED"
    assert harness.calls == []


def test_physical_id_of_a_create_is_ignored() -> None:
    """A Create names no resource yet."""
    harness = Harness()
    request = parse_request({**harness.event("Create", {}), "PhysicalResourceId": "x"})
    assert request.physical_id == ""


@pytest.mark.parametrize("name", ["ResourceType", "StackId", "RequestId", "LogicalResourceId", "RequestType"])
@pytest.mark.parametrize("value", [None, "", 5])
def test_event_that_lacks_what_identifies_it_is_no_request(name: str, value: object) -> None:
    """Ids and marks are derived from these: without one of them nothing is begun."""
    harness = Harness()
    event = {**harness.event("Create", harness.properties()), name: value}
    assert harness.deliver(event)["Status"] == "FAILED"
    assert harness.calls == []


@pytest.mark.parametrize(
    ("held", "status"), [("unmade:Support1A2B3C4D", "SUCCESS"), ("demo-Other-1XY2Z3", "FAILED")]
)
def test_rollback_of_a_misspelt_type_does_not_get_stuck(held: str, status: str) -> None:
    """What was never made of an unknown type is deleted with success; of anything else nobody can tell."""
    harness = Harness()
    event = harness.event("Delete", {}, ResourceType="Custom::ChimeChanel", PhysicalResourceId=held)
    answer = harness.deliver(event)
    assert (answer["Status"], answer["PhysicalResourceId"]) == (status, held)
    assert harness.calls == []


def test_timer_that_goes_off_while_the_answer_is_sent_sends_no_second() -> None:
    """The first answer counts: while it is on its way, the timer must not send another."""
    harness = Harness()
    put = harness.provider.effects.put

    def slow_put(url: str, written: bytes) -> int:
        if len(harness.answers) < 3:
            harness.timers[-1].call()
        return put(url, written)

    harness.provider.effects.put = slow_put
    assert harness.create()["Status"] == "SUCCESS"
    assert len(harness.answers) == 1


def test_request_that_ends_while_the_timer_answers_sends_no_second() -> None:
    """Where the timer is the first, its answer is the only one, and the resource's id is in it."""
    harness = Harness()

    def go_off(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "CreateChannel":
            harness.timers[-1].call()

    harness.after = go_off
    answer = harness.create()
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith("unproven:arn:")
    assert "did not end before the Lambda's time ran out" in answer["Reason"]


def test_answer_echoes_what_identifies_the_request() -> None:
    """CloudFormation takes an answer only with its own ids in it."""
    harness = Harness()
    event = harness.event("Create", harness.properties())
    answer = harness.deliver(event)
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        "StackId": STACK,
        "RequestId": event["RequestId"],
        "LogicalResourceId": "Support1A2B3C4D",
    }
    assert json.loads(harness.raw[-1])["NoEcho"] is False
