"""The limits of the services, once each: lengths, numbers, patterns, enumerations and regions.

Those that botocore's models state are compared with the models, and with the library's own, by
tests/test_contract.py. The others name their source.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Range(NamedTuple):
    """Whole numbers from a minimum to a maximum, both included; without a maximum there is no end."""

    minimum: int
    maximum: int | None = None

    def includes(self, number: int) -> bool:
        """Check whether a number is within the limits."""
        return self.minimum <= number and (self.maximum is None or number <= self.maximum)

    def __str__(self) -> str:
        """Return the limits as an error names them."""
        return f"{self.minimum} or more" if self.maximum is None else f"{self.minimum}–{self.maximum}"


REGIONS = ("us-east-1", "eu-central-1")
"""Regions with endpoints of Amazon Chime SDK messaging (AWS General Reference, "Amazon Chime SDK endpoints")."""
ELASTIC_REGIONS = ("us-east-1",)
"""Regions with elastic channels (developer guide, "Using elastic channels to host live events")."""

APP_INSTANCE_ARN = r"arn:aws[a-z-]*:chime:[a-z0-9-]+:[0-9]{12}:app-instance/[A-Za-z0-9][A-Za-z0-9-]{0,99}"
ID = r"[A-Za-z0-9](?:[A-Za-z0-9:\-_.@]{0,62}[A-Za-z0-9])?"
"""A ChannelId, and the id of a user or bot."""
ID_RULE = "1–64 letters, digits or :-_.@ that begins and ends with a letter or digit"
CHANNEL_FLOW_ID = "[A-Za-z0-9-]+"
CLIENT_REQUEST_TOKEN = re.compile(r"[-_a-zA-Z0-9]{2,64}")
CLIENT_REQUEST_TOKEN_RULE = "2–64 letters, digits, - or _"  # noqa: S105 - no password

NAME_LENGTH = Range(1, 256)
NAME = re.compile("[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]*")
"""What the model allows is named by what it does not: that compiles in a tenth of the time."""
MAX_METADATA_BYTES = 1024
MODES = ("RESTRICTED", "UNRESTRICTED")
PRIVACIES = ("PRIVATE", "PUBLIC")
MEMBERSHIP_TYPES = ("DEFAULT", "HIDDEN")
EXPIRATION_CRITERIA = ("CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP")
DAYS = Range(1, 5475)
"""Of an expiration and of retention (ExpirationDays, RetentionDays)."""

TAG_KEY_LENGTH = Range(1, 128)
TAG_VALUE_LENGTH = Range(1, 256)
MAX_TAGS = 49
"""The service takes 50; one is the owner's tag."""

SUB_CHANNELS = Range(2)
MEMBERSHIPS_PER_SUB_CHANNEL = Range(2)
MEMBERSHIP_PERCENTAGE = Range(1, 40)

MAX_MODERATORS = 1_000
"""Moderators of a channel (quota, AWS General Reference)."""
MAX_MODERATORS_AT_CREATION = 10
"""How many moderators CreateChannel takes."""
MAX_MEMBERS_PER_BATCH = 100
"""How many members one BatchCreateChannelMembership takes."""
MAX_PAGE_SIZE = 50
"""Items on a page of members, moderators or bans."""

STREAM_ARN = r"arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/chime-messaging-[A-Za-z0-9_.-]{0,112}"
"""A stream has a name that begins so (developer guide, "Streaming messaging data")."""
STREAM_DATA_TYPES = ("Channel", "ChannelMessage")

MAX_RESPONSE_BYTES = 4096
"""Of a response of a custom resource (AWS CloudFormation user guide, "Custom resource response objects")."""
MAX_PHYSICAL_ID_BYTES = 1024
"""Of a physical resource id (the same page)."""
