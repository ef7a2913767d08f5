"""Deployed stacks, with those nested in them, as CloudFormation shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chime_messaging.aws import Aws
from chime_messaging.errors import ChimeMessagingError, explain, get_code, is_access_denied
from chime_messaging.resources import RESOURCE_TYPES
from chime_messaging.template import DeployedTemplate, Resolver, Unresolved

_NESTED_STACK = "AWS::CloudFormation::Stack"
_GONE = {"DELETE_COMPLETE", "DELETE_SKIPPED"}
_NEVER_CREATED = {"CREATE_IN_PROGRESS", "CREATE_FAILED"}


@dataclass(frozen=True)
class DeployedResource:
    """A custom resource of this package in a stack."""

    stack_name: str
    stack_id: str
    logical_id: str
    type: str
    physical_id: str
    path: str | None
    """The path of its construct, as the CDK notes it in the template."""
    properties: Mapping[str, Any] | None
    """What is declared, resolved as far as possible; None where that cannot be known."""
    reason: str = ""
    """Why it cannot be known."""


def list_stack_names(aws: Aws) -> list[str]:
    """Return the ids of all stacks that are nested in no other."""
    pages = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    return [
        stack["StackId"]
        for page in pages
        for stack in page["Stacks"]
        if not stack.get("ParentId") and stack["StackStatus"] not in (*_GONE, "REVIEW_IN_PROGRESS")
    ]


def read_resources(aws: Aws, stack_name: str) -> Iterator[DeployedResource]:
    """Yield the custom resources of this package in a stack and in those that are nested in it.

    Raises:
        ChimeMessagingError: there is no such stack.
    """
    cloudformation = aws.client("cloudformation")
    try:
        (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if get_code(error) != "ValidationError":
            raise
        where = cloudformation.meta.region_name
        raise ChimeMessagingError(
            f"there is no stack {stack_name} in {where}: check its name, --region and --profile"
        ) from None
    listed = {
        resource["LogicalResourceId"]: resource
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackId"])
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] not in _GONE
    }
    if any(resource["ResourceType"] in RESOURCE_TYPES for resource in listed.values()):
        yield from _read_own_resources(aws, stack, listed)
    for resource in listed.values():
        if resource["ResourceType"] == _NESTED_STACK and resource.get("PhysicalResourceId"):
            yield from read_resources(aws, resource["PhysicalResourceId"])


def _read_own_resources(
    aws: Aws, stack: Mapping[str, Any], listed: Mapping[str, Mapping[str, Any]]
) -> Iterator[DeployedResource]:
    """Yield the custom resources of one stack."""
    reason, template = "", None
    if stack["StackStatus"].endswith("_IN_PROGRESS"):
        reason = f"the stack is {stack['StackStatus']}: wait until that has ended"
    else:
        template = _read_template(aws, stack, listed)
        reason = "" if template else "the template is no JSON, as the CDK's templates are"
    for resource in listed.values():
        if resource["ResourceType"] in RESOURCE_TYPES:
            yield _to_resource(stack, resource, template, reason)
    if template:
        yield from _find_missing(stack, listed, template)


def _find_missing(
    stack: Mapping[str, Any], listed: Mapping[str, Mapping[str, Any]], template: DeployedTemplate
) -> Iterator[DeployedResource]:
    """Yield the resources that a template declares, and that the stack does not have."""
    resolver = Resolver(template)
    for logical_id, declared in template.resources.items():
        is_ours = declared.get("Type") in RESOURCE_TYPES
        if is_ours and logical_id not in listed and resolver.is_declared(logical_id) is not False:
            resource = {"LogicalResourceId": logical_id, "ResourceType": declared["Type"]}
            yield _to_resource(stack, resource, template, "it is declared, and not in the stack")


def _to_resource(
    stack: Mapping[str, Any], resource: Mapping[str, Any], template: DeployedTemplate | None, reason: str
) -> DeployedResource:
    logical_id, physical_id = resource["LogicalResourceId"], resource.get("PhysicalResourceId") or ""
    declared = template.resources.get(logical_id) if template else None
    if not reason and declared is None:
        reason = f"it is in the stack ({resource['ResourceStatus']}), and not in its template"
    if not reason and (not physical_id or resource["ResourceStatus"] in _NEVER_CREATED):
        reason = f"it is {resource['ResourceStatus']}"
    return DeployedResource(
        stack_name=stack["StackName"],
        stack_id=stack["StackId"],
        logical_id=logical_id,
        type=resource["ResourceType"],
        physical_id=physical_id,
        path=_find_path(declared),
        properties=None if reason or not template else Resolver(template).resolve_properties(logical_id),
        reason=reason,
    )


def _find_path(declared: Mapping[str, Any] | None) -> str | None:
    path = ((declared or {}).get("Metadata") or {}).get("aws:cdk:path")
    return str(path).removesuffix("/Resource").removesuffix("/Default") if path else None


def _read_template(
    aws: Aws, stack: Mapping[str, Any], listed: Mapping[str, Mapping[str, Any]]
) -> DeployedTemplate | None:
    """Read a stack's template and what its references stand for; None if it is no JSON."""
    cloudformation = aws.client("cloudformation")
    body = cloudformation.get_template(StackName=stack["StackId"], TemplateStage="Processed")["TemplateBody"]
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    parameters = stack.get("Parameters") or ()
    physical_ids = {name: resource.get("PhysicalResourceId") or "" for name, resource in listed.items()}
    return DeployedTemplate(
        body=body,
        parameters={one["ParameterKey"]: one.get("ResolvedValue") or one["ParameterValue"] for one in parameters},
        pseudo_parameters=_get_pseudo_parameters(stack),
        physical_ids={
            name: one["PhysicalResourceId"] for name, one in listed.items() if one.get("PhysicalResourceId")
        },
        nested_outputs={
            name: _read_outputs(aws, physical_ids[name])
            for name, resource in listed.items()
            if resource["ResourceType"] == _NESTED_STACK and physical_ids[name]
        },
        exports=_read_exports(aws) if '"Fn::ImportValue"' in json.dumps(body, default=str) else {},
    )


def _get_pseudo_parameters(stack: Mapping[str, Any]) -> dict[str, str]:
    _, partition, _, region, account, _ = stack["StackId"].split(":", 5)
    return {
        "AWS::AccountId": account,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": stack["StackId"],
        "AWS::StackName": stack["StackName"],
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
    }


def _read_outputs(aws: Aws, stack_id: str) -> dict[str, str]:
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs") or ()}


def _read_exports(aws: Aws) -> dict[str, str] | Unresolved:
    try:
        pages = aws.client("cloudformation").get_paginator("list_exports").paginate()
        return {export["Name"]: export["Value"] for page in pages for export in page["Exports"]}
    except ClientError as error:
        if not is_access_denied(error):
            raise
        return Unresolved(explain(error))
