"""Enumerations and small values of the API, spelled as there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from aws_cdk import Duration

from cdk_chime_messaging._refs import FunctionLike, LexBotAliasLike

Metadata: TypeAlias = str | Mapping[str, Any] | Sequence[Any] | None
"""Metadata: text, or anything that JSON can hold; None for none."""


class ChannelMode(Enum):
    """Who may add members. Sending does not depend on it: every DEFAULT member sends, in both modes."""

    RESTRICTED = "RESTRICTED"
    """Only admins and moderators add members."""
    UNRESTRICTED = "UNRESTRICTED"
    """Members add others, too."""


class ChannelPrivacy(Enum):
    """Who can find the channel; with another value the channel is replaced.

    Whether a user may join a PUBLIC channel without being added, AWS contradicts itself.
    """

    PRIVATE = "PRIVATE"
    """Those who were added, and admins."""
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

    It does so in the background, usually within six hours after the expiry; AWS gives no bound. Until then the
    channel acts as before, and extending the expiration keeps it.

    Args:
        expiration: After how many whole days, 1–5475 (botocore's model, ExpirationDays).
        criterion: From when the days are counted.
    """

    expiration: Duration
    criterion: ExpirationCriterion


@dataclass(frozen=True)
class ElasticChannelConfiguration:
    """Makes the channel elastic, in us-east-1 only; with another one the channel is replaced.

    It holds 100,000 members by default, a million at most, and no HIDDEN ones. Its moderators are those of the
    whole channel and need not be members; making a member moderator ends the membership, so that the service may
    refuse a user who is declared as both.

    Args:
        maximum_sub_channels: How many sub-channels there can be, 2 or more (botocore's model, as the others).
        target_memberships_per_sub_channel: How many members each is meant to hold, 2 or more.
        minimum_membership_percentage: How full a sub-channel must be to stay, 1–40 percent.
    """

    maximum_sub_channels: int
    target_memberships_per_sub_channel: int
    minimum_membership_percentage: int


class ChannelMembershipType(Enum):
    """How a member shows, and whether it may send."""

    DEFAULT = "DEFAULT"
    """Receives, reads and sends; listed among the members."""
    HIDDEN = "HIDDEN"
    """Reads messages, sees no other members, sends nothing: a listener. Listed for moderators, when asked for."""


class StandardMessages(Enum):
    """Which standard messages a bot answers."""

    AUTO = "AUTO"
    """All in a channel with one other member who is not hidden; with more, those that mention it."""
    ALL = "ALL"
    """All."""
    MENTIONS = "MENTIONS"
    """Those that mention it."""
    NONE = "NONE"
    """None."""


class TargetedMessages(Enum):
    """Which messages that are sent to the bot alone it answers."""

    ALL = "ALL"
    """All."""
    NONE = "NONE"
    """None."""


@dataclass(frozen=True)
class LexConfiguration:
    """Which Amazon Lex V2 bot stands behind an AppInstanceBot.

    Args:
        lex_bot_alias_arn: The bot alias: its ARN, a CfnBotAlias, or what refers to one; in the app instance's
            account and region.
        locale_id: The language, such as en_US.
        standard_messages: Which standard messages it answers. Default: AUTO.
        targeted_messages: Which messages sent to it alone it answers. Default: ALL.
        welcome_intent: The Lex intent by which it greets when it joins: 1–100 letters, with single _ between.
            Default: none.
    """

    lex_bot_alias_arn: LexBotAliasLike
    locale_id: str
    standard_messages: StandardMessages = StandardMessages.AUTO
    targeted_messages: TargetedMessages = TargetedMessages.ALL
    welcome_intent: str | None = None


class FallbackAction(Enum):
    """What becomes of a message when its processor's Lambda cannot be invoked.

    A Lambda that runs and never calls ChannelFlowCallback leaves the message PENDING for 48 hours, whatever is set
    here.
    """

    ABORT = "ABORT"
    """It is not sent."""
    CONTINUE = "CONTINUE"
    """It goes on as it is."""


@dataclass(frozen=True)
class Processor:
    """A Lambda that may change or refuse each message of a channel before it is sent.

    Args:
        name: 1–256 characters (botocore's model, ProcessorList).
        function: The Lambda: CDK's L2, its L1, its ARN, or what refers to one; in the app instance's account and
            region.
        fallback_action: What becomes of a message when the Lambda cannot be invoked; a Lambda that runs must answer
            by ChannelFlowCallback, or the message stays PENDING for 48 hours. Default: ABORT.
    """

    name: str
    function: FunctionLike
    fallback_action: FallbackAction = FallbackAction.ABORT
