"""Which actions and resources a call is authorized for, and what is a Conflict."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime.iam import required_actions
from engine.calls import code_of
from helpers.harness import Harness

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
BOSS, ANN = f"{APP}/user/boss", f"{APP}/user/ann"
LOBBY, FLOW = f"{APP}/channel/lobby", f"{APP}/channel-flow/f"
HERE = {"ChimeBearer": BOSS, "ChannelArn": LOBBY}
STREAM = "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-"
ROLE = "aws-service-role/messaging.chime.amazonaws.com/AWSServiceRoleForChimeSDKMessaging"

# Service Authorization Reference, "Actions, resources, and condition keys for Amazon Chime" (D).
REQUIRED: dict[str, tuple[str, dict[str, Any], list[tuple[str, tuple[str, ...]]]]] = {
    "describe": ("DescribeChannel", HERE, [("chime:DescribeChannel", (BOSS, LOBBY))]),
    "update": ("UpdateChannel", {**HERE, "Name": "n"}, [("chime:UpdateChannel", (BOSS, LOBBY))]),
    "delete": ("DeleteChannel", HERE, [("chime:DeleteChannel", (BOSS, LOBBY))]),
    "expiration": (
        "PutChannelExpirationSettings",
        HERE,
        [("chime:PutChannelExpirationSettings", (BOSS, LOBBY))],
    ),
    "members": (
        "BatchCreateChannelMembership",
        {**HERE, "MemberArns": [ANN]},
        [("chime:BatchCreateChannelMembership", (BOSS, LOBBY))],
    ),
    "removal of a member": (
        "DeleteChannelMembership",
        {**HERE, "MemberArn": ANN},
        [("chime:DeleteChannelMembership", (BOSS, LOBBY))],
    ),
    "moderator": (
        "CreateChannelModerator",
        {**HERE, "ChannelModeratorArn": ANN},
        [("chime:CreateChannelModerator", (BOSS, LOBBY))],
    ),
    "ban": ("CreateChannelBan", {**HERE, "MemberArn": ANN}, [("chime:CreateChannelBan", (BOSS, LOBBY))]),
    "message": ("SendChannelMessage", HERE, [("chime:SendChannelMessage", (BOSS, LOBBY))]),
    "flow": (
        "AssociateChannelFlow",
        {**HERE, "ChannelFlowArn": FLOW},
        [("chime:AssociateChannelFlow", (BOSS, LOBBY, FLOW))],
    ),
    "end of a flow": (
        "DisassociateChannelFlow",
        {**HERE, "ChannelFlowArn": FLOW},
        [("chime:DisassociateChannelFlow", (BOSS, LOBBY, FLOW))],
    ),
    "list": ("ListChannels", {"AppInstanceArn": APP, "ChimeBearer": BOSS}, [("chime:ListChannels", (BOSS,))]),
    "plain creation": (
        "CreateChannel",
        {"AppInstanceArn": APP, "ChimeBearer": BOSS, "ChannelId": "lobby", "Tags": [], "MemberArns": None},
        [("chime:CreateChannel", (BOSS,))],
    ),
    "creation with everything": (
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
    "creation with tags, under an id of the service's": (
        "CreateChannel",
        {"AppInstanceArn": APP, "ChimeBearer": BOSS, "Tags": [{"Key": "a", "Value": "b"}]},
        [("chime:CreateChannel", (BOSS,)), ("chime:TagResource", (f"{APP}/channel/*",))],
    ),
    "tags": ("TagResource", {"ResourceARN": LOBBY}, [("chime:TagResource", (LOBBY,))]),
    "removal of tags": ("UntagResource", {"ResourceARN": ANN}, [("chime:UntagResource", (ANN,))]),
    "list of tags": ("ListTagsForResource", {"ResourceARN": LOBBY}, [("chime:ListTagsForResource", (LOBBY,))]),
    "admin": (
        "CreateAppInstanceAdmin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": ANN},
        [("chime:CreateAppInstanceAdmin", (APP, ANN))],
    ),
    "end of an admin": (
        "DeleteAppInstanceAdmin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": ANN},
        [("chime:DeleteAppInstanceAdmin", (APP, ANN))],
    ),
    "look at an admin": (
        "DescribeAppInstanceAdmin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": ANN},
        [("chime:DescribeAppInstanceAdmin", (APP, ANN))],
    ),
    "retention": (
        "PutAppInstanceRetentionSettings",
        {"AppInstanceArn": APP},
        [("chime:PutAppInstanceRetentionSettings", (APP,))],
    ),
    "streaming": (
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
    "end of streaming": (
        "DeleteMessagingStreamingConfigurations",
        {"AppInstanceArn": APP},
        [("chime:DeleteMessagingStreamingConfigurations", (APP,))],
    ),
}


@pytest.mark.parametrize("call", REQUIRED)
def test_call_needs_its_action_on_bearer_channel_and_all_else_it_names(call: str) -> None:
    """Each action with all its resources: a policy on the bearer alone lets nobody at a channel."""
    operation, parameters, expected = REQUIRED[call]
    assert list(required_actions(operation, parameters)) == expected


@pytest.fixture
def harness() -> Harness:
    """Return an app instance with a user beside its admin."""
    made = Harness()
    made.user("ann")
    return made


def channel(harness: Harness, **more: Any) -> dict[str, Any]:
    """Create a channel, and return what calls on it have in common."""
    given = {"Name": "n", "ClientRequestToken": "token-1", "ChimeBearer": harness.boss, **more}
    arn = harness.messaging("CreateChannel", AppInstanceArn=harness.app, **given)["ChannelArn"]
    return {"ChannelArn": arn, "ChimeBearer": harness.boss}


TWICE: dict[str, tuple[str, dict[str, str], str]] = {
    "CreateChannelMembership": ("MemberArn", {"Type": "DEFAULT"}, "members"),
    "CreateChannelModerator": ("ChannelModeratorArn", {}, "moderators"),
    "CreateChannelBan": ("MemberArn", {}, "bans"),
}


@pytest.mark.parametrize("operation", TWICE)
def test_what_is_there_already_is_a_conflict_and_stays_as_it_is(operation: str, harness: Harness) -> None:
    """The handler takes that Conflict for success: what it wants is there."""
    name, more, kept = TWICE[operation]
    here, ann = channel(harness), f"{harness.app}/user/ann"
    assert [code_of(harness, operation, **here, **more, **{name: ann}) for _ in range(3)] == [
        "",
        "Conflict",
        "Conflict",
    ]
    held = getattr(harness.service.app_instances[harness.app].channels[here["ChannelArn"]], kept)
    assert list(held).count(ann) == 1


@pytest.mark.parametrize("type_", ["DEFAULT", "HIDDEN"])
def test_member_of_a_batch_who_is_one_already_is_a_conflict_of_its_own(type_: str, harness: Harness) -> None:
    """The others of the batch are added, and the member keeps its type."""
    here, ann, bob = channel(harness), f"{harness.app}/user/ann", harness.user("bob")
    harness.messaging("CreateChannelMembership", **here, MemberArn=ann, Type="DEFAULT")
    answer = harness.messaging("BatchCreateChannelMembership", **here, MemberArns=[ann, bob], Type=type_)
    assert [(one["MemberArn"], one["ErrorCode"]) for one in answer["Errors"]] == [(ann, "Conflict")]
    members = harness.service.app_instances[harness.app].channels[here["ChannelArn"]].members
    assert members == {harness.boss: "DEFAULT", ann: "DEFAULT", bob: type_}


def test_banned_user_becomes_no_member_by_either_call(harness: Harness) -> None:
    """Not alone, nor in a batch, where the refusal stands among the errors; and it is no Conflict."""
    here, ann = channel(harness), f"{harness.app}/user/ann"
    harness.messaging("CreateChannelBan", **here, MemberArn=ann)
    assert code_of(harness, "CreateChannelMembership", **here, MemberArn=ann, Type="DEFAULT") == "Forbidden"
    answer = harness.messaging("BatchCreateChannelMembership", **here, MemberArns=[ann])
    assert [(one["MemberArn"], one["ErrorCode"]) for one in answer["Errors"]] == [(ann, "Forbidden")]


def test_admin_made_twice_is_a_conflict_and_stays_admin(harness: Harness) -> None:
    """By that Conflict the handler knows that the right was there before."""
    admin = {"AppInstanceArn": harness.app, "AppInstanceAdminArn": f"{harness.app}/user/ann"}
    made = [code_of(harness, "CreateAppInstanceAdmin", **admin) for _ in range(2)]
    assert made == ["", "Conflict"]
    assert code_of(harness, "DescribeAppInstanceAdmin", **admin) == ""


def test_channel_id_that_is_held_is_a_conflict_whoever_asks_for_it(harness: Harness) -> None:
    """Another token is another request, and the channel that is there is not touched."""
    here = channel(harness, ChannelId="lobby", Name="first")
    again = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "second"}
    for bearer in (harness.boss, f"{harness.app}/user/ann"):
        given = {**again, "ClientRequestToken": "token-2", "ChimeBearer": bearer}
        assert code_of(harness, "CreateChannel", **given) == "Conflict"
    assert harness.service.app_instances[harness.app].channels[here["ChannelArn"]].name == "first"
    harness.messaging("DeleteChannel", **here)
    given = {**again, "ClientRequestToken": "token-3", "ChimeBearer": harness.boss}
    assert code_of(harness, "CreateChannel", **given) == ""


def test_user_made_twice_is_a_conflict_and_keeps_its_name(harness: Harness) -> None:
    """Whoever was there first stays as it is."""
    given = {"AppInstanceArn": harness.app, "AppInstanceUserId": "ann", "ClientRequestToken": "token-2"}
    assert code_of(harness, "CreateAppInstanceUser", **given, Name="other") == "Conflict"
    assert harness.service.app_instances[harness.app].identities[f"{harness.app}/user/ann"]["Name"] == "ann"


@pytest.mark.parametrize("of", ["CreateChannelModerator", "DeleteChannelModerator"])
def test_change_of_a_moderator_of_an_elastic_channel_ends_the_membership(of: str, harness: Harness) -> None:
    """Whoever is made moderator leaves its sub-channel, and so does who is moderator no more."""
    elastic = {
        "MaximumSubChannels": 2,
        "TargetMembershipsPerSubChannel": 2,
        "MinimumMembershipPercentage": 10,
    }
    here = channel(harness, Mode="RESTRICTED", ElasticChannelConfiguration=elastic)
    ann = f"{harness.app}/user/ann"
    member = {**here, "MemberArn": ann, "Type": "DEFAULT"}
    moderator = {**here, "ChannelModeratorArn": ann}
    if of == "CreateChannelModerator":
        harness.messaging("CreateChannelMembership", **member)
    else:
        harness.messaging("CreateChannelModerator", **moderator)
        harness.messaging("CreateChannelMembership", **member, SubChannelId="11111111-1111-1111-1111-111111111111")
    channels = harness.service.app_instances[harness.app].channels
    assert ann in channels[here["ChannelArn"]].members
    harness.messaging(of, **moderator)
    assert ann not in channels[here["ChannelArn"]].members
    assert (ann in channels[here["ChannelArn"]].moderators) is (of == "CreateChannelModerator")


def test_deleted_user_leaves_members_moderators_bans_and_admins(harness: Harness) -> None:
    """Whoever comes back under the same id has none of it."""
    ann = f"{harness.app}/user/ann"
    member, banned = channel(harness), channel(harness, ClientRequestToken="token-2")
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
