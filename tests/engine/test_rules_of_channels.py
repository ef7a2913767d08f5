"""Who may do what, what is refused and how, and what the switches change: a value for each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from helpers.harness import Harness

ELASTIC = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
DAYS = {"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"}


def build(behaviors: str = "") -> Harness:
    """Return an app instance with an admin and three users, where nothing is new."""
    harness = Harness(Behaviors.parse(behaviors))
    for name in ("ann", "bob", "cy"):
        harness.user(name)
    harness.now += 100
    return harness


@pytest.fixture
def harness() -> Harness:
    """Return an app instance with the default behaviors."""
    return build()


def user(harness: Harness, name: str) -> str:
    """Return a user's ARN."""
    return f"{harness.app}/user/{name}"


def create(harness: Harness, name: str = "lobby", **more: Any) -> dict[str, str]:
    """Create a channel; return what names it in calls of the admin."""
    given = {"AppInstanceArn": harness.app, "ChannelId": name, "Name": "n", "Mode": "RESTRICTED", **more}
    given = {"ClientRequestToken": f"token-{name}", "ChimeBearer": harness.boss, **given}
    harness.messaging("CreateChannel", **given)
    harness.now += 100
    return {"ChannelArn": f"{harness.app}/channel/{name}", "ChimeBearer": harness.boss}


def refused(harness: Harness, operation: str, **parameters: Any) -> tuple[str, str]:
    """Return code and message by which a messaging call is refused."""
    with pytest.raises(ChimeError) as found:
        harness.messaging(operation, **parameters)
    return found.value.code.removesuffix("Exception"), found.value.message


def code_of(harness: Harness, operation: str, **parameters: Any) -> str:
    """Return the code by which a messaging call is refused."""
    return refused(harness, operation, **parameters)[0]


# Bearers


@pytest.mark.parametrize(("behaviors", "code"), [("", "UnauthorizedClient"), ("missing_bearer=403", "Forbidden")])
def test_bearer_that_is_not_there_is_refused_as_the_switch_says(behaviors: str, code: str) -> None:
    """A bearer that does not exist is a 401, or a 403, as the switch says."""
    harness = build(behaviors)
    here = create(harness)
    assert code_of(harness, "DescribeChannel", **{**here, "ChimeBearer": user(harness, "nobody")}) == code


def test_bearer_of_another_app_instance_is_refused(harness: Harness) -> None:
    """An admin of one app instance creates no channel in another, and reads none."""
    other = harness.identity("CreateAppInstance", Name="other", ClientRequestToken="t-other")["AppInstanceArn"]
    given = {"AppInstanceArn": other, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    assert code_of(harness, "CreateChannel", **given, ChimeBearer=harness.boss) == "Forbidden"
    assert code_of(harness, "ListChannels", AppInstanceArn=other, ChimeBearer=harness.boss) == "Forbidden"


def test_app_instance_is_known_in_its_region_only(harness: Harness) -> None:
    """Another region does not know an app instance, nor a user of it."""
    with pytest.raises(ChimeError) as found:
        harness.service.call(
            "DescribeAppInstance",
            {"AppInstanceArn": harness.app},
            service_name="chime-sdk-identity",
            region="eu-central-1",
        )
    assert found.value.code == "ForbiddenException"
    listed = harness.service.call("ListAppInstances", {}, service_name="chime-sdk-identity", region="eu-central-1")
    assert listed == {"AppInstances": []}


# Roles


def test_moderator_who_is_no_member_makes_no_moderators(harness: Harness) -> None:
    """Moderators make moderators while they are members; those who are not do what moderators do otherwise."""
    here = create(harness)
    harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=user(harness, "ann"))
    as_ann = {**here, "ChimeBearer": user(harness, "ann")}
    assert (
        code_of(harness, "CreateChannelModerator", **as_ann, ChannelModeratorArn=user(harness, "bob"))
        == "Forbidden"
    )
    assert harness.messaging("CreateChannelMembership", **as_ann, MemberArn=user(harness, "ann"), Type="DEFAULT")
    assert harness.messaging("CreateChannelModerator", **as_ann, ChannelModeratorArn=user(harness, "bob"))


@pytest.mark.parametrize(
    ("behaviors", "code"), [("member_removes_others=no", "Forbidden"), ("member_removes_others=yes", "")]
)
def test_member_removes_others_as_the_switch_says(behaviors: str, code: str) -> None:
    """Whether a member removes another member is a switch."""
    harness = build(behaviors)
    here = create(harness, MemberArns=[user(harness, "ann"), user(harness, "bob")])
    as_ann = {**here, "ChimeBearer": user(harness, "ann"), "MemberArn": user(harness, "bob")}
    if code:
        assert code_of(harness, "DeleteChannelMembership", **as_ann) == code
    else:
        assert harness.messaging("DeleteChannelMembership", **as_ann) == {}


