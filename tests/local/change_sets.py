"""Change sets, as the CDK CLI makes, reads and executes them."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from chime_local.engine import Engine

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_names = itertools.count(1)


def create_change_set(
    engine: Engine,
    stack_name: str,
    template: dict[str, Any],
    *,
    tags: dict[str, str] | None = None,
    change_set_type: str = "UPDATE",
    **parameters: str,
) -> dict[str, Any]:
    """Create a change set and return its description; the caller deletes or executes it."""
    cloudformation = engine.client("cloudformation")
    name = f"change-{next(_names)}"
    cloudformation.create_change_set(
        StackName=stack_name,
        ChangeSetName=name,
        ChangeSetType=change_set_type,
        TemplateBody=json.dumps(template),
        Capabilities=CAPABILITIES,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        **({} if tags is None else {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}),
    )
    return dict(cloudformation.describe_change_set(StackName=stack_name, ChangeSetName=name))


def changes(engine: Engine, stack_name: str, template: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Return the changes of a change set: by logical id the action, for Modify with the changed properties."""
    change_set = create_change_set(engine, stack_name, template, **given)
    engine.client("cloudformation").delete_change_set(
        StackName=stack_name, ChangeSetName=change_set["ChangeSetName"]
    )
    found = [change["ResourceChange"] for change in change_set["Changes"]]
    return {
        change["LogicalResourceId"]: (
            change["Action"],
            sorted({detail["Target"].get("Name", detail["Target"]["Attribute"]) for detail in change["Details"]}),
        )
        if change["Action"] == "Modify"
        else change["Action"]
        for change in found
    }


def deploy(engine: Engine, stack_name: str, template: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Deploy by change set, as `cdk deploy` does, and return the description of the stack afterwards.

    Raises AssertionError where the change set has no changes.
    """
    cloudformation = engine.client("cloudformation")
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    existing = [stack for page in pages for stack in page["Stacks"] if stack["StackName"] == stack_name]
    kind = "UPDATE" if existing and existing[0]["StackStatus"] != "REVIEW_IN_PROGRESS" else "CREATE"
    change_set = create_change_set(engine, stack_name, template, change_set_type=kind, **given)
    assert change_set["Status"] == "CREATE_COMPLETE", change_set["StatusReason"]
    cloudformation.execute_change_set(StackName=stack_name, ChangeSetName=change_set["ChangeSetName"])
    return settled(engine, stack_name)


def settled(engine: Engine, stack_name: str) -> dict[str, Any]:
    """Wait until no operation is in progress, and return the description of the stack."""
    cloudformation = engine.client("cloudformation")
    while True:
        (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return dict(stack)
        time.sleep(0.05)
