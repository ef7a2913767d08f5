"""What can be done with any channel, owned or not: its ARN, members, moderators, bans, flow, and grants."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from aws_cdk import aws_iam as iam
from constructs import IConstruct, Node
from typing_extensions import deprecated

from cdk_chime_messaging._errors import ChannelError, raise_errors
from cdk_chime_messaging._policy_arn import to_policy_arn
from cdk_chime_messaging._refs import ChannelFlowLike, IdentityLike, to_identity_arn
from cdk_chime_messaging._types import ChannelMembershipType
from cdk_chime_messaging._validation import validate_as_user

_READ_ACTIONS = (
    "chime:DescribeChannel",
    "chime:DescribeChannelMembership",
    "chime:GetChannelMembershipPreferences",
    "chime:GetChannelMessage",
    "chime:GetChannelMessageStatus",
    "chime:ListChannelMemberships",
    "chime:ListChannelMessages",
    "chime:UpdateChannelReadMarker",
)
_SEND_ACTIONS = ("chime:SendChannelMessage", "chime:UpdateChannelMessage", "chime:RedactChannelMessage")
# What moderators do; by AWS's table (developer guide, "Understanding authorization by role") members, too, remove
# members, and add them when UNRESTRICTED.
_MODERATE_ACTIONS = (
    "chime:BatchCreateChannelMembership",
    "chime:CreateChannelBan",
    "chime:CreateChannelMembership",
    "chime:DeleteChannelBan",
    "chime:DeleteChannelMembership",
    "chime:DescribeChannelBan",
    "chime:DescribeChannelModerator",
    "chime:ListChannelBans",
    "chime:ListChannelModerators",
)
_MANAGE_ACTIONS = (
    "chime:CreateChannelModerator",
    "chime:DeleteChannel",
    "chime:DeleteChannelMessage",  # admins only
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
        self, user: IdentityLike, *, type: ChannelMembershipType = ChannelMembershipType.DEFAULT
    ) -> None:
        """Make a user or bot a member; a HIDDEN one reads messages, sees no other members, and cannot send."""

    def add_moderator(self, user: IdentityLike) -> None:
        """Make a user or bot a moderator, which does not make it a member."""

    def add_ban(self, user: IdentityLike) -> None:
        """Ban a user: their membership ends, and they cannot come back."""

    @deprecated("ban() is deprecated: use add_ban()")
    def ban(self, user: IdentityLike) -> None:
        """Ban a user; deprecated, use `add_ban`."""

    def associate_flow(self, flow: ChannelFlowLike) -> None:
        """Let a channel flow process the channel's messages."""

    def grant(
        self,
        grantee: iam.IGrantable,
        *actions: str,
        as_user: IdentityLike,
        when_channel_tagged: Mapping[str, str] | None = None,
    ) -> iam.Grant:
        """Allow the `actions` on the channel in the name of a user."""

    def grant_read(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow reading the channel, its messages and members in the name of a user.

        Actions: DescribeChannel, DescribeChannelMembership, GetChannelMembershipPreferences, GetChannelMessage,
        GetChannelMessageStatus, ListChannelMemberships, ListChannelMessages, UpdateChannelReadMarker.
        """

    def grant_send(
        self,
        grantee: iam.IGrantable,
        *,
        as_user: IdentityLike,
        when_channel_tagged: Mapping[str, str] | None = None,
    ) -> iam.Grant:
        """Allow sending messages, and changing and redacting them, in the name of a user.

        Actions: SendChannelMessage, UpdateChannelMessage, RedactChannelMessage.
        """

    def grant_moderate(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow what a moderator may: managing members and bans, redacting messages, in the name of a user.

        Actions: those of `grant_read` and `grant_send`, and BatchCreateChannelMembership, CreateChannelBan,
        CreateChannelMembership, DeleteChannelBan, DeleteChannelMembership, DescribeChannelBan,
        DescribeChannelModerator, ListChannelBans, ListChannelModerators.
        """

    def grant_manage(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow settings, members, moderators, bans, messages and deletion in the name of an admin.

        Actions: those of `grant_moderate`, and CreateChannelModerator, DeleteChannel, DeleteChannelMessage,
        DeleteChannelModerator, PutChannelExpirationSettings, UpdateChannel.
        """


class ChannelBase(ABC):
    """The base of owned and imported channels: their grants."""

    @property
    @abstractmethod
    def node(self) -> Node:
        """The construct's place in the tree."""

    @property
    @abstractmethod
    def channel_arn(self) -> str:
        """The channel's ARN."""

    @property
    @abstractmethod
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""

    @abstractmethod
    def add_ban(self, user: IdentityLike) -> None:
        """Ban a user: their membership ends, and they cannot come back."""

    @deprecated("ban() is deprecated: use add_ban()")
    def ban(self, user: IdentityLike) -> None:
        """Ban a user; deprecated, use `add_ban`."""
        self.add_ban(user)

    def grant(
        self,
        grantee: iam.IGrantable,
        *actions: str,
        as_user: IdentityLike,
        when_channel_tagged: Mapping[str, str] | None = None,
    ) -> iam.Grant:
        """Allow actions on the channel in the name of a user.

        IAM judges calls on the bearer's ARN and on the channel's, both: the statement names both. That is the first
        of two gates; the second is the service's own, the bearer's role in the channel, which IAM cannot replace.

        Args:
            grantee: Who is allowed.
            actions: The actions, such as chime:SendChannelMessage.
            as_user: The user or bot whose ARN is the bearer of the calls. For roles of end users it may hold a
                policy variable: `f"{app_instance_arn}/user/${{aws:PrincipalTag/UserId}}"`. It is one identity:
                wildcards are refused.
            when_channel_tagged: Tags the channel must have, all of them, when the call is made. Without them the
                actions are denied (AWS's own example of read-only channels does it the other way round: it denies
                by a tag). Keys are compared case-insensitively, values exactly (IAM User Guide, aws:ResourceTag).
                A changed tag may take a while to count. Anyone allowed chime:TagResource on the channel can
                change the result. Default: no condition.

        Raises:
            ChannelError: `as_user` is not one user or bot of this app instance, or `when_channel_tagged` is empty.
        """
        scope = _find_construct(grantee) or self.node.scope or self.node.root
        bearer = _to_bearer_arn(scope, as_user, self.node.path, self.app_instance_arn)
        channel = self._to_policy_arn(scope)
        if when_channel_tagged is None:
            return iam.Grant.add_to_principal(
                grantee=grantee, actions=list(actions), resource_arns=[bearer, channel]
            )
        # aws:ResourceTag exists for the resource type channel (documented: Service Authorization Reference; AWS's
        # own example of read-only channels relies on it). It is judged on each resource of a call, and the bearer
        # does not have the channel's tags: in one statement for both, the condition would deny every call.
        if not when_channel_tagged:
            raise ChannelError(self.node.path, ["when_channel_tagged must name at least one tag"])
        tags = {f"aws:ResourceTag/{key}": value for key, value in when_channel_tagged.items()}
        on_bearer = iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[bearer])
        on_channel = iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(actions),
            resource_arns=[channel],
            conditions={"StringEquals": tags},
        )
        return on_bearer.combine(on_channel)

    def grant_read(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow reading the channel, its messages and members in the name of a user; see `grant`.

        Actions: DescribeChannel, DescribeChannelMembership, GetChannelMembershipPreferences, GetChannelMessage,
        GetChannelMessageStatus, ListChannelMemberships, ListChannelMessages, UpdateChannelReadMarker.

        The service's own roles: members read; a HIDDEN one sees no other members. Admins and moderators need no
        membership, and in a PUBLIC channel everyone reads the channel, its members and its messages. But
        GetChannelMembershipPreferences is for the member itself, GetChannelMessageStatus for the sender, and
        UpdateChannelReadMarker for members (not in elastic channels). By AWS's role table DescribeChannel of a
        PRIVATE channel is for admins only, while AWS's own sample application calls it in a member's name.
        """
        return self.grant(grantee, *_READ_ACTIONS, as_user=as_user)

    def grant_send(
        self,
        grantee: iam.IGrantable,
        *,
        as_user: IdentityLike,
        when_channel_tagged: Mapping[str, str] | None = None,
    ) -> iam.Grant:
        """Allow sending messages in the name of a user, and changing and redacting them; see `grant`.

        Actions: SendChannelMessage, UpdateChannelMessage, RedactChannelMessage. The service demands a DEFAULT
        membership for sending, of admins and moderators as well, and lets members change and redact their own
        messages only.

        Args:
            grantee: Who is allowed.
            as_user: The user or bot whose ARN is the bearer of the calls.
            when_channel_tagged: Tags the channel must have: `{"speaking": "open"}` makes a channel read-only while
                it is not tagged so; see `grant`. Default: no condition.
        """
        return self.grant(grantee, *_SEND_ACTIONS, as_user=as_user, when_channel_tagged=when_channel_tagged)

    def grant_moderate(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow what a moderator may, in the name of a user, who is moderator or admin; see `grant`.

        Actions: those of `grant_read` and `grant_send`, and BatchCreateChannelMembership, CreateChannelBan,
        CreateChannelMembership, DeleteChannelBan, DeleteChannelMembership, DescribeChannelBan,
        DescribeChannelModerator, ListChannelBans, ListChannelModerators. Moderators redact messages of others; only
        admins delete them (`grant_manage`). Sending needs a DEFAULT membership besides.
        """
        return self.grant(grantee, *_READ_ACTIONS, *_SEND_ACTIONS, *_MODERATE_ACTIONS, as_user=as_user)

    def grant_manage(self, grantee: iam.IGrantable, *, as_user: IdentityLike) -> iam.Grant:
        """Allow settings, members, moderators, bans, messages and deletion in the name of an admin; see `grant`.

        Flows and tags are not among them.

        Actions: those of `grant_moderate`, and CreateChannelModerator, DeleteChannel, DeleteChannelMessage,
        DeleteChannelModerator, PutChannelExpirationSettings, UpdateChannel. By AWS's role table a moderator of the
        channel may do these, too, but not DeleteChannelMessage, and needs a membership of its own for
        CreateChannelModerator; who may call PutChannelExpirationSettings is not documented.
        """
        actions = (*_READ_ACTIONS, *_SEND_ACTIONS, *_MODERATE_ACTIONS, *_MANAGE_ACTIONS)
        return self.grant(grantee, *actions, as_user=as_user)

    def _to_policy_arn(self, scope: IConstruct) -> str:
        """Return what a policy may name for this channel: a stack's own channel is one resource."""
        return self.channel_arn


def grant_session(grantee: iam.IGrantable, as_user: IdentityLike) -> iam.Grant:
    """Allow a user to connect to a messaging session, as an end user's role needs beside grants on channels.

    Actions: GetMessagingSessionEndpoint, on `*`, as it has no resource; Connect, on the user.

    Args:
        grantee: Who is allowed.
        as_user: The user who connects; may hold a policy variable such as ${aws:PrincipalTag/UserId}.

    Raises:
        ChannelError: `as_user` is not one user or bot, or it is a token and `grantee` is no construct.
    """
    bearer = _to_bearer_arn(_find_construct(grantee), as_user, "grant_session")
    endpoint = iam.Grant.add_to_principal(
        grantee=grantee,
        actions=["chime:GetMessagingSessionEndpoint"],
        resource_arns=["*"],  # AWS knows no resource for this action
    )
    connect = iam.Grant.add_to_principal(grantee=grantee, actions=["chime:Connect"], resource_arns=[bearer])
    return endpoint.combine(connect)


def _to_bearer_arn(scope: IConstruct | None, as_user: IdentityLike, path: str, app_instance_arn: str = "") -> str:
    """Return what a policy may name for the bearer of a grant."""
    bearer = to_identity_arn(as_user)
    raise_errors(path, validate_as_user(bearer, app_instance_arn))
    return to_policy_arn(scope, "bearer", bearer)


def _find_construct(grantee: iam.IGrantable) -> IConstruct | None:
    """Return a grantee as the construct that it is; what imports a role or the like is one, too."""
    construct: Any = grantee
    return construct if isinstance(getattr(construct, "node", None), Node) else None
