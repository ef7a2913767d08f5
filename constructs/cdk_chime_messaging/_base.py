"""What can be done with any channel, owned or not: its ARN, its persons, its flow, grants."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol, TypeAlias, runtime_checkable

from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam
from aws_cdk.interfaces import aws_chime as refs

from cdk_chime_messaging._arns import IdentityLike, identity_arn
from cdk_chime_messaging._types import ChannelMembershipType

ChannelFlowLike: TypeAlias = "str | chime.CfnChannelFlow | refs.IChannelFlowRef"
"""A channel flow: its ARN, a ChannelFlow, CDK's L1, or anything that refers to one."""

READ = (
    "chime:DescribeChannel",
    "chime:DescribeChannelMembership",
    "chime:GetChannelMembershipPreferences",
    "chime:GetChannelMessage",
    "chime:GetChannelMessageStatus",
    "chime:ListChannelMemberships",
    "chime:ListChannelMessages",
    "chime:ListChannelModerators",
    "chime:UpdateChannelReadMarker",
)
SEND = ("chime:SendChannelMessage", "chime:UpdateChannelMessage", "chime:RedactChannelMessage")
MODERATE = (
    "chime:BatchCreateChannelMembership",
    "chime:CreateChannelBan",
    "chime:CreateChannelMembership",
    "chime:DeleteChannelBan",
    "chime:DeleteChannelMembership",
    "chime:DeleteChannelMessage",
    "chime:DescribeChannelBan",
    "chime:DescribeChannelModerator",
    "chime:ListChannelBans",
)
MANAGE = (
    "chime:CreateChannelModerator",
    "chime:DeleteChannel",
    "chime:DeleteChannelModerator",
    "chime:PutChannelExpirationSettings",
    "chime:UpdateChannel",
)


@runtime_checkable
class IChannel(Protocol):
    """A channel, whether this stack owns it or not."""

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""

    def add_member(
        self,
        user: IdentityLike,
        *,
        type: ChannelMembershipType = ChannelMembershipType.DEFAULT,  # noqa: A002
    ) -> None:
        """Make a user or bot a member."""

    def add_moderator(self, user: IdentityLike) -> None:
        """Make a user or bot a moderator."""

    def ban(self, user: IdentityLike) -> None:
        """Ban a user: their membership ends, and they cannot come back."""

    def associate_flow(self, flow: ChannelFlowLike) -> None:
        """Let a channel flow process the channel's messages."""

    def grant(self, grantee: iam.IGrantable, *actions: str, as_user: IdentityLike) -> iam.Grant:
        """Allow actions on the channel in the name of a user."""

    def grant_read(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow reading messages and members in the name of a user."""

    def grant_send(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow sending, changing and redacting messages in the name of a user."""

    def grant_moderate(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow managing members and bans and deleting messages in the name of a user."""

    def grant_manage(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow everything with the channel, its deletion included, in the name of a user."""


def flow_arn(flow: ChannelFlowLike) -> str:
    """Give the ARN of a channel flow."""
    return flow if isinstance(flow, str) else flow.channel_flow_ref.channel_flow_arn


class Grants(ABC):
    """What owned and imported channels have in common."""

    @property
    @abstractmethod
    def channel_arn(self) -> str:
        """The channel's ARN."""

    @property
    @abstractmethod
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""

    def grant(self, grantee: iam.IGrantable, *actions: str, as_user: IdentityLike) -> iam.Grant:
        """Allow actions on the channel in the name of a user.

        IAM judges calls on the bearer's ARN and on the channel's, both: the statement names both.

        Args:
            grantee: Who is allowed.
            actions: The actions, such as chime:SendChannelMessage.
            as_user: The user or bot whose ARN is the bearer of the calls. For roles of end users it may hold a
                policy variable: `f"{app_instance_arn}/user/${{aws:PrincipalTag/UserId}}"`.
        """
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(actions),
            resource_arns=[identity_arn(as_user), self.channel_arn],
        )

    def grant_read(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow reading messages and members in the name of a user; see `grant`."""
        return self.grant(grantee, *READ, as_user=as_user)

    def grant_send(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow sending, changing and redacting messages in the name of a user; see `grant`."""
        return self.grant(grantee, *SEND, as_user=as_user)

    def grant_moderate(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow managing members and bans and deleting messages in the name of a user; see `grant`."""
        return self.grant(grantee, *READ, *SEND, *MODERATE, as_user=as_user)

    def grant_manage(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow everything with the channel, its deletion included, in the name of a user; see `grant`."""
        return self.grant(grantee, *READ, *SEND, *MODERATE, *MANAGE, as_user=as_user)


def grant_session(grantee: iam.IGrantable, as_user: IdentityLike) -> iam.Grant:
    """Allow a user to connect to a messaging session, as an end user's role needs beside grants on channels.

    Args:
        grantee: Who is allowed.
        as_user: The user who connects; may hold a policy variable such as ${aws:PrincipalTag/UserId}.
    """
    endpoint = iam.Grant.add_to_principal(
        grantee=grantee,
        actions=["chime:GetMessagingSessionEndpoint"],
        resource_arns=["*"],  # AWS knows no resource for this action
    )
    connect = iam.Grant.add_to_principal(
        grantee=grantee, actions=["chime:Connect"], resource_arns=[identity_arn(as_user)]
    )
    return endpoint.combine(connect)
