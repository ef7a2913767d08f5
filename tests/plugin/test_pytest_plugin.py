"""The pytest plugin in a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

STACK = """
import pytest
from aws_cdk import App, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from cdk_chime_messaging import AppInstance, ChannelMode
from chime_local.pytest_plugin import assert_in_place, assert_permitted


class Chat(Stack):
    def __init__(self, app, name="Chat", **channel):
        super().__init__(app, name)
        chat = AppInstance(self, "App", removal_policy=RemovalPolicy.DESTROY)
        self.boss = chat.add_user("boss")
        admin = chat.add_admin("Admin", self.boss)
        channel = {"removal_policy": RemovalPolicy.DESTROY, **channel}
        self.channel = chat.add_channel("Support", chime_bearer=admin, **channel)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.channel.grant_send(self.role, as_user=self.boss)
        CfnOutput(self, "Arn", value=self.channel.channel_arn)
        CfnOutput(self, "Boss", value=self.boss.app_instance_user_arn)
        CfnOutput(self, "RoleArn", value=self.role.role_arn)


def say(client, outputs, content):
    client.send_channel_message(
        ChannelArn=outputs["Arn"], ChimeBearer=outputs["Boss"], Content=content, Type="STANDARD",
        Persistence="PERSISTENT", ClientRequestToken=content)
"""


def run(folder: Path, tests: str, *arguments: str) -> tuple[dict[str, int], str]:
    """Run tests of a project of their own; return how many passed, failed and so on, and what pytest says."""
    Path(folder, "test_chat.py").write_text(STACK + tests)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    last = done.stdout.strip().splitlines()[-1].strip("= ")
    counts = {
        word: int(number) for number, word in (part.split()[:2] for part in last.split(" in ")[0].split(", "))
    }
    return counts, done.stdout + done.stderr


def test_stack_is_deployed_changed_in_place_and_deleted(tmp_path: Path) -> None:
    """A test deploys a stack, changes it, finds its message again, and leaves nothing to the next test."""
    tests = """
def test_update_keeps_messages(chime_stack, chime_messaging, chime_engine):
    stack = chime_stack(Chat)
    say(chime_messaging, stack.outputs, "hello")
    before = stack.channels()
    assert [len(one.messages) for one in before.values()] == [1]
    stack.update(lambda app: Chat(app, mode=ChannelMode.RESTRICTED))
    assert_in_place(before, stack.channels())
    role, *resources = (stack.outputs[name] for name in ("RoleArn", "Arn", "Boss"))
    assert_permitted(chime_engine, role, "chime:SendChannelMessage", *resources)


def test_engine_is_empty(chime_identity, chime_engine):
    assert chime_identity.list_app_instances()["AppInstances"] == []
    assert chime_engine.client("cloudformation").list_stacks()["StackSummaries"] == []
"""
    counts, output = run(tmp_path, tests)
    assert counts == {"passed": 2}, output


def test_replaced_channel_and_missing_permission_fail_the_test(tmp_path: Path) -> None:
    """Assertions name the channel that was replaced, and the action that is not permitted."""
    tests = """
def test_replaced(chime_stack):
    stack = chime_stack(lambda app: Chat(app, channel_id="lobby"))
    before = stack.channels()
    stack.update(lambda app: Chat(app, channel_id="hall"))
    with pytest.raises(AssertionError, match="channel/lobby was replaced or deleted"):
        assert_in_place(before, stack.channels())


def test_permission(chime_stack, chime_engine):
    outputs = chime_stack(Chat).outputs
    with pytest.raises(AssertionError, match="not permitted: chime:DeleteChannel on arn:aws:chime"):
        assert_permitted(chime_engine, outputs["RoleArn"], "chime:DeleteChannel", outputs["Arn"])
    with pytest.raises(AssertionError, match="not permitted"):
        other = "arn:aws:chime:x"
        assert_permitted(chime_engine, outputs["RoleArn"], "chime:SendChannelMessage", outputs["Arn"], other)
"""
    counts, output = run(tmp_path, tests)
    assert counts == {"passed": 2}, output


def test_what_a_stack_leaves_behind_fails_the_test(tmp_path: Path) -> None:
    """A channel that is there after its stack's deletion is named; one that the template retains is not."""
    tests = """
def test_retained(chime_stack):
    chime_stack(lambda app: Chat(app, removal_policy=RemovalPolicy.RETAIN))


def test_left(chime_stack, chime_engine):
    chime_stack(Chat)
    chime_engine.delete = lambda name: None
"""
    counts, output = run(tmp_path, tests)
    assert counts == {"passed": 2, "error": 1}, output
    assert "left after the deletion of the stacks: arn:aws:chime:" in output


def test_each_set_of_behaviors_and_each_worker_has_an_engine(tmp_path: Path) -> None:
    """Each set of behaviors has an engine of its own, and so has each worker."""
    tests = """
def code(client, identity):
    app = identity.create_app_instance(Name="app", ClientRequestToken="token")["AppInstanceArn"]
    user = {"AppInstanceUserId": "ann", "Name": "Ann", "ClientRequestToken": "token"}
    bearer = identity.create_app_instance_user(AppInstanceArn=app, **user)["AppInstanceUserArn"]
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.describe_channel(ChannelArn=f"{app}/channel/none", ChimeBearer=bearer)
    return refused.value.response["Error"]["Code"]


@pytest.mark.chime_behaviors("missing_channel=NotFound")
def test_not_found(chime_messaging, chime_identity):
    assert code(chime_messaging, chime_identity) == "NotFoundException"


@pytest.mark.chime_behaviors("missing_channel=Forbidden")
def test_forbidden(chime_messaging, chime_identity):
    assert code(chime_messaging, chime_identity) == "ForbiddenException"
"""
    counts, output = run(tmp_path, tests, "-n", "2")
    assert counts == {"passed": 2}, output


def test_plugin_imports_nothing_before_a_fixture_is_used() -> None:
    """A project that has the extra installed and does not use it waits for neither the AWS CDK nor boto3."""
    code = (
        "import sys, chime_local.pytest_plugin; found = {name.partition('.')[0] for name in sys.modules}; "
        "print(sorted(found & {'aws_cdk', 'boto3', 'jsii', 'ministack'}))"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
