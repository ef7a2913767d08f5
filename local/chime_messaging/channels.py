"""Channels of an app instance, as the service lists and describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chime_messaging import arns
from chime_messaging.aws import MESSAGING, Aws
from chime_messaging.errors import get_code

Item = Mapping[str, Any]


class ChannelReader:
    """Reads the channels of one app instance.

    Args:
        aws: The services.
        app_instance: The ARN of the app instance.
        bearer: The user or bot that reads them.
    """

    def __init__(self, aws: Aws, app_instance: str, bearer: str) -> None:
        self._aws = aws
        self._app_instance = app_instance
        self._bearer = bearer
        self._messaging = aws.client(MESSAGING, arns.get_region(app_instance))

    def list_arns(self) -> Iterator[str]:
        """Yield the ARNs of all channels, public and private; only an AppInstanceAdmin may list the latter."""
        for privacy in ("PUBLIC", "PRIVATE"):
            channels = self._aws.list_items(
                self._messaging.list_channels,
                "Channels",
                AppInstanceArn=self._app_instance,
                Privacy=privacy,
                ChimeBearer=self._bearer,
            )
            yield from (channel["ChannelArn"] for channel in channels)

    def describe(self, channel: str) -> dict[str, Any]:
        """Return a channel as DescribeChannel shows it."""
        response = self._aws.read(self._messaging.describe_channel, ChannelArn=channel, ChimeBearer=self._bearer)
        return dict(response["Channel"])

    def list_tags(self, channel: str) -> dict[str, str]:
        """Return the tags of a channel."""
        tags = self._aws.read(self._messaging.list_tags_for_resource, ResourceARN=channel).get("Tags") or ()
        return {tag["Key"]: tag["Value"] for tag in tags}

    def list_sub_channels(self, channel: str) -> Iterator[str]:
        """Yield the ids of the sub-channels of an elastic channel; the local engine has none."""
        try:
            for sub_channel in self._list("list_sub_channels", "SubChannels", channel):
                yield sub_channel["SubChannelId"]
        except ClientError as error:
            if not get_code(error).startswith("NotImplemented"):
                raise

    def list_members(self, channel: str, type: str, sub_channel: str | None = None) -> Iterator[str]:
        """Yield the ARNs of the DEFAULT or HIDDEN members of a channel."""
        items = self._list("list_channel_memberships", "ChannelMemberships", channel, sub_channel, Type=type)
        yield from (item["Member"]["Arn"] for item in items)

    def list_moderators(self, channel: str) -> Iterator[str]:
        """Yield the ARNs of the moderators of a channel."""
        for item in self._list("list_channel_moderators", "ChannelModerators", channel):
            yield item["Moderator"]["Arn"]

    def list_bans(self, channel: str) -> Iterator[str]:
        """Yield the ARNs of the users who are banned from a channel."""
        for item in self._list("list_channel_bans", "ChannelBans", channel):
            yield item["Member"]["Arn"]

    def list_messages(self, channel: str, sub_channel: str | None = None) -> Iterator[Item]:
        """Yield the messages of a channel, the oldest first."""
        yield from self._list(
            "list_channel_messages", "ChannelMessages", channel, sub_channel, SortOrder="ASCENDING"
        )

    def _list(
        self, operation: str, key: str, channel: str, sub_channel: str | None = None, **parameters: str
    ) -> Iterator[Any]:
        where = {"ChannelArn": channel, "ChimeBearer": self._bearer}
        if sub_channel:
            where["SubChannelId"] = sub_channel
        return self._aws.list_items(getattr(self._messaging, operation), key, **where, **parameters)