@pytest.mark.parametrize(
    ("behaviors", "sees"), [("hidden_lists_members=no", False), ("hidden_lists_members=yes", True)]
)
def test_hidden_member_sees_others_as_the_switch_says(behaviors: str, *, sees: bool) -> None:
    """Whether a HIDDEN member lists the members is a switch; a DEFAULT one does."""
    harness = build(behaviors)
    here = create(harness, MemberArns=[user(harness, "bob")], Privacy="PRIVATE")
    harness.messaging("CreateChannelMembership", **here, MemberArn=user(harness, "ann"), Type="HIDDEN")
    as_bob, as_ann = ({**here, "ChimeBearer": user(harness, name)} for name in ("bob", "ann"))
    assert len(harness.messaging("ListChannelMemberships", **as_bob)["ChannelMemberships"]) == 2
    if sees:
        assert len(harness.messaging("ListChannelMemberships", **as_ann)["ChannelMemberships"]) == 2
    else:
        assert code_of(harness, "ListChannelMemberships", **as_ann) == "Forbidden"


@pytest.mark.parametrize(
    ("behaviors", "kind"), [("moderator_is_member=no", None), ("moderator_is_member=yes", "DEFAULT")]
)
def test_moderator_becomes_member_as_the_switch_says(behaviors: str, kind: str | None) -> None:
    """Whether who is made moderator becomes a member is a switch, at creation and later."""
    harness = build(behaviors)
    here = create(harness, ModeratorArns=[user(harness, "ann")])
    harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=user(harness, "bob"))
    (channel,) = harness.service.channels()
    members = dict(channel.members)
    assert (members.get(user(harness, "ann")), members.get(user(harness, "bob"))) == (kind, kind)


# Creation


@pytest.mark.parametrize("privacy", ["PUBLIC", "PRIVATE"])
@pytest.mark.parametrize("behaviors", ["", "omitted_settings=PRIVATE_RESTRICTED"])
def test_declared_privacy_is_taken_whatever_is_taken_without(privacy: str, behaviors: str) -> None:
    """Privacy is what the creation says."""
    harness = build(behaviors)
    assert harness.messaging("DescribeChannel", **create(harness, Privacy=privacy))["Channel"]["Privacy"] == privacy


def test_same_token_answers_the_same_channel(harness: Harness) -> None:
    """A creation that is sent again is answered with the channel that it has made."""
    here = create(harness)
    given = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "n", "Mode": "RESTRICTED"}
    again = harness.messaging("CreateChannel", **given, ClientRequestToken="token-lobby", ChimeBearer=harness.boss)
    assert again == {"ChannelArn": here["ChannelArn"]}
    other = {**given, "ClientRequestToken": "another"}
    assert code_of(harness, "CreateChannel", **other, ChimeBearer=harness.boss) == "Conflict"


def test_elastic_channel_is_alone_and_begins_without_members(harness: Harness) -> None:
    """An elastic channel takes no MemberArns, must be RESTRICTED, and an app instance has one."""
    given = {
        "AppInstanceArn": harness.app,
        "Name": "n",
        "ElasticChannelConfiguration": ELASTIC,
        "Mode": "RESTRICTED",
    }
    given |= {"ClientRequestToken": "token", "ChimeBearer": harness.boss}
    members = {"MemberArns": [user(harness, "ann")]}
    assert code_of(harness, "CreateChannel", **given, **members) == "BadRequest"
    assert code_of(harness, "CreateChannel", **{**given, "Mode": "UNRESTRICTED"}) == "BadRequest"
    here = create(harness, ElasticChannelConfiguration=ELASTIC)
    assert code_of(harness, "CreateChannel", **given) == "ResourceLimitExceeded"
    hidden = {"MemberArn": user(harness, "ann"), "Type": "HIDDEN"}
    assert code_of(harness, "CreateChannelMembership", **here, **hidden) == "BadRequest"
    harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=user(harness, "bob"))
    member = {"MemberArn": user(harness, "bob"), "Type": "DEFAULT"}
    assert "SubChannelId is required" in refused(harness, "CreateChannelMembership", **here, **member)[1]
    joined = harness.messaging("CreateChannelMembership", **here, **member, SubChannelId="s")
    assert joined["Member"]["Arn"] == user(harness, "bob")


