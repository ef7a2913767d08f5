"""How much there may be: quotas that are too large to be filled over HTTP, filled in the service itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chime_local.chime import ChimeError
from helpers.harness import Harness

FUNCTION = {"ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "InvocationType": "ASYNC"}
PROCESSOR = {"Name": "p", "ExecutionOrder": 1, "FallbackAction": "CONTINUE", "Configuration": {"Lambda": FUNCTION}}


def code_of(harness: Harness, operation: str, **parameters: Any) -> str:
    """Return the code by which a call is refused, without its suffix; "" where it is not."""
    call = harness.identity if "AppInstance" in operation else harness.messaging
    try:
        call(operation, **parameters)
    except ChimeError as error:
        return error.code.removesuffix("Exception")
    return ""


def create(harness: Harness) -> str:
    """Create a channel."""
    parameters = {"AppInstanceArn": harness.app, "Name": "n", "ClientRequestToken": "token"}
    return str(harness.messaging("CreateChannel", **parameters, ChimeBearer=harness.boss)["ChannelArn"])


def names(harness: Harness, count: int, kind: str = "user") -> list[str]:
    """Return so many ARNs of users that need not exist."""
    return [f"{harness.app}/{kind}/x{number}" for number in range(count)]


@pytest.mark.parametrize("free", [1, 0])
@pytest.mark.parametrize(
    ("operation", "key", "people", "quota"),
    [
        ("CreateChannelMembership", "MemberArn", "members", 10_000),
        ("CreateChannelModerator", "ChannelModeratorArn", "moderators", 1_000),
    ],
)
def test_channel_has_so_many_members_and_moderators(
    operation: str, key: str, people: str, quota: int, free: int
) -> None:
    """A channel takes 10,000 members and 1,000 moderators, and not one more."""
    harness = Harness()
    arn, ann = create(harness), harness.user("ann")
    channel = harness.service.app_instances[harness.app].channels[arn]
    setattr(channel, people, dict.fromkeys(names(harness, quota - free), "DEFAULT"))
    here = {"ChannelArn": arn, "ChimeBearer": harness.boss, key: ann, "Type": "DEFAULT"}
    assert code_of(harness, operation, **here) == ("" if free else "ResourceLimitExceeded")


@pytest.mark.parametrize("free", [1, 0])
@pytest.mark.parametrize("operation", ["CreateChannelMembership", "CreateChannel"])
def test_user_has_so_many_memberships(operation: str, free: int) -> None:
    """A user is member of 20,000 channels, and not of one more."""
    harness = Harness()
    arn, ann = create(harness), harness.user("ann")
    app = harness.service.app_instances[harness.app]
    pattern = replace(app.channels[arn], members={ann: "DEFAULT"})
    app.channels |= dict.fromkeys(names(harness, 20_000 - free, "channel"), pattern)
    boss = {"ChimeBearer": harness.boss}
    parameters: dict[str, Any] = {"ChannelArn": arn, "MemberArn": ann, "Type": "DEFAULT", **boss}
    if operation == "CreateChannel":
        text = {"Name": "n", "ClientRequestToken": "another"}
        parameters = {"AppInstanceArn": harness.app, **text, "MemberArns": [ann], **boss}
    assert code_of(harness, operation, **parameters) == ("" if free else "ResourceLimitExceeded")


@pytest.mark.parametrize(("more", "code"), [(1, ""), (2, "BadRequest")])
def test_resource_has_fifty_tags(more: int, code: str) -> None:
    """A channel takes 50 tags in all, and not one more; a key that is there already counts once."""
    harness = Harness()
    arn = create(harness)
    tags = [{"Key": f"k{number}", "Value": "v"} for number in range(49)]
    harness.messaging("TagResource", ResourceARN=arn, Tags=tags)
    added = [{"Key": f"k{number}", "Value": "w"} for number in range(48, 49 + more)]
    assert code_of(harness, "TagResource", ResourceARN=arn, Tags=added) == code
    (channel,) = harness.service.channels()
    assert len(channel.tags) == (49 if code else 50)


@pytest.mark.parametrize("free", [1, 0])
def test_app_instance_has_so_many_admins(free: int) -> None:
    """An app instance takes 100 admins, and not one more."""
    harness = Harness()
    ann = harness.user("ann")
    harness.service.app_instances[harness.app].admins |= dict.fromkeys(names(harness, 99 - free), 0.0)
    code = code_of(harness, "CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=ann)
    assert code == ("" if free else "ResourceLimitExceeded")


@pytest.mark.parametrize("free", [1, 0])
def test_app_instance_has_so_many_users(free: int) -> None:
    """An app instance takes 100,000 users, and not one more; bots do not count as such."""
    harness = Harness()
    app = harness.service.app_instances[harness.app]
    app.identities |= {arn: {} for arn in [*names(harness, 99_999 - free), *names(harness, 10, "bot")]}
    user = {"AppInstanceArn": harness.app, "AppInstanceUserId": "ann", "Name": "n", "ClientRequestToken": "token"}
    assert code_of(harness, "CreateAppInstanceUser", **user) == ("" if free else "ResourceLimitExceeded")


def test_account_has_so_many_app_instances() -> None:
    """An account takes 100 app instances, and not one more until one is deleted."""
    harness = Harness()
    create_one = {"Name": "n", "ClientRequestToken": "token"}
    codes = [code_of(harness, "CreateAppInstance", **create_one) for _ in range(100)]
    assert codes == [""] * 99 + ["ResourceLimitExceeded"]
    harness.identity("DeleteAppInstance", AppInstanceArn=harness.app)
    assert code_of(harness, "CreateAppInstance", **create_one) == ""


def test_app_instance_has_so_many_flows() -> None:
    """An app instance takes 100 flows of up to three processors, and not one more."""
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
    ("what", "quota", "operation", "parameters", "words"), FULL, ids=[f"{row[0]}-{row[2]}" for row in FULL]
)
def test_full_quota_is_named(what: str, quota: int, operation: str, parameters: dict[str, Any], words: str) -> None:
    """The refusal says how many there may be, of what, and by what they are counted."""
    harness = Harness()
    written = json.dumps(parameters).replace("APP/channel/room", create(harness)).replace("APP", harness.app)
    ann = harness.user("ann")
    app = harness.service.app_instances[harness.app]
    (channel,) = app.channels.values()
    owner = next(one for one in (channel, app, harness.service._backend) if what in vars(one))
    held: dict[str, Any] = getattr(owner, what)
    # Memberships are counted by channel: here ann is member of all but the one that she is to join.
    free = 0 if what == "channels" else len(held)
    held |= dict.fromkeys(names(harness, quota - free), replace(channel, members={ann: "DEFAULT"}))
    with pytest.raises(ChimeError) as refused:
        (harness.identity if "AppInstance" in operation else harness.messaging)(operation, **json.loads(written))
    assert (refused.value.code, refused.value.message) == ("ResourceLimitExceededException", words)
