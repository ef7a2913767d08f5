"""What AWS does where its documentation leaves it open: the switches of the emulated service."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

_VALUES: dict[str, tuple[str, ...]] = {
    "missing_channel": ("Forbidden", "NotFound"),
    "missing_tags": ("refused", "empty", "BadRequest"),
    "token_after_delete": ("new", "dead", "conflict"),
    "token_alive": ("same", "conflict"),
    "deleted_channel_id": ("reusable", "conflict_for_a_time", "conflict"),
    "update_omitted": ("kept", "cleared"),
    "read_misses": ("1", "0", "2", "3", "5"),
    "bad_member": ("refused", "skipped"),
    "moderator_is_member": ("no", "yes"),
    "delete_admin_user": ("allowed", "conflict"),
    "second_flow": ("replaces", "conflict"),
    "missing_bearer": ("401", "403"),
    "new_identity_refusals": ("0", "1", "3", "10"),
    "new_policy_delay": ("0", "5", "20", "50"),
    "tag_misses": ("0", "1", "2", "3"),
    "update_misses": ("0", "1", "2"),
    "put_streaming": ("upsert", "replaces"),
    "omitted_settings": ("PUBLIC_UNRESTRICTED", "PRIVATE_RESTRICTED"),
    "member_removes_others": ("no", "yes"),
    "hidden_lists_members": ("no", "yes"),
}
_NUMBERS = ("read_misses", "new_identity_refusals", "new_policy_delay", "tag_misses", "update_misses")
"""The switches that take any number; of them the values above are only those that are tried."""


def _switch(name: str) -> Any:
    first = _VALUES[name][0]
    return field(default=int(first) if name in _NUMBERS else first)


@dataclass(frozen=True)
class Behaviors:
    """One answer to each question that AWS's documentation leaves open; the first of `values` is the default."""

    missing_channel: str = _switch("missing_channel")
    missing_tags: str = _switch("missing_tags")
    token_after_delete: str = _switch("token_after_delete")
    token_alive: str = _switch("token_alive")
    deleted_channel_id: str = _switch("deleted_channel_id")
    update_omitted: str = _switch("update_omitted")
    read_misses: int = _switch("read_misses")
    bad_member: str = _switch("bad_member")
    moderator_is_member: str = _switch("moderator_is_member")
    delete_admin_user: str = _switch("delete_admin_user")
    second_flow: str = _switch("second_flow")
    missing_bearer: str = _switch("missing_bearer")
    new_identity_refusals: int = _switch("new_identity_refusals")
    new_policy_delay: int = _switch("new_policy_delay")
    """Seconds for which a new policy has no effect yet; the gate that evaluates IAM policies reads it (D)."""
    tag_misses: int = _switch("tag_misses")
    update_misses: int = _switch("update_misses")
    put_streaming: str = _switch("put_streaming")
    omitted_settings: str = _switch("omitted_settings")
    member_removes_others: str = _switch("member_removes_others")
    """Whether a member removes other members; AWS's role table says "Allowed" and names no restriction (U)."""
    hidden_lists_members: str = _switch("hidden_lists_members")
    """Whether a HIDDEN member sees the others: a blog of AWS's says no, its role table makes no difference (U)."""

    @staticmethod
    def values() -> dict[str, tuple[str, ...]]:
        """Return the legal values of each switch, as text."""
        return dict(_VALUES)

    @classmethod
    def parse(cls, text: str) -> Behaviors:
        """Read `switch=value,switch=value`; raises ValueError that lists what is legal."""
        changes: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            if name not in _VALUES:
                raise ValueError(f"no switch {name!r}; there are: {', '.join(_VALUES)}")
            if name in _NUMBERS and value.isascii() and value.isdecimal():
                changes[name] = int(value)
            elif value in _VALUES[name] and name not in _NUMBERS:
                changes[name] = value
            else:
                raise ValueError(f"{name} cannot be {value!r}; it can be: {', '.join(_VALUES[name])}")
        return dataclasses.replace(cls(), **changes)

    def __str__(self) -> str:
        """Return the text from which `parse` makes the same."""
        return ",".join(f"{name}={getattr(self, name)}" for name in _VALUES)
