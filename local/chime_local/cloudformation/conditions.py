"""Conditions, where MiniStack's evaluation compares functions and pseudo parameters as they are written."""

from __future__ import annotations

import contextvars
import copy
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Record

STACK_NAME = contextvars.ContextVar("cloudformation_stack_name", default="")
"""The stack that the running request is about: MiniStack evaluates conditions without its name."""


class Conditions:
    """Evaluates conditions; takes the place of a function in MiniStack."""

    def __init__(self, ministack: CloudFormation) -> None:
        self._ministack = ministack

    def install(self) -> None:
        """Put this evaluation in the place of MiniStack's, and note whose conditions they are."""
        self._ministack.evaluate_conditions = self.evaluate
        for action in tuple(self._ministack.actions):
            self._ministack.wrap_action(action, _in_stack)

    def evaluate(self, template: Record, parameters: Record) -> dict[str, bool]:
        """Return what each condition of a template comes to."""
        evaluation = _Evaluation(self._ministack, template, parameters)
        return {name: evaluation.named(name) for name in template.get("Conditions") or {}}


def _in_stack(handler: Any, params: Any) -> Any:
    given = params.get("StackName") or ""
    name = str(given[0] if isinstance(given, list) else given)
    token = STACK_NAME.set(name.split("/")[1] if name.startswith("arn:") and "/" in name else name)
    try:
        return handler(params)
    finally:
        STACK_NAME.reset(token)


class _Evaluation:
    """The evaluation of one template's conditions."""

    def __init__(self, ministack: CloudFormation, template: Record, parameters: Record) -> None:
        self._ministack = ministack
        self._stack = ministack.stacks.get(STACK_NAME.get()) or {}
        self._template = template
        self._parameters = parameters
        self._known: dict[str, bool] = {}
        self._open: list[str] = []

    def named(self, name: str) -> bool:
        """Evaluate a condition by its name."""
        if name not in self._known:
            definitions = self._template.get("Conditions") or {}
            if name not in definitions or name in self._open:
                raise ValueError(
                    f"Template format error: Unresolved condition dependency {name} in the Conditions block of the "
                    "template"
                )
            self._open.append(name)
            self._known[name] = self._holds(definitions[name])
            self._open.remove(name)
        return self._known[name]

    def _holds(self, expression: Any) -> bool:
        match expression:
            case {"Fn::Equals": [left, right]}:
                return self._text(left) == self._text(right)
            case {"Fn::And": operands}:
                return all(self._holds(operand) for operand in operands)
            case {"Fn::Or": operands}:
                return any(self._holds(operand) for operand in operands)
            case {"Fn::Not": [operand]}:
                return not self._holds(operand)
            case {"Condition": str(name)}:
                return self.named(name)
        return self._text(expression) == "true"

    def _text(self, value: Any) -> str:
        resolved = self._ministack.resolve_refs(
            copy.deepcopy(value),
            {},
            self._parameters,
            self._known,
            self._template.get("Mappings") or {},
            STACK_NAME.get(),
            self._stack.get("StackId", ""),
        )
        return str(resolved).lower() if isinstance(resolved, bool) else str(resolved)
