"""The custom resource types of this package: how each is read from the service, and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chime_messaging import arns
from chime_messaging.aws import IDENTITY, MESSAGING, Aws
from chime_messaging.compare import (
    Comparison,
    Unread,
    compare_list,
    compare_map,
    compare_nothing,
    compare_text,
)
from chime_messaging.errors import explain, is_forbidden, is_not_found

OWNER_TAG = "cdk-chime-messaging:owner"
"""The tag that names the resource and stack that own a channel."""
OWNER = "Owner"
"""What stands for that tag among the properties."""
_MANAGED = dict.fromkeys(("ServiceToken", "ServiceTimeout", "ChimeBearer"), compare_nothing)
Actual = Mapping[str, Any]


class Reader:
    """Reads of one resource, in the name of its bearer.

    Args:
        aws: The services.
        region: Where the app instance is.
        bearer: The user or bot in whose name channels are read.
    """

    def __init__(self, aws: Aws, region: str, bearer: str) -> None:
        self._aws = aws
        self._bearer = bearer
        self.messaging = aws.client(MESSAGING, region)
        self.identity = aws.client(IDENTITY, region)

    def read(self, operation: Callable[..., Any], **parameters: Any) -> Any:
        """Call an operation that takes no bearer."""
        return self._aws.read(operation, **parameters)

    def list_items(self, operation: Callable[..., Any], key: str, **parameters: Any) -> Iterable[Any]:
        """Return the items of all pages of a list that takes no bearer."""
        return self._aws.list_items(operation, key, **parameters)

    def find(self, operation: Callable[..., Any], channel: str, **parameters: Any) -> Any:
        """Call an operation on a channel; None if what it is about is not there.

        The service may return Forbidden for what is missing. An AppInstanceAdmin may read everything.
        """
        try:
            return self._aws.read(operation, ChannelArn=channel, ChimeBearer=self._bearer, **parameters)
        except ClientError as error:
            if is_not_found(error) or (is_forbidden(error) and self._is_admin(channel)):
                return None
            raise

    def list_arns(self, operation: Callable[..., Any], key: str, item_key: str, **parameters: Any) -> Any:
        """Return the users and bots of a list of a channel, or why it cannot be read."""

        def read() -> list[str]:
            items = self._aws.list_items(operation, key, ChimeBearer=self._bearer, **parameters)
            return [item[item_key]["Arn"] for item in items]

        return try_to_read(read)

    def _is_admin(self, channel: str) -> bool:
        """Check whether the bearer is AppInstanceAdmin, who alone lists private channels."""
        app_instance = arns.get_app_instance_arn(channel)
        try:
            self.messaging.list_channels(
                AppInstanceArn=app_instance, Privacy="PRIVATE", MaxResults=1, ChimeBearer=self._bearer
            )
        except ClientError:
            return False
        return True


def try_to_read(read: Callable[[], Any]) -> Any:
    """Return what is read, or why it cannot be read."""
    try:
        return read()
    except (ClientError, BotoCoreError) as error:
        return Unread(explain(error))


@dataclass(frozen=True)
class ResourceType:
    """One type of custom resource."""

    comparisons: Mapping[str, Comparison]
    """How each property is compared."""
    read: Callable[[Reader, str, Mapping[str, Any]], Actual | None]
    """Takes physical id and declaration; returns the actual values, None where the resource does not exist."""
    needs_bearer: bool = True


def owner_mark(stack_id: str, logical_id: str) -> str:
    """Return the beginning of the owner's tag of a stack's channel; tests compare it with the Lambda's."""
    digest = hashlib.sha256(f"{stack_id!r}\0{logical_id!r}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{logical_id[:64]}-{digest}"


def with_full_arns(declared: Mapping[str, Any], physical_id: str) -> dict[str, Any]:
    """Return a declaration with ARNs in place of user/ID and bot/ID, as long lists are written."""
    prefix = arns.get_app_instance_arn(physical_id)

    def expand(item: Any) -> Any:
        return f"{prefix}/{item}" if isinstance(item, str) and item.startswith(("user/", "bot/")) else item

    return {
        name: [expand(item) for item in value] if isinstance(value, list) else value
        for name, value in declared.items()
    }


_LISTS = {
    "MemberArns": ("list_channel_memberships", "ChannelMemberships", "Member", {"Type": "DEFAULT"}),
    "HiddenMemberArns": ("list_channel_memberships", "ChannelMemberships", "Member", {"Type": "HIDDEN"}),
    "ModeratorArns": ("list_channel_moderators", "ChannelModerators", "Moderator", {}),
    "BanArns": ("list_channel_bans", "ChannelBans", "Member", {}),
}


def _read_channel(reader: Reader, arn: str, declared: Mapping[str, Any]) -> Actual | None:
    described = reader.find(reader.messaging.describe_channel, arn)
    if described is None:
        return None

    def read_tags() -> dict[str, str]:
        tags = reader.read(reader.messaging.list_tags_for_resource, ResourceARN=arn).get("Tags") or ()
        return {tag["Key"]: tag["Value"] for tag in tags}

    tags = try_to_read(read_tags)
    owner = tags if isinstance(tags, Unread) else (tags.get(OWNER_TAG) or "").partition(".")[0]
    lists = {
        name: reader.list_arns(getattr(reader.messaging, operation), key, item_key, ChannelArn=arn, **parameters)
        for name, (operation, key, item_key, parameters) in _LISTS.items()
        if declared.get(name)
    }
    named = {"AppInstanceArn": arns.get_app_instance_arn(arn), "ChannelId": arns.get_id(arn)}
    return {**described["Channel"], **named, "Tags": tags, OWNER: owner, **lists}


def _attachment_reader(operation: str, key: str) -> Callable[[Reader, str, Mapping[str, Any]], Actual | None]:
    """Return what reads a member, moderator or ban by the physical id: the channel's ARN, a |, and the user's."""
    parameter = "ChannelModeratorArn" if key == "ChannelModerator" else "MemberArn"

    def read(reader: Reader, physical_id: str, declared: Mapping[str, Any]) -> Actual | None:
        channel, _, user = physical_id.partition("|")
        found = reader.find(getattr(reader.messaging, operation), channel, **{parameter: user})
        return found and {"ChannelArn": channel, "MemberArn": user, "Type": found[key].get("Type")}

    return read


def _read_flow_association(reader: Reader, physical_id: str, declared: Mapping[str, Any]) -> Actual | None:
    channel = physical_id.partition("|")[0]
    described = reader.find(reader.messaging.describe_channel, channel)
    if described is None:
        return None
    return {"ChannelArn": channel, "ChannelFlowArn": described["Channel"].get("ChannelFlowArn")}


def _read_admin(reader: Reader, physical_id: str, declared: Mapping[str, Any]) -> Actual | None:
    # DescribeAppInstanceAdmin returns Forbidden for who is no admin, and for other reasons; the list is certain.
    app_instance = arns.get_app_instance_arn(physical_id)
    admins = reader.list_items(
        reader.identity.list_app_instance_admins, "AppInstanceAdmins", AppInstanceArn=app_instance
    )
    if all(item["Admin"]["Arn"] != physical_id for item in admins):
        return None
    return {"AppInstanceArn": app_instance, "AppInstanceAdminArn": physical_id}


def _read_retention(reader: Reader, physical_id: str, declared: Mapping[str, Any]) -> Actual | None:
    app_instance = physical_id.partition("|")[0]
    found = reader.read(reader.identity.get_app_instance_retention_settings, AppInstanceArn=app_instance)
    settings = (found.get("AppInstanceRetentionSettings") or {}).get("ChannelRetentionSettings") or {}
    return {"AppInstanceArn": app_instance, "RetentionDays": settings.get("RetentionDays")}


def _read_streaming(reader: Reader, physical_id: str, declared: Mapping[str, Any]) -> Actual | None:
    app_instance = physical_id.partition("|")[0]
    try:
        found = reader.read(reader.messaging.get_messaging_streaming_configurations, AppInstanceArn=app_instance)
    except ClientError as error:
        if not is_not_found(error):
            raise
        return None
    configurations = found.get("StreamingConfigurations") or ()
    streams = {configuration["DataType"]: configuration["ResourceArn"] for configuration in configurations}
    return {"AppInstanceArn": app_instance, "StreamArns": streams}


_CHANNEL = ResourceType(
    {
        **_MANAGED,
        **dict.fromkeys(
            ("ClientRequestToken", "Resync", "AdoptExisting", "AdoptFromOtherOwner"),
            compare_nothing,
        ),
        **dict.fromkeys(
            ("AppInstanceArn", "ChannelId", "Name", "Mode", "Privacy", "Metadata", "ChannelFlowArn", OWNER),
            compare_text,
        ),
        **dict.fromkeys(("ElasticChannelConfiguration", "ExpirationSettings", "Tags"), compare_map),
        **dict.fromkeys(_LISTS, compare_list),
    },
    _read_channel,
)
_ATTACHMENT = {**_MANAGED, **dict.fromkeys(("ChannelArn", "MemberArn", "Type", "ChannelFlowArn"), compare_text)}
_APP_INSTANCE = {
    **_MANAGED,
    **dict.fromkeys(("AppInstanceArn", "AppInstanceAdminArn", "RetentionDays"), compare_text),
}

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    "Custom::ChimeChannel": _CHANNEL,
    "Custom::ChimeChannelMembership": ResourceType(
        _ATTACHMENT, _attachment_reader("describe_channel_membership", "ChannelMembership")
    ),
    "Custom::ChimeChannelModerator": ResourceType(
        _ATTACHMENT, _attachment_reader("describe_channel_moderator", "ChannelModerator")
    ),
    "Custom::ChimeChannelBan": ResourceType(_ATTACHMENT, _attachment_reader("describe_channel_ban", "ChannelBan")),
    "Custom::ChimeChannelFlowAssociation": ResourceType(_ATTACHMENT, _read_flow_association),
    "Custom::ChimeAppInstanceAdmin": ResourceType(_APP_INSTANCE, _read_admin, needs_bearer=False),
    "Custom::ChimeAppInstanceRetention": ResourceType(_APP_INSTANCE, _read_retention, needs_bearer=False),
    "Custom::ChimeAppInstanceStreaming": ResourceType(
        {**_APP_INSTANCE, "StreamArns": compare_map}, _read_streaming, needs_bearer=False
    ),
}
"""All custom resource types of this package."""
