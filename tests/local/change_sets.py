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
    """Create a change set and return its description; its deletion is the caller's."""
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
    """Return what a change set would do: each logical id's action, and the properties that a Modify names."""
    made = create_change_set(engine, stack_name, template, **given)
    engine.client("cloudformation").delete_change_set(StackName=stack_name, ChangeSetName=made["ChangeSetName"])
    found = [change["ResourceChange"] for change in made["Changes"]]
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
    """Deploy by change set, as `cdk deploy` does, and return the stack as it is afterwards.

    Raises AssertionError where the change set has no changes.
    """
    cloudformation = engine.client("cloudformation")
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    here = [one for page in pages for one in page["Stacks"] if one["StackName"] == stack_name]
    kind = "UPDATE" if here and here[0]["StackStatus"] != "REVIEW_IN_PROGRESS" else "CREATE"
    made = create_change_set(engine, stack_name, template, change_set_type=kind, **given)
    assert made["Status"] == "CREATE_COMPLETE", made["StatusReason"]
    cloudformation.execute_change_set(StackName=stack_name, ChangeSetName=made["ChangeSetName"])
    return settled(engine, stack_name)


def settled(engine: Engine, stack_name: str) -> dict[str, Any]:
    """Return a stack as it is when nothing is in progress."""
    cloudformation = engine.client("cloudformation")
    while True:
        (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return dict(stack)
        time.sleep(0.05)
