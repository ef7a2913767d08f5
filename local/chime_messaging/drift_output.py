"""What `drift` prints: for a person, or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from chime_messaging.compare import RESOURCE, Difference, Finding, Outcome
from chime_messaging.drift import ResourceReport, StackReport

_STYLES = {Outcome.AS_DECLARED: "green", Outcome.DRIFTED: "red", Outcome.UNKNOWN: "yellow"}


def get_outcome_of_all(reports: Sequence[StackReport]) -> Outcome:
    """Return what all reports come to: drift outweighs what is unknown."""
    found = {report.outcome for stack in reports for report in stack.resources}
    return next((one for one in (Outcome.DRIFTED, Outcome.UNKNOWN) if one in found), Outcome.AS_DECLARED)


def to_json(reports: Sequence[StackReport]) -> str:
    """Return all reports as one JSON document."""
    document: dict[str, Any] = {
        "Outcome": get_outcome_of_all(reports).name,
        "Stacks": [
            {"StackName": stack.name, "Resources": [report.to_json() for report in stack.resources]}
            for stack in reports
        ],
    }
    return json.dumps(document, indent=2)


def to_lines(reports: Sequence[StackReport], *, with_empty: bool = True) -> Iterator[Text]:
    """Yield the lines for a person.

    Args:
        reports: What has been found.
        with_empty: Whether to name stacks that have no resources of this package.
    """
    for stack in reports:
        if stack.resources:
            yield Text(stack.name, style="bold")
            for report in stack.resources:
                yield from _to_resource_lines(stack, report)
        elif with_empty:
            yield Text(f"{stack.name}: no resources of cdk-chime-messaging")
    counts = Counter(report.outcome for stack in reports for report in stack.resources)
    shown = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome])
    total = counts.total()
    if total:
        yield Text(f"{total} resource{'s' if total > 1 else ''}: {shown}")
    elif not with_empty:
        yield Text("no stack has resources of cdk-chime-messaging")


def _to_resource_lines(stack: StackReport, report: ResourceReport) -> Iterator[Text]:
    resource = report.resource
    nested = f"{resource.stack_name}." if resource.stack_name != stack.name else ""
    kind = resource.type.removeprefix("Custom::Chime")
    line = Text(f"  {kind} {resource.path or nested + resource.logical_id}: ")
    line.append(report.outcome.value, style=_STYLES[report.outcome])
    yield line
    if report.findings and resource.physical_id:
        yield Text(f"    {_shorten(resource.physical_id)}", style="dim")
    for finding in report.findings:
        yield Text(f"    {_to_text(finding)}")


def _shorten(physical_id: str) -> str:
    """Return the ARN in a physical id, and briefly what may follow it."""
    arn, _, second = physical_id.partition("|")
    return " ".join([arn, "/".join(second.split("/")[-2:])]).strip()


def _to_text(finding: Finding) -> str:
    """Write a finding; values that a person typed are escaped as in Python."""
    if not isinstance(finding, Difference):
        return f"{finding.property}: {finding.reason}" if finding.property else finding.reason
    if finding.property == RESOURCE:
        return "it is not there: it was deleted outside the stack"
    if finding.actual is None and finding.property.endswith("Arns"):
        return f"{finding.property}: {finding.declared} is missing"
    actual = "missing" if finding.actual is None else repr(finding.actual)
    return f"{finding.property}: declared {finding.declared!r}, is {actual}"
