"""A channel that the stack does not own."""

from __future__ import annotations

import hashlib
import json

from aws_cdk import Fn, Resource, Stack
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct, IConstruct

from cdk_chime_messaging import _references as references
from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._arns import ChannelLike, IdentityLike, app_instance_of_channel, identity_arn
from cdk_chime_messaging._arns import channel_arn as _channel_arn
from cdk_chime_messaging._attachments import (
    ChannelBan,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelModerator,
)
from cdk_chime_messaging._base import ChannelFlowLike, Grants
from cdk_chime_messaging._one_resource import one_resource
from cdk_chime_messaging._types import ChannelMembershipType


class ImportedChannel(Resource, Grants):
    """A channel known by its ARN; what is added to it becomes a resource of its own."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        channel: ChannelLike,
        chime_bearer: IdentityLike | None,
    ) -> None:
        super().__init__(scope, id)
        channel_arn = _channel_arn(channel)
        told = list(rules.channel_problems("channel_arn", channel_arn))
        if told:
            raise rules.ChannelError(self.node.path, told)
        self._arn = channel_arn
        self._bearer = chime_bearer

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""
        return self._arn

    def _arn_in_policy(self, where: IConstruct) -> str:
        """Return what a policy may name for this channel, which a token may stand for."""
        return one_resource(where, "channel", self._arn)

    @property
    def channel_ref(self) -> refs.ChannelReference:
        """What CDK knows the channel by; an unknown bearer is empty."""
        bearer = identity_arn(self._bearer) if self._bearer is not None else ""
        return refs.ChannelReference(channel_arn=self._arn, chime_bearer=bearer)

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""
        return rules.channel_id_of(self._arn) or Fn.select(3, Fn.split("/", self._arn))

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""
        return app_instance_of_channel(self._arn)

    def add_member(
        self,
        user: IdentityLike,
        *,
        type: ChannelMembershipType = ChannelMembershipType.DEFAULT,  # noqa: A002 - the API's own name
    ) -> None:
        """Make a user or bot a member, by a resource of its own; a HIDDEN one reads messages only.

        Raises:
            ChannelError: chime_bearer is missing, it is no user or bot of the channel's app instance, or it is
                declared as a member of this channel already.
        """
        bearer = self._needed_bearer()
        name = self._name("Member", identity_arn(user), "is already declared as a member of this channel")
        ChannelMembership(self, name, channel=self, chime_bearer=bearer, user=user, type=type)

    def add_moderator(self, user: IdentityLike) -> None:
        """Make a user or bot a moderator, by a resource of its own; that does not make it a member."""
        bearer = self._needed_bearer()
        name = self._name("Moderator", identity_arn(user), "is already declared as a moderator of this channel")
        ChannelModerator(self, name, channel=self, chime_bearer=bearer, user=user)

    def ban(self, user: IdentityLike) -> None:
        """Ban a user, by a resource of its own; an admin or a moderator of the channel cannot be banned.

        CloudFormation deletes what is gone after it has made what is new: to make a banned user a member again,
        take the ban away in a deploy before.
        """
        bearer = self._needed_bearer()
        name = self._name("Ban", identity_arn(user), "is already declared as banned from this channel")
        ChannelBan(self, name, channel=self, chime_bearer=bearer, user=user)

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

    def _name(self, kind: str, arn: str, repeated: str) -> str:
        """Return the id of the construct that attaches a user to the channel; refuse a second one."""
        resolve = Stack.of(self).resolve
        text = json.dumps(resolve(arn), sort_keys=True)
        name = f"{kind}{hashlib.sha256(text.encode()).hexdigest()[:10]}"
        if self.node.try_find_child(name):
            error = f"user {references.canonical(arn, resolve)!r} {repeated}"
            raise rules.ChannelError(self.node.path, [error])
        return name
