"""ARNs of Amazon Chime SDK messaging, parsed and checked."""

from __future__ import annotations

import re
import reprlib
from typing import NamedTuple

from chime_handler.limits import APP_INSTANCE_ARN, CHANNEL_FLOW_ID, ID, REGIONS

# One pattern, for compiling it is much of the import's work; those that few requests need are not compiled here.
_arn = re.compile(f"(?P<app_instance>{APP_INSTANCE_ARN})(?:/(?P<kind>channel|user|bot)/(?P<id>{ID}))?")


class ChannelArn(NamedTuple):
    """The ARN of a channel, with the parts that calls need."""

    app_instance_arn: str
    channel_id: str

    def __str__(self) -> str:
        """Return the ARN."""
        return f"{self.app_instance_arn}/channel/{self.channel_id}"


def parse_channel_arn(text: object) -> ChannelArn | None:
    """Return the parts of a channel's ARN; None where `text` is none."""
    found = _match(text, "channel") if isinstance(text, str) else None
    return ChannelArn(found["app_instance"], found["id"]) if found else None


def is_channel_arn(text: str) -> bool:
    """Check whether `text` is the ARN of a channel."""
    return _match(text, "channel") is not None


def is_app_instance_arn(text: str) -> bool:
    """Check whether `text` is the ARN of an app instance."""
    return _match(text, None) is not None


def app_instance_of(identity_arn: str) -> str | None:
    """Return the app instance of a user's or bot's ARN; None where it is neither."""
    found = _match(identity_arn, "user", "bot")
    return found["app_instance"] if found else None


def is_bot(identity_arn: str) -> bool:
    """Check whether an identity is a bot, not a user."""
    return _match(identity_arn, "bot") is not None


def is_channel_flow_arn(text: str) -> bool:
    """Check whether `text` is the ARN of a channel flow."""
    return re.fullmatch(f"{APP_INSTANCE_ARN}/channel-flow/{CHANNEL_FLOW_ID}", text) is not None


def is_channel_id(text: str) -> bool:
    """Check whether `text` can be a ChannelId."""
    return re.fullmatch(ID, text) is not None


def _match(text: str, *kinds: str | None) -> re.Match[str] | None:
    """Match an ARN of one of these kinds; the kind of an app instance's own is None."""
    found = _arn.fullmatch(text)
    return found if found and found["kind"] in kinds else None


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
