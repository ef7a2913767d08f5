"""What an Update must not take away, not even for a moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ROLES = {
    "DeleteChannelMembership": ("MemberArn", ("MemberArns", "HiddenMemberArns")),
    "DeleteChannelModerator": ("ChannelModeratorArn", ("ModeratorArns",)),
    "DeleteChannelBan": ("MemberArn", ("BanArns",)),
}
"""The calls that take something from a person: the parameter that names it, and the properties that give it."""


def takes_away(event: Mapping[str, Any], operation: str, parameters: Mapping[str, Any]) -> bool:
    """Check whether a call of an Update takes away what the stack holds and goes on to hold."""
    if event["RequestType"] != "Update":
        return False
    if event["ResourceType"] == "Custom::ChimeChannel":
        return _takes_role(event, operation, parameters)
    return operation in _ENDS and _ENDS[operation](event, parameters)


def _takes_role(event: Mapping[str, Any], operation: str, parameters: Mapping[str, Any]) -> bool:
    """Check whether somebody is no more in the channel what both declarations say, even if they soon are again."""
    if operation not in _ROLES or parameters["ChannelArn"] != event["PhysicalResourceId"]:
        return False
    name, properties = _ROLES[operation]
    declared = (event["ResourceProperties"], event["OldResourceProperties"])
    return any(all(parameters[name] in each.get(one, ()) for each in declared) for one in properties)


# What a resource held before it was replaced ends with CloudFormation's cleanup, not with the Update.


def _detaches(event: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    target = parameters.get("MemberArn") or parameters["ChannelModeratorArn"]
    types = {event[name].get("Type") for name in ("ResourceProperties", "OldResourceProperties")}
    # The type of a membership cannot be changed in one call.
    return event["PhysicalResourceId"] == f"{parameters['ChannelArn']}|{target}" and len(types) == 1


def _ends_flow(event: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    ends = event["PhysicalResourceId"] == f"{parameters['ChannelArn']}|{parameters['ChannelFlowArn']}"
    return ends and _is_moved(event, "ChannelArn")


def _demotes(event: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    return bool(event["PhysicalResourceId"] == parameters["AppInstanceAdminArn"])


def _switches_off(event: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    is_off = not parameters["AppInstanceRetentionSettings"]["ChannelRetentionSettings"]
    return is_off and event["PhysicalResourceId"].startswith(f"{parameters['AppInstanceArn']}|")


def _ends_streams(event: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    is_dropped = set(event["OldResourceProperties"]["StreamArns"]) - set(event["ResourceProperties"]["StreamArns"])
    ends = event["PhysicalResourceId"].startswith(f"{parameters['AppInstanceArn']}|")
    return ends and (_is_moved(event, "AppInstanceArn") or not is_dropped)


def _is_moved(event: Mapping[str, Any], name: str) -> bool:
    return bool(event["ResourceProperties"][name] != event["OldResourceProperties"][name])


_ENDS = {
    "DeleteChannelMembership": _detaches,
    "DeleteChannelModerator": _detaches,
    "DeleteChannelBan": _detaches,
    "DisassociateChannelFlow": _ends_flow,
    "DeleteAppInstanceAdmin": _demotes,
    "PutAppInstanceRetentionSettings": _switches_off,
    "DeleteMessagingStreamingConfigurations": _ends_streams,
}
"""The calls that end what other resources than channels hold."""
