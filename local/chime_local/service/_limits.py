"""The documented rates of the service, on an injected clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from chime_local.service._errors import ChimeError

_WRITES = frozenset({"CreateChannel", "UpdateChannel", "DeleteChannel"})
_PERSONS = frozenset(
    {f"{verb}Channel{what}" for verb in ("Create", "Delete") for what in ("Membership", "Moderator", "Ban")}
)
_FRANKFURT = "eu-central-1"


class Limits:
    """Counts the calls of the last second and refuses those over a rate."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._recent: dict[tuple[str, str], deque[float]] = {}

    def check(self, operation: str, parameters: dict[str, Any], region: str) -> None:
        """Refuse a call over any of its rates; a refused call counts for none of them."""
        now = self._clock()
        applied = []
        for key, rate in self._rates(operation, parameters, region):
            recent = self._recent.setdefault(key, deque())
            while recent and recent[0] <= now - 1:
                recent.popleft()
            if len(recent) >= rate:
                raise ChimeError("ThrottledClient", f"Rate exceeded: {key[0]}, {rate} a second")
            applied.append(recent)
        for recent in applied:
            recent.append(now)

    def _rates(self, operation: str, parameters: dict[str, Any], region: str) -> list[tuple[tuple[str, str], int]]:
        channel = str(parameters.get("ChannelArn", ""))
        if operation in _WRITES:
            app = str(parameters.get("AppInstanceArn") or channel.partition("/channel/")[0])
            return [
                (("channel writes per app instance", app), 15),
                (
                    ("channel writes per bearer", str(parameters.get("ChimeBearer"))),
                    5 if region == _FRANKFURT else 10,
                ),
            ]
        if operation == "DescribeChannel":
            return [(("DescribeChannel per channel", channel), 20)]
        if operation in _PERSONS:
            return [((f"{operation} per channel", channel), 10 if region == _FRANKFURT else 15)]
        if operation.startswith("Batch"):
            return [(("batch calls per channel", channel), 1)]
        return []
