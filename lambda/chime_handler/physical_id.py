"""The physical resource id: what it says of a resource. Nothing else reads or writes its prefixes.

Every type of resource has the same four states; ARCHITECTURE shows what each request does in each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class PhysicalId:
    """A physical resource id, parsed: NotCreated, Pending, Held or MadeUp."""

    id: str
    """What identifies the resource at the service, save where a state says otherwise."""
    _prefix: ClassVar[str] = ""

    @staticmethod
    def parse(text: str, is_resource_id: Callable[[str], bool]) -> PhysicalId:
        """Parse a physical resource id.

        Args:
            text: The id as CloudFormation sent it.
            is_resource_id: Recognizes what identifies a resource of this type at the service.
        """
        if text.startswith(NotCreated._prefix):
            return NotCreated(text.removeprefix(NotCreated._prefix))
        pending = text.removeprefix(Pending._prefix)
        if pending != text and is_resource_id(pending):
            return Pending(pending)
        return Held(text) if is_resource_id(text) else MadeUp(text)

    def __str__(self) -> str:
        """Return the physical resource id as CloudFormation is given it."""
        return self._prefix + self.id


class NotCreated(PhysicalId):
    """The creation was refused before it had any effect; the id is the logical id."""

    _prefix = "unmade:"


class Pending(PhysicalId):
    """A creation was sent and may have had its effect."""

    _prefix = "unproven:"


class Held(PhysicalId):
    """The resource was created, or found."""


class MadeUp(PhysicalId):
    """CloudFormation made the id up, since no Create has responded; one may still be running."""
