"""Nested stacks, deployed, rolled back and deleted by the same steps as others.

MiniStack deploys them by steps of their own, which lose the attributes of what did not change, roll nothing back,
and leave behind what a failed creation had made.
"""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import Coroutine
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Record
from chime_local.cloudformation.conditions import STACK_NAME
from chime_local.cloudformation.custom_resources import CustomResourceError, CustomResourceInvoker, Failure
from chime_local.cloudformation.exports import Exports
from chime_local.cloudformation.stack_operations import OPERATION

TYPE = "AWS::CloudFormation::Stack"
_SNAPSHOT = (
    "_resources",
    "_template",
    "_template_body",
    "_resolved_params",
    "_conditions",
    "Parameters",
    "Tags",
    "Outputs",
)
Answer = tuple[str, dict[str, str]]


class NestedStacks:
    """Create, update and delete of nested stacks; takes the place of MiniStack's."""

    def __init__(self, ministack: CloudFormation, invoker: CustomResourceInvoker, exports: Exports) -> None:
        self._ministack = ministack
        self._exports = exports
        self._invoker = invoker

    def install(self) -> None:
        """Put these handlers in the place of MiniStack's."""
        self._ministack.resource_handlers[TYPE] = {
            "create": self.create,
            "update": self.update,
            "update_with_logical_id": True,
            "delete": self.delete,
        }
        # No property of theirs replaces them: a change set says so.
        self._ministack.replacing_properties[TYPE] = ()

    def create(self, logical_id: str, properties: Record, parent_name: str) -> Answer:
        """Create a nested stack; one that fails stays as it is, for the rollback of its parent deletes it."""
        parent = self._ministack.stacks[parent_name]
        stack = self._new(logical_id, properties, parent)
        # Who watches the parent learns from this event which stack to watch.
        self._ministack.add_event(
            parent["StackId"],
            parent_name,
            logical_id,
            TYPE,
            "CREATE_IN_PROGRESS",
            "Resource creation Initiated",
            stack["StackId"],
        )
        self._begin(stack, "CREATE")
        self._deploy(stack, disable_rollback=True)
        if stack["StackStatus"] != "CREATE_COMPLETE":
            known = (parent["StackId"], logical_id)
            self._invoker.failures[known] = Failure("Create", TYPE, stack["StackId"], properties)
            raise CustomResourceError(
                f"Embedded stack {stack['StackId']} was not successfully created: {self._failure(stack)}"
            )
        self._remember(stack, None)
        return _answer(stack)

    def update(self, stack_id: str, _: Record, properties: Record, parent_name: str, _logical_id: str) -> Answer:
        """Update a nested stack, or send it back when its parent is rolling back."""
        parent = self._ministack.stacks[parent_name]
        stack = self._ministack.find_stack(stack_id)
        if stack is None:
            raise ValueError(f"Stack with id {stack_id} does not exist")
        if _is_rolling_back(parent):
            self._roll_back_update(stack)
            return _answer(stack)
        stack.pop("_completed_operation", None)
        previous = {key: copy.deepcopy(stack.get(key)) for key in _SNAPSHOT}
        stack |= self._declared(properties, parent)
        self._begin(stack, "UPDATE")
        operation = OPERATION.get()
        self._deploy(stack, disable_rollback=bool(operation and operation.disable_rollback), previous=previous)
        if stack["StackStatus"] != "UPDATE_COMPLETE":
            raise CustomResourceError(
                f"Embedded stack {stack_id} was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS "
                f"with reason: {self._failure(stack)}"
            )
        self._remember(stack, previous)
        return _answer(stack)

    def delete(self, stack_id: str, _: Record) -> None:
        """Delete a nested stack; in the rollback of what created it, by the rules of a rollback."""
        stack = self._ministack.find_stack(stack_id)
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            return
        self._exports.check(stack_id, {})
        parent = self._ministack.stacks.get(stack["_parent_stack_name"]) or {}
        operation = stack.get("_failed_operation") or stack.pop("_completed_operation", None)
        steps, name = self._ministack, stack["StackName"]
        if operation and not operation["is_update"] and _is_rolling_back(parent):
            self._run(name, steps.roll_back_operation(name, stack_id, stack, operation))
        if stack["StackStatus"] != "ROLLBACK_FAILED":
            self._run(name, steps.delete_stack(name, stack_id))
        if stack["StackStatus"] != "DELETE_COMPLETE":
            reason = stack.get("StackStatusReason", "")
            raise CustomResourceError(f"Embedded stack {stack_id} was not successfully deleted: {reason}")

    def _new(self, logical_id: str, properties: Record, parent: Record) -> Record:
        name = f"{parent['StackName']}-{logical_id}"[:115] + f"-{uuid.uuid4().hex[:12].upper()}"
        stack_id = f"{parent['StackId'].partition('stack/')[0]}stack/{name}/{uuid.uuid4()}"
        token = STACK_NAME.set(name)
        try:
            declared = self._declared(properties, parent)
        finally:
            STACK_NAME.reset(token)
        stack = {
            "StackName": name,
            "StackId": stack_id,
            "StackStatusReason": "",
            "Outputs": [],
            "DisableRollback": True,
            "ParentId": parent["StackId"],
            "RootId": parent.get("RootId", parent["StackId"]),
            "_parent_stack_name": parent["StackName"],
            "_resources": {},
            **declared,
        }
        stack["CreationTime"] = stack["LastUpdatedTime"]
        self._ministack.stacks[name] = stack
        self._ministack.stack_events[stack_id] = []
        return stack

    def _declared(self, properties: Record, parent: Record) -> Record:
        """Return what the template and properties of a nested stack say of it."""
        ministack = self._ministack
        url = properties.get("TemplateURL")
        body, refused = ministack.read_template({"TemplateURL": [url or ""]})
        if refused is not None or not body:
            raise ValueError(f"TemplateURL {url!r} cannot be read")
        given = properties.get("Parameters") or {}
        if not isinstance(given, dict) or any(isinstance(value, list) for value in given.values()):
            raise ValueError(
                "Value of property Parameters must be an object with String (or simple type) properties"
            )
        parameters = [{"Key": key, "Value": _parameter(value)} for key, value in given.items()]
        template = ministack.apply_transforms(ministack.parse_template(body), parameters)
        ministack.check_nested_capabilities(parent["StackName"], template)
        values = ministack.resolve_parameters(template, parameters)
        conditions = ministack.evaluate_conditions(template, values)
        ministack.validate_template(template, conditions, params=values)
        tags = ministack.tag_map(properties.get("Tags"))
        return {
            "StackStatus": "CREATE_IN_PROGRESS",
            "LastUpdatedTime": ministack.now(),
            "Description": template.get("Description", ""),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value["Value"], "NoEcho": value["NoEcho"]}
                for key, value in values.items()
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items() if not key.startswith("aws:")],
            "Capabilities": ministack.inherited_capabilities(parent["StackName"]),
            "_template": template,
            "_template_body": body,
            "_resolved_params": values,
            "_conditions": conditions,
        }

    def _begin(self, stack: Record, verb: str) -> None:
        stack["StackStatus"] = status = f"{verb}_IN_PROGRESS"
        self._ministack.add_event(
            stack["StackId"], stack["StackName"], stack["StackName"], TYPE, status, "", stack["StackId"]
        )

    def _deploy(self, stack: Record, *, disable_rollback: bool, previous: Record | None = None) -> None:
        operation = OPERATION.get()
        self._run(
            stack["StackName"],
            self._ministack.deploy_stack(
                stack["StackName"],
                stack["StackId"],
                stack["_template"],
                stack["_resolved_params"],
                disable_rollback,
                stack["Tags"],
                is_update=previous is not None,
                previous_stack=previous,
                retain_except_on_create=bool(operation and operation.retain_except_on_create),
            ),
        )

    @staticmethod
    def _run(stack_name: str, steps: Coroutine[Any, Any, None]) -> None:
        """Run steps to their end: MiniStack handles nested stacks in threads of their own."""
        token = STACK_NAME.set(stack_name)
        try:
            asyncio.run(steps)
        finally:
            STACK_NAME.reset(token)

    def _remember(self, stack: Record, previous: Record | None) -> None:
        """Keep what sends a nested stack back, until its parent is through."""
        operation = OPERATION.get()
        if operation is None:
            return
        resources, before = stack["_resources"], (previous or {}).get("_resources", {})
        order = self._ministack.ordered_ids(stack["_template"], stack["_conditions"])
        stack["_completed_operation"] = self._ministack.describe_failure(
            previous is not None,
            previous,
            [name for name in order if name in resources],
            None,
            None,
            [
                name
                for name in order
                if name in before and before[name]["PhysicalResourceId"] != resources[name]["PhysicalResourceId"]
            ],
            False,
            stack["_template"],
            stack["_resolved_params"],
            operation.retain_except_on_create,
            stack["Tags"],
            (previous or {}).get("Tags"),
        )
        operation.nested.append(stack)

    def _failure(self, stack: Record) -> str:
        """Return why a nested stack has failed, as its parent's event says it, and what is behind that.

        AWS leaves the latter to the events of the nested stack. The CDK CLI shows those of what takes minutes, but
        misses them where all is over before it looks.
        """
        events = self._ministack.stack_events[stack["StackId"]]
        causes = [one for one in events if one["ResourceStatus"].endswith(("CREATE_FAILED", "UPDATE_FAILED"))]
        return f"{self._reason(stack, events)} {_cause(causes)}".strip()

    @staticmethod
    def _reason(stack: Record, events: list[Record]) -> str:
        begun = [one for one in events if one["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS"]
        if begun and stack["StackStatus"].startswith("UPDATE_ROLLBACK_"):
            return str(begun[-1]["ResourceStatusReason"]).strip()
        operation = stack.get("_failed_operation") or {}
        if operation.get("failed_logical_id"):
            verb = "update" if operation["failed_update"] else "create"
            return f"The following resource(s) failed to {verb}: [{operation['failed_logical_id']}]."
        return str(stack.get("StackStatusReason", ""))

    def _roll_back_update(self, stack: Record) -> None:
        operation = stack.pop("_completed_operation", None) or stack.get("_failed_operation")
        steps, name, stack_id = self._ministack, stack["StackName"], stack["StackId"]
        if stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
            if OPERATION.get() is None:  # asked for by ContinueUpdateRollback
                self._run(name, steps.continue_update_rollback(name, stack_id, frozenset()))
        elif operation and operation["is_update"]:
            self._run(name, steps.roll_back_operation(name, stack_id, stack, operation))
        if stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
            reason = stack.get("StackStatusReason", "")
            raise CustomResourceError(f"Embedded stack {stack_id} was not successfully rolled back: {reason}")


def _answer(stack: Record) -> Answer:
    """Return the physical id, and the outputs as attributes."""
    outputs = {f"Outputs.{one['OutputKey']}": one["OutputValue"] for one in stack.get("Outputs") or ()}
    return stack["StackId"], outputs


def _cause(failed: list[Record]) -> str:
    """Return the reason of the last resource that failed in an operation."""
    for event in reversed(failed):
        if event["PhysicalResourceId"] != event["StackId"]:
            return f"({event['LogicalResourceId']}: {event['ResourceStatusReason']})"
    return ""


def _parameter(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _is_rolling_back(stack: Record) -> bool:
    return str(stack.get("StackStatus", "")).startswith(("ROLLBACK_", "UPDATE_ROLLBACK_"))
