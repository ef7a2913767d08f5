"""Who may do what, what is refused and how, and what the switches change: a value for each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from helpers.harness import Harness

ELASTIC = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
DAYS = {"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"}


def place(world: str = "") -> Harness:
    """Return an app instance with an admin and three users, where nothing is new."""
    stage = Harness(Behaviors.parse(world))
    for name in ("ann", "bob", "cy"):
        stage.user(name)
    stage.now += 100
    return stage


@pytest.fixture
def stage() -> Harness:
    """Return a place in the default world."""
    return place()


def user(stage: Harness, name: str) -> str:
    """Return a user's ARN."""
    return f"{stage.app}/user/{name}"


def create(stage: Harness, name: str = "lobby", **more: Any) -> dict[str, str]:
    """Create a channel; return what names it in calls of the admin."""
    given = {"AppInstanceArn": stage.app, "ChannelId": name, "Name": "n", "Mode": "RESTRICTED", **more}
    given = {"ClientRequestToken": f"token-{name}", "ChimeBearer": stage.boss, **given}
    stage.messaging("CreateChannel", **given)
    stage.now += 100
    return {"ChannelArn": f"{stage.app}/channel/{name}", "ChimeBearer": stage.boss}


def refused(stage: Harness, operation: str, **parameters: Any) -> tuple[str, str]:
    """Return code and message by which a messaging call is refused."""
    with pytest.raises(ChimeError) as found:
        stage.messaging(operation, **parameters)
    return found.value.code.removesuffix("Exception"), found.value.message


def code_of(stage: Harness, operation: str, **parameters: Any) -> str:
    """Return the code by which a messaging call is refused."""
    return refused(stage, operation, **parameters)[0]


# Bearers


@pytest.mark.parametrize(("world", "code"), [("", "UnauthorizedClient"), ("missing_bearer=403", "Forbidden")])
def test_bearer_that_is_not_there_is_refused_as_the_switch_says(world: str, code: str) -> None:
    """A bearer that does not exist is a 401, or a 403 in the other world."""
    stage = place(world)
    here = create(stage)
    assert code_of(stage, "DescribeChannel", **{**here, "ChimeBearer": user(stage, "nobody")}) == code


