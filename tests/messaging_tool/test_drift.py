"""`chime-messaging drift` on the engine: every type as declared, then each of them drifted and noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from chime_local.engine import Engine
from messaging_tool.conftest import Command, Result
from messaging_tool.stacks import EVERYTHING, IMPORTING, STREAM, Deployment


def find_others(result: Result, outcome: str = "AS_DECLARED") -> list[dict[str, Any]]:
    """Return the resources with another outcome in the output of `--json`."""
    stacks = json.loads(result.output)["Stacks"]
    return [one for stack in stacks for one in stack["Resources"] if one["Outcome"] != outcome]


def test_all_types_as_declared(on_engine: Command, deployment: Deployment) -> None:
    """All eight types, in the stack and in the nested one, with all references resolved."""
    result = on_engine("drift", EVERYTHING, IMPORTING, "--json")
    assert find_others(result) == []
    assert (result.status, result.errors) == (0, "")
    stacks = json.loads(result.output)["Stacks"]
    found = {resource["ResourceType"].removeprefix("Custom::Chime") for resource in stacks[0]["Resources"]}
    assert found == {
        "AppInstanceAdmin",
        "AppInstanceRetention",
        "AppInstanceStreaming",
        "Channel",
        "ChannelBan",
        "ChannelFlowAssociation",
        "ChannelMembership",
        "ChannelModerator",
    }


def test_all_stacks(on_engine: Command, deployment: Deployment) -> None:
    """All stacks are compared; a nested one is shown once, within the other."""
    result = on_engine("drift", "--all")
    assert result.status == 0
    assert result.output.splitlines()[-1] == "11 resources: 11 as declared"
    assert result.output.count("Inner: as declared") == 1


class Case(NamedTuple):
    """A change outside the stack, how to undo it, and what is to be said of it."""

    change: Callable[[Deployment], object]
    undo: Callable[[Deployment], object]
    resource: str
    property: str
    declared: Any
    actual: Any


def update(deployment: Deployment, **changed: str) -> None:
    """Change settings of the channel Support, which are otherwise as declared."""
    declared = {"Name": "Support", "Mode": "RESTRICTED", "Metadata": '{"team":"x"}'}
    deployment.messaging.update_channel(
        ChannelArn=deployment.support, ChimeBearer=deployment.boss, **{**declared, **changed}
    )


def call(operation: str, channel: str = "support", **parameters: Any) -> Callable[[Deployment], object]:
    """Return what calls an operation on a channel; names of users and flows stand for their ARNs."""

    def run(deployment: Deployment) -> object:
        known = {name: deployment.user(name) for name in ("ann", "bob", "listener", "troll")} | deployment.flows
        given = {
            key: known.get(value, value) if isinstance(value, str) else value for key, value in parameters.items()
        }
        where = {"ChannelArn": getattr(deployment, channel), "ChimeBearer": deployment.boss}
        return getattr(deployment.messaging, operation)(**where, **given)

    return run


def expire(days: int) -> Callable[[Deployment], object]:
    """Return what sets the expiration of the channel Support."""
    settings = {"ExpirationDays": days, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    return call("put_channel_expiration_settings", ExpirationSettings=settings)


def tag(key: str, value: str) -> Callable[[Deployment], object]:
    """Return what tags the channel Support."""
    tags = [{"Key": key, "Value": value}]
    return lambda deployment: deployment.messaging.tag_resource(ResourceARN=deployment.support, Tags=tags)


def retain(days: int) -> Callable[[Deployment], object]:
    """Return what sets the retention."""
    settings = {"ChannelRetentionSettings": {"RetentionDays": days}}
    return lambda deployment: deployment.identity.put_app_instance_retention_settings(
        AppInstanceArn=deployment.app_instance, AppInstanceRetentionSettings=settings
    )


def stream(arn: str) -> Callable[[Deployment], object]:
    """Return what sets the stream of messages."""
    configurations = [{"DataType": "ChannelMessage", "ResourceArn": arn}]
    return lambda deployment: deployment.messaging.put_messaging_streaming_configurations(
        AppInstanceArn=deployment.app_instance, StreamingConfigurations=configurations
    )


def end_streaming(deployment: Deployment) -> None:
    """End all streaming."""
    deployment.messaging.delete_messaging_streaming_configurations(AppInstanceArn=deployment.app_instance)


CASES = {
    "name": Case(lambda d: update(d, Name="Else"), update, "Channel", "Name", "Support", "Else"),
    "mode": Case(lambda d: update(d, Mode="UNRESTRICTED"), update, "Channel", "Mode", "RESTRICTED", "UNRESTRICTED"),
    "metadata": Case(lambda d: update(d, Metadata=""), update, "Channel", "Metadata", '{"team":"x"}', None),
    "expiration": Case(expire(99), expire(100), "Channel", "ExpirationSettings.ExpirationDays", 100, 99),
    "tag": Case(tag("team", "y"), tag("team", "x"), "Channel", "Tags.team", "x", "y"),
    "flow": Case(
        call("associate_channel_flow", ChannelFlowArn="FlowB"),
        call("associate_channel_flow", ChannelFlowArn="FlowA"),
        "Channel",
        "ChannelFlowArn",
        "FlowA",
        "FlowB",
    ),
    "member": Case(
        call("delete_channel_membership", MemberArn="ann"),
        call("create_channel_membership", MemberArn="ann", Type="DEFAULT"),
        "Channel",
        "MemberArns",
        "ann",
        None,
    ),
    "hidden member": Case(
        call("delete_channel_membership", MemberArn="listener"),
        call("create_channel_membership", MemberArn="listener", Type="HIDDEN"),
        "Channel",
        "HiddenMemberArns",
        "listener",
        None,
    ),
    "moderator": Case(
        call("delete_channel_moderator", ChannelModeratorArn="bob"),
        call("create_channel_moderator", ChannelModeratorArn="bob"),
        "Channel",
        "ModeratorArns",
        "bob",
        None,
    ),
    "ban": Case(
        call("delete_channel_ban", MemberArn="troll"),
        call("create_channel_ban", MemberArn="troll"),
        "Channel",
        "BanArns",
        "troll",
        None,
    ),
    "attached member": Case(
        call("delete_channel_membership", "inner", MemberArn="ann"),
        call("create_channel_membership", "inner", MemberArn="ann", Type="DEFAULT"),
        "ChannelMembership",
        "(resource)",
        "present",
        None,
    ),
    "attached moderator": Case(
        call("delete_channel_moderator", "inner", ChannelModeratorArn="bob"),
        call("create_channel_moderator", "inner", ChannelModeratorArn="bob"),
        "ChannelModerator",
        "(resource)",
        "present",
        None,
    ),
    "attached ban": Case(
        call("delete_channel_ban", "inner", MemberArn="troll"),
        call("create_channel_ban", "inner", MemberArn="troll"),
        "ChannelBan",
        "(resource)",
        "present",
        None,
    ),
    "attached flow": Case(
        call("disassociate_channel_flow", "inner", ChannelFlowArn="FlowB"),
        call("associate_channel_flow", "inner", ChannelFlowArn="FlowB"),
        "ChannelFlowAssociation",
        "ChannelFlowArn",
        "FlowB",
        None,
    ),
    "admin": Case(
        lambda d: d.identity.delete_app_instance_admin(AppInstanceArn=d.app_instance, AppInstanceAdminArn=d.boss),
        lambda d: d.identity.create_app_instance_admin(AppInstanceArn=d.app_instance, AppInstanceAdminArn=d.boss),
        "AppInstanceAdmin",
        "(resource)",
        "present",
        None,
    ),
    "retention": Case(retain(31), retain(30), "AppInstanceRetention", "RetentionDays", 30, 31),
    "stream": Case(
        stream(f"{STREAM}2"),
        stream(STREAM),
        "AppInstanceStreaming",
        "StreamArns.ChannelMessage",
        STREAM,
        f"{STREAM}2",
    ),
    "streaming": Case(end_streaming, stream(STREAM), "AppInstanceStreaming", "(resource)", "present", None),
}


@pytest.mark.parametrize("name", CASES)
def test_change_is_noticed(on_engine: Command, deployment: Deployment, name: str) -> None:
    """What is changed outside the stack is reported as that, and no other resource is."""
    case = CASES[name]
    known = {user: deployment.user(user) for user in ("ann", "bob", "listener", "troll")} | deployment.flows
    case.change(deployment)
    try:
        result = on_engine("drift", EVERYTHING, "--json")
    finally:
        case.undo(deployment)
    drifted = [one for one in find_others(result) if one["Outcome"] == "DRIFTED"]
    assert [one["ResourceType"] for one in drifted] == [f"Custom::Chime{case.resource}"]
    declared, actual = (known.get(str(value), value) for value in (case.declared, case.actual))
    assert drifted[0]["Differences"] == [{"Property": case.property, "Declared": declared, "Actual": actual}]
    assert result.status == 3


def test_lost_owner_tag_is_noticed(on_engine: Command, deployment: Deployment) -> None:
    """A channel that bears another owner's tag is no more the stack's."""
    key = "cdk-chime-messaging:owner"
    tags = deployment.messaging.list_tags_for_resource(ResourceARN=deployment.support)["Tags"]
    (own,) = (one["Value"] for one in tags if one["Key"] == key)
    tag(key, "Other-0123.4567")(deployment)
    result = on_engine("drift", EVERYTHING)
    tag(key, own)(deployment)
    assert result.status == 3
    assert f"    Owner: declared '{own.partition('.')[0]}', is 'Other-0123'\n" in result.output


def test_output_for_a_person(on_engine: Command, deployment: Deployment) -> None:
    """Drift is printed in plain lines, with values escaped."""
    update(deployment, Metadata="a\x1b[31mb")
    call("delete_channel_membership", MemberArn="ann")(deployment)
    result = on_engine("drift", EVERYTHING)
    update(deployment)
    call("create_channel_membership", MemberArn="ann", Type="DEFAULT")(deployment)
    assert result.output.startswith("Everything\n  AppInstanceAdmin ")
    assert "    Metadata: declared '{\"team\":\"x\"}', is 'a\\x1b[31mb'\n" in result.output
    assert f"    MemberArns: {deployment.user('ann')} is missing\n" in result.output
    assert result.output.endswith("10 resources: 9 as declared, 1 drifted\n")
    assert "\x1b" not in result.output


def test_deleted_channel_is_noticed(on_engine: Command, deployment: Deployment, engine: Engine) -> None:
    """A bearer who is admin knows that the channel is gone; another one cannot know, and silence is no answer."""
    template = engine.client("cloudformation").get_template(StackName=IMPORTING)["TemplateBody"]
    engine.deploy_template(template if isinstance(template, dict) else json.loads(template), "Deleted")
    (channel,) = (
        one["PhysicalResourceId"]
        for one in engine.client("cloudformation").describe_stack_resources(StackName="Deleted")["StackResources"]
        if one["ResourceType"] == "Custom::ChimeChannel"
    )
    deployment.messaging.delete_channel(ChannelArn=channel, ChimeBearer=deployment.boss)
    found = on_engine("drift", "Deleted")
    unknown = on_engine("drift", "Deleted", "--bearer", deployment.user("ann"))
    engine.delete("Deleted")
    assert (found.status, unknown.status) == (3, 1)
    assert "    it is not there: it was deleted outside the stack\n" in found.output
    assert "    DescribeChannel: ForbiddenException: " in unknown.output
    assert "give --bearer an AppInstanceAdmin\n" in unknown.output


@pytest.fixture
def reader(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use the credentials of a user who may read stacks, and nothing of Amazon Chime."""
    iam = engine.client("iam")
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    yield
    iam.delete_access_key(UserName="reader", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="reader", PolicyName="p")
    iam.delete_user(UserName="reader")


