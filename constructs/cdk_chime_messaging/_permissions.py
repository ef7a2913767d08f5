"""The IAM statements of the provider: what it calls, on what, and why. No resource is `*`."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

# AWS judges these on the bearer and on the channel, both (Service Authorization Reference, Amazon Chime).
_BEARER_AND_CHANNEL = (
    "chime:CreateChannel",
    "chime:DescribeChannel",  # what differs; may the new bearer see it; is it gone
    "chime:UpdateChannel",
    "chime:DeleteChannel",  # also of a replacement that failed
    "chime:PutChannelExpirationSettings",  # also with CreateChannel
    "chime:BatchCreateChannelMembership",
    "chime:DeleteChannelMembership",
    "chime:ListChannelMemberships",
    "chime:CreateChannelModerator",  # also with CreateChannel
    "chime:DeleteChannelModerator",
    "chime:ListChannelModerators",
    "chime:CreateChannelBan",
    "chime:DeleteChannelBan",
    "chime:ListChannelBans",
)
_FLOW = ("chime:AssociateChannelFlow", "chime:DisassociateChannelFlow")  # judged on the flow as well
_ATTACHMENTS = {
    "ChimeChannelMembership": (
        "chime:BatchCreateChannelMembership",
        "chime:DeleteChannelMembership",
        "chime:DescribeChannelMembership",  # of which type is the member now
    ),
    "ChimeChannelModerator": ("chime:CreateChannelModerator", "chime:DeleteChannelModerator"),
    "ChimeChannelBan": ("chime:CreateChannelBan", "chime:DeleteChannelBan"),
    "ChimeChannelFlowAssociation": _FLOW,
}
_BEARER = ("chime:ListChannels",)  # proves that a bearer is AppInstanceAdmin, and so that a channel is gone
_CHANNEL = ("chime:TagResource", "chime:UntagResource", "chime:ListTagsForResource")  # carry no bearer
_ADMIN = (
    "chime:CreateAppInstanceAdmin",
    "chime:DeleteAppInstanceAdmin",
    "chime:DescribeAppInstanceAdmin",  # was the right there before; is it gone
)
_ADMIN_MARK = ("chime:TagResource", "chime:UntagResource", "chime:ListTagsForResource")
_RETENTION = ("chime:PutAppInstanceRetentionSettings", "chime:GetAppInstanceRetentionSettings")
_STREAMING = (
    "chime:PutMessagingStreamingConfigurations",
    "chime:GetMessagingStreamingConfigurations",  # is what is there still what this resource has set
    "chime:DeleteMessagingStreamingConfigurations",
)
# The caller needs permissions on the stream as well (developer guide, "Streaming messaging data"), which are not
# named there; these are those of the role that the service then uses.
_STREAM = ("kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords")


def for_channels(app_instance_arn: str, bearer: str) -> list[iam.PolicyStatement]:
    """Allow what the life of channels needs, for one bearer in one app instance."""
    # A channel's ARN is not known before it is made.
    channels = f"{app_instance_arn}/channel/*"
    return [
        _allow(_BEARER_AND_CHANNEL, bearer, channels),
        _allow(_FLOW, bearer, channels, f"{app_instance_arn}/channel-flow/*"),
        _allow(_BEARER, bearer),
        _allow(_CHANNEL, channels),
    ]


def for_attachments(kind: str, channel_arn: str, bearer: str, app_instance_arn: str) -> list[iam.PolicyStatement]:
    """Allow attaching one kind of thing to one channel, by one bearer."""
    flows = (f"{app_instance_arn}/channel-flow/*",) if _ATTACHMENTS[kind] is _FLOW else ()
    # Which flow is there; or whether the bearer is moderator, who may remove what is attached.
    look = "chime:DescribeChannel" if flows else "chime:DescribeChannelModerator"
    return [
        _allow(_ATTACHMENTS[kind], bearer, channel_arn, *flows),
        _allow((look,), bearer, channel_arn),
        _allow(_BEARER, bearer),
    ]


def for_admins(app_instance_arn: str, admin_arn: str) -> list[iam.PolicyStatement]:
    """Allow making and unmaking one admin of one app instance."""
    return [
        _allow(_ADMIN, app_instance_arn, admin_arn),
        _allow(_ADMIN_MARK, admin_arn),  # which resources have given the right
    ]


def for_retention(app_instance_arn: str) -> list[iam.PolicyStatement]:
    """Allow setting and clearing the retention of one app instance."""
    return [_allow(_RETENTION, app_instance_arn)]


def for_streaming(app_instance_arn: str, stream_arns: list[str]) -> list[iam.PolicyStatement]:
    """Allow streaming the data of one app instance to given streams."""
    role = "role/aws-service-role/messaging.chime.amazonaws.com/AWSServiceRoleForChimeSDKMessaging"
    return [
        _allow(_STREAMING, app_instance_arn),
        _allow(_STREAM, *stream_arns),
        # The first stream of an account makes the service-linked role, in the caller's name.
        _allow(("iam:CreateServiceLinkedRole",), f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:{role}"),
    ]


def _allow(actions: tuple[str, ...], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
