"""Every grant is needed, every need is granted, and a failure names the grant that is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import Stack as CdkStack

from cdk_chime_messaging import AppInstanceAdmin, AppInstanceRetention, AppInstanceStreaming, Channel
from iam.authorizer import Authorizer, Grant, RequestFailedError, Requests, Scenario, grants
from iam.scenarios import ADMIN, CHANNEL, RETENTION, STREAMING, attachment, harness

APP, BOSS = harness().app, harness().boss
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
    """A construct, what CloudFormation knows it as, and the scenarios of its life."""

    resource_type: str
    build: Callable[[CdkStack], Any]
    scenarios: tuple[Scenario, ...]


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
    "ban": Case("Custom::ChimeChannelBan", _attaching("add_ban", ANN), attachment("MemberArn")),
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


def run(name: str, scenario: Scenario, without: str = "") -> tuple[Authorizer, str]:
    """Run a scenario under the construct's own grants; return the authorizer and the Reason of a failure."""
    authorizer = Authorizer(GRANTS[name], without)
    try:
        scenario(Requests(harness(), authorizer, CASES[name].resource_type))
    except RequestFailedError as failed:
        return authorizer, str(failed)
    return authorizer, ""


def used(name: str) -> set[Grant]:
    """Return the grants that some scenario of a construct uses."""
    return set().union(*(run(name, scenario)[0].used for scenario in CASES[name].scenarios))


@pytest.mark.parametrize("name", CASES)
def test_every_need_is_granted(name: str) -> None:
    """With the grants of its policies nothing that a construct does is refused."""
    for scenario in CASES[name].scenarios:
        authorizer, failure = run(name, scenario)
        assert (authorizer.ungranted, failure) == ([], ""), scenario.__name__


@pytest.mark.parametrize("name", CASES)
def test_every_grant_is_needed(name: str) -> None:
    """No action is granted that is never used."""
    assert {grant.action for grant in GRANTS[name]} == {grant.action for grant in used(name)}


@pytest.mark.parametrize(
    ("name", "action"), sorted({(name, grant.action) for name in CASES for grant in GRANTS[name]})
)
def test_scenario_fails_without_an_action_that_it_needs_and_names_it(name: str, action: str) -> None:
    """Each scenario that needs an action fails without it, with the action's name in the Reason."""
    for scenario in CASES[name].scenarios:
        needed = action in {grant.action for grant in run(name, scenario)[0].used}
        _, failure = run(name, scenario, action)
        if needed:
            assert action in failure, scenario.__name__
            assert "AccessDenied" in failure
        else:
            assert failure == ""


@pytest.mark.parametrize("name", CASES)
def test_wildcards_are_of_channels_and_flows_of_one_app_instance_only(name: str) -> None:
    """No grant is on more than the channels or flows of one app instance."""
    named = {resource for grant in GRANTS[name] for resource in grant.resources if "*" in resource}
    assert named <= {f"{APP}/channel/*", f"{APP}/channel-flow/*"}
