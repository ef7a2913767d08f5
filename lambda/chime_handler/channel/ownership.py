"""What proves ownership, and what names derive from: token, ChannelId and the owner's mark.

All are derived, so that any delivery of any request computes them anew and no state is kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

OWN_PREFIX = "cdk-chime-messaging:"
"""Begins the keys of tags that are this package's."""
OWNER_TAG = f"{OWN_PREFIX}owner"
"""The tag that proves which resource of which stack made or adopted a channel."""

GENERATIONS = 16
"""How many generations of channels one logical id can have, under ids of our own, before a user must rename it."""

_ADOPTED = "-adopted"


def _digest(parts: Iterable[object], length: int) -> str:
    # The separator cannot occur in a repr of the parts, so no two lists of parts read the same.
    text = "\0".join(repr(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def _readable(logical_id: str, length: int) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", logical_id)[:length] or "Channel"


def channel_id(stack_id: str, logical_id: str, immutable: object, generation: int) -> str:
    """Derive the ChannelId of a generation of a resource's channel; `immutable` is what cannot change in place."""
    return f"{_readable(logical_id, 31)}-{_digest((stack_id, logical_id, immutable, generation), 32)}"


def client_request_token(
    stack_id: str, logical_id: str, immutable: object, request_id: str, generation: int
) -> str:
    """Derive the token of one request's CreateChannel.

    The request id is in it: a redelivered request has the same, so it finds its channel again, and a
    later request of the same resource has another, so the service never replays a channel long gone.
    """
    digest = _digest((stack_id, logical_id, immutable, request_id, generation), 32)
    return f"{_readable(logical_id, 31)}-{digest}"


def digest_of_owner(stack_id: str, logical_id: str) -> str:
    """Derive a digest that stands for a resource of a stack."""
    return _digest((stack_id, logical_id), 32)


def owner_of(stack_id: str, logical_id: str) -> str:
    """Derive what stands for the owner, a resource of a stack, in its marks."""
    return f"{_readable(logical_id, 64)}-{digest_of_owner(stack_id, logical_id)}"


def owner_mark(stack_id: str, logical_id: str, request_id: str) -> str:
    """Derive the value of OWNER_TAG: who owns the channel, then which request made it."""
    return f"{owner_of(stack_id, logical_id)}.{_digest((request_id,), 16)}"


class OwnerMark(NamedTuple):
    """The value of OWNER_TAG, taken apart."""

    owner: str
    request: str
    is_adopted: bool
    """Whether the owner has adopted the channel, which another had made."""

    @classmethod
    def parse(cls, text: str) -> OwnerMark:
        """Read the value of OWNER_TAG."""
        owner, _, request = text.rpartition(".")
        return cls(owner, request.removesuffix(_ADOPTED), request.endswith(_ADOPTED))

    @property
    def logical_id(self) -> str:
        """The logical id of the owner, where it has at most 64 characters."""
        return self.owner.rpartition("-")[0]

    def is_of_stack(self, stack_id: str) -> bool:
        """Check whether the owner is a resource of a stack."""
        return self.owner == owner_of(stack_id, self.logical_id)


def adoption_mark(mark: str) -> str:
    """Return the mark of the same owner and request for a channel that is adopted."""
    return mark + _ADOPTED


def same_owner(mark: str | None, other: str) -> bool:
    """Check whether two marks are of one resource, whichever request made the channel."""
    return mark is not None and OwnerMark.parse(mark).owner == OwnerMark.parse(other).owner


def same_request(mark: str | None, other: str) -> bool:
    """Check whether two marks are of one request of one resource."""
    return mark is not None and OwnerMark.parse(mark)[:2] == OwnerMark.parse(other)[:2]
