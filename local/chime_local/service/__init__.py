"""Amazon Chime SDK messaging and identity, emulated: the rules in here, the wire in `asgi`.

Not emulated: message delivery and sessions, invocation of channel flows, sub-channels of elastic channels,
search, push notifications, read marks. What AWS does not document is a switch of `World`.
"""

from __future__ import annotations

from typing import Any

from chime_local.service._errors import ChimeError
from chime_local.service._identity import Identity
from chime_local.service._limits import Limits
from chime_local.service._messages import Messages
from chime_local.service._model import validate
from chime_local.service._state import ChannelSnapshot, snapshot
from chime_local.service._world import World

__all__ = ["ChannelSnapshot", "ChimeError", "ChimeService", "World"]

REGIONS = ("us-east-1", "eu-central-1")


class ChimeService(Messages, Identity):
    """Both services with one state; `call` is the only way in."""

    def call(self, operation: str, params: dict[str, Any], *, service_name: str, region: str) -> dict[str, Any]:
        """Do one operation, with parameters and answer as boto3 writes them; raises ChimeError."""
        method = getattr(self, method_name(operation), None)
        if method is None:
            raise ChimeError("NotImplemented", f"{operation} is not emulated by the local engine.")
        if region not in REGIONS:
            raise ChimeError("BadRequest", f"there is no endpoint in {region}, only in {', '.join(REGIONS)}")
        validate(service_name, operation, params)
        with self.lock:
            self.region, self.operation = region, operation
            refused = self.fault(operation, params) if self.fault else None
            if refused:
                raise refused
            if self.limits:
                elastic = self.is_elastic(params.get("ChannelArn"))
                self.limits.check(operation, params, service_name=service_name, region=region, elastic=elastic)
            try:
                answer: dict[str, Any] = method(params)
            finally:
                self.count_bearer_call(params)
            return answer

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self.app_instances.clear()
            self.tags.clear()
            if self.limits:
                self.limits = Limits(self.clock)

    def channels(self) -> list[ChannelSnapshot]:
        """Show all channels, to tests, with nothing hidden."""
        with self.lock:
            return [
                snapshot(channel, self.tags.get(channel.arn, {}))
                for app in self.app_instances.values()
                for channel in self.all_living(app)
            ]


def method_name(operation: str) -> str:
    """Give the method that does an operation: CreateChannel is create_channel."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
