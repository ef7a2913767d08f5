"""What a change set finds to change.

MiniStack compares templates in which every attribute of a resource is empty, leaves conditions out of account, and
takes nothing but resources into it. Here a reference stands for itself: another one is another value.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Record
from chime_local.cloudformation.conditions import STACK_NAME

_ATTRIBUTES = ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
_NOT_DEPLOYED = ("DELETE_COMPLETE", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS")
_NO_CHANGES = "The submitted information didn't contain changes."


class ChangeSets:
    """Compares templates; takes the place of a function in MiniStack."""

    def __init__(self, ministack: CloudFormation) -> None:
        self._ministack = ministack

    def install(self) -> None:
        """Put this comparison in the place of MiniStack's."""
        self._ministack.resolve_for_change_set = self.comparable
        self._ministack.wrap_action("CreateChangeSet", self._create)
        self._validate = self._ministack.validate_template
        self._ministack.validate_template = self._validate_template

    def comparable(self, template: Record, parameters: Record, stack_name: str, stack_id: str) -> Record:
        """Return the resources that a template makes, resolved as far as can be before there are any."""
        if not template:
            return {}
        values = _Values(self._ministack, template, parameters, stack_name, stack_id)
        return {
            "Resources": {
                name: {**one, **{key: values.of(one[key]) for key in _ATTRIBUTES if key in one}}
                for name, one in (template.get("Resources") or {}).items()
                if values.exists(one)
            }
        }

    def _validate_template(self, template: Record, conditions: Any, params: Any = None) -> None:
        """Refuse what AWS refuses, another type under the logical id of a resource included."""
        self._validate(template, conditions, params=params)
        stack = self._ministack.stacks.get(STACK_NAME.get()) or {}
        deployed = {} if stack.get("StackStatus") in _NOT_DEPLOYED else stack.get("_resources") or {}
        retyped = sorted(
            name
            for name, one in (template.get("Resources") or {}).items()
            if one.get("Type") != deployed.get(name, {}).get("ResourceType", one.get("Type"))
        )
        if params is not None and retyped:
            raise ValueError(
                "Update of resource type is not permitted. The new template modifies resource type of the "
                f"following resources: [{', '.join(retyped)}]"
            )

    def _outputs(self, template: Record, parameters: Record, stack: Record) -> Record:
        values = _Values(self._ministack, template, parameters, stack["StackName"], stack["StackId"])
        outputs = template.get("Outputs") or {}
        return {name: values.of(one) for name, one in outputs.items() if values.exists(one)}

    def _create(self, handler: Any, params: Any) -> Any:
        """Create a change set; other outputs or tags of the stack alone are worth executing, too."""
        answer = handler(params)
        found = re.search(r"<Id>([^<]+)</Id>", _text(answer[2])) if answer[0] == 200 else None
        change_set = self._ministack.change_sets.get(found[1]) if found else None
        if (
            change_set
            and change_set["StatusReason"].startswith(_NO_CHANGES)
            and self._more_than_resources(change_set)
        ):
            change_set |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
        return answer

    def _more_than_resources(self, change_set: Record) -> bool:
        stack = self._ministack.find_stack(change_set["StackId"])
        if stack is None or change_set["ChangeSetType"] != "UPDATE":
            return False
        if self._ministack.has_changed_tags(stack, change_set["Tags"], change_set["_tags_given"]):
            return True
        before = self._outputs(stack.get("_template") or {}, stack.get("_resolved_params") or {}, stack)
        return before != self._outputs(change_set["_template"], change_set["_resolved_params"], stack)


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)


class _AnyAttribute(dict[str, str]):
    """The attributes of a resource that may not be there yet: each stands for itself."""

    def __init__(self, logical_id: str) -> None:
        self._logical_id = logical_id

    def __contains__(self, _: object) -> bool:
        return True

    def __getitem__(self, attribute: str) -> str:
        return f"${{{self._logical_id}.{attribute}}}"


class _Values:
    """The values that a template comes to, with references to resources standing for themselves."""

    def __init__(
        self, ministack: CloudFormation, template: Record, parameters: Record, stack_name: str, stack_id: str
    ) -> None:
        self._ministack = ministack
        self._conditions = self._ministack.evaluate_conditions(template, parameters)
        references = {
            name: {"PhysicalResourceId": f"${{{name}}}", "Attributes": _AnyAttribute(name)}
            for name in template.get("Resources") or {}
        }
        mappings = template.get("Mappings") or {}
        self._context = (references, parameters, self._conditions, mappings, stack_name, stack_id)

    def exists(self, definition: Record) -> bool:
        """Check the condition of a resource or output."""
        condition = definition.get("Condition")
        return not isinstance(condition, str) or bool(self._conditions.get(condition, True))

    def of(self, value: Any) -> Any:
        """Return what a value comes to; a function that only real values can feed stays, its arguments resolved."""
        if isinstance(value, list):
            return [item for item in map(self.of, value) if item is not self._ministack.no_value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            function = next(iter(value))
            if function == "Ref" or function.startswith("Fn::"):
                return self._result(function, value)
        resolved = {key: self.of(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not self._ministack.no_value}

    def _result(self, function: str, value: Record) -> Any:
        argument = value[function]
        if function == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            return self.of(argument[1 if self._conditions.get(argument[0], False) else 2])
        if function in ("Fn::Select", "Fn::Cidr", "Fn::Split", "Fn::Base64"):
            # What these make of a reference tells less than the reference: as text, it may even be the same.
            argument = self.of(argument)
            if "${" in json.dumps(argument, default=str):
                return {function: argument}
        try:
            return self._ministack.resolve_refs(copy.deepcopy(value), *self._context)
        except (ValueError, KeyError, IndexError, TypeError):
            return {function: self.of(argument)}
