"""The physical resource id: what it says of the resource, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

_NOT_CREATED = "unmade:"
_PENDING = "unproven:"


class State(Enum):
    """What a physical resource id says of its resource."""

    NOT_CREATED = "not created"
    """The creation was refused before it had any effect."""
    PENDING = "pending"
    """A creation was sent and may have had its effect."""
    HELD = "held"
    """The resource was created, or found."""
    MADE_UP = "made up"
    """CloudFormation made the id up, since no Create has answered; one may still be running."""


class PhysicalId(NamedTuple):
    """A physical resource id, taken apart."""

    state: State
    id: str
    """What identifies the resource at the service; of NOT_CREATED the logical id."""

    @classmethod
    def parse(cls, text: str, is_held: Callable[[str], bool]) -> PhysicalId:
        """Read a physical resource id; `is_held` recognizes what identifies a resource of this type."""
        if text.startswith(_NOT_CREATED):
            return cls(State.NOT_CREATED, text.removeprefix(_NOT_CREATED))
        pending = text.removeprefix(_PENDING)
        if pending != text and is_held(pending):
            return cls(State.PENDING, pending)
        return cls(State.HELD if is_held(text) else State.MADE_UP, text)

    def __str__(self) -> str:
        """Return the physical resource id as CloudFormation is given it."""
        prefixes = {State.NOT_CREATED: _NOT_CREATED, State.PENDING: _PENDING}
        return prefixes.get(self.state, "") + self.id
