"""Rules for bearers, roles, creation and paging in the emulated service, and the behaviors that change them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from helpers.harness import Harness

ELASTIC = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
DAYS = {"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"}


def create_harness(behaviors: str = "") -> Harness:
    """Create an app instance with an admin and three users, all visible to reads and usable as bearers."""
    harness = Harness(Behaviors.parse(behaviors))
    for name in ("ann", "bob", "cy"):
        harness.user(name)
    harness.now += 100
    return harness


@pytest.fixture
def harness() -> Harness:
    """Return an app instance with the default behaviors."""
    return create_harness()


def get_user_arn(harness: Harness, name: str) -> str:
    """Return a user's ARN."""
    return f"{harness.app}/user/{name}"


def create_channel(harness: Harness, name: str = "lobby", **changed: Any) -> dict[str, str]:
    """Create a channel; return its ARN and the admin as bearer, as parameters of later calls."""
    request = {"AppInstanceArn": harness.app, "ChannelId": name, "Name": "n", "Mode": "RESTRICTED", **changed}
    request = {"ClientRequestToken": f"token-{name}", "ChimeBearer": harness.boss, **request}
    harness.messaging("CreateChannel", **request)
    harness.now += 100
    return {"ChannelArn": f"{harness.app}/channel/{name}", "ChimeBearer": harness.boss}


def refusal(harness: Harness, operation: str, **parameters: Any) -> tuple[str, str]:
    """Return code and message of a messaging call that must fail."""
    with pytest.raises(ChimeError) as caught:
        harness.messaging(operation, **parameters)
    return caught.value.code.removesuffix("Exception"), caught.value.message


def refusal_code(harness: Harness, operation: str, **parameters: Any) -> str:
    """Return the code of a messaging call that must fail."""
    return refusal(harness, operation, **parameters)[0]


# Bearers


@pytest.mark.parametrize(("behaviors", "code"), [("", "UnauthorizedClient"), ("missing_bearer=403", "Forbidden")])
def test_missing_bearer_behavior_selects_401_or_403(behaviors: str, code: str) -> None:
    """A bearer that does not exist is a 401, or a 403 with missing_bearer=403."""
    harness = create_harness(behaviors)
    channel = create_channel(harness)
    assert (
        refusal_code(harness, "DescribeChannel", **{**channel, "ChimeBearer": get_user_arn(harness, "nobody")})
        == code
    )


