"""The native types AWS::Chime::… in the engine's CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chime_local.engine import Engine, EngineError
from local.scripted_stack import ScriptedStack

REF = {"Ref": "App"}


def template(**resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Declare an app instance, users of it, and what else is wanted; Ref of each is an output."""
    declared = {
        "App": ("AppInstance", {"Name": "app"}),
        **{
            name: ("AppInstanceUser", {"AppInstanceArn": REF, "AppInstanceUserId": name, "Name": name})
            for name in ("Ann", "Bob")
        },
        **resources,
    }
    return {
        "Resources": {
            name: {"Type": f"AWS::Chime::{kind}", "Properties": properties}
            for name, (kind, properties) in declared.items()
        },
        "Outputs": {name: {"Value": {"Ref": name}} for name in declared},
    }


def deploy(scripted: ScriptedStack, **resources: tuple[str, dict[str, Any]]) -> dict[str, str]:
    """Deploy; the physical ids are the answer."""
    return scripted.engine.deploy_template(template(**resources), scripted.name)


def channel(**properties: Any) -> tuple[str, dict[str, Any]]:
    """Declare a channel of Ann's."""
    given = {"AppInstanceArn": REF, "ChimeBearer": {"Ref": "Ann"}, "Name": "n", **properties}
    return "Channel", {name: value for name, value in given.items() if value is not None}


def tags_of(engine: Engine, arn: str) -> dict[str, str]:
    """Return the tags of a resource."""
    listed = engine.client("chime-sdk-identity").list_tags_for_resource(ResourceARN=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in listed}


ATTRIBUTES = {
    "App": "AppInstanceArn",
    "Ann": "AppInstanceUserArn",
    "Bot": "AppInstanceBotArn",
    "Flow": "Arn",
    "Chat": "Arn",
}
BOT = {
    "Lex": {
        "LexBotAliasArn": "arn:aws:lex:us-east-1:000000000000:bot-alias/ABCDEFGHIJ/ABCDEFGHIJ",
        "LocaleId": "en_US",
    },
}
PROCESSOR = {
    "Name": "p",
    "ExecutionOrder": "1",
    "FallbackAction": "CONTINUE",
    "Configuration": {
        "Lambda": {
            "ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "InvocationType": "ASYNC",
        }
    },
}


def test_stack_whose_flow_a_kept_channel_uses_is_deleted_with_the_flow_retained(scripted: ScriptedStack) -> None:
    """Its deletion fails while the flow is in use; `RetainResources` ends it, as README says; the flow stays."""
    made = template(
        Flow=("ChannelFlow", {"AppInstanceArn": REF, "Name": "f", "Processors": [PROCESSOR]}), Chat=channel()
    )
    for name in ("App", "Ann", "Chat"):
        made["Resources"][name]["DeletionPolicy"] = "Retain"
    outputs = scripted.engine.deploy_template(made, scripted.name)
    messaging, stacks = (scripted.engine.client(service) for service in ("chime-sdk-messaging", "cloudformation"))
    flow = outputs["Flow"]
    messaging.associate_channel_flow(ChannelArn=outputs["Chat"], ChannelFlowArn=flow, ChimeBearer=outputs["Ann"])
    with pytest.raises(EngineError, match="is DELETE_FAILED"):
        scripted.engine.delete(scripted.name)
    stacks.delete_stack(StackName=scripted.name, RetainResources=["Flow"])
    stacks.get_waiter("stack_delete_complete").wait(StackName=scripted.name, WaiterConfig={"Delay": 0.1})
    assert messaging.describe_channel_flow(ChannelFlowArn=flow)["ChannelFlow"]["Name"] == "f"


def test_ref_and_attributes_are_those_of_the_schema(scripted: ScriptedStack) -> None:
    """Ref of each type is its ARN, and so is the attribute that the schema names; flows tell their ids as well."""
    made = template(
        Bot=("AppInstanceBot", {"AppInstanceArn": REF, "Configuration": BOT}),
        Flow=("ChannelFlow", {"AppInstanceArn": REF, "Name": "f", "Processors": [PROCESSOR]}),
        Chat=channel(),
    )
    for name, attribute in ATTRIBUTES.items():
        made["Outputs"][f"{name}Arn"] = {"Value": {"Fn::GetAtt": [name, attribute]}}
    for attribute in ("ChannelFlowId", "AppInstanceId", "CreatedTimestamp"):
        made["Outputs"][attribute] = {"Value": {"Fn::GetAtt": ["Flow", attribute]}}
    made["Outputs"]["CreatedBy"] = {"Value": {"Fn::GetAtt": ["Chat", "CreatedBy.Arn"]}}
    outputs = scripted.engine.deploy_template(made, scripted.name)
    assert {name: outputs[f"{name}Arn"] for name in ATTRIBUTES} == {name: outputs[name] for name in ATTRIBUTES}
    assert outputs["Flow"] == f"{outputs['App']}/channel-flow/{outputs['ChannelFlowId']}"
    assert outputs["App"].endswith(f":app-instance/{outputs['AppInstanceId']}")
    assert outputs["CreatedBy"] == outputs["Ann"]
    scripted.engine.delete(scripted.name)
    apps = scripted.engine.client("chime-sdk-identity").list_app_instances()["AppInstances"]
    assert outputs["App"] not in [app["AppInstanceArn"] for app in apps]


