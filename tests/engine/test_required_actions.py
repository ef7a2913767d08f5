"""The IAM actions and resources that each operation requires, and which calls are a Conflict."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime.iam import required_actions
from engine.calls import code_of
from helpers.harness import Harness

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
BOSS, ANN = f"{APP}/user/boss", f"{APP}/user/ann"
LOBBY, FLOW = f"{APP}/channel/lobby", f"{APP}/channel-flow/f"
ON_LOBBY = {"ChimeBearer": BOSS, "ChannelArn": LOBBY}
STREAM = "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-"
ROLE = "aws-service-role/messaging.chime.amazonaws.com/AWSServiceRoleForChimeSDKMessaging"

# Service Authorization Reference, "Actions, resources, and condition keys for Amazon Chime".
REQUIRED: dict[str, tuple[str, dict[str, Any], list[tuple[str, tuple[str, ...]]]]] = {
    "DescribeChannel": ("DescribeChannel", ON_LOBBY, [("chime:DescribeChannel", (BOSS, LOBBY))]),
    "UpdateChannel": ("UpdateChannel", {**ON_LOBBY, "Name": "n"}, [("chime:UpdateChannel", (BOSS, LOBBY))]),
    "DeleteChannel": ("DeleteChannel", ON_LOBBY, [("chime:DeleteChannel", (BOSS, LOBBY))]),
    "PutChannelExpirationSettings": (
        "PutChannelExpirationSettings",
        ON_LOBBY,
        [("chime:PutChannelExpirationSettings", (BOSS, LOBBY))],
    ),
    "BatchCreateChannelMembership": (
        "BatchCreateChannelMembership",
        {**ON_LOBBY, "MemberArns": [ANN]},
        [("chime:BatchCreateChannelMembership", (BOSS, LOBBY))],
    ),
    "DeleteChannelMembership": (
        "DeleteChannelMembership",
        {**ON_LOBBY, "MemberArn": ANN},
        [("chime:DeleteChannelMembership", (BOSS, LOBBY))],
    ),
    "CreateChannelModerator": (
        "CreateChannelModerator",
        {**ON_LOBBY, "ChannelModeratorArn": ANN},
        [("chime:CreateChannelModerator", (BOSS, LOBBY))],
    ),
    "CreateChannelBan": (
        "CreateChannelBan",
        {**ON_LOBBY, "MemberArn": ANN},
        [("chime:CreateChannelBan", (BOSS, LOBBY))],
    ),
    "SendChannelMessage": ("SendChannelMessage", ON_LOBBY, [("chime:SendChannelMessage", (BOSS, LOBBY))]),
    "AssociateChannelFlow": (
        "AssociateChannelFlow",
        {**ON_LOBBY, "ChannelFlowArn": FLOW},
        [("chime:AssociateChannelFlow", (BOSS, LOBBY, FLOW))],
    ),
    "DisassociateChannelFlow": (
        "DisassociateChannelFlow",
        {**ON_LOBBY, "ChannelFlowArn": FLOW},
        [("chime:DisassociateChannelFlow", (BOSS, LOBBY, FLOW))],
    ),
    "ListChannels": (
        "ListChannels",
        {"AppInstanceArn": APP, "ChimeBearer": BOSS},
        [("chime:ListChannels", (BOSS,))],
    ),
    "CreateChannel": (
        "CreateChannel",
        {"AppInstanceArn": APP, "ChimeBearer": BOSS, "ChannelId": "lobby", "Tags": [], "MemberArns": None},
        [("chime:CreateChannel", (BOSS,))],
    ),
    "CreateChannel with all options": (
        "CreateChannel",
        {
            "AppInstanceArn": APP,
            "ChimeBearer": BOSS,
            "ChannelId": "lobby",
            "ExpirationSettings": {"ExpirationDays": 1},
            "MemberArns": [ANN],
            "ModeratorArns": [ANN],
            "Tags": [{"Key": "a", "Value": "b"}],
        },
        [
            ("chime:CreateChannel", (BOSS,)),
            ("chime:PutChannelExpirationSettings", (BOSS, LOBBY)),
            ("chime:CreateChannelMembership", (BOSS, LOBBY)),
            ("chime:CreateChannelModerator", (BOSS, LOBBY)),
            ("chime:TagResource", (LOBBY,)),
        ],
    ),
    "CreateChannel with tags, without ChannelId": (
        "CreateChannel",
        {"AppInstanceArn": APP, "ChimeBearer": BOSS, "Tags": [{"Key": "a", "Value": "b"}]},
        [("chime:CreateChannel", (BOSS,)), ("chime:TagResource", (f"{APP}/channel/*",))],
    ),
    "TagResource": ("TagResource", {"ResourceARN": LOBBY}, [("chime:TagResource", (LOBBY,))]),
    "UntagResource": ("UntagResource", {"ResourceARN": ANN}, [("chime:UntagResource", (ANN,))]),
    "ListTagsForResource": (
        "ListTagsForResource",
        {"ResourceARN": LOBBY},
        [("chime:ListTagsForResource", (LOBBY,))],
    ),
    "CreateAppInstanceAdmin": (
        "CreateAppInstanceAdmin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": ANN},
        [("chime:CreateAppInstanceAdmin", (APP, ANN))],
    ),
    "DeleteAppInstanceAdmin": (
        "DeleteAppInstanceAdmin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": ANN},
        [("chime:DeleteAppInstanceAdmin", (APP, ANN))],
    ),
    "DescribeAppInstanceAdmin": (
        "DescribeAppInstanceAdmin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": ANN},
        [("chime:DescribeAppInstanceAdmin", (APP, ANN))],
    ),
    "PutAppInstanceRetentionSettings": (
        "PutAppInstanceRetentionSettings",
        {"AppInstanceArn": APP},
        [("chime:PutAppInstanceRetentionSettings", (APP,))],
    ),
    "PutMessagingStreamingConfigurations": (
        "PutMessagingStreamingConfigurations",
        {
            "AppInstanceArn": APP,
            "StreamingConfigurations": [{"ResourceArn": f"{STREAM}b"}, {"ResourceArn": f"{STREAM}a"}],
        },
        [
            ("chime:PutMessagingStreamingConfigurations", (APP,)),
            ("kinesis:DescribeStream", (f"{STREAM}a", f"{STREAM}b")),
            ("kinesis:PutRecord", (f"{STREAM}a", f"{STREAM}b")),
            ("kinesis:PutRecords", (f"{STREAM}a", f"{STREAM}b")),
            ("iam:CreateServiceLinkedRole", (f"arn:aws:iam::111122223333:role/{ROLE}",)),
        ],
    ),
    "DeleteMessagingStreamingConfigurations": (
        "DeleteMessagingStreamingConfigurations",
        {"AppInstanceArn": APP},
        [("chime:DeleteMessagingStreamingConfigurations", (APP,))],
    ),
}


@pytest.mark.parametrize("case", REQUIRED)
def test_operation_requires_its_action_on_every_named_resource(case: str) -> None:
    """A policy on the bearer alone does not allow calls on a channel."""
    operation, parameters, expected = REQUIRED[case]
    assert list(required_actions(operation, parameters)) == expected


@pytest.fixture
def harness() -> Harness:
    """Return a harness with an admin and the user ann."""
    created = Harness()
    created.user("ann")
    return created


def create_channel(harness: Harness, **changed: Any) -> dict[str, Any]:
    """Create a channel; return its ARN and the admin as bearer, as parameters of later calls."""
    request = {"Name": "n", "ClientRequestToken": "token-1", "ChimeBearer": harness.boss, **changed}
    arn = harness.messaging("CreateChannel", AppInstanceArn=harness.app, **request)["ChannelArn"]
    return {"ChannelArn": arn, "ChimeBearer": harness.boss}


ROLES: dict[str, tuple[str, dict[str, str], str]] = {
    "CreateChannelMembership": ("MemberArn", {"Type": "DEFAULT"}, "members"),
    "CreateChannelModerator": ("ChannelModeratorArn", {}, "moderators"),
    "CreateChannelBan": ("MemberArn", {}, "bans"),
}


@pytest.mark.parametrize("operation", ROLES)
def test_existing_member_moderator_or_ban_is_a_conflict_and_stays(operation: str, harness: Harness) -> None:
    """The handler treats this Conflict as success, so the existing entry must be the one requested."""
    parameter, others, attribute = ROLES[operation]
    channel, ann = create_channel(harness), f"{harness.app}/user/ann"
    assert [code_of(harness, operation, **channel, **others, **{parameter: ann}) for _ in range(3)] == [
        "",
        "Conflict",
        "Conflict",
    ]
    users = getattr(harness.service.app_instances[harness.app].channels[channel["ChannelArn"]], attribute)
    assert list(users).count(ann) == 1


@pytest.mark.parametrize("type_", ["DEFAULT", "HIDDEN"])
def test_batch_reports_conflict_only_for_existing_member(type_: str, harness: Harness) -> None:
    """The other users of the batch are added, and the existing member keeps its type."""
    channel, ann, bob = create_channel(harness), f"{harness.app}/user/ann", harness.user("bob")
    harness.messaging("CreateChannelMembership", **channel, MemberArn=ann, Type="DEFAULT")
    response = harness.messaging("BatchCreateChannelMembership", **channel, MemberArns=[ann, bob], Type=type_)
    assert [(error["MemberArn"], error["ErrorCode"]) for error in response["Errors"]] == [(ann, "Conflict")]
    members = harness.service.app_instances[harness.app].channels[channel["ChannelArn"]].members
    assert members == {harness.boss: "DEFAULT", ann: "DEFAULT", bob: type_}


def test_banned_user_cannot_be_added_alone_or_in_a_batch(harness: Harness) -> None:
    """Both calls answer Forbidden, the batch among its Errors; the handler would take a Conflict for success."""
    channel, ann = create_channel(harness), f"{harness.app}/user/ann"
    harness.messaging("CreateChannelBan", **channel, MemberArn=ann)
    assert code_of(harness, "CreateChannelMembership", **channel, MemberArn=ann, Type="DEFAULT") == "Forbidden"
    response = harness.messaging("BatchCreateChannelMembership", **channel, MemberArns=[ann])
    assert [(error["MemberArn"], error["ErrorCode"]) for error in response["Errors"]] == [(ann, "Forbidden")]


def test_existing_admin_is_a_conflict_and_stays_admin(harness: Harness) -> None:
    """By this Conflict the handler knows that the user was an admin before."""
    admin = {"AppInstanceArn": harness.app, "AppInstanceAdminArn": f"{harness.app}/user/ann"}
    codes = [code_of(harness, "CreateAppInstanceAdmin", **admin) for _ in range(2)]
    assert codes == ["", "Conflict"]
    assert code_of(harness, "DescribeAppInstanceAdmin", **admin) == ""


def test_channel_id_in_use_is_a_conflict_for_every_bearer(harness: Harness) -> None:
    """A new token makes it a new request, which leaves the existing channel unchanged."""
    channel = create_channel(harness, ChannelId="lobby", Name="first")
    again = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "second"}
    for bearer in (harness.boss, f"{harness.app}/user/ann"):
        request = {**again, "ClientRequestToken": "token-2", "ChimeBearer": bearer}
        assert code_of(harness, "CreateChannel", **request) == "Conflict"
    assert harness.service.app_instances[harness.app].channels[channel["ChannelArn"]].name == "first"
    harness.messaging("DeleteChannel", **channel)
    request = {**again, "ClientRequestToken": "token-3", "ChimeBearer": harness.boss}
    assert code_of(harness, "CreateChannel", **request) == ""


def test_existing_user_is_a_conflict_and_keeps_its_name(harness: Harness) -> None:
    """Creating a user with an id in use does not change the existing user."""
    request = {"AppInstanceArn": harness.app, "AppInstanceUserId": "ann", "ClientRequestToken": "token-2"}
    assert code_of(harness, "CreateAppInstanceUser", **request, Name="other") == "Conflict"
    assert harness.service.app_instances[harness.app].identities[f"{harness.app}/user/ann"]["Name"] == "ann"


@pytest.mark.parametrize("operation", ["CreateChannelModerator", "DeleteChannelModerator"])
def test_elastic_membership_ends_when_its_user_becomes_or_stops_being_moderator(
    operation: str, harness: Harness
) -> None:
    """Adding or removing a moderator of an elastic channel removes that user's membership."""
    elastic = {
        "MaximumSubChannels": 2,
        "TargetMembershipsPerSubChannel": 2,
        "MinimumMembershipPercentage": 10,
    }
    channel = create_channel(harness, Mode="RESTRICTED", ElasticChannelConfiguration=elastic)
    ann = f"{harness.app}/user/ann"
    member = {**channel, "MemberArn": ann, "Type": "DEFAULT"}
    moderator = {**channel, "ChannelModeratorArn": ann}
    if operation == "CreateChannelModerator":
        harness.messaging("CreateChannelMembership", **member)
    else:
        harness.messaging("CreateChannelModerator", **moderator)
        harness.messaging("CreateChannelMembership", **member, SubChannelId="11111111-1111-1111-1111-111111111111")
    channels = harness.service.app_instances[harness.app].channels
    assert ann in channels[channel["ChannelArn"]].members
    harness.messaging(operation, **moderator)
    assert ann not in channels[channel["ChannelArn"]].members
    assert (ann in channels[channel["ChannelArn"]].moderators) is (operation == "CreateChannelModerator")


def test_deleted_user_created_again_has_no_roles_and_no_bans(harness: Harness) -> None:
    """Deleting a user removes its memberships, roles and bans, also for a later user with the same id."""
    ann = f"{harness.app}/user/ann"
    member, banned = create_channel(harness), create_channel(harness, ClientRequestToken="token-2")
    harness.messaging("CreateChannelMembership", **member, MemberArn=ann, Type="HIDDEN")
    harness.messaging("CreateChannelModerator", **member, ChannelModeratorArn=ann)
    harness.messaging("CreateChannelBan", **banned, MemberArn=ann)
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=ann)
    harness.identity("DeleteAppInstanceUser", AppInstanceUserArn=ann)
    harness.user("ann")
    app = harness.service.app_instances[harness.app]
    first, second = app.channels[member["ChannelArn"]], app.channels[banned["ChannelArn"]]
    assert (list(first.members), list(first.moderators), list(second.bans)) == ([harness.boss], [harness.boss], [])
    assert list(app.admins) == [harness.boss]
