"""Which IAM actions an operation needs, on which resources (Service Authorization Reference)."""

from __future__ import annotations

from typing import Any

_TAGGING = ("TagResource", "UntagResource", "ListTagsForResource")
_STREAM = ("kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords")
_STREAMING_ROLE = "role/aws-service-role/messaging.chime.amazonaws.com/AWSServiceRoleForChimeSDKMessaging"
_WITH_CREATION = {
    "ExpirationSettings": "PutChannelExpirationSettings",
    "MemberArns": "CreateChannelMembership",
    "ModeratorArns": "CreateChannelModerator",
    "Tags": "TagResource",
}
# What a request names by the app instance that it is in. The reference names the type of the resource (D), or none
# for the two that create; policies in use on AWS allow those on `app-instance/ID/*` (O).
_INSIDE = {
    "CreateAppInstanceUser": ("user", "AppInstanceUserId"),
    "CreateAppInstanceBot": ("bot", ""),
    "ListAppInstanceUsers": ("user", ""),
    "ListAppInstanceBots": ("bot", ""),
    "ListChannelFlows": ("channel-flow", ""),
}


def required_actions(operation: str, params: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the actions of an operation, each with the resources on which it must be allowed."""
    action = f"chime:{operation}"
    bearer, app = _arn(params, "ChimeBearer"), _arn(params, "AppInstanceArn")
    if operation in _TAGGING:
        return ((action, (_arn(params, "ResourceARN"),)),)
    if operation == "CreateChannel":
        # The channel has no ARN before it is there, save where its id is given.
        channel = f"{app}/channel/{params.get('ChannelId') or '*'}"
        needed = [
            (f"chime:{other}", (channel,) if name == "Tags" else (bearer, channel))
            for name, other in _WITH_CREATION.items()
            if params.get(name)
        ]
        return ((action, (bearer,)), *needed)
    if bearer:
        others = (params.get("ChannelArn"), params.get("ChannelFlowArn"))
        return ((action, (bearer, *(str(arn) for arn in others if arn))),)
    if operation == "PutMessagingStreamingConfigurations":
        return _streaming(action, params)
    if operation in _INSIDE:
        kind, name = _INSIDE[operation]
        return ((action, (f"{app}/{kind}/{params.get(name) or '*'}",)),)
    names = (
        "AppInstanceArn",
        "AppInstanceAdminArn",
        "AppInstanceUserArn",
        "AppInstanceBotArn",
        "ChannelArn",
        "ChannelFlowArn",
    )
    return ((action, tuple(str(params[name]) for name in names if params.get(name)) or ("*",)),)


def _streaming(action: str, params: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the actions on the streams, too, and on the role that the service then uses."""
    app = _arn(params, "AppInstanceArn")
    listed = params.get("StreamingConfigurations")
    configurations = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    streams = tuple(sorted({_arn(one, "ResourceArn") for one in configurations}))
    role = f"arn:aws:iam::{''.join(app.split(':')[4:5])}:{_STREAMING_ROLE}"
    return (
        (action, (app,)),
        *((kinesis, streams) for kinesis in _STREAM),
        ("iam:CreateServiceLinkedRole", (role,)),
    )


def _arn(params: dict[str, Any], name: str) -> str:
    """Read a parameter that nothing has checked yet: a call is authorized before it is validated."""
    return str(params.get(name) or "")
