"""Stacks deployed, changed, replaced, rolled back and deleted through CloudFormation's API, IAM enforced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import CfnResource, RemovalPolicy, Stack

from cdk_chime_messaging import Channel, ChannelMode, ChannelPrivacy
from chime_local.engine import EngineError
from deploy.stacks import ChannelStack, arn_of


def test_everything_that_can_changes_in_place(channel_stack: ChannelStack) -> None:
    """Name, mode, metadata, tags, members and the bearer change in place; the messages are still there."""
    arn = arn_of(channel_stack.deploy())
    channel_stack.say(arn, "hello")
    steps: list[dict[str, Any]] = [
        {"name": "Help"},
        {"name": "Help", "mode": ChannelMode.UNRESTRICTED, "metadata": {"a": 1}},
        {"name": "Help", "members": 2, "tags": {"team": "x"}},
        {"name": "Help", "members": 1, "bearer": "deputy"},
        {},
    ]
    for step in steps:
        assert arn_of(channel_stack.deploy(**step)) == arn
        channel = channel_stack.channels()[arn]
        assert channel["Name"] == step.get("name", "Support")
        assert channel["Mode"] == step.get("mode", ChannelMode.RESTRICTED).value
        assert channel_stack.messages(arn) == ["hello"]
        assert channel_stack.members(arn) == {"boss", *["ann", "bob"][: step.get("members", 0)]}


def test_change_that_cannot_be_made_in_place_replaces_the_channel(channel_stack: ChannelStack) -> None:
    """A change of privacy replaces the channel: with DESTROY the old one goes after the new one is there."""
    first = arn_of(channel_stack.deploy())
    second = arn_of(channel_stack.deploy(privacy=ChannelPrivacy.PUBLIC))
    assert set(channel_stack.channels()) == {second}
    assert second != first


def test_replaced_channel_is_kept_by_default(channel_stack: ChannelStack) -> None:
    """With the default removal policy the replaced channel stays, with its messages."""
    kept = {"removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE}
    first = arn_of(channel_stack.deploy(**kept))
    channel_stack.say(first, "hello")
    second = arn_of(channel_stack.deploy(**kept, privacy=ChannelPrivacy.PUBLIC))
    assert set(channel_stack.channels()) == {first, second}
    assert channel_stack.messages(first) == ["hello"]
    channel_stack.deploy(privacy=ChannelPrivacy.PUBLIC)  # so that the stack's deletion takes the second
    channel_stack.engine.client("chime-sdk-messaging").delete_channel(
        ChannelArn=first, ChimeBearer=channel_stack.channels()[first]["bearer"]
    )


def _with_failure(stack: Stack, **channel: Any) -> None:
    ChannelStack.standard(stack, **channel)
    support = stack.node.find_child("Support")
    failing = CfnResource(stack, "Failing", type="AWS::Chime::AppInstanceUser", properties={"Name": "x"})
    failing.node.add_dependency(support)


@pytest.mark.parametrize(
    "change",
    [{"name": "Help", "members": 2, "tags": {"a": "b"}}, {"privacy": ChannelPrivacy.PUBLIC}, {"bearer": "deputy"}],
    ids=["in place", "replacement", "bearer"],
)
def test_failed_update_leaves_the_channel_as_it_was(channel_stack: ChannelStack, change: dict[str, Any]) -> None:
    """An update that fails later on is undone: the same channel, as it was, with its messages."""
    arn = arn_of(channel_stack.deploy(members=1))
    channel_stack.say(arn, "hello")
    before = (channel_stack.channels(), channel_stack.members(arn))
    with pytest.raises(EngineError, match="UPDATE_ROLLBACK_COMPLETE"):
        channel_stack.deploy_stack(lambda stack: _with_failure(stack, **{"members": 1, **change}))
    assert (channel_stack.channels(), channel_stack.members(arn)) == before
    assert channel_stack.messages(arn) == ["hello"]


def test_failed_creation_leaves_nothing(channel_stack: ChannelStack) -> None:
    """A stack whose creation fails after the channel was made takes the channel with it."""
    with pytest.raises(EngineError, match="ROLLBACK_COMPLETE"):
        channel_stack.deploy_stack(_with_failure)
    assert channel_stack.channels() == {}


def test_channel_deleted_outside_the_stack_is_created_again(channel_stack: ChannelStack) -> None:
    """A channel that was deleted by hand is made again by the next change, and its deletion is no error."""
    arn = arn_of(channel_stack.deploy())
    messaging = channel_stack.engine.client("chime-sdk-messaging")
    messaging.delete_channel(ChannelArn=arn, ChimeBearer=channel_stack.channels()[arn]["bearer"])
    again = arn_of(channel_stack.deploy(name="Help"))
    assert channel_stack.channels()[again]["Name"] == "Help"
    messaging.delete_channel(ChannelArn=again, ChimeBearer=channel_stack.channels()[again]["bearer"])


def test_raw_property_that_cannot_be_fails_the_stack(channel_stack: ChannelStack) -> None:
    """A property that was spoilt past the construct fails with a clear event, and the channel stays as it was."""
    arn = arn_of(channel_stack.deploy())
    before = channel_stack.channels()

    def spoilt(stack: Stack) -> None:
        ChannelStack.standard(stack)
        resource = stack.node.find_child("Support").node.default_child
        assert isinstance(resource, CfnResource)
        resource.add_property_override("Mode", "RESTRICED")

    with pytest.raises(EngineError, match="Mode: must be RESTRICTED or UNRESTRICTED, got 'RESTRICED'"):
        channel_stack.deploy_stack(spoilt)
    assert channel_stack.channels() == before
    assert arn in before


@pytest.mark.parametrize("engine", [""], indirect=True, ids=["default"])  # it takes a minute
def test_missing_permission_fails_by_the_name_of_the_action(channel_stack: ChannelStack) -> None:
    """A Lambda without a permission fails by the action's name."""

    def stripped(stack: Stack) -> None:
        ChannelStack.standard(stack)
        for child in stack.node.children:
            if child.node.id.startswith("ChimeChannels"):
                policy = child.node.default_child
                assert isinstance(policy, CfnResource)
                policy.add_property_override("PolicyDocument.Statement.0.Action", ["chime:DescribeChannel"])

    with pytest.raises(EngineError, match=r"CreateChannel: AccessDenied: .*chime:CreateChannel"):
        channel_stack.deploy_stack(stripped)


def test_fifty_channels_are_deployed_at_once(channel_stack: ChannelStack) -> None:
    """Fifty channels in one stack are served by one Lambda."""

    def many(stack: Stack) -> None:
        ChannelStack.standard(stack)
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

    channel_stack.deploy_stack(many)
    assert len(channel_stack.channels()) >= 50


def test_log_has_no_names_metadata_or_response_urls(channel_stack: ChannelStack) -> None:
    """The Lambda's log holds JSON lines with operations, and neither names nor metadata nor ResponseURLs."""
    channel_stack.deploy(name="very secret name", metadata="very secret metadata")
    logs = channel_stack.engine.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    lines = [
        event["message"]
        for group in groups
        if channel_stack.name in group
        for event in logs.filter_log_events(logGroupName=group)["events"]
    ]
    text = "\n".join(lines)
    assert any("CreateChannel" in line and json.loads(line)["outcome"] == "ok" for line in lines if "{" in line)
    assert "secret" not in text
    assert "cfn-response" not in text
