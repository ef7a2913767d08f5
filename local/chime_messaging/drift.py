"""Drift: all custom resources of stacks, compared with what the service returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chime_messaging import arns
from chime_messaging.aws import Aws
from chime_messaging.compare import (
    RESOURCE,
    Difference,
    Finding,
    Outcome,
    Undetermined,
    compare,
    get_outcome,
)
from chime_messaging.errors import explain
from chime_messaging.resources import OWNER, RESOURCE_TYPES, Reader, owner_mark, with_full_arns
from chime_messaging.stacks import DeployedResource, read_resources
from chime_messaging.template import Unresolved


@dataclass(frozen=True)
class ResourceReport:
    """What has been found at one resource."""

    resource: DeployedResource
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """What the findings come to."""
        return get_outcome(self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the report as data; docs/chime-messaging.md describes it."""
        resource = self.resource
        return {
            "StackName": resource.stack_name,
            "StackId": resource.stack_id,
            "LogicalResourceId": resource.logical_id,
            "ConstructPath": resource.path,
            "ResourceType": resource.type,
            "PhysicalResourceId": resource.physical_id,
            "Outcome": self.outcome.name,
            "Differences": [
                {"Property": finding.property, "Declared": finding.declared, "Actual": finding.actual}
                for finding in self.findings
                if isinstance(finding, Difference)
            ],
            "Undetermined": [
                {"Property": finding.property, "Reason": finding.reason}
                for finding in self.findings
                if isinstance(finding, Undetermined)
            ],
        }


@dataclass(frozen=True)
class StackReport:
    """What has been found in a stack and in those nested in it."""

    name: str
    resources: tuple[ResourceReport, ...]

    @property
    def nested_stack_names(self) -> set[str]:
        """The nested stacks that have resources of this package."""
        return {report.resource.stack_name for report in self.resources} - {self.name}


def detect_drift(aws: Aws, stack_names: Iterable[str], bearer: str | None = None) -> Iterator[StackReport]:
    """Yield a report on each stack, with each custom resource in it and in the stacks nested in it.

    Args:
        aws: The services.
        stack_names: The stacks, by name or id.
        bearer: Who reads channels in place of those that the template declares. Default: those.
    """
    for stack_name in stack_names:
        reports = [
            ResourceReport(resource, tuple(_inspect(aws, resource, bearer)))
            for resource in read_resources(aws, stack_name)
        ]
        yield StackReport(_to_name(stack_name), tuple(reports))


def drop_nested(reports: Sequence[StackReport]) -> list[StackReport]:
    """Leave out stacks that are nested in others, where a list of all stacks did not tell: they are in those."""
    nested = {name for report in reports for name in report.nested_stack_names}
    return [report for report in reports if report.name not in nested]


def _to_name(stack_name_or_id: str) -> str:
    return stack_name_or_id.split("/")[1] if stack_name_or_id.startswith("arn:") else stack_name_or_id


def _inspect(aws: Aws, resource: DeployedResource, bearer: str | None) -> Iterator[Finding]:
    """Yield what is found at one resource."""
    if resource.properties is None:
        yield Undetermined(None, resource.reason)
        return
    resource_type = RESOURCE_TYPES[resource.type]
    declared = _to_declaration(resource)
    reading_bearer = bearer or declared.get("ChimeBearer")
    if resource_type.needs_bearer and not isinstance(reading_bearer, str):
        reason = reading_bearer.reason if isinstance(reading_bearer, Unresolved) else "no text"
        yield Undetermined(None, f"ChimeBearer: cannot resolve {reason}; give --bearer, an AppInstanceAdmin")
        return
    arn = resource.physical_id.partition("|")[0]
    if not arns.is_app_instance_arn(arns.get_app_instance_arn(arn)):
        yield Undetermined(None, f"its physical id {resource.physical_id!r} is none of this package's")
        return
    try:
        reader = Reader(aws, arns.get_region(arn), str(reading_bearer))
        actual = resource_type.read(reader, resource.physical_id, declared)
    except (ClientError, BotoCoreError) as error:
        yield Undetermined(None, explain(error))
        return
    if actual is None:
        yield Difference(RESOURCE, "present", None)
    else:
        yield from compare(resource_type.comparisons, declared, actual)


def _to_declaration(resource: DeployedResource) -> Mapping[str, Any]:
    """Return what is declared, the owner's tag included, which the Lambda adds."""
    declared = with_full_arns(resource.properties or {}, resource.physical_id)
    if resource.type == "Custom::ChimeChannel":
        declared[OWNER] = owner_mark(resource.stack_id, resource.logical_id)
    return declared
