"""Quotas too large to reach over HTTP: the tests fill the service's own collections instead."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chime_local.chime import ChimeError
from engine.calls import code_of
from helpers.harness import Harness

FUNCTION = {"ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "InvocationType": "ASYNC"}
PROCESSOR = {"Name": "p", "ExecutionOrder": 1, "FallbackAction": "CONTINUE", "Configuration": {"Lambda": FUNCTION}}


def create_channel(harness: Harness) -> str:
    """Create a channel and return its ARN."""
    parameters = {"AppInstanceArn": harness.app, "Name": "n", "ClientRequestToken": "token"}
    return str(harness.messaging("CreateChannel", **parameters, ChimeBearer=harness.boss)["ChannelArn"])


def make_arns(harness: Harness, count: int, kind: str = "user") -> list[str]:
    """Return a number of ARNs of users, or of another kind, that need not exist."""
    return [f"{harness.app}/{kind}/x{number}" for number in range(count)]


@pytest.mark.parametrize("free", [1, 0])
@pytest.mark.parametrize(
    ("operation", "parameter", "attribute", "quota"),
    [
        ("CreateChannelMembership", "MemberArn", "members", 10_000),
        ("CreateChannelModerator", "ChannelModeratorArn", "moderators", 1_000),
    ],
)
def test_channel_has_at_most_10000_members_and_1000_moderators(
    operation: str, parameter: str, attribute: str, quota: int, free: int
) -> None:
    """The call that would exceed the quota is a ResourceLimitExceeded."""
    harness = Harness()
    arn, ann = create_channel(harness), harness.user("ann")
    channel = harness.service.app_instances[harness.app].channels[arn]
    setattr(channel, attribute, dict.fromkeys(make_arns(harness, quota - free), "DEFAULT"))
    request = {"ChannelArn": arn, "ChimeBearer": harness.boss, parameter: ann, "Type": "DEFAULT"}
    assert code_of(harness, operation, **request) == ("" if free else "ResourceLimitExceeded")


@pytest.mark.parametrize("free", [1, 0])
@pytest.mark.parametrize("operation", ["CreateChannelMembership", "CreateChannel"])
def test_user_has_at_most_20000_memberships(operation: str, free: int) -> None:
    """The quota applies to CreateChannelMembership and to MemberArns of CreateChannel."""
    harness = Harness()
    arn, ann = create_channel(harness), harness.user("ann")
    app = harness.service.app_instances[harness.app]
    pattern = replace(app.channels[arn], members={ann: "DEFAULT"})
    app.channels |= dict.fromkeys(make_arns(harness, 20_000 - free, "channel"), pattern)
    boss = {"ChimeBearer": harness.boss}
    parameters: dict[str, Any] = {"ChannelArn": arn, "MemberArn": ann, "Type": "DEFAULT", **boss}
    if operation == "CreateChannel":
        text = {"Name": "n", "ClientRequestToken": "another"}
        parameters = {"AppInstanceArn": harness.app, **text, "MemberArns": [ann], **boss}
    assert code_of(harness, operation, **parameters) == ("" if free else "ResourceLimitExceeded")


@pytest.mark.parametrize(("new_tags", "code"), [(1, ""), (2, "BadRequest")])
def test_channel_has_at_most_50_tags(new_tags: int, code: str) -> None:
    """Setting an existing key again does not count; a refused call sets no tag."""
    harness = Harness()
    arn = create_channel(harness)
    tags = [{"Key": f"k{number}", "Value": "v"} for number in range(49)]
    harness.messaging("TagResource", ResourceARN=arn, Tags=tags)
    added = [{"Key": f"k{number}", "Value": "w"} for number in range(48, 49 + new_tags)]
    assert code_of(harness, "TagResource", ResourceARN=arn, Tags=added) == code
    (channel,) = harness.service.channels()
    assert len(channel.tags) == (49 if code else 50)


@pytest.mark.parametrize("free", [1, 0])
def test_app_instance_has_at_most_100_admins(free: int) -> None:
    """The admin of the harness counts."""
    harness = Harness()
    ann = harness.user("ann")
    harness.service.app_instances[harness.app].admins |= dict.fromkeys(make_arns(harness, 99 - free), 0.0)
    code = code_of(harness, "CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=ann)
    assert code == ("" if free else "ResourceLimitExceeded")


@pytest.mark.parametrize("free", [1, 0])
def test_app_instance_has_at_most_100000_users(free: int) -> None:
    """Bots do not count as users."""
    harness = Harness()
    app = harness.service.app_instances[harness.app]
    app.identities |= {arn: {} for arn in [*make_arns(harness, 99_999 - free), *make_arns(harness, 10, "bot")]}
    user = {"AppInstanceArn": harness.app, "AppInstanceUserId": "ann", "Name": "n", "ClientRequestToken": "token"}
    assert code_of(harness, "CreateAppInstanceUser", **user) == ("" if free else "ResourceLimitExceeded")


def test_account_has_at_most_100_app_instances() -> None:
    """Deleting an app instance makes room for another."""
    harness = Harness()
    request = {"Name": "n", "ClientRequestToken": "token"}
    codes = [code_of(harness, "CreateAppInstance", **request) for _ in range(100)]
    assert codes == [""] * 99 + ["ResourceLimitExceeded"]
    harness.identity("DeleteAppInstance", AppInstanceArn=harness.app)
    assert code_of(harness, "CreateAppInstance", **request) == ""


def test_app_instance_has_at_most_100_flows() -> None:
    """A flow with three processors counts once."""
    harness = Harness()
    function = {"ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "InvocationType": "ASYNC"}
    processors = [
        {
            "Name": f"p{number}",
            "ExecutionOrder": number,
            "FallbackAction": "CONTINUE",
            "Configuration": {"Lambda": function},
        }
        for number in (1, 2, 3)
    ]
    flow = {"AppInstanceArn": harness.app, "Name": "f", "ClientRequestToken": "tt", "Processors": processors}
    codes = [code_of(harness, "CreateChannelFlow", **flow) for _ in range(101)]
    assert codes == [""] * 100 + ["ResourceLimitExceeded"]


CHANNEL = {"ChannelArn": "APP/channel/room", "ChimeBearer": "APP/user/boss"}
TOKEN = {"Name": "n", "ClientRequestToken": "token"}
FULL: list[tuple[str, int, str, dict[str, Any], str]] = [
    (
        "members",
        10_000,
        "CreateChannelMembership",
        {**CHANNEL, "MemberArn": "APP/user/ann", "Type": "DEFAULT"},
        "there are at most 10000 members per channel",
    ),
    (
        "moderators",
        1_000,
        "CreateChannelModerator",
        {**CHANNEL, "ChannelModeratorArn": "APP/user/ann"},
        "there are at most 1000 moderators per channel",
    ),
    (
        "channels",
        20_000,
        "CreateChannelMembership",
        {**CHANNEL, "MemberArn": "APP/user/ann", "Type": "DEFAULT"},
        "there are at most 20000 memberships per user",
    ),
    (
        "admins",
        100,
        "CreateAppInstanceAdmin",
        {"AppInstanceArn": "APP", "AppInstanceAdminArn": "APP/user/ann"},
        "there are at most 100 admins per app instance",
    ),
    (
        "identities",
        100_000,
        "CreateAppInstanceUser",
        {"AppInstanceArn": "APP", "AppInstanceUserId": "bob", **TOKEN},
        "there are at most 100000 users per app instance",
    ),
    (
        "flows",
        100,
        "CreateChannelFlow",
        {"AppInstanceArn": "APP", "Processors": [PROCESSOR], **TOKEN},
        "there are at most 100 channel flows per app instance",
    ),
    ("app_instances", 100, "CreateAppInstance", TOKEN, "there are at most 100 app instances per account"),
]


@pytest.mark.parametrize(
    ("attribute", "quota", "operation", "parameters", "error_message"),
    FULL,
    ids=[f"{row[0]}-{row[2]}" for row in FULL],
)
def test_limit_exceeded_message_names_quota_and_its_owner(
    attribute: str, quota: int, operation: str, parameters: dict[str, Any], error_message: str
) -> None:
    """The message contains the quota, what it limits, and per which resource."""
    harness = Harness()
    written = (
        json.dumps(parameters).replace("APP/channel/room", create_channel(harness)).replace("APP", harness.app)
    )
    ann = harness.user("ann")
    app = harness.service.app_instances[harness.app]
    (channel,) = app.channels.values()
    owner = next(item for item in (channel, app, harness.service._backend) if attribute in vars(item))
    collection: dict[str, Any] = getattr(owner, attribute)
    # Memberships are counted by channel: here ann is member of all but the one that she is to join.
    free = 0 if attribute == "channels" else len(collection)
    collection |= dict.fromkeys(make_arns(harness, quota - free), replace(channel, members={ann: "DEFAULT"}))
    with pytest.raises(ChimeError) as caught:
        (harness.identity if "AppInstance" in operation else harness.messaging)(operation, **json.loads(written))
    assert (caught.value.code, caught.value.message) == ("ResourceLimitExceededException", error_message)
