"""A channel that the stack does not own."""

from __future__ import annotations

import hashlib
import json

from aws_cdk import Resource, Stack
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct, IConstruct

from cdk_chime_messaging._arns import get_app_instance_arn, get_channel_id
from cdk_chime_messaging._attachments import (
    ChannelBan,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelModerator,
)
from cdk_chime_messaging._channel_base import ChannelBase
from cdk_chime_messaging._errors import ChannelError, raise_errors
from cdk_chime_messaging._policy_arn import to_policy_arn
from cdk_chime_messaging._refs import ChannelFlowLike, ChannelLike, IdentityLike, to_channel_arn, to_identity_arn
from cdk_chime_messaging._tokens import canonicalize
from cdk_chime_messaging._types import ChannelMembershipType
from cdk_chime_messaging._validation import validate_channel_arn


class ImportedChannel(Resource, ChannelBase):
    """A channel known by its ARN; what is added to it becomes a resource of its own."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        channel: ChannelLike,
        chime_bearer: IdentityLike | None,
    ) -> None:
        super().__init__(scope, id)
        self._arn = to_channel_arn(channel)
        self._bearer = chime_bearer
        raise_errors(self.node.path, validate_channel_arn("channel_arn", self._arn))

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""
        return self._arn

    def _to_policy_arn(self, scope: IConstruct) -> str:
        """Return what a policy may name for this channel, which a token may stand for."""
        return to_policy_arn(scope, "channel", self._arn)

    @property
    def channel_ref(self) -> refs.ChannelReference:
        """What CDK knows the channel by; an unknown bearer is empty."""
        bearer = to_identity_arn(self._bearer) if self._bearer is not None else ""
        return refs.ChannelReference(channel_arn=self._arn, chime_bearer=bearer)

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""
        return get_channel_id(self._arn)

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""
        return get_app_instance_arn(self._arn)

    def add_member(
        self, user: IdentityLike, *, type: ChannelMembershipType = ChannelMembershipType.DEFAULT
    ) -> None:
        """Make a user or bot a member, by a resource of its own; a HIDDEN one reads messages only.

        Args:
            user: The user or bot.
            type: DEFAULT receives, reads and sends; HIDDEN reads messages, sees no other members, and does not
                exist in an elastic channel. Default: DEFAULT.

        Raises:
            ChannelError: chime_bearer is missing, it is no user or bot of the channel's app instance, or it is
                declared as a member of this channel already.
        """
        bearer = self._require_bearer()
        id_ = self._new_id("Member", user, "is already declared as a member of this channel")
        ChannelMembership(self, id_, channel=self, chime_bearer=bearer, user=user, type=type)

    def add_moderator(self, user: IdentityLike) -> None:
        """Make a user or bot a moderator, by a resource of its own; that does not make it a member.

        Args:
            user: The user or bot.

        Raises:
            ChannelError: chime_bearer is missing, it is no user or bot of the channel's app instance, or it is
                declared as a moderator of this channel already.
        """
        bearer = self._require_bearer()
        id_ = self._new_id("Moderator", user, "is already declared as a moderator of this channel")
        ChannelModerator(self, id_, channel=self, chime_bearer=bearer, user=user)

    def add_ban(self, user: IdentityLike) -> None:
        """Ban a user, by a resource of its own; an admin or a moderator of the channel cannot be banned.

        CloudFormation deletes what is gone after it has created what is new: to make a banned user a member again,
        take the ban away in a deploy before.

        Args:
            user: The user; no bot.

        Raises:
            ChannelError: chime_bearer is missing, it is a bot or no user of the channel's app instance, or it is
                declared as banned from this channel already.
        """
        bearer = self._require_bearer()
        id_ = self._new_id("Ban", user, "is already declared as banned from this channel")
        ChannelBan(self, id_, channel=self, chime_bearer=bearer, user=user)

    def associate_flow(self, flow: ChannelFlowLike) -> None:
        """Let a channel flow process the channel's messages, by a resource of its own; it is swapped in place.

        Args:
            flow: The channel flow: its ARN, a ChannelFlow, CDK's L1, or what refers to one.

        Raises:
            ChannelError: chime_bearer is missing, or a flow is associated already.
        """
        bearer = self._require_bearer()
        if self.node.try_find_child("Flow"):
            raise ChannelError(self.node.path, ["a channel has one flow at a time, and has one already"])
        ChannelFlowAssociation(self, "Flow", channel=self, chime_bearer=bearer, flow=flow)

    def _require_bearer(self) -> IdentityLike:
        if self._bearer is None:
            message = "to add anything to an imported channel, give chime_bearer to from_channel_arn"
            raise ChannelError(self.node.path, [message])
        return self._bearer

    def _new_id(self, kind: str, user: IdentityLike, repeated: str) -> str:
        """Return the id of the construct that attaches a user to the channel; refuse a second one."""
        arn, resolve = to_identity_arn(user), Stack.of(self).resolve
        text = json.dumps(resolve(arn), sort_keys=True)
        id_ = f"{kind}{hashlib.sha256(text.encode()).hexdigest()[:10]}"
        if self.node.try_find_child(id_):
            raise ChannelError(self.node.path, [f"user {canonicalize(arn, resolve)!r} {repeated}"])
        return id_
