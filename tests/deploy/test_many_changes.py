"""Lists go up and down, bearers rotate, flows are swapped, all at once: the channels follow, and messages stay."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from typing import Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack

from cdk_chime_messaging import (
    AppInstance,
    Channel,
    ChannelFlow,
    ChannelMembershipType,
    ChannelMode,
    Processor,
)
from deploy.stacks import ChannelStack, read

PEOPLE = ("ann", "bob", "cy", "dee", "eve")
ADMINS = ("boss", "deputy")
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


@dataclass(frozen=True)
class Wanted:
    """What one deploy declares of a channel that the stack owns, and of one that it only refers to."""

    bearer: str
    name: str
    mode: ChannelMode
    tags: dict[str, str]
    members: frozenset[str]
    hidden: frozenset[str]
    moderators: frozenset[str]
    bans: frozenset[str]
    flow: str | None
    others_members: frozenset[str]
    others_bans: frozenset[str]
    others_flow: str | None


def draw(rng: random.Random, step: int, banned_before: frozenset[str]) -> Wanted:
    """Draw a declaration; who was banned from the other channel is let in one deploy after the ban is lifted."""

    def some(of: Any, most: int) -> frozenset[str]:
        return frozenset(rng.sample(sorted(of), min(len(of), rng.randint(0, most))))

    members = some(PEOPLE, 4)
    hidden = some(set(PEOPLE) - members, 2)
    others = some(set(PEOPLE) - banned_before, 3)
    return Wanted(
        bearer=rng.choice(ADMINS),
        name=f"step {step}",
        mode=rng.choice(list(ChannelMode)),
        tags={key: str(step) for key in some("abc", 3)},
        members=members,
        hidden=hidden,
        moderators=some(members, 2),
        bans=some(set(PEOPLE) - members - hidden, 2),
        flow=rng.choice((None, "f", "g")),
        others_members=others,
        others_bans=some(set(PEOPLE) - others, 2),
        others_flow=rng.choice((None, "f", "g")),
    )


def declare(stack: Stack, wanted: Wanted) -> None:
    """Declare it."""
    gone = RemovalPolicy.DESTROY
    chat = AppInstance(stack, "Chat", removal_policy=gone)
    users = {name: chat.add_user(name) for name in (*ADMINS, *PEOPLE)}
    admins = {name: chat.add_admin(f"{name}Admin", users[name]) for name in ADMINS}
    flows = {
        name: ChannelFlow(stack, name, app_instance_arn=chat, processors=[Processor("p", FUNCTION)])
        for name in "fg"
    }
    mine = chat.add_channel(
        "Mine",
        chime_bearer=admins[wanted.bearer],
        name=wanted.name,
        mode=wanted.mode,
        tags=wanted.tags,
        member_arns=[users[name] for name in sorted(wanted.members)],
        moderator_arns=[users[name] for name in sorted(wanted.moderators)],
        removal_policy=gone,
    )
    for name in wanted.hidden:
        mine.add_member(users[name], type=ChannelMembershipType.HIDDEN)
    for name in wanted.bans:
        mine.add_ban(users[name])
    if wanted.flow:
        mine.associate_flow(flows[wanted.flow])
    other = chat.add_channel("Other", chime_bearer=admins["boss"], removal_policy=gone)
    referred = Channel.from_channel_arn(stack, "Referred", other, chime_bearer=admins[wanted.bearer])
    for name in wanted.others_members:
        referred.add_member(users[name])
    for name in wanted.others_bans:
        referred.add_ban(users[name])
    if wanted.others_flow:
        referred.associate_flow(flows[wanted.others_flow])
    for name, arn in {"Mine": mine.channel_arn, "Other": other.channel_arn}.items():
        CfnOutput(stack, name, value=arn)


def seen(channel_stack: ChannelStack, arn: str) -> dict[str, Any]:
    """See a channel as the service has it, without the admins."""
    messaging = channel_stack.engine.client("chime-sdk-messaging")
    here = {"ChannelArn": arn, "ChimeBearer": f"{arn.partition('/channel/')[0]}/user/boss"}

    def names(listed: list[Any], what: str) -> frozenset[str]:
        return frozenset(one[what]["Arn"].rpartition("/")[2] for one in listed) - set(ADMINS)

    channel = read(messaging.describe_channel, **here)["Channel"]
    flow = channel.get("ChannelFlowArn")
    kinds = {
        kind: names(read(messaging.list_channel_memberships, **here, Type=kind)["ChannelMemberships"], "Member")
        for kind in ("DEFAULT", "HIDDEN")
    }
    tags = messaging.list_tags_for_resource(ResourceARN=arn)["Tags"]
    return {
        "name": channel["Name"],
        "mode": channel["Mode"],
        "tags": {tag["Key"]: tag["Value"] for tag in tags if ":" not in tag["Key"]},
        "members": kinds["DEFAULT"],
        "hidden": kinds["HIDDEN"],
        "moderators": names(read(messaging.list_channel_moderators, **here)["ChannelModerators"], "Moderator"),
        "bans": names(read(messaging.list_channel_bans, **here)["ChannelBans"], "Member"),
        "flow": flow and messaging.describe_channel_flow(ChannelFlowArn=flow)["ChannelFlow"]["Name"],
        "messages": channel_stack.messages(arn),
    }


def test_many_changes_at_once_leave_arn_and_messages(channel_stack: ChannelStack) -> None:
    """After each deploy both channels are as declared, under the same ARNs, with their message."""
    rng = random.Random(7)
    banned: frozenset[str] = frozenset()
    arns: set[tuple[str, str]] = set()
    for step in range(8):
        wanted = draw(rng, step, banned)
        banned = wanted.others_bans
        outputs = channel_stack.deploy_stack(partial(declare, wanted=wanted))
        if not arns:
            for arn in (outputs["Mine"], outputs["Other"]):
                channel_stack.say(arn, "hello")
        arns.add((outputs["Mine"], outputs["Other"]))
        mine, other = seen(channel_stack, outputs["Mine"]), seen(channel_stack, outputs["Other"])
        for key in ("name", "tags", "members", "hidden", "moderators", "bans", "flow"):
            assert mine[key] == getattr(wanted, key), (step, key)
        assert mine["mode"] == wanted.mode.value
        for key in ("members", "bans", "flow"):
            assert other[key] == getattr(wanted, f"others_{key}"), (step, key)
        assert mine["messages"] == other["messages"] == ["hello"]
    assert len(arns) == 1
