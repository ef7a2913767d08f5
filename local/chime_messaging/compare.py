"""Compares what is declared with what the service returned; no calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from chime_messaging.template import Unresolved, find_unresolved


class Outcome(Enum):
    """How a resource compares with its declaration."""

    AS_DECLARED = "as declared"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Unread:
    """A property that could not be read, and why."""

    reason: str


@dataclass(frozen=True)
class Difference:
    """A property that is not as declared; None stands for what is not there."""

    property: str
    declared: Any
    actual: Any


@dataclass(frozen=True)
class Undetermined:
    """What could not be compared, and why; without a property the whole resource."""

    property: str | None
    reason: str


Finding: TypeAlias = Difference | Undetermined
Comparison: TypeAlias = Callable[[str, Any, Any], Iterator[Finding]]
"""Compares one property: takes its name, what is declared, and what the service returned."""

RESOURCE = "(resource)"
"""In place of a property: the resource as a whole, which is not there."""


def get_outcome(findings: tuple[Finding, ...]) -> Outcome:
    """Return what findings come to; one difference outweighs all that is undetermined."""
    if any(isinstance(finding, Difference) for finding in findings):
        return Outcome.DRIFTED
    return Outcome.UNKNOWN if findings else Outcome.AS_DECLARED


def compare(
    comparisons: Mapping[str, Comparison], declared: Mapping[str, Any], actual: Mapping[str, Any]
) -> Iterator[Finding]:
    """Compare the properties that are declared; what is not declared may be anything.

    Args:
        comparisons: How each property is compared.
        declared: The properties of the template, resolved as far as possible.
        actual: What the service returned, under the same names; `Unread` where that could not be read.
    """
    for name, value in declared.items():
        if name not in comparisons:
            yield Undetermined(name, "this version of chime-messaging does not know the property")
        elif comparisons[name] is compare_nothing:
            continue
        elif isinstance(value, Unresolved):
            yield Undetermined(name, f"cannot resolve {value.reason}")
        elif isinstance(actual.get(name), Unread):
            yield Undetermined(name, actual[name].reason)
        else:
            yield from comparisons[name](name, value, actual.get(name))


def compare_nothing(name: str, declared: Any, actual: Any) -> Iterator[Finding]:
    """Leave out a property that only governs how the resource is managed."""
    yield from ()


def compare_text(name: str, declared: Any, actual: Any) -> Iterator[Finding]:
    """Compare a scalar, which a template may hold as text; an empty one is as good as none."""
    if ("" if declared is None else str(declared)) != ("" if actual is None else str(actual)):
        yield Difference(name, declared, actual)


def compare_map(name: str, declared: Any, actual: Any) -> Iterator[Finding]:
    """Compare the declared keys of a map; others are not the stack's."""
    for key, value in dict(declared).items():
        if isinstance(value, Unresolved):
            yield Undetermined(f"{name}.{key}", f"cannot resolve {value.reason}")
        else:
            yield from compare_text(f"{name}.{key}", value, (actual or {}).get(key))


def compare_list(name: str, declared: Any, actual: Any) -> Iterator[Finding]:
    """Compare the declared items of a list, each on its own; others are not the stack's."""
    there = set(actual or ())
    for item in declared:
        lost = find_unresolved(item)
        if lost:
            yield Undetermined(name, f"cannot resolve {lost.reason}")
        elif item not in there:
            yield Difference(name, item, None)