def test_bearer_of_another_app_instance_is_refused(harness: Harness) -> None:
    """An admin of one app instance neither creates nor lists channels of another."""
    other = harness.identity("CreateAppInstance", Name="other", ClientRequestToken="t-other")["AppInstanceArn"]
    request = {"AppInstanceArn": other, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    assert refusal_code(harness, "CreateChannel", **request, ChimeBearer=harness.boss) == "Forbidden"
    assert refusal_code(harness, "ListChannels", AppInstanceArn=other, ChimeBearer=harness.boss) == "Forbidden"


def test_app_instance_exists_in_its_region_only(harness: Harness) -> None:
    """In another region, DescribeAppInstance is Forbidden and ListAppInstances returns nothing."""
    with pytest.raises(ChimeError) as caught:
        harness.service.call(
            "DescribeAppInstance",
            {"AppInstanceArn": harness.app},
            service_name="chime-sdk-identity",
            region="eu-central-1",
        )
    assert caught.value.code == "ForbiddenException"
    listed = harness.service.call("ListAppInstances", {}, service_name="chime-sdk-identity", region="eu-central-1")
    assert listed == {"AppInstances": []}


# Roles


def test_moderator_adds_moderators_only_while_a_member(harness: Harness) -> None:
    """A moderator who is not a member cannot add moderators, but can add members."""
    channel = create_channel(harness)
    harness.messaging("CreateChannelModerator", **channel, ChannelModeratorArn=get_user_arn(harness, "ann"))
    as_ann = {**channel, "ChimeBearer": get_user_arn(harness, "ann")}
    assert (
        refusal_code(harness, "CreateChannelModerator", **as_ann, ChannelModeratorArn=get_user_arn(harness, "bob"))
        == "Forbidden"
    )
    assert harness.messaging(
        "CreateChannelMembership", **as_ann, MemberArn=get_user_arn(harness, "ann"), Type="DEFAULT"
    )
    assert harness.messaging("CreateChannelModerator", **as_ann, ChannelModeratorArn=get_user_arn(harness, "bob"))


@pytest.mark.parametrize(
    ("behaviors", "code"), [("member_removes_others=no", "Forbidden"), ("member_removes_others=yes", "")]
)
def test_member_removes_others_only_if_behavior_allows(behaviors: str, code: str) -> None:
    """A member removes another member only with member_removes_others=yes."""
    harness = create_harness(behaviors)
    channel = create_channel(harness, MemberArns=[get_user_arn(harness, "ann"), get_user_arn(harness, "bob")])
    as_ann = {**channel, "ChimeBearer": get_user_arn(harness, "ann"), "MemberArn": get_user_arn(harness, "bob")}
    if code:
        assert refusal_code(harness, "DeleteChannelMembership", **as_ann) == code
    else:
        assert harness.messaging("DeleteChannelMembership", **as_ann) == {}


@pytest.mark.parametrize(
    ("behaviors", "allowed"), [("hidden_lists_members=no", False), ("hidden_lists_members=yes", True)]
)
def test_hidden_member_lists_members_only_if_behavior_allows(behaviors: str, *, allowed: bool) -> None:
    """A DEFAULT member lists the members, a HIDDEN one only with hidden_lists_members=yes."""
    harness = create_harness(behaviors)
    channel = create_channel(harness, MemberArns=[get_user_arn(harness, "bob")], Privacy="PRIVATE")
    harness.messaging("CreateChannelMembership", **channel, MemberArn=get_user_arn(harness, "ann"), Type="HIDDEN")
    as_bob, as_ann = ({**channel, "ChimeBearer": get_user_arn(harness, name)} for name in ("bob", "ann"))
    assert len(harness.messaging("ListChannelMemberships", **as_bob)["ChannelMemberships"]) == 2
    if allowed:
        assert len(harness.messaging("ListChannelMemberships", **as_ann)["ChannelMemberships"]) == 2
    else:
        assert refusal_code(harness, "ListChannelMemberships", **as_ann) == "Forbidden"


@pytest.mark.parametrize(
    ("behaviors", "member_type"), [("moderator_is_member=no", None), ("moderator_is_member=yes", "DEFAULT")]
)
def test_moderator_becomes_member_only_if_behavior_says_yes(behaviors: str, member_type: str | None) -> None:
    """A moderator, added at creation or later, becomes a member only with moderator_is_member=yes."""
    harness = create_harness(behaviors)
    channel = create_channel(harness, ModeratorArns=[get_user_arn(harness, "ann")])
    harness.messaging("CreateChannelModerator", **channel, ChannelModeratorArn=get_user_arn(harness, "bob"))
    (stored,) = harness.service.channels()
    members = dict(stored.members)
    assert (members.get(get_user_arn(harness, "ann")), members.get(get_user_arn(harness, "bob"))) == (
        member_type,
        member_type,
    )


# Creation


@pytest.mark.parametrize("privacy", ["PUBLIC", "PRIVATE"])
@pytest.mark.parametrize("behaviors", ["", "omitted_settings=PRIVATE_RESTRICTED"])
def test_explicit_privacy_overrides_omitted_settings(privacy: str, behaviors: str) -> None:
    """A Privacy in the request applies under every value of omitted_settings."""
    harness = create_harness(behaviors)
    assert (
        harness.messaging("DescribeChannel", **create_channel(harness, Privacy=privacy))["Channel"]["Privacy"]
        == privacy
    )


def test_same_token_returns_the_same_channel(harness: Harness) -> None:
    """CreateChannel with the same token returns the existing channel; with another token, a Conflict."""
    channel = create_channel(harness)
    request = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "n", "Mode": "RESTRICTED"}
    again = harness.messaging(
        "CreateChannel", **request, ClientRequestToken="token-lobby", ChimeBearer=harness.boss
    )
    assert again == {"ChannelArn": channel["ChannelArn"]}
    other = {**request, "ClientRequestToken": "another"}
    assert refusal_code(harness, "CreateChannel", **other, ChimeBearer=harness.boss) == "Conflict"


