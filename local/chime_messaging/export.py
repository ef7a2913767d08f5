"""Export: channels with members and messages, as NDJSON; one object at a time, whatever their number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from chime_messaging import arns
from chime_messaging.aws import IDENTITY, Aws
from chime_messaging.bearers import choose_bearer
from chime_messaging.channels import ChannelReader

_CHANNEL_FIELDS = (
    "ChannelArn",
    "Name",
    "Mode",
    "Privacy",
    "Metadata",
    "CreatedBy",
    "CreatedTimestamp",
    "ExpirationSettings",
    "ElasticChannelConfiguration",
    "ChannelFlowArn",
)
_MESSAGE_FIELDS = (
    "MessageId",
    "Content",
    "ContentType",
    "Type",
    "Metadata",
    "MessageAttributes",
    "Target",
    "CreatedTimestamp",
    "LastEditedTimestamp",
    "Redacted",
)
Record = Mapping[str, Any]


def to_line(record: Record) -> str:
    """Write an object as a line of NDJSON."""
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_to_json)
    try:
        line.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which a message may hold
        line = json.dumps(record, separators=(",", ":"), default=_to_json)
    return f"{line}\n"


def _to_json(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON: {value!r}")


def export(aws: Aws, arn: str, bearer: str | None, *, with_messages: bool = True) -> Iterator[Record]:
    """Yield a channel, or an app instance with its users and all channels, as objects of the export format.

    Args:
        aws: The services.
        arn: The channel or the app instance.
        bearer: Who reads the channels. Default: an AppInstanceAdmin.
        with_messages: Whether messages are exported, too.
    """
    app_instance = arns.get_app_instance_arn(arns.require_channel_or_app_instance(arn))
    reader = ChannelReader(aws, app_instance, choose_bearer(aws, app_instance, bearer))
    channels: Iterator[str] = iter([arn])
    if arn == app_instance:
        yield from _export_app_instance(aws, app_instance)
        channels = reader.list_arns()
    for channel in channels:
        yield from _export_channel(reader, channel, with_messages=with_messages)


def _export_app_instance(aws: Aws, arn: str) -> Iterator[Record]:
    identity = aws.client(IDENTITY, arns.get_region(arn))
    described = aws.read(identity.describe_app_instance, AppInstanceArn=arn)["AppInstance"]
    yield {"Kind": "AppInstance", **_pick(described, ("AppInstanceArn", "Name", "Metadata"))}
    for user in aws.list_items(identity.list_app_instance_users, "AppInstanceUsers", AppInstanceArn=arn):
        yield {"Kind": "AppInstanceUser", **_pick(user, ("AppInstanceUserArn", "Name", "Metadata"))}


def _export_channel(reader: ChannelReader, arn: str, *, with_messages: bool) -> Iterator[Record]:
    described = reader.describe(arn)
    tags = reader.list_tags(arn)
    yield {
        "Kind": "Channel",
        **_pick(described, _CHANNEL_FIELDS),
        **({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {}),
    }
    is_elastic = "ElasticChannelConfiguration" in described
    # The members and messages of an elastic channel are in its sub-channels.
    sub_channels: list[str | None] = [*reader.list_sub_channels(arn)] if is_elastic else []
    sub_channels = sub_channels or [None]
    yield from _export_people(reader, arn, sub_channels, has_hidden=not is_elastic)
    for sub_channel in sub_channels if with_messages else ():
        yield from _export_messages(reader, arn, sub_channel)


def _export_people(
    reader: ChannelReader, arn: str, sub_channels: Sequence[str | None], *, has_hidden: bool
) -> Iterator[Record]:
    for sub_channel in sub_channels:
        for type_ in ("DEFAULT", "HIDDEN") if has_hidden else ("DEFAULT",):
            for member in reader.list_members(arn, type_, sub_channel):
                where = _locate(arn, sub_channel)
                yield {"Kind": "ChannelMembership", **where, "MemberArn": member, "Type": type_}
    for moderator in reader.list_moderators(arn):
        yield {"Kind": "ChannelModerator", "ChannelArn": arn, "ChannelModeratorArn": moderator}
    for banned in reader.list_bans(arn):
        yield {"Kind": "ChannelBan", "ChannelArn": arn, "MemberArn": banned}


def _export_messages(reader: ChannelReader, arn: str, sub_channel: str | None) -> Iterator[Record]:
    for message in reader.list_messages(arn, sub_channel):
        sender = (message.get("Sender") or {}).get("Arn")
        fields = _pick(message, _MESSAGE_FIELDS)
        yield {"Kind": "ChannelMessage", **_locate(arn, sub_channel), "SenderArn": sender, **fields}


def _locate(arn: str, sub_channel: str | None) -> dict[str, str]:
    return {"ChannelArn": arn, **({"SubChannelId": sub_channel} if sub_channel else {})}


def _pick(source: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that are there; what is empty or false is left out, but for a message's Content."""
    return {name: source[name] for name in names if source.get(name) or (name == "Content" and name in source)}