def test_denied_read_is_unknown(on_engine: Command, deployment: Deployment, reader: None) -> None:
    """What may not be read is unknown, each with the reason; the exit status is no success."""
    result = on_engine("drift", EVERYTHING, "--json")
    assert result.status == 1
    assert find_others(result, "UNKNOWN") == []
    reasons = [one["Reason"] for resource in find_others(result) for one in resource["Undetermined"]]
    assert len(reasons) == 10
    assert [reason for reason in reasons if "the credentials need an IAM policy that allows" not in reason] == []


def test_no_such_stack(on_engine: Command, engine: Engine) -> None:
    """A stack that is not there is an error of one line."""
    result = on_engine("drift", "nowhere")
    expected = "error: there is no stack nowhere in us-east-1: check its name, --region and --profile\n"
    assert result == (1, "", expected)


def test_stack_without_resources_of_this_package(on_engine: Command, engine: Engine) -> None:
    """A stack of others is named, so that nobody takes silence for an answer."""
    engine.deploy_template({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}, "Foreign")
    result = on_engine("drift", "Foreign")
    engine.delete("Foreign")
    assert result == (0, "Foreign: no resources of cdk-chime-messaging\n", "")


def test_deprecated_command(engine: Engine, deployment: Deployment) -> None:
    """The former command still answers, and says what to use."""
    done = subprocess.run(
        [sys.executable, "-m", "chime_local", "drift", IMPORTING],
        env={**engine.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 resource: 1 as declared")
    assert done.stderr == "warning: chime-local drift is deprecated: use chime-messaging drift\n"