@pytest.mark.parametrize(("behaviors", "made"), [("bad_member=refused", False), ("bad_member=skipped", True)])
def test_creation_with_an_unknown_member_goes_as_the_switch_says(behaviors: str, *, made: bool) -> None:
    """With a member that is not there, the whole call is refused, or the channel is made without that member."""
    harness = build(behaviors)
    given = {"AppInstanceArn": harness.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    given |= {"ChimeBearer": harness.boss, "MemberArns": [user(harness, "nobody"), user(harness, "ann")]}
    if not made:
        assert code_of(harness, "CreateChannel", **given) == "BadRequest"
        assert harness.service.channels() == []
        return
    harness.messaging("CreateChannel", **given)
    (channel,) = harness.service.channels()
    assert set(dict(channel.members)) == {harness.boss, user(harness, "ann")}


@pytest.mark.parametrize(
    ("metadata", "code"), [("é" * 512, ""), ("é" * 512 + "a", "BadRequest")], ids=["1024", "1025"]
)
def test_metadata_is_measured_in_bytes(harness: Harness, metadata: str, code: str) -> None:
    """1024 bytes of metadata are taken, one more is refused."""
    here = create(harness)
    update = {**here, "Name": "n", "Mode": "RESTRICTED", "Metadata": metadata}
    if code:
        assert code_of(harness, "UpdateChannel", **update) == code
    else:
        assert harness.messaging("UpdateChannel", **update) == {"ChannelArn": here["ChannelArn"]}


def test_last_message_is_shown_by_its_moment(harness: Harness) -> None:
    """DescribeChannel tells when the last message was sent, and nothing before the first."""
    here = create(harness)
    assert "LastMessageTimestamp" not in harness.messaging("DescribeChannel", **here)["Channel"]
    given = {"Content": "x", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    harness.messaging("SendChannelMessage", **here, **given)
    shown = harness.messaging("DescribeChannel", **here)["Channel"]["LastMessageTimestamp"]
    assert shown == datetime.fromtimestamp(1_800_000_200, UTC)


# Users


def test_user_is_created_with_expiration_and_tags(harness: Harness) -> None:
    """What a creation says of expiration and tags is shown afterwards; the same id again is a Conflict."""
    given = {
        "AppInstanceArn": harness.app,
        "AppInstanceUserId": "dee",
        "Name": "Dee",
        "ClientRequestToken": "token",
    }
    tags = [{"Key": "a", "Value": "b"}]
    arn = harness.identity("CreateAppInstanceUser", **given, ExpirationSettings=DAYS, Tags=tags)[
        "AppInstanceUserArn"
    ]
    user = harness.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn)["AppInstanceUser"]
    assert user["ExpirationSettings"] == DAYS
    assert harness.identity("ListTagsForResource", ResourceARN=arn) == {"Tags": tags}
    with pytest.raises(ChimeError, match=f"Conflict.*{arn} is there already"):
        harness.identity("CreateAppInstanceUser", **given)


# Pages


def test_list_is_paged_and_the_last_page_has_no_token(harness: Harness) -> None:
    """MaxResults bounds a page; the token leads to the next one, and a full last page has none."""
    listing = {"AppInstanceArn": harness.app, "MaxResults": 2}
    first = harness.identity("ListAppInstanceUsers", **listing)
    second = harness.identity("ListAppInstanceUsers", **listing, NextToken=first["NextToken"])
    names = [[one["Name"] for one in page["AppInstanceUsers"]] for page in (first, second)]
    assert names == [["boss", "ann"], ["bob", "cy"]]
    assert "NextToken" not in second
    with pytest.raises(ChimeError, match="BadRequest"):
        harness.identity("ListAppInstanceUsers", **listing, NextToken="x")


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
    harness: Harness, operation: str, parameters: dict[str, str], words: str
) -> None:
    """Who asks for somebody who is not there reads who, and of what."""
    here = create(harness)
    given = {name: user(harness, value) for name, value in parameters.items()}
    assert refused(harness, operation, **here, **given) == ("Forbidden", words.format(arn=user(harness, "cy")))


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
    harness: Harness, parameters: dict[str, Any], words: str
) -> None:
    """A parameter that breaks a rule of the service's model is refused with its name, value and rule."""
    given = {"AppInstanceArn": harness.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    given |= {"ChimeBearer": harness.boss, **parameters}
    assert refused(harness, "CreateChannel", **given) == ("BadRequest", words)


def test_token_of_a_wrong_form_is_named_with_its_pattern(harness: Harness) -> None:
    """A pattern is part of the refusal."""
    given = {"AppInstanceArn": harness.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "to ken"}
    code, message = refused(harness, "CreateChannel", **given, ChimeBearer=harness.boss)
    assert (code, message) == ("BadRequest", "ClientRequestToken must match [-_a-zA-Z0-9]*")


def test_forgetting_ends_app_instances_tags_and_counts() -> None:
    """After a reset nothing is there, and what was counted against the rates is counted no more."""
    harness = Harness(limits=True)
    harness.service.reset()
    assert harness.service.channels() == []
    made = [harness.identity("CreateAppInstance", Name="a", ClientRequestToken=f"t-{n}") for n in range(3)]
    assert len({one["AppInstanceArn"] for one in made}) == 3
    assert len(harness.identity("ListAppInstances")["AppInstances"]) == 3
