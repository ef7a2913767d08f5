"""A channel that the stack does not own."""

from __future__ import annotations

import hashlib
import json

from aws_cdk import Fn, Resource, Stack
from constructs import Construct

from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._arns import IdentityLike, identity_arn
from cdk_chime_messaging._attachments import (
    ChannelBan,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelModerator,
)
from cdk_chime_messaging._base import ChannelFlowLike, Grants
from cdk_chime_messaging._types import ChannelMembershipType


class ImportedChannel(Resource, Grants):
    """A channel known by its ARN; what is added to it becomes a resource of its own."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        channel_arn: str,
        chime_bearer: IdentityLike | None,
    ) -> None:
        super().__init__(scope, id)
        if not rules.unknown(channel_arn) and rules.channel_id_of(channel_arn) is None:
            told = f"channel_arn must be the ARN of a channel (…:app-instance/ID/channel/ID), got {channel_arn!r}"
            raise rules.ChannelError(self.node.path, [told])
        self._arn = channel_arn
        self._bearer = chime_bearer

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""
        return self._arn

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""
        return rules.channel_id_of(self._arn) or self._part(3)

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""
        # arn:aws:chime:REGION:ACCOUNT:app-instance/ID/channel/ID
        return rules.app_instance_of(self._arn) or Fn.join("/", [self._part(0), self._part(1)])

    def _part(self, index: int) -> str:
        return Fn.select(index, Fn.split("/", self._arn))

    def add_member(
        self,
        user: IdentityLike,
        *,
        type: ChannelMembershipType = ChannelMembershipType.DEFAULT,  # noqa: A002 - the API's own name
    ) -> None:
        """Make a user or bot a member, by a resource of its own."""
        bearer = self._needed_bearer()
        name = self._name("Member", identity_arn(user))
        ChannelMembership(self, name, channel=self, chime_bearer=bearer, user=user, type=type)

    def add_moderator(self, user: IdentityLike) -> None:
        """Make a user or bot a moderator, by a resource of its own."""
        bearer = self._needed_bearer()
        name = self._name("Moderator", identity_arn(user))
        ChannelModerator(self, name, channel=self, chime_bearer=bearer, user=user)

    def ban(self, user: IdentityLike) -> None:
        """Ban a user, by a resource of its own."""
        bearer = self._needed_bearer()
        ChannelBan(self, self._name("Ban", identity_arn(user)), channel=self, chime_bearer=bearer, user=user)

    def associate_flow(self, flow: ChannelFlowLike) -> None:
        """Let a channel flow process the channel's messages, by a resource of its own; it is swapped in place."""
        bearer = self._needed_bearer()
        if self.node.try_find_child("Flow"):
            raise rules.ChannelError(self.node.path, ["a channel has one flow at a time, and has one already"])
        ChannelFlowAssociation(self, "Flow", channel=self, chime_bearer=bearer, flow=flow)

    def _needed_bearer(self) -> IdentityLike:
        if self._bearer is None:
            told = "to add anything to an imported channel, give chime_bearer to from_channel_arn"
            raise rules.ChannelError(self.node.path, [told])
        return self._bearer

    def _name(self, kind: str, arn: str) -> str:
        told = json.dumps(Stack.of(self).resolve(arn), sort_keys=True)
        return f"{kind}{hashlib.sha256(told.encode()).hexdigest()[:10]}"
