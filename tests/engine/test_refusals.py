"""The error code and message of each refused call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from helpers.harness import Harness

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
ELASTIC = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
NOBODY = "arn:aws:chime:us-east-1:000000000000:app-instance/none"
BEARER = "An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header."


def processors(function: str = FUNCTION) -> list[dict[str, Any]]:
    """Return the processors of a flow with one Lambda."""
    target = {"Lambda": {"ResourceArn": function, "InvocationType": "ASYNC"}}
    return [{"Name": "p", "ExecutionOrder": 1, "FallbackAction": "CONTINUE", "Configuration": target}]


def create_harness(behaviors: str = "") -> Harness:
    """Create an app instance with a RESTRICTED channel and users of each role, and a second app instance."""
    harness = Harness(Behaviors.parse(behaviors))
    for name in ("moderator", "member", "hidden", "banned", "stranger"):
        harness.user(name)
    other = harness.identity("CreateAppInstance", Name="other", ClientRequestToken="tt")["AppInstanceArn"]
    harness.identity(
        "CreateAppInstanceUser", AppInstanceArn=other, AppInstanceUserId="x", Name="x", ClientRequestToken="tt"
    )
    harness.now += 100
    request = {
        "AppInstanceArn": harness.app,
        "ChannelId": "room",
        "Name": "n",
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
    }
    harness.messaging("CreateChannel", **request, ClientRequestToken="first", ChimeBearer=harness.boss)
    harness.now += 100
    channel = {"ChannelArn": f"{harness.app}/channel/room", "ChimeBearer": harness.boss}
    harness.messaging("CreateChannelModerator", **channel, ChannelModeratorArn=f"{harness.app}/user/moderator")
    for name, member_type in (("member", "DEFAULT"), ("hidden", "HIDDEN")):
        harness.messaging(
            "CreateChannelMembership", **channel, MemberArn=f"{harness.app}/user/{name}", Type=member_type
        )
    harness.messaging("CreateChannelBan", **channel, MemberArn=f"{harness.app}/user/banned")
    harness.identity("TagResource", ResourceARN=channel["ChannelArn"], Tags=[{"Key": "k", "Value": "v"}])
    return harness


def fill_arns(harness: Harness, value: Any) -> Any:
    """Replace APP and OTHER by the ARNs of the harness."""
    if isinstance(value, str):
        other = [arn for arn in harness.service.app_instances if arn != harness.app]
        return value.replace("APP", harness.app).replace("OTHER", other[0] if other else "")
    if isinstance(value, dict):
        return {key: fill_arns(harness, item) for key, item in value.items()}
    return [fill_arns(harness, item) for item in value] if isinstance(value, list) else value


def refusal(harness: Harness, operation: str, parameters: dict[str, Any]) -> tuple[str, str]:
    """Return code and message of a call's error; ("", "") on success."""
    # Bots, users, admins and retention are the other service's; the channels of a user are not.
    identity = "AppInstance" in operation and "Channel" not in operation
    call: Callable[..., Any] = harness.identity if identity else harness.messaging
    try:
        call(operation, **fill_arns(harness, parameters))
    except ChimeError as error:
        return error.code.removesuffix("Exception"), error.message
    return "", ""


ROOM = {"ChannelArn": "APP/channel/room", "ChimeBearer": "APP/user/boss"}
NEW = {"AppInstanceArn": "APP", "Name": "n", "ClientRequestToken": "second", "ChimeBearer": "APP/user/boss"}
BY_MEMBER = {**ROOM, "ChimeBearer": "APP/user/member"}
BY_HIDDEN = {**ROOM, "ChimeBearer": "APP/user/hidden"}
BY_STRANGER = {**ROOM, "ChimeBearer": "APP/user/stranger"}
BY_MODERATOR = {**ROOM, "ChimeBearer": "APP/user/moderator"}
MESSAGE = {"Content": "c", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "tt"}
BOT = {
    "Name": "b",
    "Configuration": {
        "Lex": {
            "LexBotAliasArn": "arn:aws:lex:us-east-1:000000000000:bot-alias/ABCDEFGHIJ/KLMNOPQRST",
            "LocaleId": "en_US",
        }
    },
}
FLOW = {"AppInstanceArn": "APP", "Name": "f", "ClientRequestToken": "tt"}


def missing_role(user: str, role: str) -> str:
    """Return the message for a caller without the required role."""
    return f"APP/user/{user} has no right to do this in APP/channel/room: it must be {role}."


