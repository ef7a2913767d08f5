"""What AWS may do where nobody knows: the switches of the emulated service."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

_VALUES: dict[str, tuple[str, ...]] = {
    "missing_channel": ("Forbidden", "NotFound"),
    "token_after_delete": ("new", "dead", "conflict"),
    "token_alive": ("same", "conflict"),
    "deleted_channel_id": ("reusable", "conflict"),
    "update_omitted": ("cleared", "kept"),
    "read_misses": ("0", "1", "2", "3", "5"),
    "bad_member": ("refused", "skipped"),
    "moderator_is_member": ("yes", "no"),
    "delete_admin_user": ("allowed", "conflict"),
    "second_flow": ("conflict", "replaces"),
}


def _switch(name: str) -> Any:
    return field(default=_VALUES[name][0])


@dataclass(frozen=True)
class World:
    """One answer to each question that AWS's documentation leaves open; the first value is the default."""

    missing_channel: str = _switch("missing_channel")
    token_after_delete: str = _switch("token_after_delete")
    token_alive: str = _switch("token_alive")
    deleted_channel_id: str = _switch("deleted_channel_id")
    update_omitted: str = _switch("update_omitted")
    read_misses: int = 0
    bad_member: str = _switch("bad_member")
    moderator_is_member: str = _switch("moderator_is_member")
    delete_admin_user: str = _switch("delete_admin_user")
    second_flow: str = _switch("second_flow")

    @staticmethod
    def values() -> dict[str, tuple[str, ...]]:
        """Give the legal values of each switch, as text."""
        return dict(_VALUES)

    @classmethod
    def parse(cls, text: str) -> World:
        """Read `switch=value,switch=value`; raises ValueError that lists what is legal."""
        changes: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            if name not in _VALUES:
                raise ValueError(f"no switch {name!r}; there are: {', '.join(_VALUES)}")
            if name == "read_misses" and value.isdecimal():
                changes[name] = int(value)
            elif value in _VALUES[name] and name != "read_misses":
                changes[name] = value
            else:
                raise ValueError(f"{name} cannot be {value!r}; it can be: {', '.join(_VALUES[name])}")
        return dataclasses.replace(cls(), **changes)

    def __str__(self) -> str:
        return ",".join(f"{name}={getattr(self, name)}" for name in _VALUES)