def test_elastic_channel_is_unique_per_app_instance_and_starts_without_members(harness: Harness) -> None:
    """An elastic channel takes no MemberArns, must be RESTRICTED, and an app instance has one."""
    request = {
        "AppInstanceArn": harness.app,
        "Name": "n",
        "ElasticChannelConfiguration": ELASTIC,
        "Mode": "RESTRICTED",
    }
    request |= {"ClientRequestToken": "token", "ChimeBearer": harness.boss}
    members = {"MemberArns": [get_user_arn(harness, "ann")]}
    assert refusal_code(harness, "CreateChannel", **request, **members) == "BadRequest"
    assert refusal_code(harness, "CreateChannel", **{**request, "Mode": "UNRESTRICTED"}) == "BadRequest"
    channel = create_channel(harness, ElasticChannelConfiguration=ELASTIC)
    assert refusal_code(harness, "CreateChannel", **request) == "ResourceLimitExceeded"
    hidden = {"MemberArn": get_user_arn(harness, "ann"), "Type": "HIDDEN"}
    assert refusal_code(harness, "CreateChannelMembership", **channel, **hidden) == "BadRequest"
    harness.messaging("CreateChannelModerator", **channel, ChannelModeratorArn=get_user_arn(harness, "bob"))
    member = {"MemberArn": get_user_arn(harness, "bob"), "Type": "DEFAULT"}
    assert "SubChannelId is required" in refusal(harness, "CreateChannelMembership", **channel, **member)[1]
    joined = harness.messaging("CreateChannelMembership", **channel, **member, SubChannelId="s")
    assert joined["Member"]["Arn"] == get_user_arn(harness, "bob")


