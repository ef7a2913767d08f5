"""The words of channels: enumerations and small values, spelt as the API spells them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from aws_cdk import Duration


class ChannelMode(Enum):
    """Who may send messages and add members."""

    RESTRICTED = "RESTRICTED"
    """Only moderators and admins add members and send messages."""
    UNRESTRICTED = "UNRESTRICTED"
    """All members do."""


class ChannelPrivacy(Enum):
    """Who can find and join the channel; fixed for its life."""

    PRIVATE = "PRIVATE"
    """Only who was added."""
    PUBLIC = "PUBLIC"
    """Everyone in the app instance."""


class ExpirationCriterion(Enum):
    """What the days of an expiration are counted from."""

    CREATED_TIMESTAMP = "CREATED_TIMESTAMP"
    """The channel's creation."""
    LAST_MESSAGE_TIMESTAMP = "LAST_MESSAGE_TIMESTAMP"
    """The last message."""


@dataclass(frozen=True)
class ExpirationSettings:
    """When the service deletes the channel by itself, with all its messages.

    Args:
        expiration: After how many whole days, 1–5475.
        criterion: Counted from when.
    """

    expiration: Duration
    criterion: ExpirationCriterion


@dataclass(frozen=True)
class ElasticChannelConfiguration:
    """Makes the channel elastic, for up to a million members; fixed for its life, us-east-1 only.

    Args:
        maximum_sub_channels: How many sub-channels there can be, 2 or more.
        target_memberships_per_sub_channel: How many members each is meant to hold, 2 or more.
        minimum_membership_percentage: How full a sub-channel must stay to live on, 1–40 percent.
    """

    maximum_sub_channels: int
    target_memberships_per_sub_channel: int
    minimum_membership_percentage: int


class ChannelMembershipType(Enum):
    """How a member shows."""

    DEFAULT = "DEFAULT"
    """Listed among the members."""
    HIDDEN = "HIDDEN"
    """Listed only when hidden members are asked for."""
