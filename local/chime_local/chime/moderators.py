"""Moderators of channels."""

from __future__ import annotations

from chime_local.chime.backend import Backend, Parameters, Response, check_quota, paginate
from chime_local.chime.channels import Channels
from chime_local.chime.errors import ChimeError

_MAX_MODERATORS = 1_000


class Moderators:
    """The operations on moderators."""

    def __init__(self, backend: Backend, channels: Channels) -> None:
        self._backend, self._channels = backend, channels

    def create_channel_moderator(self, parameters: Parameters) -> Response:
        """Make a moderator, which moderators who are members may; on an elastic channel this drops memberships."""
        channel = self._backend.require_channel(parameters, "moderating member")
        arn = parameters["ChannelModeratorArn"]
        if arn not in self._backend.get_app_instance(channel.arn).identities:
            raise ChimeError("BadRequest", f"{arn} is not there")
        if arn in channel.moderators:
            raise ChimeError("Conflict", f"{arn} is a moderator already")
        check_quota(len(channel.moderators), _MAX_MODERATORS, "moderators per channel")
        channel.moderators[arn] = None
        if channel.elastic:
            channel.members.pop(arn, None)
        elif self._backend.behaviors.moderator_is_member == "yes":
            channel.members.setdefault(arn, "DEFAULT")
        return {"ChannelArn": channel.arn, "ChannelModerator": self._backend.identity(arn)}

    def delete_channel_moderator(self, parameters: Parameters) -> Response:
        """Remove a moderator; on an elastic channel this drops their memberships."""
        channel = self._backend.require_channel(parameters, "moderator")
        arn = parameters["ChannelModeratorArn"]
        if arn not in channel.moderators:
            raise self._backend.not_found_error("moderator", arn)
        del channel.moderators[arn]
        if channel.elastic:
            channel.members.pop(arn, None)
        return {}

    def describe_channel_moderator(self, parameters: Parameters) -> Response:
        """Describe one moderator, which members may not."""
        channel = self._backend.require_channel(parameters, "moderator", read=True)
        arn = parameters["ChannelModeratorArn"]
        if arn not in channel.moderators:
            raise self._backend.not_found_error("moderator", arn)
        return {"ChannelModerator": {"Moderator": self._backend.identity(arn), "ChannelArn": channel.arn}}

    def list_channel_moderators(self, parameters: Parameters) -> Response:
        """List moderators, which members may not."""
        channel = self._backend.require_channel(parameters, "moderator", read=True)
        shown = [{"Moderator": self._backend.identity(arn)} for arn in channel.moderators]
        return {"ChannelArn": channel.arn, **paginate(shown, parameters, "ChannelModerators")}

    def describe_channel_moderated_by_app_instance_user(self, parameters: Parameters) -> Response:
        """Describe a channel that a user moderates."""
        channel = self._backend.require_channel(parameters, read=True)
        if parameters["AppInstanceUserArn"] not in channel.moderators:
            raise self._backend.not_found_error("moderator", parameters["AppInstanceUserArn"])
        return {"Channel": {"ChannelSummary": self._channels.describe(channel)}}
