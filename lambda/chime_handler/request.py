"""A request of CloudFormation, and what is known so far of its response."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chime_handler.channel.ownership import owner_mark
from chime_handler.errors import DeadlineExceededError, MalformedEventError, RequestRejectedError, ServiceError
from chime_handler.physical_id import NotCreated, Pending
from chime_handler.service import Service
from chime_handler.timing import CREATE_ENDS_SECONDS

REQUEST_TYPES = ("Create", "Update", "Delete")
_DELETION_SECONDS = 30.0
"""Kept of a Delete's time for what it does after it has waited."""


@dataclass(frozen=True)
class Request:
    """One request of CloudFormation, parsed; properties stay as they came."""

    request_type: str
    """One of REQUEST_TYPES."""
    resource_type: str
    stack_id: str
    request_id: str
    logical_id: str
    physical_id: str
    properties: Mapping[str, Any] = field(repr=False)
    old_properties: Mapping[str, Any] = field(repr=False)

    @property
    def mark(self) -> str:
        """The owner's mark that this request leaves on a channel it creates."""
        return owner_mark(self.stack_id, self.logical_id, self.request_id)

    @property
    def bearer_may_be_new(self) -> bool:
        """Whether bearer or right may have been made a moment ago, by the same stack."""
        new, old = self.properties.get("ChimeBearer"), self.old_properties.get("ChimeBearer")
        rotated = isinstance(new, str) and new != old  # two values that lie deep cannot be compared
        return self.request_type == "Create" or (self.request_type == "Update" and rotated)


class Resource(NamedTuple):
    """What a Create or Update has brought about."""

    id: str
    """What identifies the resource at the service."""
    attributes: dict[str, str]
    """What `Fn::GetAtt` returns."""


def parse_request(event: Mapping[str, object]) -> Request:
    """Parse an event; raises MalformedEventError, which names what is wrong and shows no value."""
    texts = {}
    for name in ("RequestType", "ResourceType", "StackId", "RequestId", "LogicalResourceId"):
        value = event.get(name)
        if not isinstance(value, str) or not value:
            raise MalformedEventError(f"{name} is missing or no string")
        texts[name] = value
    request_type = texts["RequestType"]
    if request_type not in REQUEST_TYPES:
        raise MalformedEventError("RequestType is none of Create, Update, Delete")
    physical_id = event.get("PhysicalResourceId", "")
    if not isinstance(physical_id, str) or (request_type != "Create" and not physical_id):
        raise MalformedEventError("PhysicalResourceId is missing or no string")
    maps = []
    for name in ("ResourceProperties", "OldResourceProperties"):
        value = event.get(name, {})
        if not isinstance(value, Mapping):
            raise MalformedEventError(f"{name} is no map")
        maps.append(value)
    return Request(
        request_type,
        texts["ResourceType"],
        texts["StackId"],
        texts["RequestId"],
        texts["LogicalResourceId"],
        physical_id if request_type != "Create" else "",
        *maps,
    )


@dataclass(eq=False, repr=False)
class RequestContext:
    """A request in progress: its service, and the physical resource id to respond with if it ended now."""

    request: Request
    service: Service
    _held: str = ""
    """What identifies the resource, as soon as it is created or found."""
    _pending: str = ""
    """What identifies the resource that a call was sent for which may have created it."""
    _pending_before: str = ""
    """The same of an earlier call."""

    @property
    def physical_id(self) -> str:
        """The physical resource id to respond with now, whatever happens next."""
        if self._held:
            return self._held
        if self.request.physical_id:
            return self.request.physical_id
        if self._pending:
            return str(Pending(self._pending))
        return str(NotCreated(self.request.logical_id))

    @contextmanager
    def creating(self, pending: str, inconclusive: Collection[str] = ()) -> Iterator[None]:
        """Make the first call that creates something: its effect is possible, unless it is refused for good.

        Args:
            pending: What will identify the resource.
            inconclusive: Codes of refusals for which another delivery of this request may be the cause.
        """
        self._pending_before, self._pending = self._pending, pending
        try:
            yield
        except ServiceError as error:
            if not error.may_have_had_effect and error.code not in inconclusive:
                self.created_nothing()
            raise
        except RequestRejectedError:
            self.created_nothing()  # the service took the call and said that it has done nothing
            raise
        except DeadlineExceededError as error:
            if error.last is not None and not error.last.was_sent:
                self.created_nothing()  # no try got a connection: a VPC without a way to the service
            raise

    def created_nothing(self) -> None:
        """Note that the last call that may have created something has not."""
        self._pending = self._pending_before

    def hold(self, resource_id: str) -> None:
        """Note that the resource is there and this stack's: the response names it from now on."""
        self._held = resource_id

    def log(self, outcome: str, **more: object) -> None:
        """Write one line to the Lambda's log."""
        line = {"outcome": outcome, "request_id": self.request.request_id, **more}
        self.service.effects.log(json.dumps(line))

    def wait_until_create_has_ended(self) -> None:
        """Wait until no delivery of a Create that has not responded can act any more."""
        effects = self.service.effects
        left = self.service.deadline - effects.clock() - _DELETION_SECONDS
        seconds = max(0.0, min(CREATE_ENDS_SECONDS, left))
        self.log("waiting", why="no Create has responded; one may still be running", seconds=round(seconds))
        effects.sleep(seconds)
