"""Messages in channels."""

from __future__ import annotations

from typing import Any

from chime_local.chime.backend import Backend, Parameters, Response, check_metadata, paginate, to_datetime
from chime_local.chime.errors import ChimeError
from chime_local.chime.state import Channel


class Messages:
    """The operations on messages. Nothing is delivered, and flows are not invoked."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def send_channel_message(self, parameters: Parameters) -> Response:
        """Send a message, which DEFAULT members may, whatever the mode."""
        channel = self._backend.require_channel(parameters, "sender")
        check_metadata(parameters)
        now = self._backend.clock()
        message = {
            "MessageId": self._backend.new_id(),
            "Content": parameters["Content"],
            "Metadata": parameters.get("Metadata", ""),
            "Type": parameters["Type"],
            "CreatedTimestamp": to_datetime(now),
            "LastUpdatedTimestamp": to_datetime(now),
            "Sender": self._backend.identity(parameters["ChimeBearer"]),
            "Redacted": False,
        }
        channel.messages[message["MessageId"]] = message
        channel.last_message = now
        return {"ChannelArn": channel.arn, "MessageId": message["MessageId"], "Status": {"Value": "SENT"}}

    def list_channel_messages(self, parameters: Parameters) -> Response:
        """List messages, the latest first unless asked otherwise."""
        channel = self._backend.require_channel(parameters, read=True)
        shown = list(channel.messages.values())
        if parameters.get("SortOrder") != "ASCENDING":
            shown.reverse()
        return {"ChannelArn": channel.arn, **paginate(shown, parameters, "ChannelMessages")}

    def get_channel_message(self, parameters: Parameters) -> Response:
        """Return one message."""
        channel = self._backend.require_channel(parameters, read=True)
        message = channel.messages.get(parameters["MessageId"])
        if message is None:
            raise ChimeError("NotFound", "there is no such message")
        return {"ChannelMessage": {"ChannelArn": channel.arn, **message}}

    def update_channel_message(self, parameters: Parameters) -> Response:
        """Change a message, which only its sender may; that one redacted is a Conflict is unknown of AWS."""
        channel = self._backend.require_channel(parameters, "sender")
        message = self._message(channel, parameters)
        if message["Sender"]["Arn"] != parameters["ChimeBearer"]:
            raise ChimeError("Forbidden", "a message is changed by its sender only")
        if message["Redacted"]:
            raise ChimeError("Conflict", "the message is redacted")
        check_metadata(parameters)
        now = to_datetime(self._backend.clock())
        message |= {"LastEditedTimestamp": now, "LastUpdatedTimestamp": now}
        message |= {key: parameters[key] for key in ("Content", "Metadata", "ContentType") if key in parameters}
        return {"ChannelArn": channel.arn, "MessageId": message["MessageId"], "Status": {"Value": "SENT"}}

    def redact_channel_message(self, parameters: Parameters) -> Response:
        """Empty a message that stays: admins and moderators any, members their own."""
        channel = self._backend.require_channel(parameters, "member")
        message = self._message(channel, parameters)
        if message["Sender"]["Arn"] != parameters["ChimeBearer"]:
            self._backend.require_channel(parameters, "moderator")
        message |= {
            "Content": "",
            "Metadata": "",
            "Redacted": True,
            "LastUpdatedTimestamp": to_datetime(self._backend.clock()),
        }
        return {"ChannelArn": channel.arn, "MessageId": message["MessageId"]}

    def _message(self, channel: Channel, parameters: Parameters) -> dict[str, Any]:
        message = channel.messages.get(parameters["MessageId"])
        if message is None:
            raise self._backend.not_found_error("message", parameters["MessageId"])
        return message

    def delete_channel_message(self, parameters: Parameters) -> Response:
        """Delete a message, which only admins may."""
        channel = self._backend.require_channel(parameters, "admin")
        channel.messages.pop(parameters["MessageId"], None)
        return {}