@pytest.mark.parametrize(("behaviors", "created"), [("bad_member=refused", False), ("bad_member=skipped", True)])
def test_unknown_member_refuses_creation_or_is_skipped_by_behavior(behaviors: str, *, created: bool) -> None:
    """With an unknown member, bad_member=refused refuses the creation, bad_member=skipped omits the member."""
    harness = create_harness(behaviors)
    request = {"AppInstanceArn": harness.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    request |= {
        "ChimeBearer": harness.boss,
        "MemberArns": [get_user_arn(harness, "nobody"), get_user_arn(harness, "ann")],
    }
    if not created:
        assert refusal_code(harness, "CreateChannel", **request) == "BadRequest"
        assert harness.service.channels() == []
        return
    harness.messaging("CreateChannel", **request)
    (channel,) = harness.service.channels()
    assert set(dict(channel.members)) == {harness.boss, get_user_arn(harness, "ann")}


@pytest.mark.parametrize(
    ("metadata", "code"), [("é" * 512, ""), ("é" * 512 + "a", "BadRequest")], ids=["1024", "1025"]
)
def test_metadata_limit_is_in_bytes(harness: Harness, metadata: str, code: str) -> None:
    """Metadata of 1024 bytes is accepted, of 1025 refused."""
    channel = create_channel(harness)
    update = {**channel, "Name": "n", "Mode": "RESTRICTED", "Metadata": metadata}
    if code:
        assert refusal_code(harness, "UpdateChannel", **update) == code
    else:
        assert harness.messaging("UpdateChannel", **update) == {"ChannelArn": channel["ChannelArn"]}


def test_describe_channel_returns_time_of_last_message(harness: Harness) -> None:
    """DescribeChannel returns LastMessageTimestamp once a message has been sent."""
    channel = create_channel(harness)
    assert "LastMessageTimestamp" not in harness.messaging("DescribeChannel", **channel)["Channel"]
    request = {"Content": "x", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    harness.messaging("SendChannelMessage", **channel, **request)
    shown = harness.messaging("DescribeChannel", **channel)["Channel"]["LastMessageTimestamp"]
    assert shown == datetime.fromtimestamp(1_800_000_200, UTC)


# Users


def test_user_is_created_with_expiration_and_tags(harness: Harness) -> None:
    """Expiration and tags of the request are returned afterwards; the same id again is a Conflict."""
    request = {
        "AppInstanceArn": harness.app,
        "AppInstanceUserId": "dee",
        "Name": "Dee",
        "ClientRequestToken": "token",
    }
    tags = [{"Key": "a", "Value": "b"}]
    arn = harness.identity("CreateAppInstanceUser", **request, ExpirationSettings=DAYS, Tags=tags)[
        "AppInstanceUserArn"
    ]
    user = harness.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn)["AppInstanceUser"]
    assert user["ExpirationSettings"] == DAYS
    assert harness.identity("ListTagsForResource", ResourceARN=arn) == {"Tags": tags}
    with pytest.raises(ChimeError, match=f"Conflict.*{arn} is there already"):
        harness.identity("CreateAppInstanceUser", **request)


# Pages


def test_list_is_paged_and_the_last_page_has_no_token(harness: Harness) -> None:
    """MaxResults limits a page, NextToken returns the next one; the last page, though full, has no token."""
    listing = {"AppInstanceArn": harness.app, "MaxResults": 2}
    first = harness.identity("ListAppInstanceUsers", **listing)
    second = harness.identity("ListAppInstanceUsers", **listing, NextToken=first["NextToken"])
    names = [[user["Name"] for user in page["AppInstanceUsers"]] for page in (first, second)]
    assert names == [["boss", "ann"], ["bob", "cy"]]
    assert "NextToken" not in second
    with pytest.raises(ChimeError, match="BadRequest"):
        harness.identity("ListAppInstanceUsers", **listing, NextToken="x")


# Error messages


@pytest.mark.parametrize(
    ("operation", "parameters", "error_message"),
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
def test_forbidden_message_names_missing_member_moderator_or_ban(
    harness: Harness, operation: str, parameters: dict[str, str], error_message: str
) -> None:
    """A call on a missing member, moderator or ban is Forbidden; the message names kind and ARN."""
    channel = create_channel(harness)
    request = {name: get_user_arn(harness, value) for name, value in parameters.items()}
    assert refusal(harness, operation, **channel, **request) == (
        "Forbidden",
        error_message.format(arn=get_user_arn(harness, "cy")),
    )


@pytest.mark.parametrize(
    ("parameters", "error_message"),
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
def test_bad_request_names_parameter_and_broken_rule(
    harness: Harness, parameters: dict[str, Any], error_message: str
) -> None:
    """A parameter that breaks a rule of the service model is a BadRequest that names parameter and rule."""
    request = {"AppInstanceArn": harness.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "token"}
    request |= {"ChimeBearer": harness.boss, **parameters}
    assert refusal(harness, "CreateChannel", **request) == ("BadRequest", error_message)


def test_bad_request_for_token_names_its_pattern(harness: Harness) -> None:
    """The message for a malformed ClientRequestToken contains the pattern of the service model."""
    request = {"AppInstanceArn": harness.app, "Name": "n", "Mode": "RESTRICTED", "ClientRequestToken": "to ken"}
    code, message = refusal(harness, "CreateChannel", **request, ChimeBearer=harness.boss)
    assert (code, message) == ("BadRequest", "ClientRequestToken must match [-_a-zA-Z0-9]*")


def test_reset_deletes_app_instances_and_clears_rate_limits() -> None:
    """After a reset there is no app instance, and all 5 writes of app instances per second are available."""
    harness = Harness(limits=True)
    harness.service.reset()
    assert harness.service.channels() == []
    responses = [harness.identity("CreateAppInstance", Name="a", ClientRequestToken=f"t-{n}") for n in range(5)]
    assert len({response["AppInstanceArn"] for response in responses}) == 5
    assert len(harness.identity("ListAppInstances")["AppInstances"]) == 5
