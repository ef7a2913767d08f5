"""ARNs of Amazon Chime SDK messaging, parsed and checked."""

from __future__ import annotations

import re
import reprlib
from typing import NamedTuple

from chime_handler.limits import APP_INSTANCE_ARN, CHANNEL_FLOW_ID, ID, REGIONS

_app_instance = re.compile(APP_INSTANCE_ARN)
_channel = re.compile(f"(?P<app_instance>{APP_INSTANCE_ARN})/channel/(?P<channel_id>{ID})")
_identity = re.compile(f"(?P<app_instance>{APP_INSTANCE_ARN})/(?P<kind>user|bot)/(?P<name>{ID})")
_channel_flow = re.compile(f"{APP_INSTANCE_ARN}/channel-flow/{CHANNEL_FLOW_ID}")
_channel_id = re.compile(ID)


class ChannelArn(NamedTuple):
    """The ARN of a channel, with the parts that calls need."""

    app_instance_arn: str
    channel_id: str

    def __str__(self) -> str:
        """Return the ARN."""
        return f"{self.app_instance_arn}/channel/{self.channel_id}"


def parse_channel_arn(text: object) -> ChannelArn | None:
    """Return the parts of a channel's ARN; None where `text` is none."""
    found = _channel.fullmatch(text) if isinstance(text, str) else None
    return ChannelArn(found["app_instance"], found["channel_id"]) if found else None


def is_channel_arn(text: str) -> bool:
    """Check whether `text` is the ARN of a channel."""
    return _channel.fullmatch(text) is not None


def is_app_instance_arn(text: str) -> bool:
    """Check whether `text` is the ARN of an app instance."""
    return _app_instance.fullmatch(text) is not None


def app_instance_of(identity_arn: str) -> str | None:
    """Return the app instance of a user's or bot's ARN; None where it is neither."""
    found = _identity.fullmatch(identity_arn)
    return found["app_instance"] if found else None


def is_bot(identity_arn: str) -> bool:
    """Check whether an identity is a bot, not a user."""
    found = _identity.fullmatch(identity_arn)
    return found is not None and found["kind"] == "bot"


def is_channel_flow_arn(text: str) -> bool:
    """Check whether `text` is the ARN of a channel flow."""
    return _channel_flow.fullmatch(text) is not None


def is_channel_id(text: str) -> bool:
    """Check whether `text` can be a ChannelId."""
    return _channel_id.fullmatch(text) is not None


def region_of(arn: str) -> str:
    """Return the region that an ARN names."""
    return arn.split(":")[3]


def app_instance_errors(name: str, value: object) -> list[str]:
    """Return what is wrong with the ARN of an app instance, which a property names."""
    if not isinstance(value, str) or not is_app_instance_arn(value):
        example = "arn:aws:chime:REGION:ACCOUNT:app-instance/ID"
        return [f"{name}: must be an app instance's ARN ({example}), got {reprlib.repr(value)}"]
    return region_errors(name, value)


def region_errors(name: str, arn: str) -> list[str]:
    """Return what is wrong with the region of an ARN, which a property names."""
    if region_of(arn) in REGIONS:
        return []
    return [
        f"{name}: is in {region_of(arn)}; Amazon Chime SDK messaging has endpoints in {' and '.join(REGIONS)} only"
    ]
