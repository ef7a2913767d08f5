"""The native CloudFormation types `AWS::Chime::…`, for MiniStack's CloudFormation.

Their replacement rules are those of the published schemas; `AWS::Chime::Channel` replaces the channel, and so
loses its messages, when the bearer, the members or the moderators change.
"""

from __future__ import annotations

import uuid
from typing import Any

from chime_local.service import REGIONS, ChimeError, ChimeService

Properties = dict[str, Any]
_NUMBERS = frozenset(
    {
        "ExpirationDays",
        "MaximumSubChannels",
        "TargetMembershipsPerSubChannel",
        "MinimumMembershipPercentage",
        "ExecutionOrder",
    }
)
_CHANNEL_REPLACES = (
    "AppInstanceArn",
    "ChannelId",
    "ChimeBearer",
    "ElasticChannelConfiguration",
    "MemberArns",
    "ModeratorArns",
    "Privacy",
)


def _typed(value: Any, name: str = "") -> Any:
    """Turn the numbers and booleans, which templates may write as strings, into what the API takes."""
    if isinstance(value, dict):
        return {key: _typed(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if name in _NUMBERS and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


class NativeTypes:
    """Create, update and delete of the native types, over the emulated service."""

    def __init__(self, service: ChimeService) -> None:
        self._service = service

    def register(self, provisioners: Any) -> None:
        """Add the types to MiniStack's tables of handlers and of replacing properties."""
        handlers, replacing = provisioners._RESOURCE_HANDLERS, provisioners._REPLACING_PROPERTIES
        for name in ("AppInstance", "AppInstanceUser", "AppInstanceBot", "ChannelFlow", "Channel"):
            method = {verb: getattr(self, f"{verb}_{_snake(name)}") for verb in ("create", "update", "delete")}
            handlers[f"AWS::Chime::{name}"] = method
        replacing |= {
            "AWS::Chime::AppInstance": (),
            "AWS::Chime::AppInstanceUser": ("AppInstanceArn", "AppInstanceUserId"),
            "AWS::Chime::AppInstanceBot": ("AppInstanceArn",),
            "AWS::Chime::ChannelFlow": ("AppInstanceArn",),
            "AWS::Chime::Channel": _CHANNEL_REPLACES,
        }

    def _call(self, operation: str, /, *, region: str | None = None, **parameters: Any) -> dict[str, Any]:
        from ministack.core.responses import get_region  # noqa: PLC0415 - reads its settings when imported

        where = region or get_region()
        if where not in REGIONS:
            raise ValueError(f"AWS::Chime types do not exist in {where}, only in {', '.join(REGIONS)}")
        service = "chime-sdk-identity" if "AppInstance" in operation else "chime-sdk-messaging"
        given = {key: _typed(value, key) for key, value in parameters.items() if value is not None}
        try:
            return self._service.call(operation, given, service_name=service, region=where)
        except ChimeError as refused:
            raise ValueError(f"{operation}: {refused.code}: {refused.message}") from None

    def _delete(self, operation: str, **parameters: Any) -> None:
        try:
            self._call(operation, **parameters)
        except ValueError as refused:
            # What is gone is deleted.
            if "NotFound" not in str(refused) and "is not there" not in str(refused):
                raise

    def create_app_instance(self, _logical_id: str, given: Properties, _stack: str) -> tuple[str, Properties]:
        """Create an app instance."""
        made = self._call(
            "CreateAppInstance",
            Name=given.get("Name"),
            Metadata=given.get("Metadata"),
            Tags=given.get("Tags") or None,
            ClientRequestToken=str(uuid.uuid4()),
        )
        arn = made["AppInstanceArn"]
        return arn, {"AppInstanceArn": arn}

    def update_app_instance(
        self, arn: str, _old: Properties, new: Properties, _stack: str
    ) -> tuple[str, Properties]:
        """Change an app instance in place."""
        self._call("UpdateAppInstance", AppInstanceArn=arn, Name=new.get("Name"), Metadata=new.get("Metadata", ""))
        return arn, {"AppInstanceArn": arn}

    def delete_app_instance(self, arn: str, _given: Properties) -> None:
        """Delete an app instance."""
        self._delete("DeleteAppInstance", AppInstanceArn=arn)

    def create_app_instance_user(self, _logical_id: str, given: Properties, _stack: str) -> tuple[str, Properties]:
        """Create a user."""
        made = self._call(
            "CreateAppInstanceUser",
            AppInstanceArn=given.get("AppInstanceArn"),
            AppInstanceUserId=given.get("AppInstanceUserId"),
            Name=given.get("Name"),
            Metadata=given.get("Metadata"),
            Tags=given.get("Tags") or None,
            ClientRequestToken=str(uuid.uuid4()),
        )
        arn = made["AppInstanceUserArn"]
        return arn, {"AppInstanceUserArn": arn}

    def update_app_instance_user(
        self, arn: str, _old: Properties, new: Properties, _stack: str
    ) -> tuple[str, Properties]:
        """Change a user in place."""
        self._call(
            "UpdateAppInstanceUser",
            AppInstanceUserArn=arn,
            Name=new.get("Name"),
            Metadata=new.get("Metadata", ""),
        )
        return arn, {"AppInstanceUserArn": arn}

    def delete_app_instance_user(self, arn: str, _given: Properties) -> None:
        """Delete a user."""
        self._delete("DeleteAppInstanceUser", AppInstanceUserArn=arn)

    def create_app_instance_bot(self, _logical_id: str, given: Properties, _stack: str) -> tuple[str, Properties]:
        """Create a bot."""
        made = self._call(
            "CreateAppInstanceBot",
            AppInstanceArn=given.get("AppInstanceArn"),
            Configuration=given.get("Configuration"),
            Name=given.get("Name"),
            Metadata=given.get("Metadata"),
            Tags=given.get("Tags") or None,
            ClientRequestToken=str(uuid.uuid4()),
        )
        arn = made["AppInstanceBotArn"]
        return arn, {"AppInstanceBotArn": arn}

    def update_app_instance_bot(
        self, arn: str, _old: Properties, new: Properties, _stack: str
    ) -> tuple[str, Properties]:
        """Change a bot in place."""
        self._call(
            "UpdateAppInstanceBot",
            AppInstanceBotArn=arn,
            Name=new.get("Name", ""),
            Metadata=new.get("Metadata", ""),
            Configuration=new.get("Configuration"),
        )
        return arn, {"AppInstanceBotArn": arn}

    def delete_app_instance_bot(self, arn: str, _given: Properties) -> None:
        """Delete a bot."""
        self._delete("DeleteAppInstanceBot", AppInstanceBotArn=arn)

    def create_channel_flow(self, _logical_id: str, given: Properties, _stack: str) -> tuple[str, Properties]:
        """Create a channel flow."""
        made = self._call(
            "CreateChannelFlow",
            AppInstanceArn=given.get("AppInstanceArn"),
            Processors=given.get("Processors"),
            Name=given.get("Name"),
            Tags=given.get("Tags") or None,
            ClientRequestToken=str(uuid.uuid4()),
        )
        arn = made["ChannelFlowArn"]
        return arn, {"Arn": arn, "ChannelFlowId": arn.rpartition("/")[2]}

    def update_channel_flow(
        self, arn: str, _old: Properties, new: Properties, _stack: str
    ) -> tuple[str, Properties]:
        """Change a channel flow in place."""
        self._call("UpdateChannelFlow", ChannelFlowArn=arn, Processors=new.get("Processors"), Name=new.get("Name"))
        return arn, {"Arn": arn, "ChannelFlowId": arn.rpartition("/")[2]}

    def delete_channel_flow(self, arn: str, _given: Properties) -> None:
        """Delete a channel flow."""
        self._delete("DeleteChannelFlow", ChannelFlowArn=arn)

    def create_channel(self, _logical_id: str, given: Properties, _stack: str) -> tuple[str, Properties]:
        """Create a channel: natively in us-east-1 only, with at most ten members."""
        names = (
            *_CHANNEL_REPLACES,
            "ExpirationSettings",
            "Metadata",
            "Mode",
            "Name",
        )
        made = self._call(
            "CreateChannel",
            region="us-east-1",
            **{name: given.get(name) for name in names},
            Tags=given.get("Tags") or None,
            ClientRequestToken=str(uuid.uuid4()),
        )
        return made["ChannelArn"], {"Arn": made["ChannelArn"]}

    def update_channel(self, arn: str, _old: Properties, new: Properties, _stack: str) -> tuple[str, Properties]:
        """Change name, mode, metadata and expiration in place."""
        here = {"ChannelArn": arn, "ChimeBearer": new.get("ChimeBearer")}
        self._call(
            "UpdateChannel",
            **here,
            Name=new.get("Name"),
            Mode=new.get("Mode"),
            Metadata=new.get("Metadata", ""),
        )
        self._call("PutChannelExpirationSettings", **here, ExpirationSettings=new.get("ExpirationSettings"))
        return arn, {"Arn": arn}

    def delete_channel(self, arn: str, given: Properties) -> None:
        """Delete a channel."""
        self._delete("DeleteChannel", ChannelArn=arn, ChimeBearer=given.get("ChimeBearer"))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
