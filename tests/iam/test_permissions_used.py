"""Every grant is needed and every need is granted: the real handler, judged by the statements of real templates."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from cdk_chime_messaging import AppInstanceAdmin, Channel
from chime_channel._api import ServiceError
from chime_local.service.iam import iam_of
from stage import Stage

Statements = list[tuple[set[str], list[str]]]


def statements_of(build: Callable[[Stack], object]) -> Statements:
    """Give actions and resources of the chime statements in the template that `build` makes."""
    stack = Stack(App(), "Demo")
    build(stack)
    found: Statements = []
    for resource in Template.from_stack(stack).to_json()["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                actions, resources = statement["Action"], statement["Resource"]
                found.append(
                    (
                        {actions} if isinstance(actions, str) else set(actions),
                        [resources] if isinstance(resources, str) else resources,
                    )
                )
    return found


class Judge:
    """Judges each call of a stage by statements, and remembers which actions were used."""

    def __init__(self, stage: Stage, statements: Statements, denied: str = "") -> None:
        self.used: set[str] = set()
        self._statements, self._denied = statements, denied
        stage.before = self._judge

    def _judge(self, operation: str, parameters: Mapping[str, Any]) -> None:
        for action, resources in iam_of(operation, dict(parameters)):
            self.used.add(action)
            for resource in resources:
                if action == self._denied or not self._allowed(action, resource):
                    told = f"not authorized to perform: {action} on resource: {resource}"
                    raise ServiceError(operation, "AccessDeniedException", told, 403)

    def _allowed(self, action: str, resource: str) -> bool:
        return any(
            action in actions and any(fnmatch.fnmatchcase(resource, pattern) for pattern in patterns)
            for actions, patterns in self._statements
        )


def set_stage() -> Stage:
    """Set a stage with people and flows."""
    stage = Stage()
    for name in ("ann", "bob", "cy", *(f"u{number}" for number in range(12))):
        stage.user(name)
    return stage


def flow(stage: Stage) -> str:
    """Make a channel flow."""
    function = "arn:aws:lambda:us-east-1:000000000000:function:f"
    processor = {
        "Name": "p",
        "ExecutionOrder": 1,
        "FallbackAction": "CONTINUE",
        "Configuration": {"Lambda": {"ResourceArn": function, "InvocationType": "ASYNC"}},
    }
    made = stage.messaging(
        "CreateChannelFlow", AppInstanceArn=stage.app, Name="f", ClientRequestToken="tt", Processors=[processor]
    )
    return str(made["ChannelFlowArn"])


def life_of_a_channel(stage: Stage) -> list[dict[str, Any]]:
    """Play everything that a channel can need; give the answers."""
    full: dict[str, Any] = {
        "MemberArns": [f"user/u{number}" for number in range(12)],
        "ModeratorArns": ["user/ann"],
        "BanArns": ["user/bob"],
        "HiddenMemberArns": ["user/cy"],
        "Tags": {"team": "x"},
        "ExpirationSettings": {"ExpirationDays": "9", "ExpirationCriterion": "CREATED_TIMESTAMP"},
        "ChannelFlowArn": flow(stage),
    }
    answers = [stage.create(**full)]
    arn = answers[0]["PhysicalResourceId"]
    for old, new in ((full, {"Name": "Help"}), ({"Name": "Help"}, full)):
        stage.now += 60
        answers.append(stage.update(arn, old, new))
    answers.append(stage.delete(arn, **full))
    answers.append(stage.delete(arn, **full))  # gone: that it is must be proved
    return answers


def life_of_an_admin(stage: Stage) -> list[dict[str, Any]]:
    """Play what an admin can need; give the answers."""
    properties = {
        "ServiceToken": "arn",
        "AppInstanceArn": stage.app,
        "AppInstanceAdminArn": f"{stage.app}/user/ann",
    }
    made = stage.deliver(stage.event("Create", properties, ResourceType="Custom::ChimeAppInstanceAdmin"))
    gone = stage.event(
        "Delete",
        properties,
        ResourceType="Custom::ChimeAppInstanceAdmin",
        PhysicalResourceId=made["PhysicalResourceId"],
    )
    return [made, stage.deliver(gone)]


def channel_statements(stage: Stage) -> Statements:
    """Give what a channel's template allows."""
    return statements_of(lambda stack: Channel(stack, "C", app_instance_arn=stage.app, chime_bearer=stage.boss))


def admin_statements(stage: Stage) -> Statements:
    """Give what an admin's template allows."""
    ann = f"{stage.app}/user/ann"
    return statements_of(
        lambda stack: AppInstanceAdmin(stack, "A", app_instance_arn=stage.app, app_instance_admin_arn=ann)
    )


LIVES = {"channel": (life_of_a_channel, channel_statements), "admin": (life_of_an_admin, admin_statements)}


@pytest.mark.parametrize("construct", LIVES)
def test_every_need_is_granted_and_every_grant_needed(construct: str) -> None:
    """The whole life succeeds with what the template grants, and uses each granted action."""
    life, statements_for = LIVES[construct]
    stage = set_stage()
    statements = statements_for(stage)
    judge = Judge(stage, statements)
    answers = life(stage)
    assert [answer["Status"] for answer in answers] == ["SUCCESS"] * len(answers), answers
    assert set().union(*(actions for actions, _ in statements)) == judge.used


def _granted() -> list[tuple[str, str]]:
    stage = set_stage()
    return [
        (construct, action)
        for construct, (_, statements_for) in LIVES.items()
        for action in sorted(set().union(*(actions for actions, _ in statements_for(stage))))
    ]


@pytest.mark.parametrize(("construct", "action"), _granted())
def test_a_denied_action_is_named(construct: str, action: str) -> None:
    """Where one action is denied, the request that needs it fails and names operation and action."""
    life, statements_for = LIVES[construct]
    stage = set_stage()
    Judge(stage, statements_for(stage), denied=action)
    reasons = " ".join(answer.get("Reason", "") for answer in life(stage) if answer["Status"] == "FAILED")
    assert "AccessDenied: not authorized to perform: " + action in reasons
