"""The way out: a channel leaves this package for the native type, with its messages (docs/adoption.md)."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import RemovalPolicy

from cdk_chime_messaging import AppInstance
from deploy.stacks import ChannelStack


def native(arn: str, bearer: str, name: str) -> dict[str, Any]:
    """Return a template of the channel in the native type."""
    app, _, channel_id = arn.partition("/channel/")
    properties = {"AppInstanceArn": app, "ChannelId": channel_id, "ChimeBearer": bearer, "Name": name}
    channel = {
        "Type": "AWS::Chime::Channel",
        "DeletionPolicy": "Retain",
        "Properties": {**properties, "Mode": "RESTRICTED", "Privacy": "PRIVATE"},
    }
    return {"Resources": {"Support": channel}}


def test_channel_leaves_for_the_native_type_with_its_messages(channel_stack: ChannelStack) -> None:
    """A channel that left the stack is imported into the native type and renamed there; its message stays."""

    def with_channel(stack: Any) -> None:
        chat = AppInstance(stack, "Chat", removal_policy=RemovalPolicy.DESTROY)
        chat.add_channel("Support", chime_bearer=chat.add_admin("Admin", chat.add_user("boss")))

    def without_channel(stack: Any) -> None:
        chat = AppInstance(stack, "Chat", removal_policy=RemovalPolicy.DESTROY)
        chat.add_admin("Admin", chat.add_user("boss"))

    channel_stack.deploy_stack(with_channel)
    (arn,) = channel_stack.channels()
    channel_stack.say(arn, "hello")
    channel_stack.deploy_stack(without_channel)
    bearer = channel_stack.channels()[arn]["bearer"]

    cloudformation = channel_stack.engine.client("cloudformation")
    identifier = {"ChimeBearer": bearer, "Arn": arn}
    cloudformation.create_change_set(
        StackName=f"{channel_stack.name}Native",
        ChangeSetName="Import",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(native(arn, bearer, "Support")),
        ResourcesToImport=[
            {
                "ResourceType": "AWS::Chime::Channel",
                "LogicalResourceId": "Support",
                "ResourceIdentifier": identifier,
            }
        ],
    )
    cloudformation.execute_change_set(StackName=f"{channel_stack.name}Native", ChangeSetName="Import")
    cloudformation.get_waiter("stack_import_complete").wait(
        StackName=f"{channel_stack.name}Native", WaiterConfig={"Delay": 1}
    )
    channel_stack.engine.deploy_template(native(arn, bearer, "Help"), f"{channel_stack.name}Native")
    assert channel_stack.channels()[arn]["Name"] == "Help"
    assert channel_stack.messages(arn) == ["hello"]
    channel_stack.engine.delete(f"{channel_stack.name}Native")
    assert channel_stack.messages(arn) == ["hello"]
