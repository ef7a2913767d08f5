"""Members, moderators, bans and the flow of a channel that the stack does not own: a resource each."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnResource, Resource
from constructs import Construct

from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._arns import (
    ChannelLike,
    IdentityLike,
    app_instance_of_channel,
    channel_arn,
    identity_arn,
    is_bot,
)
from cdk_chime_messaging._base import ChannelFlowLike, flow_arn
from cdk_chime_messaging._duplicates import declare_once
from cdk_chime_messaging._provider import SERVICE_TIMEOUT, ChannelProvider
from cdk_chime_messaging._types import ChannelMembershipType


class _Attachment(Resource):
    """One thing attached to a channel."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        kind: str,
        channel: ChannelLike,
        bearer: IdentityLike,
        properties: dict[str, Any],
        provider: ChannelProvider | None,
    ) -> None:
        super().__init__(scope, id)
        bearer_arn, arn = identity_arn(bearer), channel_arn(channel)
        app_instance_arn = getattr(channel, "app_instance_arn", None) or app_instance_of_channel(arn)
        problems = [
            *rules.channel_problems("channel", arn),
            *rules.identity_problems("chime_bearer", bearer_arn, app_instance_arn),
        ]
        if "MemberArn" in properties:
            problems += rules.identity_problems("user", properties["MemberArn"], app_instance_arn)
        if problems:
            raise rules.ChannelError(self.node.path, problems)
        user = [properties["MemberArn"]] if "MemberArn" in properties else []
        declare_once(self, f"the {kind.removeprefix('Chime')} of", *user, arn)
        provider = provider or ChannelProvider.of(self)
        self._resource = CfnResource(
            self,
            "Resource",
            type=f"Custom::{kind}",
            properties={
                "ServiceToken": provider.service_token,
                "ServiceTimeout": SERVICE_TIMEOUT,
                "ChannelArn": arn,
                "ChimeBearer": bearer_arn,
                **properties,
            },
        )
        provider.allow_attachments(self._resource, kind, arn, bearer_arn, app_instance_arn)


class ChannelMembership(_Attachment):
    """A member of a channel that the stack does not own; `channel.add_member(...)` makes one.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        channel: The channel: its ARN, a Channel, a CfnChannel, or what refers to one.
        chime_bearer: The user or bot in whose name this is done: admin, or moderator of the channel.
        user: The user or bot who is to be member.
        type: DEFAULT receives, reads and sends; HIDDEN reads messages only. Default: DEFAULT.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        channel: ChannelLike,
        chime_bearer: IdentityLike,
        user: IdentityLike,
        type: ChannelMembershipType = ChannelMembershipType.DEFAULT,  # noqa: A002 - the API's own name
        provider: ChannelProvider | None = None,
    ) -> None:
        properties = {"MemberArn": identity_arn(user), "Type": type.value}
        super().__init__(
            scope,
            id,
            kind="ChimeChannelMembership",
            channel=channel,
            bearer=chime_bearer,
            properties=properties,
            provider=provider,
        )


class _UserAttachment(_Attachment):
    """A user with some part in a channel."""

    _kind: str

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        channel: ChannelLike,
        chime_bearer: IdentityLike,
        user: IdentityLike,
        provider: ChannelProvider | None = None,
    ) -> None:
        if self._kind == "ChimeChannelBan" and is_bot(user):
            told = f"{identity_arn(user)!r} is a bot, but only users can be banned"
            raise rules.ChannelError(f"{scope.node.path}/{id}", [told])
        super().__init__(
            scope,
            id,
            kind=self._kind,
            channel=channel,
            bearer=chime_bearer,
            properties={"MemberArn": identity_arn(user)},
            provider=provider,
        )


class ChannelModerator(_UserAttachment):
    """A moderator of a channel that the stack does not own; `channel.add_moderator(...)` makes one.

    That does not make the user a member: a `ChannelMembership` does, and lets it send.

    Args: as those of `ChannelMembership`, without `type`. Raises: as `ChannelMembership`.
    """

    _kind = "ChimeChannelModerator"


class ChannelBan(_UserAttachment):
    """A ban from a channel that the stack does not own; `channel.ban(...)` makes one.

    Bots cannot be banned, nor admins, nor moderators of the channel.

    Args: as those of `ChannelMembership`, without `type`. Raises: as `ChannelMembership`.
    """

    _kind = "ChimeChannelBan"


class ChannelFlowAssociation(_Attachment):
    """The flow of a channel that the stack does not own; `channel.associate_flow(...)` makes one.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        channel: The channel: its ARN, a Channel, a CfnChannel, or what refers to one.
        chime_bearer: The user or bot in whose name this is done: admin, or moderator of the channel.
        flow: The channel flow.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        channel: ChannelLike,
        chime_bearer: IdentityLike,
        flow: ChannelFlowLike,
        provider: ChannelProvider | None = None,
    ) -> None:
        properties = {"ChannelFlowArn": flow_arn(flow)}
        super().__init__(
            scope,
            id,
            kind="ChimeChannelFlowAssociation",
            channel=channel,
            bearer=chime_bearer,
            properties=properties,
            provider=provider,
        )
