"""Every grant is needed, every need is granted, and who lacks one is told which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import Stack as CdkStack
from judge import Failed, Grant, Judge, Play, Story, grants
from stories import ADMIN, CHANNEL, RETENTION, STREAMING, attachment, stage

from cdk_chime_messaging import AppInstanceAdmin, AppInstanceRetention, AppInstanceStreaming, Channel

APP, BOSS = stage().app, stage().boss
ANN = f"{APP}/user/ann"
FLOW = f"{APP}/channel-flow/any"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-s"
_IMPORTED = f"{APP}/channel/lobby"


def _attaching(what: str, arn: str) -> Callable[[CdkStack], Any]:
    def build(stack: CdkStack) -> None:
        getattr(Channel.from_channel_arn(stack, "Lobby", _IMPORTED, chime_bearer=BOSS), what)(arn)

    return build


@dataclass(frozen=True)
class Case:
    """A construct, what CloudFormation knows it as, and what it goes through."""

    resource_type: str
    build: Callable[[CdkStack], Any]
    stories: tuple[Story, ...]


CASES = {
    "channel": Case(
        "Custom::ChimeChannel",
        lambda stack: Channel(stack, "Support", app_instance_arn=APP, chime_bearer=BOSS),
        CHANNEL,
    ),
    "admin": Case(
        "Custom::ChimeAppInstanceAdmin",
        lambda stack: AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=ANN),
        ADMIN,
    ),
    "member": Case("Custom::ChimeChannelMembership", _attaching("add_member", ANN), attachment("MemberArn")),
    "moderator": Case("Custom::ChimeChannelModerator", _attaching("add_moderator", ANN), attachment("MemberArn")),
    "ban": Case("Custom::ChimeChannelBan", _attaching("ban", ANN), attachment("MemberArn")),
    "flow": Case(
        "Custom::ChimeChannelFlowAssociation", _attaching("associate_flow", FLOW), attachment("ChannelFlowArn")
    ),
    "retention": Case(
        "Custom::ChimeAppInstanceRetention",
        lambda stack: AppInstanceRetention(stack, "R", app_instance_arn=APP, retention=Duration.days(30)),
        RETENTION,
    ),
    "streaming": Case(
        "Custom::ChimeAppInstanceStreaming",
        lambda stack: AppInstanceStreaming(stack, "S", app_instance_arn=APP, channel_stream=STREAM),
        STREAMING,
    ),
}
GRANTS = {name: grants(case.build) for name, case in CASES.items()}


def play(name: str, story: Story, without: str = "") -> tuple[Judge, str]:
    """Play a story under the construct's own grants; give the judge and the Reason it failed for, if any."""
    judge = Judge(GRANTS[name], without)
    try:
        story(Play(stage(), judge, CASES[name].resource_type))
    except Failed as failed:
        return judge, str(failed)
    return judge, ""


def used(name: str) -> set[Grant]:
    """Give the grants that some story of a construct uses."""
    return set().union(*(play(name, story)[0].used for story in CASES[name].stories))


@pytest.mark.parametrize("name", CASES)
def test_every_need_is_granted(name: str) -> None:
    """With the grants of its policies nothing that a construct does is refused."""
    for story in CASES[name].stories:
        judge, failure = play(name, story)
        assert (judge.ungranted, failure) == ([], ""), story.__name__


@pytest.mark.parametrize("name", CASES)
def test_every_grant_is_needed(name: str) -> None:
    """No action is granted that is never used."""
    assert {grant.action for grant in GRANTS[name]} == {grant.action for grant in used(name)}


@pytest.mark.parametrize(
    ("name", "action"), sorted({(name, grant.action) for name in CASES for grant in GRANTS[name]})
)
def test_denied(name: str, action: str) -> None:
    """Each story that needs an action fails without it, with the action's name in the Reason."""
    for story in CASES[name].stories:
        needed = action in {grant.action for grant in play(name, story)[0].used}
        _, failure = play(name, story, action)
        if needed:
            assert action in failure, story.__name__
            assert "AccessDenied" in failure
        else:
            assert failure == ""


@pytest.mark.parametrize("name", CASES)
def test_no_star(name: str) -> None:
    """No grant is on more than the channels or flows of one app instance."""
    named = {resource for grant in GRANTS[name] for resource in grant.resources if "*" in resource}
    assert named <= {f"{APP}/channel/*", f"{APP}/channel-flow/*"}
