"""What the emulated service remembers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Write:
    """A write that reads may miss for a while: when it was, what was there before, and the reads since then."""

    time: float
    before: Any = None
    reads: Counter[str] = field(default_factory=Counter)
    """How often each operation has read since."""


@dataclass
class Channel:
    """One channel with all that hangs on it."""

    arn: str
    name: str
    mode: str
    privacy: str
    metadata: str
    token: str
    created_by: str
    created: float
    updated: float
    elastic: dict[str, Any] | None = None
    expiration: dict[str, Any] | None = None
    flow: str | None = None
    members: dict[str, str] = field(default_factory=dict)
    """From a member's ARN to DEFAULT or HIDDEN."""
    moderators: dict[str, None] = field(default_factory=dict)
    bans: dict[str, None] = field(default_factory=dict)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_message: float | None = None
    creation: Write = field(init=False)
    update: Write | None = None
    """The last UpdateChannel."""

    def __post_init__(self) -> None:
        """Begin with a creation that reads may miss."""
        self.creation = Write(self.created)


@dataclass
class AppInstance:
    """One app instance with its users, bots, channels and flows."""

    arn: str
    name: str
    metadata: str
    created: float
    identities: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Users and bots by ARN."""
    admins: dict[str, float] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    deleted_channels: dict[str, float] = field(default_factory=dict)
    """From every channel's ARN that is no more to when it was deleted."""
    new_identities: dict[str, Write] = field(default_factory=dict)
    """Users and bots by ARN, for as long as a call in their name may be refused."""
    new_admins: dict[str, Write] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """From every ClientRequestToken ever used to the ARN of the channel it made."""
    flows: dict[str, dict[str, Any]] = field(default_factory=dict)
    retention: dict[str, Any] = field(default_factory=dict)
    streaming: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class ChannelSnapshot:
    """A channel as a test wants to see it, with nothing hidden."""

    arn: str
    name: str
    mode: str
    privacy: str
    metadata: str
    tags: dict[str, str]
    members: dict[str, str]
    moderators: frozenset[str]
    bans: frozenset[str]
    expiration: dict[str, Any] | None
    elastic: dict[str, Any] | None
    flow: str | None
    created: float
    token: str
    messages: tuple[str, ...]


def snapshot(channel: Channel, tags: dict[str, str]) -> ChannelSnapshot:
    """Copy a channel's state."""
    return ChannelSnapshot(
        arn=channel.arn,
        name=channel.name,
        mode=channel.mode,
        privacy=channel.privacy,
        metadata=channel.metadata,
        tags=dict(tags),
        members=dict(channel.members),
        moderators=frozenset(channel.moderators),
        bans=frozenset(channel.bans),
        expiration=dict(channel.expiration) if channel.expiration else None,
        elastic=dict(channel.elastic) if channel.elastic else None,
        flow=channel.flow,
        created=channel.created,
        token=channel.token,
        messages=tuple(message["Content"] for message in channel.messages.values()),
    )
