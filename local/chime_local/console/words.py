"""What a page says in words: changes, times, marks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from chime_local.chime.faults import EVERY_OPERATION, Fault
from chime_local.recording import Call

OWNER_TAG = "cdk-chime-messaging:owner"
_UNSAID = ("ServiceToken", "ServiceTimeout")
_MAX_SHOWN = 8


def describe_changes(event: Mapping[str, Any]) -> str:
    """Describe what an Update changes, such as "Name changed; Members +2 −1"."""
    if event.get("RequestType") != "Update":
        return {"Create": "everything is new", "Delete": "everything goes"}.get(str(event.get("RequestType")), "")
    before, after = (event.get(key) or {} for key in ("OldResourceProperties", "ResourceProperties"))
    changes = [
        _change(name, before.get(name), after.get(name))
        for name in sorted({*before, *after} - set(_UNSAID))
        if before.get(name) != after.get(name)
    ]
    more = [f"and {len(changes) - _MAX_SHOWN} more"] if len(changes) > _MAX_SHOWN else []
    return "; ".join([*changes[:_MAX_SHOWN], *more]) or "nothing but the request changed"


def _change(name: str, before: Any, after: Any) -> str:
    if before is None:
        return f"{name} added"
    if after is None:
        return f"{name} removed"
    if isinstance(before, list) and isinstance(after, list):
        old, new = ({json.dumps(one, sort_keys=True) for one in items} for items in (before, after))
        signs = ((f"+{len(new - old)}", new - old), (f"−{len(old - new)}", old - new))
        return f"{name} {' '.join(text for text, items in signs if items) or 'in another order'}"
    return f"{name} changed"


def describe_fault(fault: Fault) -> str:
    """Describe what a fault does to which calls."""
    calls = "the next call" if fault.left == 1 else f"the next {fault.left:,} calls"
    whose = "any operation" if fault.operation == EVERY_OPERATION else fault.operation
    late = f"begin {fault.milliseconds:,} ms later" if fault.milliseconds else ""
    fail = f"fail with {fault.error} {fault.when} the effect" if fault.error else ""
    verbs = " and ".join(filter(None, (late, fail)))
    if fault.left == 1:
        verbs = verbs.replace("begin ", "begins ").replace("fail ", "fails ")
    return f"{calls} of {whose} {verbs}"


def describe_calls(calls: Iterable[Call]) -> str:
    """Describe how many calls were made, and which of them write."""
    made = list(calls)
    writes = Counter(one.operation for one in made if not one.operation.startswith(("Describe", "Get", "List")))
    reads = len(made) - writes.total()
    named = ", ".join(f"{name} {number} times" if number > 1 else name for name, number in writes.items())
    parts = [f"{writes.total()} {'write' if writes.total() == 1 else 'writes'} ({named})"] if writes else []
    parts += [f"{reads} {'read' if reads == 1 else 'reads'}"] if reads else []
    return " and ".join(parts) or "no call"


def format_value(value: Any) -> str:
    """Write a property's value: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def explain_tag(key: str) -> str:
    """Explain a tag, where it is one of this package's."""
    if key == OWNER_TAG:
        return (
            "The owner's mark: which resource of which stack made or adopted this channel, then which request did. "
            "With another mark, or none, the construct does not touch the channel."
        )
    return "A tag of cdk-chime-messaging." if key.startswith("cdk-chime-messaging:") else ""


def describe_duration(seconds: float | None) -> str:
    """Format a duration."""
    if seconds is None:
        return "in progress"
    return (
        f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"
    )


def format_time(moment: float | datetime | None) -> str:
    """Write a moment in UTC."""
    if moment is None:
        return ""
    found = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    return found.strftime("%Y-%m-%d %H:%M:%S UTC")


def format_clock(moment: float | datetime | None) -> str:
    """Write the time of day in UTC."""
    return format_time(moment)[11:19]


def format_json(value: Any) -> str:
    """Write a value as JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def shorten(arn: str) -> str:
    """Return the last part of an ARN, for where the whole is too long; the copy button has it all."""
    return arn.rpartition("/")[2] or arn