def test_bearer_of_another_app_instance_is_refused(stage: Harness) -> None:
    """An admin of one app instance creates no channel in another, and reads none."""
    other = stage.identity("CreateAppInstance", Name="other", ClientRequestToken="t-other")["AppInstanceArn"]
    given = {"AppInstanceArn": other, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    assert code_of(stage, "CreateChannel", **given, ChimeBearer=stage.boss) == "Forbidden"
    assert code_of(stage, "ListChannels", AppInstanceArn=other, ChimeBearer=stage.boss) == "Forbidden"


def test_app_instance_is_known_in_its_region_only(stage: Harness) -> None:
    """Another region does not know an app instance, nor a user of it."""
    with pytest.raises(ChimeError) as found:
        stage.service.call(
            "DescribeAppInstance",
            {"AppInstanceArn": stage.app},
            service_name="chime-sdk-identity",
            region="eu-central-1",
        )
    assert found.value.code == "ForbiddenException"
    listed = stage.service.call("ListAppInstances", {}, service_name="chime-sdk-identity", region="eu-central-1")
    assert listed == {"AppInstances": []}


# Roles


def test_moderator_who_is_no_member_makes_no_moderators(stage: Harness) -> None:
    """Moderators make moderators while they are members; those who are not do what moderators do otherwise."""
    here = create(stage)
    stage.messaging("CreateChannelModerator", **here, ChannelModeratorArn=user(stage, "ann"))
    as_ann = {**here, "ChimeBearer": user(stage, "ann")}
    assert code_of(stage, "CreateChannelModerator", **as_ann, ChannelModeratorArn=user(stage, "bob")) == "Forbidden"
    assert stage.messaging("CreateChannelMembership", **as_ann, MemberArn=user(stage, "ann"), Type="DEFAULT")
    assert stage.messaging("CreateChannelModerator", **as_ann, ChannelModeratorArn=user(stage, "bob"))


@pytest.mark.parametrize(
    ("world", "code"), [("member_removes_others=no", "Forbidden"), ("member_removes_others=yes", "")]
)
def test_member_removes_others_as_the_switch_says(world: str, code: str) -> None:
    """Whether a member removes another member is a switch."""
    stage = place(world)
    here = create(stage, MemberArns=[user(stage, "ann"), user(stage, "bob")])
    as_ann = {**here, "ChimeBearer": user(stage, "ann"), "MemberArn": user(stage, "bob")}
    if code:
        assert code_of(stage, "DeleteChannelMembership", **as_ann) == code
    else:
        assert stage.messaging("DeleteChannelMembership", **as_ann) == {}


@pytest.mark.parametrize(
    ("world", "sees"), [("hidden_lists_members=no", False), ("hidden_lists_members=yes", True)]
)
def test_hidden_member_sees_others_as_the_switch_says(world: str, *, sees: bool) -> None:
    """Whether a HIDDEN member lists the members is a switch; a DEFAULT one does."""
    stage = place(world)
    here = create(stage, MemberArns=[user(stage, "bob")], Privacy="PRIVATE")
    stage.messaging("CreateChannelMembership", **here, MemberArn=user(stage, "ann"), Type="HIDDEN")
    as_bob, as_ann = ({**here, "ChimeBearer": user(stage, name)} for name in ("bob", "ann"))
    assert len(stage.messaging("ListChannelMemberships", **as_bob)["ChannelMemberships"]) == 2
    if sees:
        assert len(stage.messaging("ListChannelMemberships", **as_ann)["ChannelMemberships"]) == 2
    else:
        assert code_of(stage, "ListChannelMemberships", **as_ann) == "Forbidden"


@pytest.mark.parametrize(
    ("world", "kind"), [("moderator_is_member=no", None), ("moderator_is_member=yes", "DEFAULT")]
)
def test_moderator_becomes_member_as_the_switch_says(world: str, kind: str | None) -> None:
    """Whether who is made moderator becomes a member is a switch, at creation and later."""
    stage = place(world)
    here = create(stage, ModeratorArns=[user(stage, "ann")])
    stage.messaging("CreateChannelModerator", **here, ChannelModeratorArn=user(stage, "bob"))
    (channel,) = stage.service.channels()
    members = dict(channel.members)
    assert (members.get(user(stage, "ann")), members.get(user(stage, "bob"))) == (kind, kind)


# Creation


@pytest.mark.parametrize("privacy", ["PUBLIC", "PRIVATE"])
@pytest.mark.parametrize("world", ["", "omitted_settings=PRIVATE_RESTRICTED"])
def test_declared_privacy_is_taken_whatever_is_taken_without(privacy: str, world: str) -> None:
    """Privacy is what the creation says."""
    stage = place(world)
    assert stage.messaging("DescribeChannel", **create(stage, Privacy=privacy))["Channel"]["Privacy"] == privacy


def test_same_token_answers_the_same_channel(stage: Harness) -> None:
    """A creation that is sent again is answered with the channel that it has made."""
    here = create(stage)
    given = {"AppInstanceArn": stage.app, "ChannelId": "lobby", "Name": "n", "Mode": "RESTRICTED"}
    again = stage.messaging("CreateChannel", **given, ClientRequestToken="token-lobby", ChimeBearer=stage.boss)
    assert again == {"ChannelArn": here["ChannelArn"]}
    other = {**given, "ClientRequestToken": "another"}
    assert code_of(stage, "CreateChannel", **other, ChimeBearer=stage.boss) == "Conflict"


def test_elastic_channel_is_alone_and_begins_without_members(stage: Harness) -> None:
    """An elastic channel takes no MemberArns, must be RESTRICTED, and an app instance has one."""
    given = {"AppInstanceArn": stage.app, "Name": "n", "ElasticChannelConfiguration": ELASTIC, "Mode": "RESTRICTED"}
    given |= {"ClientRequestToken": "token", "ChimeBearer": stage.boss}
    members = {"MemberArns": [user(stage, "ann")]}
    assert code_of(stage, "CreateChannel", **given, **members) == "BadRequest"
    assert code_of(stage, "CreateChannel", **{**given, "Mode": "UNRESTRICTED"}) == "BadRequest"
    here = create(stage, ElasticChannelConfiguration=ELASTIC)
    assert code_of(stage, "CreateChannel", **given) == "ResourceLimitExceeded"
    hidden = {"MemberArn": user(stage, "ann"), "Type": "HIDDEN"}
    assert code_of(stage, "CreateChannelMembership", **here, **hidden) == "BadRequest"
    stage.messaging("CreateChannelModerator", **here, ChannelModeratorArn=user(stage, "bob"))
    member = {"MemberArn": user(stage, "bob"), "Type": "DEFAULT"}
    assert "SubChannelId is required" in refused(stage, "CreateChannelMembership", **here, **member)[1]
    joined = stage.messaging("CreateChannelMembership", **here, **member, SubChannelId="s")
    assert joined["Member"]["Arn"] == user(stage, "bob")


@pytest.mark.parametrize(("world", "made"), [("bad_member=refused", False), ("bad_member=skipped", True)])
def test_creation_with_an_unknown_member_goes_as_the_switch_says(world: str, *, made: bool) -> None:
    """With a member that is not there, the whole call is refused, or the channel is made without that member."""
    stage = place(world)
    given = {"AppInstanceArn": stage.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    given |= {"ChimeBearer": stage.boss, "MemberArns": [user(stage, "nobody"), user(stage, "ann")]}
    if not made:
        assert code_of(stage, "CreateChannel", **given) == "BadRequest"
        assert stage.service.channels() == []
        return
    stage.messaging("CreateChannel", **given)
    (channel,) = stage.service.channels()
    assert set(dict(channel.members)) == {stage.boss, user(stage, "ann")}


@pytest.mark.parametrize(
    ("metadata", "code"), [("é" * 512, ""), ("é" * 512 + "a", "BadRequest")], ids=["1024", "1025"]
)
def test_metadata_is_measured_in_bytes(stage: Harness, metadata: str, code: str) -> None:
    """1024 bytes of metadata are taken, one more is refused."""
    here = create(stage)
    update = {**here, "Name": "n", "Mode": "RESTRICTED", "Metadata": metadata}
    if code:
        assert code_of(stage, "UpdateChannel", **update) == code
    else:
        assert stage.messaging("UpdateChannel", **update) == {"ChannelArn": here["ChannelArn"]}


def test_last_message_is_shown_by_its_moment(stage: Harness) -> None:
    """DescribeChannel tells when the last message was sent, and nothing before the first."""
    here = create(stage)
    assert "LastMessageTimestamp" not in stage.messaging("DescribeChannel", **here)["Channel"]
    given = {"Content": "x", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    stage.messaging("SendChannelMessage", **here, **given)
    shown = stage.messaging("DescribeChannel", **here)["Channel"]["LastMessageTimestamp"]
    assert shown == datetime.fromtimestamp(1_800_000_200, UTC)


# Users


def test_user_is_created_with_expiration_and_tags(stage: Harness) -> None:
    """What a creation says of expiration and tags is shown afterwards; the same id again is a Conflict."""
    given = {"AppInstanceArn": stage.app, "AppInstanceUserId": "dee", "Name": "Dee", "ClientRequestToken": "token"}
    tags = [{"Key": "a", "Value": "b"}]
    arn = stage.identity("CreateAppInstanceUser", **given, ExpirationSettings=DAYS, Tags=tags)["AppInstanceUserArn"]
    user = stage.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn)["AppInstanceUser"]
    assert user["ExpirationSettings"] == DAYS
    assert stage.identity("ListTagsForResource", ResourceARN=arn) == {"Tags": tags}
    with pytest.raises(ChimeError, match=f"Conflict.*{arn} is there already"):
        stage.identity("CreateAppInstanceUser", **given)


# Pages


def test_list_is_paged_and_the_last_page_has_no_token(stage: Harness) -> None:
    """MaxResults bounds a page; the token leads to the next one, and a full last page has none."""
    listing = {"AppInstanceArn": stage.app, "MaxResults": 2}
    first = stage.identity("ListAppInstanceUsers", **listing)
    second = stage.identity("ListAppInstanceUsers", **listing, NextToken=first["NextToken"])
    names = [[one["Name"] for one in page["AppInstanceUsers"]] for page in (first, second)]
    assert names == [["boss", "ann"], ["bob", "cy"]]
    assert "NextToken" not in second
    with pytest.raises(ChimeError, match="BadRequest"):
        stage.identity("ListAppInstanceUsers", **listing, NextToken="x")


# Messages


@pytest.mark.parametrize(
    ("operation", "parameters", "words"),
    [
        ("DeleteChannelMembership", {"MemberArn": "cy"}, "The membership of {arn} is not there or not yours."),
        ("DescribeChannelMembership", {"MemberArn": "cy"}, "The membership of {arn} is not there or not yours."),
        ("DeleteChannelModerator", {"ChannelModeratorArn": "cy"}, "The moderator {arn} is not there or not yours."),
        (
            "DescribeChannelModerator",
            {"ChannelModeratorArn": "cy"},
            "The moderator {arn} is not there or not yours.",
        ),
        ("DeleteChannelBan", {"MemberArn": "cy"}, "The ban of {arn} is not there or not yours."),
        ("DescribeChannelBan", {"MemberArn": "cy"}, "The ban of {arn} is not there or not yours."),
    ],
)
def test_refusal_names_what_is_not_there(
    stage: Harness, operation: str, parameters: dict[str, str], words: str
) -> None:
    """Who asks for somebody who is not there reads who, and of what."""
    here = create(stage)
    given = {name: user(stage, value) for name, value in parameters.items()}
    assert refused(stage, operation, **here, **given) == ("Forbidden", words.format(arn=user(stage, "cy")))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"Name": ""}, "Name has 0 characters, must have 1–256"),
        ({"Name": "n" * 257}, "Name has 257 characters, must have 1–256"),
        ({"Mode": "OPEN"}, "Mode must be one of UNRESTRICTED, RESTRICTED"),
        ({"Name": 5}, "Name must be a string"),
        ({"Name": None}, "Name is required"),
        ({"MemberArns": "x"}, "MemberArns must be a list"),
        ({"MemberArns": []}, "MemberArns has 0 items, must have 1–10"),
        ({"Tags": [{"Key": "k", "Value": ""}]}, "Tags item Value has 0 characters, must have 1–256"),
        ({"ExpirationSettings": 5}, "ExpirationSettings  must be a map"),
        (
            {"ExpirationSettings": {**DAYS, "ExpirationDays": "9"}},
            "ExpirationSettings ExpirationDays must be a number",
        ),
        (
            {"ExpirationSettings": {**DAYS, "ExpirationDays": 5476}},
            "ExpirationSettings ExpirationDays is 5476, must have 1–5475",
        ),
        (
            {"ElasticChannelConfiguration": {**ELASTIC, "MaximumSubChannels": 1}},
            "ElasticChannelConfiguration MaximumSubChannels is 1, must have 2–any",
        ),
    ],
)
def test_what_breaks_the_model_is_named_with_its_rule(
    stage: Harness, parameters: dict[str, Any], words: str
) -> None:
    """A parameter that breaks a rule of the service's model is refused with its name, value and rule."""
    given = {"AppInstanceArn": stage.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    given |= {"ChimeBearer": stage.boss, **parameters}
    assert refused(stage, "CreateChannel", **given) == ("BadRequest", words)


def test_token_of_a_wrong_form_is_named_with_its_pattern(stage: Harness) -> None:
    """A pattern is part of the refusal."""
    given = {"AppInstanceArn": stage.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "to ken"}
    code, message = refused(stage, "CreateChannel", **given, ChimeBearer=stage.boss)
    assert (code, message) == ("BadRequest", "ClientRequestToken must match [-_a-zA-Z0-9]*")


def test_forgetting_ends_app_instances_tags_and_counts() -> None:
    """After a reset nothing is there, and what was counted against the rates is counted no more."""
    stage = Harness(limits=True)
    stage.service.reset()
    assert stage.service.channels() == []
    made = [stage.identity("CreateAppInstance", Name="a", ClientRequestToken=f"t-{n}") for n in range(3)]
    assert len({one["AppInstanceArn"] for one in made}) == 3
    assert len(stage.identity("ListAppInstances")["AppInstances"]) == 3
