"""The documented rates of the service, on an injected clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from chime_local.chime.errors import ChimeError

_CHANNEL_WRITES = frozenset({"CreateChannel", "UpdateChannel", "DeleteChannel"})
_MEMBERSHIP_WRITES = frozenset(
    f"{verb}Channel{what}" for verb in ("Create", "Delete") for what in ("Membership", "Moderator", "Ban")
)
_MEMBERSHIP_LISTS = frozenset({"ListChannelMemberships", "ListChannelModerators", "ListChannelBans"})
_MESSAGE_WRITES = frozenset(f"{verb}ChannelMessage" for verb in ("Send", "Update", "Redact", "Delete")) | {
    "ChannelFlowCallback"
}
_APP_INSTANCE_WRITES = frozenset(f"{verb}AppInstance" for verb in ("Create", "Update", "Delete"))
_USER_WRITES = frozenset(f"{verb}AppInstanceUser" for verb in ("Create", "Update", "Delete"))
_FRANKFURT = "eu-central-1"

Rate = tuple[str, str, int]
"""What is counted, of whom, and how many a second."""


class Throttle:
    """Counts the calls of the last second and refuses those over a rate.

    Written by hand, as its clock is the caller's: tests and simulations set the time, libraries read the machine's.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._recent: dict[tuple[str, str], deque[float]] = {}

    def check(
        self, operation: str, parameters: dict[str, Any], *, service_name: str, region: str, elastic: bool
    ) -> None:
        """Refuse a call over any of its rates; a refused call counts for none of them."""
        now = self._clock()
        identity = service_name == "chime-sdk-identity"
        rates = (
            _identity_rates(operation, parameters, region)
            if identity
            else _messaging_rates(operation, parameters, region, elastic)
        )
        applied = []
        for what, whose, rate in rates:
            recent = self._recent.setdefault((what, whose), deque())
            while recent and recent[0] <= now - 1:
                recent.popleft()
            if len(recent) >= rate:
                raise ChimeError("ThrottledClient", f"Rate exceeded: {what}, {rate} a second")
            applied.append(recent)
        for recent in applied:
            recent.append(now)


def _identity_rates(operation: str, parameters: dict[str, Any], region: str) -> Iterator[Rate]:
    user = str(parameters.get("AppInstanceUserArn", ""))
    app = str(parameters.get("AppInstanceArn") or user.partition("/user/")[0])
    yield "identity calls per account", region, 50
    if operation in _APP_INSTANCE_WRITES:
        yield "writes of app instances per account", region, 5
    elif operation in _USER_WRITES:
        # The quota is named as one of the app instance, but described as one of the account (U).
        yield "writes of users per app instance", app, 10
    elif operation == "DescribeAppInstance":
        yield "DescribeAppInstance per app instance", app, 20
    elif operation == "DescribeAppInstanceUser":
        yield "DescribeAppInstanceUser per user", user, 20
    elif operation == "ListAppInstances":
        yield "ListAppInstances per account", region, 10
    elif operation == "ListAppInstanceUsers":
        # Of what, AWS does not say (U).
        yield "ListAppInstanceUsers per app instance", app, 10


def _messaging_rates(operation: str, parameters: dict[str, Any], region: str, elastic: bool) -> Iterator[Rate]:
    channel = str(parameters.get("ChannelArn", ""))
    app = str(parameters.get("AppInstanceArn") or channel.partition("/channel/")[0])
    bearer = parameters.get("ChimeBearer")
    # Tag calls, and those on flows and streaming, name no bearer.
    if bearer:
        yield "calls per bearer", str(bearer), 5 if region == _FRANKFURT else 10
    if operation in _CHANNEL_WRITES:
        yield "channel writes per app instance", app, 15
    elif operation == "ListChannels":
        yield "ListChannels per app instance", app, 10
    elif operation == "DescribeChannel":
        yield "DescribeChannel per channel", channel, 20
    elif operation in _MEMBERSHIP_WRITES:
        rate = 10 if region == _FRANKFURT else 30 if elastic else 15
        yield "writes of members, moderators and bans per channel", channel, rate
    elif operation in _MEMBERSHIP_LISTS:
        yield "lists of members, moderators and bans per channel", channel, 15
    elif operation in _MESSAGE_WRITES:
        yield "writes of messages per channel", channel, 10 if region == _FRANKFURT else 30
    elif operation in ("ListChannelMessages", "GetChannelMessage"):
        yield f"{operation} per channel", channel, 30
    elif operation.startswith("Batch"):
        yield "batch calls per channel", channel, 1
