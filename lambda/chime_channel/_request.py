"""A request of CloudFormation, and what is known so far of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chime_channel._api import Api
from chime_channel._identity import owner_mark

KINDS = ("Create", "Update", "Delete")

UNMADE = "unmade:"
"""Begins the physical resource id of a creation that was refused before it had any effect."""
UNPROVEN = "unproven:"
"""Begins the physical resource id of a creation that may have had an effect; the channel's ARN follows."""


class Refused(Exception):
    """The request cannot be done; the text says what, the value seen and what to do."""


class BadEvent(Exception):
    """The event is no request of CloudFormation for a custom resource."""


@dataclass(frozen=True)
class Request:
    """One request of CloudFormation, taken apart; properties stay as they came."""

    kind: str
    resource_type: str
    stack_id: str
    request_id: str
    logical_id: str
    physical_id: str
    properties: Mapping[str, Any] = field(repr=False)
    old_properties: Mapping[str, Any] = field(repr=False)

    @property
    def mark(self) -> str:
        """The owner's mark that this request leaves on a channel it makes or adopts."""
        return owner_mark(self.stack_id, self.logical_id, self.request_id)


def parse_request(event: object) -> Request:
    """Take an event apart; raises BadEvent, which names what is wrong and shows no value."""
    if not isinstance(event, Mapping):
        raise BadEvent("the event is no map")
    texts = {}
    for name in ("RequestType", "ResourceType", "StackId", "RequestId", "LogicalResourceId"):
        value = event.get(name)
        if not isinstance(value, str) or not value:
            raise BadEvent(f"{name} is missing or no string")
        texts[name] = value
    kind = texts["RequestType"]
    if kind not in KINDS:
        raise BadEvent("RequestType is none of Create, Update, Delete")
    physical_id = event.get("PhysicalResourceId", "")
    if not isinstance(physical_id, str) or (kind != "Create" and not physical_id):
        raise BadEvent("PhysicalResourceId is missing or no string")
    maps = []
    for name in ("ResourceProperties", "OldResourceProperties"):
        value = event.get(name, {})
        if not isinstance(value, Mapping):
            raise BadEvent(f"{name} is no map")
        maps.append(value)
    return Request(
        kind,
        texts["ResourceType"],
        texts["StackId"],
        texts["RequestId"],
        texts["LogicalResourceId"],
        physical_id if kind != "Create" else "",
        *maps,
    )


@dataclass
class Work:
    """A request in progress."""

    request: Request
    api: Api
    attempted: str = ""
    """The ARN of the channel that CreateChannel was last asked for."""
    answered: str = ""
    """The physical resource id, as soon as it is known."""

    @property
    def physical_id(self) -> str:
        """The physical resource id to answer now, whatever happens next."""
        if self.answered:
            return self.answered
        if self.request.physical_id:
            return self.request.physical_id
        if self.attempted and self.api.uncertain:
            return UNPROVEN + self.attempted
        return UNMADE + self.request.logical_id
