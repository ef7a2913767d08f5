"""What the provider's Lambda may do for each custom resource: actions, resources, and why. No resource is `*`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from cdk_chime_messaging._arns import get_app_instance_arn
from cdk_chime_messaging._dependencies import Requirement
from cdk_chime_messaging._policy_arn import to_policy_arn

# AWS judges these on the bearer and on the channel, both (Service Authorization Reference, Amazon Chime).
_BEARER_AND_CHANNEL = (
    "chime:CreateChannel",
    "chime:DescribeChannel",  # what differs; may the new bearer see it; is it gone
    "chime:UpdateChannel",
    "chime:DeleteChannel",  # also in the rollback of a replacement that failed
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
_PROOF = ("chime:ListChannels",)  # proves that a bearer is AppInstanceAdmin, and so that a channel is gone
_CHANNEL = ("chime:TagResource", "chime:UntagResource", "chime:ListTagsForResource")  # carry no bearer
_ADMIN = (
    "chime:CreateAppInstanceAdmin",
    "chime:DeleteAppInstanceAdmin",
    "chime:DescribeAppInstanceAdmin",  # was the right there before; is it gone
)
_ADMIN_TAGS = ("chime:TagResource", "chime:UntagResource", "chime:ListTagsForResource")
_RETENTION = ("chime:PutAppInstanceRetentionSettings", "chime:GetAppInstanceRetentionSettings")
_STREAMING = (
    "chime:PutMessagingStreamingConfigurations",
    "chime:GetMessagingStreamingConfigurations",  # is what is there still what this resource has set
    "chime:DeleteMessagingStreamingConfigurations",
)
# The caller needs permissions on the stream as well (developer guide, "Streaming messaging data"), which are not
# named there; these are those of the role that the service then uses.
_STREAM = ("kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords")


@dataclass(frozen=True)
class Access(ABC):
    """What one custom resource needs of the provider: IAM statements for its Lambda, and a place in the order.

    Equal accesses share one policy in a stack.
    """

    policy_name: ClassVar[str]
    """With what the policy's logical id begins, after `Chime`."""
    requires: ClassVar[tuple[Requirement, ...]] = ()
    """What of the `identity` must be there before the resource."""
    provides: ClassVar[Requirement | None] = None
    """What of the `identity` the resource creates."""

    @property
    def identity(self) -> str:
        """The user or bot that `requires` and `provides` are about."""
        return ""

    @property
    @abstractmethod
    def subjects(self) -> tuple[str, ...]:
        """What the policy's logical id derives from: another subject comes with another policy."""

    @abstractmethod
    def create_statements(self, scope: IConstruct) -> list[iam.PolicyStatement]:
        """Create the statements; what is known at deployment only is checked in the stack of `scope`."""


@dataclass(frozen=True)
class ChannelAccess(Access):
    """What the channels need that one bearer manages in one app instance."""

    policy_name = "Channels"
    requires = ("user", "right")
    app_instance_arn: str
    bearer_arn: str

    @property
    def identity(self) -> str:
        """The bearer."""
        return self.bearer_arn

    @property
    def subjects(self) -> tuple[str, ...]:
        """App instance and bearer."""
        return (self.app_instance_arn, self.bearer_arn)

    def create_statements(self, scope: IConstruct) -> list[iam.PolicyStatement]:
        """Create the statements."""
        app_instance = to_policy_arn(scope, "app instance", self.app_instance_arn)
        bearer = to_policy_arn(scope, "identity", self.bearer_arn)
        # A channel's ARN is not known before it is created.
        channels = f"{app_instance}/channel/*"
        return [
            _allow(_BEARER_AND_CHANNEL, bearer, channels),
            _allow(_FLOW, bearer, channels, f"{app_instance}/channel-flow/*"),
            _allow(_PROOF, bearer),
            _allow(_CHANNEL, channels),
        ]


@dataclass(frozen=True)
class AttachmentAccess(Access):
    """What one kind of attachment to one channel needs, by one bearer."""

    policy_name = "Attachments"
    requires = ("user", "right")
    kind: str
    channel_arn: str
    bearer_arn: str
    app_instance_arn: str

    @property
    def identity(self) -> str:
        """The bearer."""
        return self.bearer_arn

    @property
    def subjects(self) -> tuple[str, ...]:
        """Kind, channel and bearer."""
        return (self.kind, self.channel_arn, self.bearer_arn)

    def create_statements(self, scope: IConstruct) -> list[iam.PolicyStatement]:
        """Create the statements."""
        channel = to_policy_arn(scope, "channel", self.channel_arn)
        bearer = to_policy_arn(scope, "identity", self.bearer_arn)
        app_instance = self.app_instance_arn if channel == self.channel_arn else get_app_instance_arn(channel)
        actions = _ATTACHMENTS[self.kind]
        flows = (f"{app_instance}/channel-flow/*",) if actions is _FLOW else ()
        # Which flow is there; or whether the bearer is moderator, who may remove what is attached.
        describe = "chime:DescribeChannel" if flows else "chime:DescribeChannelModerator"
        return [
            _allow(actions, bearer, channel, *flows),
            _allow((describe,), bearer, channel),
            _allow(_PROOF, bearer),
        ]


@dataclass(frozen=True)
class AdminAccess(Access):
    """What one admin of one app instance needs to be made and removed."""

    policy_name = "Admins"
    requires = ("user",)
    provides = "right"
    app_instance_arn: str
    admin_arn: str

    @property
    def identity(self) -> str:
        """The user or bot."""
        return self.admin_arn

    @property
    def subjects(self) -> tuple[str, ...]:
        """App instance and admin."""
        return (self.app_instance_arn, self.admin_arn)

    def create_statements(self, scope: IConstruct) -> list[iam.PolicyStatement]:
        """Create the statements."""
        app_instance = to_policy_arn(scope, "app instance", self.app_instance_arn)
        admin = to_policy_arn(scope, "identity", self.admin_arn)
        return [
            _allow(_ADMIN, app_instance, admin),
            _allow(_ADMIN_TAGS, admin),  # which resources have given the right
        ]


@dataclass(frozen=True)
class RetentionAccess(Access):
    """What the retention of one app instance needs to be set and cleared."""

    policy_name = "Retention"
    app_instance_arn: str

    @property
    def subjects(self) -> tuple[str, ...]:
        """The app instance."""
        return (self.app_instance_arn,)

    def create_statements(self, scope: IConstruct) -> list[iam.PolicyStatement]:
        """Create the statement."""
        return [_allow(_RETENTION, to_policy_arn(scope, "app instance", self.app_instance_arn))]


@dataclass(frozen=True)
class StreamingAccess(Access):
    """What the streaming of one app instance's data to its streams needs."""

    policy_name = "Streaming"
    app_instance_arn: str
    stream_arns: tuple[str, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """App instance and streams."""
        return (self.app_instance_arn, *self.stream_arns)

    def create_statements(self, scope: IConstruct) -> list[iam.PolicyStatement]:
        """Create the statements."""
        app_instance = to_policy_arn(scope, "app instance", self.app_instance_arn)
        streams = [to_policy_arn(scope, "stream", arn) for arn in self.stream_arns]
        role = "role/aws-service-role/messaging.chime.amazonaws.com/AWSServiceRoleForChimeSDKMessaging"
        return [
            _allow(_STREAMING, app_instance),
            _allow(_STREAM, *streams),
            # The first stream of an account creates the service-linked role, in the caller's name.
            _allow(("iam:CreateServiceLinkedRole",), f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:{role}"),
        ]


def _allow(actions: tuple[str, ...], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
