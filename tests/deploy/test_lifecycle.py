"""Stacks deployed, changed, replaced, rolled back and deleted through CloudFormation's API, IAM enforced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import CfnResource, RemovalPolicy, Stack
from stacks import Bench

from cdk_chime_messaging import Channel, ChannelMode, ChannelPrivacy
from chime_local.engine import EngineError

ARN = "SupportChannelArn"


def arn_of(outputs: dict[str, str]) -> str:
    """Return the channel's ARN among the outputs of a stack."""
    (arn,) = (value for key, value in outputs.items() if key.startswith(ARN))
    return arn


def test_everything_that_can_changes_in_place(bench: Bench) -> None:
    """Name, mode, metadata, tags, members and the bearer change in place; the messages are still there."""
    arn = arn_of(bench.deploy())
    bench.say(arn, "hello")
    steps: list[dict[str, Any]] = [
        {"name": "Help"},
        {"name": "Help", "mode": ChannelMode.UNRESTRICTED, "metadata": {"a": 1}},
        {"name": "Help", "members": 2, "tags": {"team": "x"}},
        {"name": "Help", "members": 1, "bearer": "deputy"},
        {},
    ]
    for step in steps:
        assert arn_of(bench.deploy(**step)) == arn
        channel = bench.channels()[arn]
        assert channel["Name"] == step.get("name", "Support")
        assert channel["Mode"] == step.get("mode", ChannelMode.RESTRICTED).value
        assert bench.messages(arn) == ["hello"]
        assert bench.members(arn) == {"boss", *["ann", "bob"][: step.get("members", 0)]}


def test_change_that_cannot_be_made_in_place_replaces_the_channel(bench: Bench) -> None:
    """A change of privacy replaces the channel: with DESTROY the old one goes after the new one is there."""
    first = arn_of(bench.deploy())
    second = arn_of(bench.deploy(privacy=ChannelPrivacy.PUBLIC))
    assert set(bench.channels()) == {second}
    assert second != first


def test_replaced_channel_is_kept_by_default(bench: Bench) -> None:
    """With the default removal policy the replaced channel stays, with its messages."""
    kept = {"removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE}
    first = arn_of(bench.deploy(**kept))
    bench.say(first, "hello")
    second = arn_of(bench.deploy(**kept, privacy=ChannelPrivacy.PUBLIC))
    assert set(bench.channels()) == {first, second}
    assert bench.messages(first) == ["hello"]
    bench.deploy(privacy=ChannelPrivacy.PUBLIC)  # so that the stack's deletion takes the second
    bench.engine.client("chime-sdk-messaging").delete_channel(
        ChannelArn=first, ChimeBearer=bench.channels()[first]["bearer"]
    )


def _with_failure(stack: Stack, **channel: Any) -> None:
    Bench.standard(stack, **channel)
    support = stack.node.find_child("Support")
    failing = CfnResource(stack, "Failing", type="AWS::Chime::AppInstanceUser", properties={"Name": "x"})
    failing.node.add_dependency(support)


@pytest.mark.parametrize(
    "change",
    [{"name": "Help", "members": 2, "tags": {"a": "b"}}, {"privacy": ChannelPrivacy.PUBLIC}, {"bearer": "deputy"}],
    ids=["in place", "replacement", "bearer"],
)
def test_failed_update_leaves_the_channel_as_it_was(bench: Bench, change: dict[str, Any]) -> None:
    """An update that fails later on is undone: the same channel, as it was, with its messages."""
    arn = arn_of(bench.deploy(members=1))
    bench.say(arn, "hello")
    before = (bench.channels(), bench.members(arn))
    with pytest.raises(EngineError, match="UPDATE_ROLLBACK_COMPLETE"):
        bench.deploy_stack(lambda stack: _with_failure(stack, **{"members": 1, **change}))
    assert (bench.channels(), bench.members(arn)) == before
    assert bench.messages(arn) == ["hello"]


def test_failed_creation_leaves_nothing(bench: Bench) -> None:
    """A stack whose creation fails after the channel was made takes the channel with it."""
    with pytest.raises(EngineError, match="ROLLBACK_COMPLETE"):
        bench.deploy_stack(_with_failure)
    assert bench.channels() == {}


def test_channel_deleted_outside_the_stack_is_created_again(bench: Bench) -> None:
    """A channel that was deleted by hand is made again by the next change, and its deletion is no error."""
    arn = arn_of(bench.deploy())
    messaging = bench.engine.client("chime-sdk-messaging")
    messaging.delete_channel(ChannelArn=arn, ChimeBearer=bench.channels()[arn]["bearer"])
    again = arn_of(bench.deploy(name="Help"))
    assert bench.channels()[again]["Name"] == "Help"
    messaging.delete_channel(ChannelArn=again, ChimeBearer=bench.channels()[again]["bearer"])


def test_raw_property_that_cannot_be_fails_the_stack(bench: Bench) -> None:
    """A property that was spoilt past the construct fails with a clear event, and the channel stays as it was."""
    arn = arn_of(bench.deploy())
    before = bench.channels()

    def spoilt(stack: Stack) -> None:
        Bench.standard(stack)
        resource = stack.node.find_child("Support").node.default_child
        assert isinstance(resource, CfnResource)
        resource.add_property_override("Mode", "RESTRICED")

    with pytest.raises(EngineError, match="Mode: must be RESTRICTED or UNRESTRICTED, got 'RESTRICED'"):
        bench.deploy_stack(spoilt)
    assert bench.channels() == before
    assert arn in before


@pytest.mark.parametrize("engine", [""], indirect=True, ids=["default"])  # it takes a minute
def test_missing_permission_fails_by_the_name_of_the_action(bench: Bench) -> None:
    """A Lambda without a permission fails by the action's name."""

    def stripped(stack: Stack) -> None:
        Bench.standard(stack)
        for child in stack.node.children:
            if child.node.id.startswith("ChimeChannels"):
                policy = child.node.default_child
                assert isinstance(policy, CfnResource)
                policy.add_property_override("PolicyDocument.Statement.0.Action", ["chime:DescribeChannel"])

    with pytest.raises(EngineError, match=r"CreateChannel: AccessDenied: .*chime:CreateChannel"):
        bench.deploy_stack(stripped)


def test_fifty_channels_are_deployed_at_once(bench: Bench) -> None:
    """Fifty channels in one stack are served by one Lambda."""

    def many(stack: Stack) -> None:
        Bench.standard(stack)
        support = stack.node.find_child("Support")
        assert isinstance(support, Channel)
        for number in range(49):
            Channel(
                stack,
                f"C{number}",
                app_instance_arn=support.app_instance_arn,
                chime_bearer=stack.node.find_child("bossAdmin"),  # type: ignore[arg-type]
                removal_policy=RemovalPolicy.DESTROY,
            )

    bench.deploy_stack(many)
    assert len(bench.channels()) >= 50


def test_log_has_no_names_metadata_or_response_urls(bench: Bench) -> None:
    """The Lambda's log holds JSON lines with operations, and neither names nor metadata nor ResponseURLs."""
    bench.deploy(name="very secret name", metadata="very secret metadata")
    logs = bench.engine.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    lines = [
        event["message"]
        for group in groups
        if bench.name in group
        for event in logs.filter_log_events(logGroupName=group)["events"]
    ]
    text = "\n".join(lines)
    assert any("CreateChannel" in line and json.loads(line)["outcome"] == "ok" for line in lines if "{" in line)
    assert "secret" not in text
    assert "cfn-response" not in text
