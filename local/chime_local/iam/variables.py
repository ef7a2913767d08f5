"""Policy variables, as the IAM User Guide documents them ("IAM policy elements: Variables and tags")."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

VERSION = "2012-10-17"
"""The policy version that has variables; in any other `${…}` is text like any other."""
LITERAL = "\0"
"""Marks, in a pattern, a `*` or `?` that is no wildcard. IAM refuses it in a policy, so that it is free."""
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_KEY_AND_DEFAULT = re.compile(r"([^,']*?)\s*(?:,\s*'([^']*)')?\s*")


def resolve(text: str, value_of: Callable[[str], object], *, pattern: bool) -> str | None:
    """Return the text with its variables replaced, or None where one has neither a value nor a default.

    `value_of` finds the value of a condition key in the request. In a `pattern`, what a variable stands for is
    taken literally, `${*}` and `${?}` above all.
    """
    values: list[str] = []
    for found in _VARIABLE.finditer(text):
        value = _value(found[1], value_of)
        if value is None:
            return None
        values.append(re.sub(r"([*?])", LITERAL + r"\1", value) if pattern else value)
    remaining = iter(values)
    return _VARIABLE.sub(lambda _: next(remaining), text)


def _value(inside: str, value_of: Callable[[str], object]) -> str | None:
    """Return what one `${…}` stands for."""
    if inside in ("*", "?", "$"):
        return inside
    named = _KEY_AND_DEFAULT.fullmatch(inside)
    if not named:
        return None
    value = value_of(named[1].strip())
    if value is None or value == "" or isinstance(value, (list, tuple, set, dict)):
        # A key with several values cannot be a variable.
        return named[2]
    return str(value)


def matches(value: str, pattern: str) -> bool:
    """Check a value against a pattern in which `*` is any text and `?` any character; case counts."""
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    parts = re.findall(LITERAL + r"[*?]|.", pattern, re.DOTALL)
    return re.compile("".join(wildcards.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


def arn_matches(arn: str, pattern: str) -> bool:
    """Check an ARN as ArnLike and ArnEquals do: each of its six parts on its own."""
    if pattern == "*":
        return True
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) == 6 and all(map(matches, parts, patterns))
