"""Members, moderators, bans and the flow of a channel that the stack does not own: a resource each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from constructs import Construct

from cdk_chime_messaging._arns import get_app_instance_arn
from cdk_chime_messaging._custom_resource import ChimeCustomResource
from cdk_chime_messaging._permissions import AttachmentAccess
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._refs import (
    ChannelFlowLike,
    ChannelLike,
    IdentityLike,
    is_bot,
    to_channel_arn,
    to_channel_flow_arn,
    to_identity_arn,
)
from cdk_chime_messaging._types import ChannelMembershipType
from cdk_chime_messaging._validation import validate_channel_arn, validate_identity_arn


class _Attachment(ChimeCustomResource):
    """One thing attached to a channel, of a user or bot or of the channel itself."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        kind: str,
        channel: ChannelLike,
        chime_bearer: IdentityLike,
        provider: ChannelProvider | None,
        user: IdentityLike | None = None,
        properties: dict[str, Any] | None = None,
        errors: Iterable[str] = (),
    ) -> None:
        bearer, channel_arn = to_identity_arn(chime_bearer), to_channel_arn(channel)
        app_instance = getattr(channel, "app_instance_arn", None) or get_app_instance_arn(channel_arn)
        users = [] if user is None else [to_identity_arn(user)]
        super().__init__(
            scope,
            id,
            resource_type=f"Custom::{kind}",
            properties={
                "ChannelArn": channel_arn,
                "ChimeBearer": bearer,
                **({"MemberArn": users[0]} if users else {}),
                **(properties or {}),
            },
            errors=[
                *validate_channel_arn("channel", channel_arn),
                *validate_identity_arn("chime_bearer", bearer, app_instance),
                *(error for arn in users for error in validate_identity_arn("user", arn, app_instance)),
                *errors,
            ],
            declares=(f"the {kind.removeprefix('Chime')} of", *users, channel_arn),
            access=AttachmentAccess(kind, channel_arn, bearer, app_instance),
            provider=provider,
        )


class ChannelMembership(_Attachment):
    """A member of a channel that the stack does not own; `channel.add_member(...)` creates one.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        channel: The channel: its ARN, a Channel, a CfnChannel, or what refers to one. With another one the
            membership is replaced.
        chime_bearer: The user or bot in whose name this is done: admin, or moderator of the channel. It changes in
            place.
        user: The user or bot who is to be member. With another one the membership is replaced.
        type: DEFAULT receives, reads and sends; HIDDEN reads messages only. With another one the member leaves the
            channel and comes back. Default: DEFAULT.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        channel: ChannelLike,
        chime_bearer: IdentityLike,
        user: IdentityLike,
        type: ChannelMembershipType = ChannelMembershipType.DEFAULT,
        provider: ChannelProvider | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            kind="ChimeChannelMembership",
            channel=channel,
            chime_bearer=chime_bearer,
            user=user,
            properties={"Type": type.value},
            provider=provider,
        )


class ChannelModerator(_Attachment):
    """A moderator of a channel that the stack does not own; `channel.add_moderator(...)` creates one.

    That does not make the user a member: a `ChannelMembership` does, and lets it send.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        channel: The channel: its ARN, a Channel, a CfnChannel, or what refers to one. With another one the
            moderator is replaced.
        chime_bearer: The user or bot in whose name this is done: admin, or moderator of the channel. It changes in
            place.
        user: The user or bot who is to be moderator. With another one the moderator is replaced.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        channel: ChannelLike,
        chime_bearer: IdentityLike,
        user: IdentityLike,
        provider: ChannelProvider | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            kind="ChimeChannelModerator",
            channel=channel,
            chime_bearer=chime_bearer,
            user=user,
            provider=provider,
        )


class ChannelBan(_Attachment):
    """A ban from a channel that the stack does not own; `channel.add_ban(...)` creates one.

    Bots cannot be banned, nor admins, nor moderators of the channel.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        channel: The channel: its ARN, a Channel, a CfnChannel, or what refers to one. With another one the ban is
            replaced.
        chime_bearer: The user or bot in whose name this is done: admin, or moderator of the channel. It changes in
            place.
        user: The user who is to be banned. With another one the ban is replaced.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        channel: ChannelLike,
        chime_bearer: IdentityLike,
        user: IdentityLike,
        provider: ChannelProvider | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            kind="ChimeChannelBan",
            channel=channel,
            chime_bearer=chime_bearer,
            user=user,
            errors=validate_ban(user),
            provider=provider,
        )


def validate_ban(user: IdentityLike) -> list[str]:
    """Check who is to be banned."""
    return [f"{to_identity_arn(user)!r} is a bot, but only users can be banned"] if is_bot(user) else []


class ChannelFlowAssociation(_Attachment):
    """The flow of a channel that the stack does not own; `channel.associate_flow(...)` creates one.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        channel: The channel: its ARN, a Channel, a CfnChannel, or what refers to one. With another one the
            association is replaced.
        chime_bearer: The user or bot in whose name this is done: admin, or moderator of the channel. It changes in
            place.
        flow: The channel flow: its ARN, a ChannelFlow, CDK's L1, or what refers to one. Another one is swapped in:
            no message passes without a flow.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        channel: ChannelLike,
        chime_bearer: IdentityLike,
        flow: ChannelFlowLike,
        provider: ChannelProvider | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            kind="ChimeChannelFlowAssociation",
            channel=channel,
            chime_bearer=chime_bearer,
            properties={"ChannelFlowArn": to_channel_flow_arn(flow)},
            provider=provider,
        )
