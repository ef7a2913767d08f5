"""Bans from channels."""

from __future__ import annotations

from chime_local.chime.backend import Backend, Parameters, Response, paginate
from chime_local.chime.errors import ChimeError


class Bans:
    """The operations on bans."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create_channel_ban(self, parameters: Parameters) -> Response:
        """Ban someone, which ends their membership; the code for admins and moderators is unknown of AWS."""
        channel = self._backend.require_channel(parameters, "moderator")
        arn = parameters["MemberArn"]
        app = self._backend.get_app_instance(channel.arn)
        if arn not in app.identities:
            raise ChimeError("BadRequest", f"{arn} is not there")
        if arn in app.admins or arn in channel.moderators:
            raise ChimeError("BadRequest", f"{arn} is an admin or a moderator, who cannot be banned")
        if arn in channel.bans:
            raise ChimeError("Conflict", f"{arn} is banned already")
        channel.bans[arn] = None
        channel.members.pop(arn, None)
        return {"ChannelArn": channel.arn, "Member": self._backend.identity(arn)}

    def delete_channel_ban(self, parameters: Parameters) -> Response:
        """Lift a ban."""
        channel = self._backend.require_channel(parameters, "moderator")
        if parameters["MemberArn"] not in channel.bans:
            raise self._backend.not_found_error("ban of", parameters["MemberArn"])
        del channel.bans[parameters["MemberArn"]]
        return {}

    def describe_channel_ban(self, parameters: Parameters) -> Response:
        """Describe one ban."""
        channel = self._backend.require_channel(parameters, "moderator", read=True)
        if parameters["MemberArn"] not in channel.bans:
            raise self._backend.not_found_error("ban of", parameters["MemberArn"])
        shown = {"Member": self._backend.identity(parameters["MemberArn"]), "ChannelArn": channel.arn}
        return {"ChannelBan": shown}

    def list_channel_bans(self, parameters: Parameters) -> Response:
        """List bans."""
        channel = self._backend.require_channel(parameters, "moderator", read=True)
        shown = [{"Member": self._backend.identity(arn)} for arn in channel.bans]
        return {"ChannelArn": channel.arn, **paginate(shown, parameters, "ChannelBans")}
