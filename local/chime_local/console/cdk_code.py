"""What a CDK app has in a call's place, or for a custom resource: a construct, a grant, a command of the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from pprint import pformat
from typing import Any

from botocore import xform_name

_GRANTS = {
    "SendChannelMessage": "grant_send",
    "UpdateChannelMessage": "grant_send",
    "ListChannelMessages": "grant_read",
    "GetChannelMessage": "grant_read",
    "RedactChannelMessage": "grant_moderate",
    "DeleteChannelMessage": "grant_moderate",
}
_ADDITIONS = {
    "CreateChannelMembership": ("add_member", "MemberArn"),
    "BatchCreateChannelMembership": ("add_member", "MemberArns"),
    "CreateChannelModerator": ("add_moderator", "ChannelModeratorArn"),
    "CreateChannelBan": ("add_ban", "MemberArn"),
    "AssociateChannelFlow": ("associate_flow", "ChannelFlowArn"),
}
_CLI = {"DescribeStacks": "cdk list", "DescribeStackEvents": "cdk deploy", "DescribeStackResources": "cdk diff"}
_ENUMERATIONS = {"Mode": "ChannelMode", "Privacy": "ChannelPrivacy", "Type": "ChannelMembershipType"}
_ARGUMENTS = {"RetentionDays": "retention", "Channel": "channel_stream", "ChannelMessage": "channel_message_stream"}
_ARGUMENTS_OF_ATTACHMENTS = {"ChannelArn": "channel", "MemberArn": "user", "ChannelFlowArn": "flow"}
_LEFT_OUT = ("ServiceToken", "ServiceTimeout", "ClientRequestToken", "HiddenMemberArns", "BanArns", "StreamArns")


def write_call(service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    """Return what a CDK app has in a call's place; nothing where the call has no counterpart."""
    if service == "cloudformation" and operation in _CLI:
        stack = str(parameters.get("StackName", "")).partition("stack/")[2].partition("/")[0]
        return f"chime-local run -- {_CLI[operation]} {stack}".strip()
    if operation in ("CreateChannel", "CreateAppInstance", "CreateAppInstanceUser", "CreateAppInstanceAdmin"):
        return write_resource(f"Custom::Chime{operation.removeprefix('Create')}", parameters)
    channel = parameters.get("ChannelArn") or parameters.get("ResourceARN") or ""
    if "/channel/" in str(channel):
        return "\n".join([_from_arn("Channel", channel), *_channel_statements(operation, parameters)])
    app_instance = parameters.get("AppInstanceArn")
    return _from_arn("AppInstance", app_instance) if app_instance else ""


def _from_arn(name: str, arn: Any) -> str:
    variable = xform_name(name)
    return f'{variable} = {name}.from_{variable}_arn(self, "{name}", {_literal(arn)})'


def _channel_statements(operation: str, parameters: Mapping[str, Any]) -> list[str]:
    if operation in _GRANTS:
        user = _literal(parameters.get("ChimeBearer", ""))
        return [f"channel.{_GRANTS[operation]}(function, as_user={user})"]
    if operation not in _ADDITIONS:
        return []
    method, name = _ADDITIONS[operation]
    given = parameters.get(name, "")
    return [f"channel.{method}({_literal(one)})" for one in (given if isinstance(given, list) else [given])]


def write_resource(resource_type: str, properties: Mapping[str, Any], logical_id: str = "") -> str:
    """Return the construct that declares a custom resource; nothing where its type is not this package's."""
    if not resource_type.startswith("Custom::Chime"):
        return ""
    name = resource_type.removeprefix("Custom::Chime")
    is_attachment = "ChannelArn" in properties
    streams = properties.get("StreamArns")
    given = {**properties, **(streams if isinstance(streams, Mapping) else {})}
    arguments = []
    for key, value in given.items():
        if key not in _LEFT_OUT:
            argument = (_ARGUMENTS_OF_ATTACHMENTS if is_attachment else _ARGUMENTS).get(key, xform_name(key))
            arguments.append(f"    {argument}={_value(key, value)},")
    construct_id = _literal(logical_id or str(properties.get("Name", name)))
    lines = [f"{name}(", f"    self,\n    {construct_id},", *arguments, ")"]
    additions = [f"channel.add_ban({_literal(one)})" for one in _items(properties, "BanArns")]
    additions += [
        f"channel.add_member({_literal(one)}, type=ChannelMembershipType.HIDDEN)"
        for one in _items(properties, "HiddenMemberArns")
    ]
    return "\n".join([*([f"channel = {lines[0]}", *lines[1:]] if additions else lines), *additions])


def _items(properties: Mapping[str, Any], name: str) -> list[Any]:
    found = properties.get(name)
    return found if isinstance(found, list) else []


def _value(key: str, value: Any) -> str:
    if key in _ENUMERATIONS:
        return f"{_ENUMERATIONS[key]}.{value}"
    match key, value:
        case "RetentionDays", _:
            return f"Duration.days({value})"
        case "ExpirationSettings", {"ExpirationDays": days, "ExpirationCriterion": criterion}:
            return f"ExpirationSettings(Duration.days({days}), ExpirationCriterion.{criterion})"
        case "ElasticChannelConfiguration", {**numbers}:
            given = ", ".join(f"{xform_name(str(name))}={number}" for name, number in numbers.items())
            return f"ElasticChannelConfiguration({given})"
        case "Tags", [*tags]:
            value = {str(tag.get("Key")): tag.get("Value") for tag in tags if isinstance(tag, Mapping)}
        case _, "true" | "false":
            value = value == "true"
    return _literal(value)


def _literal(value: Any) -> str:
    return pformat(value, width=100, sort_dicts=False).replace("\n", "\n    ")
