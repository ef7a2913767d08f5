"""What a deploy did, as rows and lines: pure, from the operations that the console's API returns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

MAX_ROWS = 12
_CHANNEL_ARN = re.compile(r"arn:[\w-]+:chime:[\w-]+:\d{12}:app-instance/[^/]+/channel/.+")
_STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Row:
    """One resource of an operation."""

    stack: str
    logical_id: str
    resource_type: str
    status: str
    seconds: float | None
    """From its first event to the one that ended it; None while it is in progress."""
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether the resource itself failed; what was only cancelled did not."""
        return self.status.endswith("_FAILED")


def list_rows(operations: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the resources of operations, in the order of their first events."""
    rows: dict[tuple[int, str], Row] = {}
    started: dict[tuple[int, str], float] = {}
    for operation in operations:
        for event in operation["events"]:
            if event["resource_type"] == _STACK and event["physical_id"] == operation["stack_id"]:
                continue
            key = (operation["id"], event["logical_id"])
            started.setdefault(key, event["time"])
            if (known := rows.get(key)) and known.failed:
                continue  # what a rollback does to it afterwards would hide the reason
            ended = not event["status"].endswith("_IN_PROGRESS")
            rows[key] = Row(
                operation["stack_name"],
                event["logical_id"],
                event["resource_type"],
                event["status"],
                event["time"] - started[key] if ended else None,
                event["reason"] if event["status"].endswith("_FAILED") else "",
            )
    return list(rows.values())


def choose_rows(rows: Sequence[Row], limit: int = MAX_ROWS) -> tuple[list[Row], int]:
    """Return the rows to show, and the number of those left out: failed ones first, then what took longest."""
    if len(rows) <= limit:
        return list(rows), 0
    ranked = sorted(rows, key=lambda row: (not row.failed, row.seconds is not None, -(row.seconds or 0)))
    chosen = set(map(id, ranked[:limit]))
    return [row for row in rows if id(row) in chosen], len(rows) - limit


def create_table(rows: Sequence[Row], paths: Mapping[str, str]) -> Table:
    """Return a table of resources; `paths` has the construct path of each logical id."""
    shown, left_out = choose_rows(rows)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for row in shown:
        style = "red" if row.failed else "green" if row.status.endswith("_COMPLETE") else "yellow"
        table.add_row(
            Text(row.resource_type),
            Text(paths.get(row.logical_id, row.logical_id), overflow="ellipsis"),
            Text(row.status, style=style),
            "" if row.seconds is None else format_seconds(row.seconds),
        )
    if left_out:
        table.add_row(f"and {left_out:,} more")
    return table


def list_stack_lines(operations: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each operation on a stack."""
    for operation in operations:
        ended = operation["ended"]
        took = f" in {format_seconds(ended - operation['started'])}" if ended else ""
        number = sum(row.stack == operation["stack_name"] for row in rows)
        yield f"{operation['stack_name']}: {operation['status']}{took}, {number:,} resource{'s'[: number != 1]}"


def list_failures(rows: Sequence[Row], paths: Mapping[str, str]) -> Iterator[str]:
    """Yield what failed, with the reason in the stack event."""
    for row in rows:
        if row.failed:
            yield f"{paths.get(row.logical_id, row.logical_id)} {row.status}: {to_printable(row.reason)}"


def list_channels(outputs: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the ARNs of channels among the outputs of stacks."""
    values = (value for of_stack in outputs.values() for value in of_stack.values())
    return list(dict.fromkeys(value for value in values if _CHANNEL_ARN.fullmatch(value)))


def read_paths(cloud_assembly: Path) -> dict[str, str]:
    """Return the construct path of each logical id in the templates of a cloud assembly."""
    paths: dict[str, str] = {}
    for file in sorted(cloud_assembly.rglob("*.template.json")):
        for logical_id, resource in json.loads(file.read_text()).get("Resources", {}).items():
            path = resource.get("Metadata", {}).get("aws:cdk:path", "")
            if path:
                paths[logical_id] = path.removesuffix("/Resource").removesuffix("/Default").partition("/")[2]
    return paths


def list_warnings(output: str) -> list[str]:
    """Return the warnings of constructs in the CDK CLI's output."""
    return [line for line in output.splitlines() if line.startswith("[Warning at ")]


def to_printable(text: str, keep: str = "") -> str:
    """Escape what a terminal would act on: people type names and messages, and Lambdas write logs."""
    return "".join(
        character if character.isprintable() or character in keep else character.encode("unicode_escape").decode()
        for character in text
    )


def format_seconds(seconds: float) -> str:
    """Return a duration for a person."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
