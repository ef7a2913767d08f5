"""What commands print: for a person on standard error or output, or JSON for a program."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console

_PLAIN_WIDTH = 160
"""Characters of a line where there is no terminal: whole names and ARNs rather than cut ones."""


def create_console(*, stderr: bool = False) -> Console:
    """Return a console that colors only on a terminal, and never where NO_COLOR is set."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    return console


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, indent=2, default=str))


def print_fields(fields: dict[str, str], *, stderr: bool = False) -> None:
    """Print names and values below each other; empty values are left out."""
    width = max(map(len, fields))
    for name, value in fields.items():
        if value:
            print(f"{name:<{width}}  {value}", file=sys.stderr if stderr else sys.stdout)


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is due."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