def test_native_types_change_in_place(scripted: ScriptedStack) -> None:
    """Name, metadata and tags change in place; what the template no longer says is cleared."""
    first = deploy(
        scripted, App=("AppInstance", {"Name": "a", "Metadata": "m", "Tags": [{"Key": "k", "Value": "1"}]})
    )
    tags = [{"Key": "k", "Value": "2"}, {"Key": "l", "Value": "3"}]
    assert deploy(scripted, App=("AppInstance", {"Name": "b", "Tags": tags})) == first
    identity = scripted.engine.client("chime-sdk-identity")
    app = identity.describe_app_instance(AppInstanceArn=first["App"])["AppInstance"]
    assert (app["Name"], app.get("Metadata") or "") == ("b", "")
    assert tags_of(scripted.engine, first["App"]) == {"k": "2", "l": "3"}
    deploy(scripted, App=("AppInstance", {"Name": "b"}))
    assert tags_of(scripted.engine, first["App"]) == {}


def test_channel_changes_in_place(scripted: ScriptedStack) -> None:
    """Name, mode, metadata, expiration and tags of a channel change in place."""
    first = deploy(scripted, Chat=channel(Metadata="m"))
    expires = {"ExpirationDays": "7", "ExpirationCriterion": "CREATED_TIMESTAMP"}
    changed = channel(Name="o", Mode="UNRESTRICTED", ExpirationSettings=expires, Tags=[{"Key": "k", "Value": "v"}])
    assert deploy(scripted, Chat=changed) == first
    shown = scripted.engine.client("chime-sdk-messaging").describe_channel(
        ChannelArn=first["Chat"], ChimeBearer=first["Ann"]
    )["Channel"]
    assert (shown["Name"], shown["Mode"], shown.get("Metadata", "")) == ("o", "UNRESTRICTED", "")
    assert shown["ExpirationSettings"]["ExpirationDays"] == 7
    assert tags_of(scripted.engine, first["Chat"]) == {"k": "v"}


@pytest.mark.parametrize(
    "change",
    [
        {"ChimeBearer": {"Ref": "Bob"}},
        {"MemberArns": [{"Ref": "Bob"}]},
        {"ModeratorArns": [{"Ref": "Bob"}]},
        {"Privacy": "PUBLIC"},
        {"ChannelId": "mine"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_channel_is_replaced_where_its_schema_says_so(scripted: ScriptedStack, change: dict[str, Any]) -> None:
    """What the native type cannot change in place replaces the channel, whose messages are lost."""
    first = deploy(scripted, Chat=channel())
    second = deploy(scripted, Chat=channel(**change))
    assert second["Chat"] != first["Chat"]
    messaging = scripted.engine.client("chime-sdk-messaging")
    with pytest.raises(messaging.exceptions.ForbiddenException):
        messaging.describe_channel(ChannelArn=first["Chat"], ChimeBearer=first["Ann"])


def test_tags_of_the_stack_reach_the_native_types(scripted: ScriptedStack) -> None:
    """Tags of the stack reach the native types."""
    scripted.engine.client("cloudformation").create_stack(
        StackName=scripted.name, TemplateBody=json.dumps(template()), Tags=[{"Key": "team", "Value": "x"}]
    )
    outputs = deploy(scripted, Chat=channel())
    assert tags_of(scripted.engine, outputs["Ann"]) == {"team": "x"}


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (channel(Colour="red"), r"extraneous key \[Colour\] is not permitted"),
        (channel(Name=None), "Name is required"),
        (channel(MemberArns=[{"Ref": "Bob"}] * 11), "MemberArns"),
        (channel(ChimeBearer={"Fn::Sub": "${Ann}x"}), "UnauthorizedClient"),
    ],
)
def test_what_schema_or_service_refuses_fails_the_resource(
    scripted: ScriptedStack, resource: tuple[str, dict[str, Any]], message: str
) -> None:
    """What the schema or the service does not take fails the resource."""
    with pytest.raises(EngineError, match=f"Chat: .*{message}"):
        deploy(scripted, Chat=resource)


def test_native_types_exist_in_their_regions_only() -> None:
    """In Frankfurt there are app instances, but no AWS::Chime::Channel; in Ohio neither."""
    for region, message in (
        ("eu-central-1", "Channel does not exist"),
        ("us-east-2", "AppInstance does not exist"),
    ):
        with Engine(region=region) as engine, pytest.raises(EngineError, match=f"{message} in {region}"):
            engine.deploy_template(template(Chat=channel()), "Stack")