def missing_resource(kind: str, arn: str) -> str:
    """Return the message for a missing resource."""
    return f"The {kind} {arn} is not there or not yours."


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    # Bearers
    ("DescribeChannel", {**ROOM, "ChimeBearer": "APP/user/none"}, "UnauthorizedClient", BEARER),
    ("ListChannels", {"AppInstanceArn": "APP", "ChimeBearer": "APP/user/none"}, "UnauthorizedClient", BEARER),
    (
        "CreateChannel",
        {**NEW, "ChimeBearer": "OTHER/user/x"},
        "Forbidden",
        "The bearer belongs to another app instance.",
    ),
    (
        "ListChannels",
        {"AppInstanceArn": "APP", "ChimeBearer": "OTHER/user/x"},
        "Forbidden",
        "The bearer belongs to another app instance.",
    ),
    (
        "DescribeChannel",
        {**ROOM, "ChimeBearer": "OTHER/user/x"},
        "Forbidden",
        "The bearer belongs to another app instance.",
    ),
    # What is not there
    ("DescribeAppInstance", {"AppInstanceArn": NOBODY}, "Forbidden", missing_resource("app instance", NOBODY)),
    (
        "DescribeAppInstance",
        {"AppInstanceArn": "arn:aws:s3:::bucket"},
        "Forbidden",
        missing_resource("app instance", "arn:aws:s3:::bucket"),
    ),
    (
        "DescribeChannel",
        {**ROOM, "ChannelArn": "APP/channel/none"},
        "Forbidden",
        missing_resource("channel", "APP/channel/none"),
    ),
    (
        "DescribeChannel",
        {**ROOM, "ChannelArn": "APP/user/boss"},
        "BadRequest",
        "ChannelArn APP/user/boss is no channel's ARN",
    ),
    ("DescribeChannel", {**ROOM, "ChannelArn": "APP"}, "BadRequest", "ChannelArn APP is no channel's ARN"),
    (
        "DescribeChannel",
        {**ROOM, "ChannelArn": "arn:aws:s3:::bucket"},
        "BadRequest",
        "ChannelArn arn:aws:s3:::bucket is no channel's ARN",
    ),
    (
        "ListTagsForResource",
        {"ResourceARN": "APP/channel/none"},
        "Forbidden",
        missing_resource("resource", "APP/channel/none"),
    ),
    (
        "UntagResource",
        {"ResourceARN": "APP/user/none", "TagKeys": ["k"]},
        "Forbidden",
        missing_resource("resource", "APP/user/none"),
    ),
    (
        "DescribeAppInstanceUser",
        {"AppInstanceUserArn": "APP/user/none"},
        "Forbidden",
        missing_resource("user or bot", "APP/user/none"),
    ),
    (
        "DeleteAppInstanceBot",
        {"AppInstanceBotArn": "APP/bot/none"},
        "Forbidden",
        missing_resource("user or bot", "APP/bot/none"),
    ),
    (
        "DescribeAppInstanceAdmin",
        {"AppInstanceArn": "APP", "AppInstanceAdminArn": "APP/user/member"},
        "Forbidden",
        missing_resource("admin", "APP/user/member"),
    ),
    (
        "DeleteAppInstanceAdmin",
        {"AppInstanceArn": "APP", "AppInstanceAdminArn": "APP/user/member"},
        "Forbidden",
        missing_resource("admin", "APP/user/member"),
    ),
    (
        "CreateAppInstanceAdmin",
        {"AppInstanceArn": "APP", "AppInstanceAdminArn": "APP/user/none"},
        "BadRequest",
        "APP/user/none is not there",
    ),
    # What is there already
    (
        "CreateAppInstanceAdmin",
        {"AppInstanceArn": "APP", "AppInstanceAdminArn": "APP/user/boss"},
        "Conflict",
        "APP/user/boss is admin already",
    ),
    (
        "CreateAppInstanceUser",
        {"AppInstanceArn": "APP", "AppInstanceUserId": "boss", "Name": "n", "ClientRequestToken": "tt"},
        "Conflict",
        "APP/user/boss is there already",
    ),
    (
        "CreateChannel",
        {**NEW, "ChannelId": "room"},
        "Conflict",
        "A channel with this ChannelId has already been created.",
    ),
    (
        "CreateChannelMembership",
        {**ROOM, "MemberArn": "APP/user/member", "Type": "DEFAULT"},
        "Conflict",
        "APP/user/member is a member already",
    ),
    (
        "CreateChannelModerator",
        {**ROOM, "ChannelModeratorArn": "APP/user/moderator"},
        "Conflict",
        "APP/user/moderator is a moderator already",
    ),
    (
        "CreateChannelBan",
        {**ROOM, "MemberArn": "APP/user/banned"},
        "Conflict",
        "APP/user/banned is banned already",
    ),
    # Persons
    (
        "CreateChannelMembership",
        {**ROOM, "MemberArn": "APP/user/none", "Type": "DEFAULT"},
        "NotFound",
        "APP/user/none is not there",
    ),
    (
        "CreateChannelMembership",
        {**ROOM, "MemberArn": "APP/user/banned", "Type": "DEFAULT"},
        "Forbidden",
        "APP/user/banned is banned",
    ),
    (
        "CreateChannelModerator",
        {**ROOM, "ChannelModeratorArn": "APP/user/none"},
        "BadRequest",
        "APP/user/none is not there",
    ),
    ("CreateChannelBan", {**ROOM, "MemberArn": "APP/user/none"}, "BadRequest", "APP/user/none is not there"),
    (
        "CreateChannelBan",
        {**ROOM, "MemberArn": "APP/user/moderator"},
        "BadRequest",
        "APP/user/moderator is an admin or a moderator, who cannot be banned",
    ),
    (
        "DeleteChannelMembership",
        {**ROOM, "MemberArn": "APP/user/stranger"},
        "Forbidden",
        missing_resource("membership of", "APP/user/stranger"),
    ),
    (
        "DescribeChannelMembership",
        {**ROOM, "MemberArn": "APP/user/stranger"},
        "Forbidden",
        missing_resource("membership of", "APP/user/stranger"),
    ),
    (
        "DeleteChannelModerator",
        {**ROOM, "ChannelModeratorArn": "APP/user/member"},
        "Forbidden",
        missing_resource("moderator", "APP/user/member"),
    ),
    (
        "DescribeChannelModerator",
        {**ROOM, "ChannelModeratorArn": "APP/user/member"},
        "Forbidden",
        missing_resource("moderator", "APP/user/member"),
    ),
    (
        "DescribeChannelModeratedByAppInstanceUser",
        {**ROOM, "AppInstanceUserArn": "APP/user/member"},
        "Forbidden",
        missing_resource("moderator", "APP/user/member"),
    ),
    (
        "DeleteChannelBan",
        {**ROOM, "MemberArn": "APP/user/member"},
        "Forbidden",
        missing_resource("ban of", "APP/user/member"),
    ),
    (
        "DescribeChannelBan",
        {**ROOM, "MemberArn": "APP/user/member"},
        "Forbidden",
        missing_resource("ban of", "APP/user/member"),
    ),
    (
        "ListChannelMembershipsForAppInstanceUser",
        {"ChimeBearer": "APP/user/member", "AppInstanceUserArn": "APP/user/hidden"},
        "Forbidden",
        "Only an AppInstanceAdmin may list the channels of another user.",
    ),
    # Rights
    ("DescribeChannel", BY_STRANGER, "Forbidden", missing_role("stranger", "member, moderator or admin")),
    (
        "ListChannelMemberships",
        BY_HIDDEN,
        "Forbidden",
        missing_role("hidden", "DEFAULT member, moderator or admin"),
    ),
    (
        "DescribeChannelMembership",
        {**BY_HIDDEN, "MemberArn": "APP/user/member"},
        "Forbidden",
        missing_role("hidden", "DEFAULT member, moderator or admin"),
    ),
    (
        "ListChannelMemberships",
        {**BY_MEMBER, "Type": "HIDDEN"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    ("UpdateChannel", {**BY_MEMBER, "Name": "n"}, "Forbidden", missing_role("member", "moderator or admin")),
    ("DeleteChannel", BY_MEMBER, "Forbidden", missing_role("member", "moderator or admin")),
    ("ListChannelModerators", BY_MEMBER, "Forbidden", missing_role("member", "moderator or admin")),
    ("ListChannelBans", BY_MEMBER, "Forbidden", missing_role("member", "moderator or admin")),
    (
        "CreateChannelMembership",
        {**BY_MEMBER, "MemberArn": "APP/user/stranger", "Type": "DEFAULT"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "DeleteChannelMembership",
        {**BY_MEMBER, "MemberArn": "APP/user/hidden"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "DeleteChannelBan",
        {**BY_MEMBER, "MemberArn": "APP/user/banned"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "DeleteChannelModerator",
        {**BY_MEMBER, "ChannelModeratorArn": "APP/user/moderator"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "AssociateChannelFlow",
        {**BY_MEMBER, "ChannelFlowArn": "APP/channel-flow/f"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "DisassociateChannelFlow",
        {**BY_MEMBER, "ChannelFlowArn": "APP/channel-flow/f"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "PutChannelExpirationSettings",
        BY_MEMBER,
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "CreateChannelBan",
        {**BY_MEMBER, "MemberArn": "APP/user/stranger"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "DescribeChannelBan",
        {**BY_MEMBER, "MemberArn": "APP/user/banned"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "DescribeChannelModerator",
        {**BY_MEMBER, "ChannelModeratorArn": "APP/user/moderator"},
        "Forbidden",
        missing_role("member", "moderator or admin"),
    ),
    (
        "DescribeChannelModeratedByAppInstanceUser",
        {**BY_STRANGER, "AppInstanceUserArn": "APP/user/moderator"},
        "Forbidden",
        missing_role("stranger", "member, moderator or admin"),
    ),
    ("ListChannelMessages", BY_STRANGER, "Forbidden", missing_role("stranger", "member, moderator or admin")),
    (
        "GetChannelMessage",
        {**BY_STRANGER, "MessageId": "m"},
        "Forbidden",
        missing_role("stranger", "member, moderator or admin"),
    ),
    (
        "RedactChannelMessage",
        {**BY_STRANGER, "MessageId": "m"},
        "Forbidden",
        missing_role("stranger", "member, moderator or admin"),
    ),
    ("SendChannelMessage", {**BY_HIDDEN, **MESSAGE}, "Forbidden", missing_role("hidden", "a DEFAULT member")),
    (
        "UpdateChannelMessage",
        {**BY_HIDDEN, "MessageId": "m", "Content": "c"},
        "Forbidden",
        missing_role("hidden", "a DEFAULT member"),
    ),
    (
        "CreateChannelModerator",
        {**BY_MODERATOR, "ChannelModeratorArn": "APP/user/member"},
        "Forbidden",
        missing_role("moderator", "moderator and member, or admin"),
    ),
    ("DeleteChannelMessage", {**BY_MODERATOR, "MessageId": "m"}, "Forbidden", missing_role("moderator", "admin")),
    ("SendChannelMessage", {**BY_MODERATOR, **MESSAGE}, "Forbidden", missing_role("moderator", "a DEFAULT member")),
    (
        "ListChannels",
        {"AppInstanceArn": "APP", "ChimeBearer": "APP/user/member", "Privacy": "PRIVATE"},
        "Forbidden",
        "Only an AppInstanceAdmin may list private channels.",
    ),
    # Channels
    (
        "CreateChannel",
        {**NEW, "Mode": "UNRESTRICTED", "ElasticChannelConfiguration": ELASTIC},
        "BadRequest",
        "an elastic channel must be RESTRICTED",
    ),
    (
        "CreateChannel",
        {**NEW, "ElasticChannelConfiguration": ELASTIC},
        "BadRequest",
        "an elastic channel must be RESTRICTED",
    ),
    (
        "CreateChannel",
        {**NEW, "Mode": "RESTRICTED", "ElasticChannelConfiguration": ELASTIC, "MemberArns": ["APP/user/member"]},
        "BadRequest",
        "an elastic channel takes no MemberArns",
    ),
    (
        "CreateChannel",
        {**NEW, "MemberArns": ["APP/user/member", "APP/user/none"]},
        "BadRequest",
        "MemberArns: APP/user/none is not there",
    ),
    (
        "CreateChannel",
        {**NEW, "ModeratorArns": ["APP/user/none"]},
        "BadRequest",
        "ModeratorArns: APP/user/none is not there",
    ),
    (
        "CreateChannel",
        {**NEW, "Metadata": "ä" * 512 + "b"},
        "BadRequest",
        "Metadata must have at most 1024 bytes as UTF-8",
    ),
    (
        "UpdateChannel",
        {**ROOM, "Metadata": "ä" * 512 + "b"},
        "BadRequest",
        "Metadata must have at most 1024 bytes as UTF-8",
    ),
    (
        "SendChannelMessage",
        {**ROOM, **MESSAGE, "Metadata": "ä" * 512 + "b"},
        "BadRequest",
        "Metadata must have at most 1024 bytes as UTF-8",
    ),
    (
        "TagResource",
        {"ResourceARN": "APP", "Tags": [{"Key": f"k{number}", "Value": "v"} for number in range(50)]},
        "",
        "",
    ),
    (
        "TagResource",
        {"ResourceARN": "APP/channel/room", "Tags": [{"Key": f"k{number}", "Value": "v"} for number in range(50)]},
        "BadRequest",
        "a resource has at most 50 tags",
    ),
    # Lists
    (
        "ListAppInstances",
        {"NextToken": "none"},
        "BadRequest",
        "NextToken is none that was given out",
    ),
    ("ListAppInstances", {"NextToken": "²"}, "BadRequest", "NextToken is none that was given out"),
    ("ListAppInstances", {"NextToken": "٣"}, "BadRequest", "NextToken is none that was given out"),
    # Messages and flows
    ("GetChannelMessage", {**ROOM, "MessageId": "none"}, "NotFound", "there is no such message"),
    (
        "UpdateChannelMessage",
        {**ROOM, "MessageId": "none", "Content": "c"},
        "Forbidden",
        missing_resource("message", "none"),
    ),
    (
        "CreateChannelFlow",
        {**FLOW, "Processors": processors(FUNCTION.replace("us-east-1", "eu-central-1"))},
        "BadRequest",
        "the processor's Lambda must be in us-east-1",
    ),
    (
        "DescribeChannelFlow",
        {"ChannelFlowArn": "APP/channel-flow/none"},
        "NotFound",
        "there is no channel flow APP/channel-flow/none",
    ),
    (
        "DisassociateChannelFlow",
        {**ROOM, "ChannelFlowArn": "APP/channel-flow/none"},
        "NotFound",
        "APP/channel/room has no such flow",
    ),
    (
        "PutMessagingStreamingConfigurations",
        {
            "AppInstanceArn": "APP",
            "StreamingConfigurations": [
                {"DataType": "Channel", "ResourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/other"}
            ],
        },
        "BadRequest",
        "the stream must be named chime-messaging-…",
    ),
    (
        "PutMessagingStreamingConfigurations",
        {
            "AppInstanceArn": "APP",
            "StreamingConfigurations": [
                {
                    "DataType": "Channel",
                    "ResourceArn": "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-a",
                }
            ],
        },
        "BadRequest",
        "the stream must be in the app instance's region and account",
    ),
    (
        "GetMessagingStreamingConfigurations",
        {"AppInstanceArn": "APP"},
        "NotFound",
        "no streaming is configured",
    ),
    (
        "SearchChannels",
        {"Fields": []},
        "NotImplemented",
        "SearchChannels is not emulated by the local engine.",
    ),
]


@pytest.mark.parametrize(
    ("operation", "parameters", "code", "message"), REFUSED, ids=[f"{row[0]}-{row[2]}" for row in REFUSED]
)
def test_refused_call_names_the_broken_rule_and_changes_nothing(
    operation: str, parameters: dict[str, Any], code: str, message: str
) -> None:
    """Code and message are those of the broken rule, and no channel changes."""
    harness = create_harness()
    before = harness.service.channels()
    assert refusal(harness, operation, parameters) == (code, fill_arns(harness, message))
    assert harness.service.channels() == before


BY_BEHAVIOR: list[tuple[str, str, dict[str, Any], str, str]] = [
    (
        "missing_channel=NotFound",
        "DescribeChannel",
        {**ROOM, "ChannelArn": "APP/channel/none"},
        "NotFound",
        missing_resource("channel", "APP/channel/none"),
    ),
    ("missing_bearer=403", "DescribeChannel", {**ROOM, "ChimeBearer": "APP/user/none"}, "Forbidden", BEARER),
    (
        "missing_tags=BadRequest",
        "ListTagsForResource",
        {"ResourceARN": "APP/channel/none"},
        "BadRequest",
        "APP/channel/none is not there or cannot have tags.",
    ),
    (
        "missing_tags=BadRequest",
        "ListTagsForResource",
        {"ResourceARN": "APP/user/none"},
        "Forbidden",
        missing_resource("resource", "APP/user/none"),
    ),
    ("missing_tags=empty", "ListTagsForResource", {"ResourceARN": "APP/channel/none"}, "", ""),
    (
        "token_alive=conflict",
        "CreateChannel",
        {**NEW, "ClientRequestToken": "first"},
        "Conflict",
        "Resource creation in progress or has already been created.",
    ),
    ("token_alive=same", "CreateChannel", {**NEW, "ClientRequestToken": "first"}, "", ""),
    (
        "delete_admin_user=conflict",
        "DeleteAppInstanceUser",
        {"AppInstanceUserArn": "APP/user/boss"},
        "Conflict",
        "APP/user/boss is AppInstanceAdmin",
    ),
    (
        "member_removes_others=yes",
        "DeleteChannelMembership",
        {**BY_MEMBER, "MemberArn": "APP/user/hidden"},
        "",
        "",
    ),
    ("hidden_lists_members=yes", "ListChannelMemberships", BY_HIDDEN, "", ""),
    (
        "hidden_lists_members=yes",
        "DescribeChannelMembership",
        {**BY_HIDDEN, "MemberArn": "APP/user/member"},
        "",
        "",
    ),
    (
        "omitted_settings=PRIVATE_RESTRICTED",
        "CreateChannel",
        {**NEW, "ElasticChannelConfiguration": ELASTIC},
        "",
        "",
    ),
    ("bad_member=skipped", "CreateChannel", {**NEW, "MemberArns": ["APP/user/none"]}, "", ""),
]


@pytest.mark.parametrize(
    ("behaviors", "operation", "parameters", "code", "message"),
    BY_BEHAVIOR,
    ids=[f"{row[0]}-{row[1]}" for row in BY_BEHAVIOR],
)
def test_behavior_selects_the_error_or_success_of_a_call(
    behaviors: str, operation: str, parameters: dict[str, Any], code: str, message: str
) -> None:
    """Where AWS's response is unknown, the behavior selects success or the error."""
    harness = create_harness(behaviors)
    assert refusal(harness, operation, parameters) == (code, fill_arns(harness, message))


@pytest.mark.parametrize(
    ("behaviors", "code"), [("token_after_delete=new", ""), ("token_after_delete=conflict", "Conflict")]
)
def test_token_of_a_deleted_channel_is_reusable_or_a_conflict_by_behavior(behaviors: str, code: str) -> None:
    """The token creates another channel with token_after_delete=new, and is a Conflict with conflict."""
    message = "Resource creation in progress or has already been created." if code else ""
    harness = create_harness(behaviors)
    harness.messaging("DeleteChannel", **fill_arns(harness, ROOM))
    again = {**NEW, "ClientRequestToken": "first", "ChannelId": "again"}
    assert refusal(harness, "CreateChannel", again) == (code, message)
    names = [channel.arn.rpartition("/")[2] for channel in harness.service.channels()]
    assert names == ([] if code else ["again"])


def test_dead_token_returns_the_deleted_channel_and_creates_none() -> None:
    """With token_after_delete=dead, CreateChannel returns the ARN of the deleted channel."""
    harness = create_harness("token_after_delete=dead")
    harness.messaging("DeleteChannel", **fill_arns(harness, ROOM))
    response = harness.messaging("CreateChannel", **fill_arns(harness, {**NEW, "ClientRequestToken": "first"}))
    assert response == {"ChannelArn": f"{harness.app}/channel/room"}
    assert harness.service.channels() == []


def test_elastic_channel_refuses_second_one_hidden_members_and_unrestricted_mode() -> None:
    """A moderator of it needs a SubChannelId to become a member."""
    harness = create_harness()
    elastic = {"Mode": "RESTRICTED", "ElasticChannelConfiguration": ELASTIC}
    request = {**NEW, **elastic, "ChannelId": "big"}
    assert refusal(harness, "CreateChannel", request) == ("", "")
    harness.now += 100
    second = refusal(harness, "CreateChannel", {**NEW, **elastic, "ClientRequestToken": "third"})
    assert second == ("ResourceLimitExceeded", "an app instance has at most one elastic channel")
    channel = {**ROOM, "ChannelArn": "APP/channel/big"}
    ann = {**channel, "MemberArn": "APP/user/member"}
    hidden = refusal(harness, "CreateChannelMembership", {**ann, "Type": "HIDDEN"})
    assert hidden == ("BadRequest", "an elastic channel has no HIDDEN members")
    unrestricted = refusal(harness, "UpdateChannel", {**channel, "Mode": "UNRESTRICTED"})
    assert unrestricted == ("BadRequest", "an elastic channel must be RESTRICTED")
    joining = refusal(
        harness, "CreateChannelMembership", {**channel, "MemberArn": "APP/user/boss", "Type": "DEFAULT"}
    )
    assert joining == ("BadRequest", "a moderator joins a sub-channel: SubChannelId is required")


def test_elastic_channel_is_refused_in_eu_central_1() -> None:
    """Elastic channels exist in us-east-1 only."""
    harness = Harness(region="eu-central-1")
    harness.now += 100
    elastic = {"Mode": "RESTRICTED", "ElasticChannelConfiguration": ELASTIC}
    error = refusal(harness, "CreateChannel", {**NEW, **elastic})
    assert error == ("BadRequest", "elastic channels exist in us-east-1 only")


def test_message_is_updated_by_its_sender_until_it_is_redacted() -> None:
    """Not even an admin updates another user's message; HIDDEN members cannot redact it."""
    harness = create_harness()
    sent = harness.messaging("SendChannelMessage", **fill_arns(harness, {**BY_MEMBER, **MESSAGE}))["MessageId"]
    change = {"MessageId": sent, "Content": "x"}
    by_boss = refusal(harness, "UpdateChannelMessage", {**ROOM, **change})
    assert by_boss == ("Forbidden", "a message is changed by its sender only")
    redaction = {**BY_HIDDEN, "MessageId": sent}
    assert refusal(harness, "RedactChannelMessage", redaction)[1] == fill_arns(
        harness, missing_role("hidden", "moderator or admin")
    )
    assert refusal(harness, "RedactChannelMessage", {**BY_MODERATOR, "MessageId": sent}) == ("", "")
    assert refusal(harness, "UpdateChannelMessage", {**BY_MEMBER, **change}) == (
        "Conflict",
        "the message is redacted",
    )


@pytest.mark.parametrize("behaviors", ["second_flow=replaces", "second_flow=conflict"])
def test_flow_in_use_is_not_deleted_and_replaced_only_if_behavior_allows(behaviors: str) -> None:
    """A second flow replaces the first with second_flow=replaces, and is a Conflict with conflict."""
    harness = create_harness(behaviors)
    request = fill_arns(harness, {**FLOW, "Processors": processors()})
    first, second = (harness.messaging("CreateChannelFlow", **request)["ChannelFlowArn"] for _ in range(2))
    assert refusal(harness, "AssociateChannelFlow", {**ROOM, "ChannelFlowArn": first}) == ("", "")
    in_use = refusal(harness, "DeleteChannelFlow", {"ChannelFlowArn": first})
    assert in_use == ("Conflict", f"{first} is associated with a channel")
    assert refusal(harness, "AssociateChannelFlow", {**ROOM, "ChannelFlowArn": first}) == ("", "")
    another = refusal(harness, "AssociateChannelFlow", {**ROOM, "ChannelFlowArn": second})
    conflict = ("Conflict", f"{harness.app}/channel/room has another flow")
    assert another == (conflict if behaviors == "second_flow=conflict" else ("", ""))


READS: list[tuple[str, dict[str, str]]] = [
    ("DescribeChannel", {}),
    ("ListChannelMessages", {}),
    ("ListChannelMemberships", {}),
    ("DescribeChannelMembership", {"MemberArn": "APP/user/boss"}),
    ("DescribeChannelModeratedByAppInstanceUser", {"AppInstanceUserArn": "APP/user/boss"}),
]


@pytest.mark.parametrize(("operation", "parameters"), READS, ids=[operation for operation, _ in READS])
def test_public_channel_is_read_but_not_joined_by_nonmember(operation: str, parameters: dict[str, str]) -> None:
    """A nonmember reads a PUBLIC channel, but cannot add members in UNRESTRICTED mode either."""
    harness = create_harness()
    public = {"ChannelId": "open", "Mode": "UNRESTRICTED", "Privacy": "PUBLIC"}
    assert refusal(harness, "CreateChannel", {**NEW, **public}) == ("", "")
    harness.now += 100
    channel = {"ChannelArn": "APP/channel/open", "ChimeBearer": "APP/user/stranger"}
    assert refusal(harness, operation, {**channel, **parameters}) == ("", "")
    joined = refusal(
        harness, "CreateChannelMembership", {**channel, "MemberArn": "APP/user/member", "Type": "DEFAULT"}
    )
    reason = "has no right to do this in APP/channel/open: it must be member, moderator or admin."
    assert joined == ("Forbidden", fill_arns(harness, f"APP/user/stranger {reason}"))


@pytest.mark.parametrize("name", ["member", "hidden"])
def test_member_describes_and_deletes_its_own_membership(name: str) -> None:
    """DEFAULT and HIDDEN members can leave the channel."""
    harness = create_harness()
    own = {**ROOM, "ChimeBearer": f"APP/user/{name}", "MemberArn": f"APP/user/{name}"}
    assert refusal(harness, "DescribeChannelMembership", own) == ("", "")
    assert refusal(harness, "DeleteChannelMembership", own) == ("", "")
    assert f"{harness.app}/user/{name}" not in harness.service.channels()[0].members


def test_member_adds_but_does_not_remove_others_in_unrestricted_mode() -> None:
    """The mode allows members to add members, and nothing else."""
    harness = create_harness()
    assert refusal(harness, "UpdateChannel", {**ROOM, "Mode": "UNRESTRICTED"}) == ("", "")
    added = {**BY_MEMBER, "MemberArn": "APP/user/stranger"}
    assert refusal(harness, "CreateChannelMembership", {**added, "Type": "DEFAULT"}) == ("", "")
    assert refusal(harness, "DeleteChannelMembership", added)[0] == "Forbidden"


def test_elastic_moderator_without_sub_channel_can_be_deleted() -> None:
    """Deleting a moderator does not require a membership."""
    harness = create_harness()
    elastic = {"ChannelId": "big", "Mode": "RESTRICTED", "ElasticChannelConfiguration": ELASTIC}
    assert refusal(harness, "CreateChannel", {**NEW, **elastic}) == ("", "")
    harness.now += 100
    moderator = {**ROOM, "ChannelArn": "APP/channel/big", "ChannelModeratorArn": "APP/user/moderator"}
    assert refusal(harness, "CreateChannelModerator", moderator) == ("", "")
    assert refusal(harness, "DeleteChannelModerator", moderator) == ("", "")
    _, big = harness.service.channels()
    assert (set(big.moderators), dict(big.members)) == ({harness.boss}, {})


def test_stream_name_may_contain_a_colon() -> None:
    """The text after the account id in the ARN is the stream's name."""
    harness = create_harness()
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-a:b"
    configurations = [{"DataType": "Channel", "ResourceArn": stream}]
    put = {"AppInstanceArn": "APP", "StreamingConfigurations": configurations}
    assert refusal(harness, "PutMessagingStreamingConfigurations", put) == ("", "")
    assert harness.messaging("GetMessagingStreamingConfigurations", AppInstanceArn=harness.app) == {
        "StreamingConfigurations": configurations
    }


@pytest.mark.parametrize("operation", ["DescribeChannel", "ListChannelModerators", "ListChannelBans"])
def test_missed_read_of_new_channel_explains_read_misses(operation: str) -> None:
    """The first read is Forbidden as on AWS; its message names the behavior that switches this off."""
    harness = Harness()
    request = {**NEW, "ChannelId": "room"}
    assert refusal(harness, "CreateChannel", request) == ("", "")
    hint = "It is new, and first reads may miss it, as on AWS: read again, or use --behavior read_misses=0."
    missed = fill_arns(harness, f"{missing_resource('channel', 'APP/channel/room')} {hint}")
    assert refusal(harness, operation, ROOM) == ("Forbidden", missed)
    assert refusal(harness, operation, ROOM) == ("", "")


def test_batch_error_has_code_and_message_of_single_call() -> None:
    """Each user who was not added is in Errors; the others become members."""
    harness = create_harness()
    users = ["member", "banned", "none", "stranger"]
    batch = {**ROOM, "MemberArns": [f"APP/user/{name}" for name in users]}
    response = harness.messaging("BatchCreateChannelMembership", **fill_arns(harness, batch))
    refused = [
        {
            "MemberArn": "APP/user/member",
            "ErrorCode": "Conflict",
            "ErrorMessage": "APP/user/member is a member already",
        },
        {"MemberArn": "APP/user/banned", "ErrorCode": "Forbidden", "ErrorMessage": "APP/user/banned is banned"},
        {"MemberArn": "APP/user/none", "ErrorCode": "NotFound", "ErrorMessage": "APP/user/none is not there"},
    ]
    assert response["Errors"] == fill_arns(harness, refused)
    added = {"Arn": f"{harness.app}/user/stranger", "Name": "stranger"}
    assert (response["BatchChannelMemberships"]["Members"], response["BatchChannelMemberships"]["Type"]) == (
        [added],
        "DEFAULT",
    )
