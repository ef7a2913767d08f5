"""The limits of the services, once each: lengths, numbers, patterns and regions.

Those that botocore's models state (chime-sdk-messaging, chime-sdk-identity) are compared with the models, and with
the handler's own, by tests/test_contract.py. The others name their source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Whole numbers from a minimum to a maximum, both included; without a maximum there is no end."""

    minimum: int
    maximum: int | None = None

    def __contains__(self, number: float) -> bool:
        """Check whether a number is within the limits."""
        return self.minimum <= number and (self.maximum is None or number <= self.maximum)

    def __str__(self) -> str:
        """Write the limits as an error names them."""
        return f"{self.minimum} or more" if self.maximum is None else f"{self.minimum}–{self.maximum}"


REGIONS = ("us-east-1", "eu-central-1")
"""Regions with endpoints of Amazon Chime SDK messaging (AWS General Reference, "Amazon Chime SDK endpoints")."""
ELASTIC_REGIONS = ("us-east-1",)
"""Regions with elastic channels (developer guide, "Using elastic channels to host live events")."""

NAME_LENGTH = Range(1, 256)
"""Characters in the Name of an app instance, channel, flow or processor."""
NAME = re.compile("[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]*")
USER_NAME_LENGTH = Range(1, 100)
"""Characters in the Name of a user, one of which is no space."""
MAX_METADATA_BYTES = 1024
ONE_LINE = re.compile("[^\n\r\x85\u2028\u2029]*")
"""What the services' pattern `.*` stands for: text without a line break."""
ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9:\-_.@]{0,62}[A-Za-z0-9])?")
"""A ChannelId and an AppInstanceUserId; the service makes the ids of bots, which are UUIDs."""
ID_RULE = "1–64 letters, digits or :-_.@ and begin and end with a letter or digit"
CLIENT_REQUEST_TOKEN = re.compile(r"[-_a-zA-Z0-9]{2,64}")
CLIENT_REQUEST_TOKEN_RULE = "2–64 letters, digits, - or _"  # noqa: S105 - no password

DAYS = Range(1, 5475)
"""Of an expiration and of retention (ExpirationDays, RetentionDays)."""

MAX_TAGS = 49
"""The service takes 50; one is the owner's tag."""
TAG_KEY_LENGTH = Range(1, 128)
TAG_VALUE_LENGTH = Range(1, 256)
RESERVED_TAG_PREFIXES = ("aws:", "cdk-chime-messaging:")

SUB_CHANNELS = Range(2)
MEMBERSHIPS_PER_SUB_CHANNEL = Range(2)
MEMBERSHIP_PERCENTAGE = Range(1, 40)

MAX_MEMBERS = 10_000
"""Members of a channel (quota, AWS General Reference)."""
MAX_MODERATORS = 1_000
"""Moderators of a channel (quota, AWS General Reference)."""
MAX_IDENTITIES_LENGTH = 100_000
"""Characters that members, moderators and bans may take: Lambda's asynchronous payload is 256 KB, with old and new
values."""

PROCESSORS = Range(1, 3)
"""Processors of a channel flow. AWS allows one, unless the account's quota is raised."""
MIN_SHARDS = 2
"""Shards of a stream (developer guide, "Streaming messaging data")."""
STREAM_NAME_PREFIX = "chime-messaging-"
"""With what the name of a stream begins (developer guide, "Streaming messaging data")."""
WELCOME_INTENT = re.compile(r"(?=.{1,100}$)([A-Za-z]_?)+")
