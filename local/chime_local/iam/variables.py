"""Policy variables, as the IAM User Guide documents them ("IAM policy elements: Variables and tags")."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

VERSION = "2012-10-17"
"""The policy version that has variables; in any other, `${…}` is plain text."""
LITERAL = "\0"
"""Precedes, in a pattern, a `*` or `?` that is no wildcard. IAM allows it in no policy, so it is unambiguous."""
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_KEY_AND_DEFAULT = re.compile(r"([^,']*?)\s*(?:,\s*'([^']*)')?\s*")


def resolve(text: str, value_of: Callable[[str], object], *, pattern: bool) -> str | None:
    """Return the text with its variables replaced, or None where one has neither a value nor a default.

    `value_of` returns the value of a condition key in the request. In a `pattern`, `*` and `?` in a variable's
    value are literal, as are `${*}` and `${?}`.
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
    """Return the value of one `${…}`."""
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
    """Match a value against a pattern in which `*` is any text and `?` any character; case-sensitive."""
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    parts = re.findall(LITERAL + r"[*?]|.", pattern, re.DOTALL)
    return re.compile("".join(wildcards.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


def arn_matches(arn: str, pattern: str) -> bool:
    """Match an ARN as ArnLike and ArnEquals do: each of its six parts separately."""
    if pattern == "*":
        return True
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) == 6 and all(map(matches, parts, patterns))
