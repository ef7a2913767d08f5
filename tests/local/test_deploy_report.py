"""What `deploy` shows of the operations: rows, failures, channels."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chime_local.deploy_report import (
    Row,
    choose_rows,
    create_table,
    format_seconds,
    list_channels,
    list_failures,
    list_rows,
    list_stack_lines,
    list_warnings,
    read_paths,
    to_printable,
)
from chime_local.deploying import select_stacks

STACK = "AWS::CloudFormation::Stack"
STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/S/1"


def event(time: float, logical_id: str, status: str, **more: Any) -> dict[str, Any]:
    """Return a stack event as the console's API does."""
    given = {"resource_type": "Custom::ChimeChannel", "reason": "", "physical_id": "p"}
    return {"time": time, "logical_id": logical_id, "status": status, **given, **more}


def operation(*events: dict[str, Any], ended: float | None = 9.0) -> dict[str, Any]:
    """Return an operation as the console's API does."""
    return {
        "id": 1,
        "stack_id": STACK_ID,
        "stack_name": "S",
        "status": "CREATE_COMPLETE",
        "started": 1.0,
        "ended": ended,
        "events": list(events),
    }


def test_row_lasts_from_its_first_event_to_the_one_that_ended_it() -> None:
    rows = list_rows(
        [
            operation(
                event(
                    1, "S", "CREATE_IN_PROGRESS", resource_type="AWS::CloudFormation::Stack", physical_id=STACK_ID
                ),
                event(2, "A", "CREATE_IN_PROGRESS"),
                event(3, "B", "CREATE_IN_PROGRESS"),
                event(4.5, "A", "CREATE_COMPLETE"),
            )
        ]
    )
    assert rows == [
        Row("S", "A", "Custom::ChimeChannel", "CREATE_COMPLETE", 2.5),
        Row("S", "B", "Custom::ChimeChannel", "CREATE_IN_PROGRESS", None),
    ]


def test_failure_stays_shown_after_the_rollback_has_deleted_the_resource() -> None:
    rows = list_rows(
        [
            operation(
                event(1, "A", "CREATE_IN_PROGRESS"),
                event(2, "A", "CREATE_FAILED", reason="no such bearer"),
                event(3, "A", "DELETE_COMPLETE"),
            )
        ]
    )
    assert list(list_failures(rows, {"A": "Chat/A"})) == ["Chat/A CREATE_FAILED: no such bearer"]


def test_of_many_rows_the_failed_and_the_slowest_are_shown_in_their_order() -> None:
    rows = [Row("S", str(number), "T", "CREATE_COMPLETE", float(number)) for number in range(20)]
    rows[3] = Row("S", "failed", "T", "CREATE_FAILED", 0.0)
    rows[5] = Row("S", "pending", "T", "CREATE_IN_PROGRESS", None)
    shown, left_out = choose_rows(rows, 4)
    assert ([row.logical_id for row in shown], left_out) == (["failed", "pending", "18", "19"], 16)
    assert choose_rows(rows[:4], 4) == (rows[:4], 0)


def test_table_shows_construct_paths_and_how_many_more_there_are() -> None:
    rows = [Row("S", f"L{number}", "T", "CREATE_COMPLETE", 0.25) for number in range(1_014)]
    output = io.StringIO()
    Console(file=output, width=100).print(create_table(rows, {"L0": "Chat/Support"}))
    lines = [line.split() for line in output.getvalue().splitlines()]
    assert lines[0] == ["T", "Chat/Support", "CREATE_COMPLETE", "250", "ms"]
    assert lines[1][1] == "L1"
    assert lines[-1] == ["and", "1,002", "more"]


def test_line_of_a_stack_has_status_duration_and_number_of_resources() -> None:
    done, going = operation(), operation(ended=None)
    one = [Row("S", "A", "T", "CREATE_COMPLETE", 1.0)]
    assert list(list_stack_lines([done], one)) == ["S: CREATE_COMPLETE in 8.0 s, 1 resource"]
    assert list(list_stack_lines([going], [*one, *one])) == ["S: CREATE_COMPLETE, 2 resources"]


def test_channels_are_found_among_outputs_once_each() -> None:
    arn = "arn:aws:chime:us-east-1:000000000000:app-instance/a/channel/c"
    assert list_channels({"S": {"A": arn, "B": f"{arn}2", "C": "x"}, "T": {"A": arn}}) == [arn, f"{arn}2"]


def test_paths_are_those_of_the_templates_without_cdks_own_last_parts(tmp_path: Path) -> None:
    paths = {"A": "S/Chat/Support/Default", "B": "S/Chat/Resource", "C": "S/Function"}
    resources = {name: {"Metadata": {"aws:cdk:path": path}} for name, path in paths.items()} | {"D": {}}
    (tmp_path / "S.template.json").write_text(json.dumps({"Resources": resources}))
    assert read_paths(tmp_path) == {"A": "Chat/Support", "B": "Chat", "C": "Function"}


def test_warnings_of_constructs_are_kept_of_the_cli_s_output() -> None:
    warning = "[Warning at /S/A] it will be gone [ack: x]"
    assert list_warnings(f"noise\n{warning}\nnoise") == [warning]


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([], ["--all"]),
        (["-c", "a=b"], ["--all", "-c", "a=b"]),
        (["Shop", "-c", "a=b"], ["Shop", "-c", "a=b"]),
    ],
)
def test_all_stacks_are_deployed_unless_some_are_named(given: list[str], passed: list[str]) -> None:
    assert select_stacks(given) == passed


def test_what_a_terminal_would_act_on_is_escaped() -> None:
    """Escape sequences could rename the window, hide lines or, in some terminals, type commands."""
    assert to_printable("é😀 \x1b]0;title\x07\r\n\u202e") == "é😀 \\x1b]0;title\\x07\\r\\n\\u202e"
    assert to_printable("a\tb\n\x1b", keep="\n\t") == "a\tb\n\\x1b"


@pytest.mark.parametrize(("seconds", "text"), [(0.0314, "31 ms"), (1.04, "1.0 s"), (75.0, "75.0 s")])
def test_duration_is_short(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
