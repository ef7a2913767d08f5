"""Channels: create, describe, update, delete, list, expiration."""

from __future__ import annotations

from typing import Any

from chime_local.chime.backend import Backend, Parameters, Response, check_metadata, paginate, to_datetime
from chime_local.chime.errors import ChimeError
from chime_local.chime.state import AppInstance, Channel, Write

DELETED_ID_SECONDS = 300
"""How long a deleted channel's ChannelId is taken, where it is for a time; AWS says no figure."""


class Channels:
    """The operations on channels themselves."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create_channel(self, parameters: Parameters) -> Response:
        """Create a channel, or return the one that the same token has made."""
        self._backend.require_bearer(parameters)
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        bearer = self._backend.require_bearer(parameters, app)
        token = parameters["ClientRequestToken"]
        if token in app.tokens:
            replayed = self._replay(app, app.tokens[token])
            if replayed:
                return {"ChannelArn": replayed}
        self._check_creation(app, parameters)
        arn = f"{app.arn}/channel/{parameters.get('ChannelId') or self._backend.new_id()}"
        if self._backend.get_channel(app, arn) or self._is_taken_after_deletion(app, arn):
            raise ChimeError("Conflict", "A channel with this ChannelId has already been created.")
        now = self._backend.clock()
        privacy, mode = self._omitted_settings()
        channel = Channel(
            arn=arn,
            name=parameters["Name"],
            mode=parameters.get("Mode") or mode,
            privacy=parameters.get("Privacy") or privacy,
            metadata=parameters.get("Metadata") or "",
            token=token,
            created_by=bearer,
            created=now,
            updated=now,
            elastic=parameters.get("ElasticChannelConfiguration"),
            expiration=parameters.get("ExpirationSettings"),
        )
        self._add_first_members(app, channel, bearer, parameters)
        app.channels[arn] = channel
        app.tokens[token] = arn
        if parameters.get("Tags"):
            self._backend.add_tags(arn, parameters["Tags"])
        return {"ChannelArn": arn}

    def _omitted_settings(self) -> tuple[str, str]:
        """Return the Privacy and the Mode of a channel that is created without."""
        privacy, mode = self._backend.behaviors.omitted_settings.split("_")
        return privacy, mode

    def _is_taken_after_deletion(self, app: AppInstance, arn: str) -> bool:
        deleted = app.deleted_channels.get(arn)
        if deleted is None or self._backend.behaviors.deleted_channel_id == "reusable":
            return False
        return (
            self._backend.behaviors.deleted_channel_id == "conflict"
            or self._backend.clock() < deleted + DELETED_ID_SECONDS
        )

    def _replay(self, app: AppInstance, arn: str) -> str | None:
        if self._backend.get_channel(app, arn):
            if self._backend.behaviors.token_alive == "same":
                return arn
            raise ChimeError("Conflict", "Resource creation in progress or has already been created.")
        if self._backend.behaviors.token_after_delete == "dead":
            return arn
        if self._backend.behaviors.token_after_delete == "conflict":
            raise ChimeError("Conflict", "Resource creation in progress or has already been created.")
        return None

    def _check_creation(self, app: AppInstance, parameters: Parameters) -> None:
        check_metadata(parameters)
        elastic = parameters.get("ElasticChannelConfiguration")
        if elastic:
            if (parameters.get("Mode") or self._omitted_settings()[1]) != "RESTRICTED":
                raise ChimeError("BadRequest", "an elastic channel must be RESTRICTED")
            if parameters.get("MemberArns"):
                raise ChimeError("BadRequest", "an elastic channel takes no MemberArns")
            if self._backend.region != "us-east-1":
                raise ChimeError("BadRequest", "elastic channels exist in us-east-1 only")
            if any(channel.elastic for channel in self._backend.get_channels(app)):
                raise ChimeError("ResourceLimitExceeded", "an app instance has at most one elastic channel")

    def _add_first_members(self, app: AppInstance, channel: Channel, bearer: str, parameters: Parameters) -> None:
        behaviors = self._backend.behaviors
        channel.moderators[bearer] = None
        if not channel.elastic:
            self._backend.check_memberships_of(app, bearer)
            channel.members[bearer] = "DEFAULT"
        for name in ("MemberArns", "ModeratorArns"):
            for arn in parameters.get(name) or ():
                if arn not in app.identities:
                    if behaviors.bad_member == "refused":
                        raise ChimeError("BadRequest", f"{name}: {arn} is not there")
                    continue
                if name == "ModeratorArns":
                    channel.moderators[arn] = None
                if not channel.elastic and (
                    name == "MemberArns" or self._backend.behaviors.moderator_is_member == "yes"
                ):
                    self._backend.check_memberships_of(app, arn)
                    channel.members[arn] = "DEFAULT"

    def describe_channel(self, parameters: Parameters) -> Response:
        """Describe a channel; its tags, members and moderators have calls of their own.

        Members and moderators may describe a private one: so AWS's sample app does (A), while AWS's role table
        leaves that to admins (U).
        """
        channel = self._backend.require_channel(parameters, read=True)
        return {"Channel": self.describe(channel)}

    def describe(self, channel: Channel) -> dict[str, Any]:
        """Return a channel as DescribeChannel shows it, which an update may be too new for."""
        name, mode, metadata = channel.name, channel.mode, channel.metadata
        if channel.update and self._backend.is_missed(channel.update, self._backend.behaviors.update_misses):
            name, mode, metadata = channel.update.before
        known = {
            "Name": name,
            "ChannelArn": channel.arn,
            "Mode": mode,
            "Privacy": channel.privacy,
            "Metadata": metadata or None,
            "CreatedBy": self._backend.identity(channel.created_by),
            "CreatedTimestamp": to_datetime(channel.created),
            "LastMessageTimestamp": to_datetime(channel.last_message),
            "LastUpdatedTimestamp": to_datetime(channel.updated),
            "ChannelFlowArn": channel.flow,
            "ElasticChannelConfiguration": channel.elastic,
            "ExpirationSettings": channel.expiration,
        }
        return {key: value for key, value in known.items() if value is not None}

    def summarize(self, channel: Channel) -> dict[str, Any]:
        """Return a channel as lists show it: the API's shape ChannelSummary."""
        keys = ("Name", "ChannelArn", "Mode", "Privacy", "Metadata", "LastMessageTimestamp")
        described = self.describe(channel)
        return {key: described[key] for key in keys if key in described}

    def update_channel(self, parameters: Parameters) -> Response:
        """Change name, mode and metadata; whether left-out ones stay is unknown of AWS."""
        channel = self._backend.require_channel(parameters, "moderator")
        check_metadata(parameters)
        if channel.elastic and parameters.get("Mode") == "UNRESTRICTED":
            raise ChimeError("BadRequest", "an elastic channel must be RESTRICTED")
        cleared = self._backend.behaviors.update_omitted == "cleared"
        channel.update = Write(self._backend.clock(), (channel.name, channel.mode, channel.metadata))
        mode = self._omitted_settings()[1] if cleared and not channel.elastic else channel.mode
        channel.name = parameters.get("Name", channel.name)
        channel.mode = parameters.get("Mode") or mode
        channel.metadata = parameters.get("Metadata", "" if cleared else channel.metadata)
        channel.updated = self._backend.clock()
        return {"ChannelArn": channel.arn}

    def delete_channel(self, parameters: Parameters) -> Response:
        """Delete a channel at once and for good."""
        channel = self._backend.require_channel(parameters, "moderator")
        self._backend.remove_channel(self._backend.get_app_instance(channel.arn), channel.arn)
        return {}

    def list_channels(self, parameters: Parameters) -> Response:
        """List channels; without Privacy all of them for an admin, the public ones for others."""
        self._backend.require_bearer(parameters)
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        bearer = self._backend.require_bearer(parameters, app)
        is_admin = self._backend.is_admin(app, bearer)
        privacy = parameters.get("Privacy") or ("" if is_admin else "PUBLIC")
        if privacy == "PRIVATE" and not is_admin:
            raise ChimeError("Forbidden", "Only an AppInstanceAdmin may list private channels.")
        listed = [channel for channel in self._backend.get_channels(app) if privacy in ("", channel.privacy)]
        shown = [self.summarize(channel) for channel in listed]
        return paginate(shown, parameters, "Channels")

    def put_channel_expiration_settings(self, parameters: Parameters) -> Response:
        """Set when the channel is deleted by itself; without settings, never."""
        channel = self._backend.require_channel(parameters, "moderator")
        channel.expiration = parameters.get("ExpirationSettings")
        shown = {"ExpirationSettings": channel.expiration} if channel.expiration else {}
        return {"ChannelArn": channel.arn, **shown}
