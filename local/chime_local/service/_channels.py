"""Channels: create, describe, update, delete, list, tags, expiration."""

from __future__ import annotations

from typing import Any

from chime_local.service._base import Answer, Base, Parameters
from chime_local.service._errors import ChimeError
from chime_local.service._state import AppInstance, Channel, Write

DELETED_ID_SECONDS = 300
"""How long a deleted channel's ChannelId is taken, where it is for a time; AWS says no figure."""


class Channels(Base):
    """The operations on channels themselves."""

    def create_channel(self, parameters: Parameters) -> Answer:
        """Create a channel, or give the one that the same token has made."""
        self.bearer(parameters)
        app = self.app_instance(parameters["AppInstanceArn"])
        bearer = self.bearer(parameters, app)
        token = parameters["ClientRequestToken"]
        if token in app.tokens:
            replayed = self._replay(app, app.tokens[token])
            if replayed:
                return {"ChannelArn": replayed}
        self._check_creation(app, parameters)
        arn = f"{app.arn}/channel/{parameters.get('ChannelId') or self.uuid()}"
        if self.living(app, arn) or self._is_taken_after_deletion(app, arn):
            raise ChimeError("Conflict", "A channel with this ChannelId has already been created.")
        now = self.clock()
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
        self._first_persons(app, channel, bearer, parameters)
        app.channels[arn] = channel
        app.tokens[token] = arn
        if parameters.get("Tags"):
            self.put_tags(arn, parameters["Tags"])
        return {"ChannelArn": arn}

    def _omitted_settings(self) -> tuple[str, str]:
        """Return the Privacy and the Mode of a channel that is created without."""
        privacy, mode = self.world.omitted_settings.split("_")
        return privacy, mode

    def _is_taken_after_deletion(self, app: AppInstance, arn: str) -> bool:
        deleted = app.deleted_channels.get(arn)
        if deleted is None or self.world.deleted_channel_id == "reusable":
            return False
        return self.world.deleted_channel_id == "conflict" or self.clock() < deleted + DELETED_ID_SECONDS

    def _replay(self, app: AppInstance, arn: str) -> str | None:
        if self.living(app, arn):
            if self.world.token_alive == "same":
                return arn
            raise ChimeError("Conflict", "Resource creation in progress or has already been created.")
        if self.world.token_after_delete == "dead":
            return arn
        if self.world.token_after_delete == "conflict":
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
            if self.region != "us-east-1":
                raise ChimeError("BadRequest", "elastic channels exist in us-east-1 only")
            if any(channel.elastic for channel in self.all_living(app)):
                raise ChimeError("ResourceLimitExceeded", "an app instance has at most one elastic channel")

    def _first_persons(self, app: AppInstance, channel: Channel, bearer: str, parameters: Parameters) -> None:
        channel.moderators[bearer] = None
        if not channel.elastic:
            self.check_memberships_of(app, bearer)
            channel.members[bearer] = "DEFAULT"
        for name in ("MemberArns", "ModeratorArns"):
            for arn in parameters.get(name) or ():
                if arn not in app.identities:
                    if self.world.bad_member == "refused":
                        raise ChimeError("BadRequest", f"{name}: {arn} is not there")
                    continue
                if name == "ModeratorArns":
                    channel.moderators[arn] = None
                if not channel.elastic and (name == "MemberArns" or self.world.moderator_is_member == "yes"):
                    self.check_memberships_of(app, arn)
                    channel.members[arn] = "DEFAULT"

    def describe_channel(self, parameters: Parameters) -> Answer:
        """Describe a channel; its tags, members and moderators have calls of their own.

        Members and moderators may describe a private one: so AWS's sample app does (A), while AWS's role table
        leaves that to admins (U).
        """
        channel = self.channel_for(parameters, read=True)
        return {"Channel": self.shown(channel)}

    def shown(self, channel: Channel) -> dict[str, Any]:
        """Write a channel as DescribeChannel shows it, to which an update may be new."""
        name, mode, metadata = channel.name, channel.mode, channel.metadata
        if channel.update and self.is_missed(channel.update, self.world.update_misses):
            name, mode, metadata = channel.update.before
        known = {
            "Name": name,
            "ChannelArn": channel.arn,
            "Mode": mode,
            "Privacy": channel.privacy,
            "Metadata": metadata or None,
            "CreatedBy": {"Arn": channel.created_by, "Name": self.name_of(channel.created_by)},
            "CreatedTimestamp": self.time(channel.created),
            "LastMessageTimestamp": self.time(channel.last_message),
            "LastUpdatedTimestamp": self.time(channel.updated),
            "ChannelFlowArn": channel.flow,
            "ElasticChannelConfiguration": channel.elastic,
            "ExpirationSettings": channel.expiration,
        }
        return {key: value for key, value in known.items() if value is not None}

    def name_of(self, arn: str) -> str:
        """Give a user's or bot's name."""
        app = self.app_instances.get(arn.rpartition("/")[0].rpartition("/")[0])
        return str(app.identities.get(arn, {}).get("Name", "")) if app else ""

    def update_channel(self, parameters: Parameters) -> Answer:
        """Change name, mode and metadata; whether left-out ones stay is unknown of AWS."""
        channel = self.channel_for(parameters, "moderator")
        check_metadata(parameters)
        if channel.elastic and parameters.get("Mode") == "UNRESTRICTED":
            raise ChimeError("BadRequest", "an elastic channel must be RESTRICTED")
        cleared = self.world.update_omitted == "cleared"
        channel.update = Write(self.clock(), (channel.name, channel.mode, channel.metadata))
        mode = self._omitted_settings()[1] if cleared and not channel.elastic else channel.mode
        channel.name = parameters.get("Name", channel.name)
        channel.mode = parameters.get("Mode") or mode
        channel.metadata = parameters.get("Metadata", "" if cleared else channel.metadata)
        channel.updated = self.clock()
        return {"ChannelArn": channel.arn}

    def delete_channel(self, parameters: Parameters) -> Answer:
        """Delete a channel at once and for good."""
        channel = self.channel_for(parameters, "moderator")
        self.remove_channel(self.app_instance(channel.arn), channel.arn)
        return {}

    def list_channels(self, parameters: Parameters) -> Answer:
        """List channels; without Privacy all of them for an admin, the public ones for others."""
        self.bearer(parameters)
        app = self.app_instance(parameters["AppInstanceArn"])
        bearer = self.bearer(parameters, app)
        is_admin = self.is_admin(app, bearer)
        privacy = parameters.get("Privacy") or ("" if is_admin else "PUBLIC")
        if privacy == "PRIVATE" and not is_admin:
            raise ChimeError("Forbidden", "Only an AppInstanceAdmin may list private channels.")
        listed = [channel for channel in self.all_living(app) if privacy in ("", channel.privacy)]
        shown = [summary(self.shown(channel)) for channel in listed]
        return self.page(shown, parameters, "Channels")

    def put_channel_expiration_settings(self, parameters: Parameters) -> Answer:
        """Set when the channel is deleted by itself; without settings, never."""
        channel = self.channel_for(parameters, "moderator")
        channel.expiration = parameters.get("ExpirationSettings")
        shown = {"ExpirationSettings": channel.expiration} if channel.expiration else {}
        return {"ChannelArn": channel.arn, **shown}

    def tag_resource(self, parameters: Parameters) -> Answer:
        """Add tags to whatever the ARN names."""
        self.put_tags(self._tagged(parameters["ResourceARN"]), parameters["Tags"])
        return {}

    def untag_resource(self, parameters: Parameters) -> Answer:
        """Take tags away."""
        arn = self._tagged(parameters["ResourceARN"])
        gone = parameters["TagKeys"]
        self.write_tags(arn, {key: value for key, value in self.tags.get(arn, {}).items() if key not in gone})
        return {}

    def list_tags_for_resource(self, parameters: Parameters) -> Answer:
        """List tags; what a channel that is not there answers is unknown of AWS."""
        arn = parameters["ResourceARN"]
        try:
            self._tagged(arn)
        except ChimeError:
            if "/channel/" not in arn or self.world.missing_tags == "refused":
                raise
            if self.world.missing_tags == "BadRequest":
                raise ChimeError("BadRequest", f"{arn} is not there or cannot have tags.") from None
        tags, write = self.tags.get(arn, {}), self.tag_writes.get(arn)
        if write and self.is_missed(write, self.world.tag_misses):
            tags = write.before
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tagged(self, arn: str) -> str:
        app = self.app_instance(arn)
        if arn != app.arn and not (self.living(app, arn) or arn in app.identities or arn in app.flows):
            raise self.missing("resource", arn)
        return arn


def check_metadata(parameters: Parameters) -> None:
    """Refuse metadata of more than 1 KB as UTF-8."""
    if len((parameters.get("Metadata") or "").encode("utf-8", "surrogatepass")) > 1024:
        raise ChimeError("BadRequest", "Metadata must have at most 1024 bytes as UTF-8")


def summary(shown: dict[str, Any]) -> dict[str, Any]:
    """Cut a channel down to what lists show."""
    keys = ("Name", "ChannelArn", "Mode", "Privacy", "Metadata", "LastMessageTimestamp")
    return {key: shown[key] for key in keys if key in shown}
