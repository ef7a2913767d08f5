"""What a deployed template declares, with its references resolved: pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:[^}]*\}\}")
_SUB_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_HIDDEN_VALUE = re.compile(r"\*+")
"""What CloudFormation shows of a NoEcho parameter."""


@dataclass(frozen=True)
class Unresolved:
    """A value that cannot be known from here."""

    reason: str


class _NoValue:
    """What `AWS::NoValue` stands for: the property is not there."""


_NO_VALUE = _NoValue()


@dataclass(frozen=True)
class DeployedTemplate:
    """A template as deployed, with what its references stand for."""

    body: Mapping[str, Any]
    parameters: Mapping[str, str]
    pseudo_parameters: Mapping[str, str]
    """AWS::Region and the like."""
    physical_ids: Mapping[str, str]
    nested_outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The outputs of nested stacks, by logical id."""
    exports: Mapping[str, str] | Unresolved = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, Any]:
        """The declared resources, by logical id."""
        resources: Mapping[str, Any] = self.body.get("Resources") or {}
        return resources


def find_unresolved(value: Any) -> Unresolved | None:
    """Return the first part of a value that could not be resolved."""
    match value:
        case Unresolved():
            return value
        case {**pairs}:
            return next((found for item in pairs.values() if (found := find_unresolved(item))), None)
        case [*items]:
            return next((found for item in items if (found := find_unresolved(item))), None)
    return None


class Resolver:
    """Resolves the values of a template; what it cannot becomes `Unresolved`, where it stands."""

    def __init__(self, template: DeployedTemplate) -> None:
        self._template = template
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": self._join,
            "Fn::Sub": self._sub,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::ImportValue": self._import_value,
            "Fn::Base64": self._base64,
            "Fn::Equals": self._equals,
            "Fn::And": self._and,
            "Fn::Or": self._or,
            "Fn::Not": self._not,
        }

    def resolve_properties(self, logical_id: str) -> dict[str, Any]:
        """Return the properties of a resource."""
        properties = self._template.resources[logical_id].get("Properties") or {}
        return {key: done for key, value in properties.items() if (done := self._resolve(value)) is not _NO_VALUE}

    def is_declared(self, logical_id: str) -> bool | Unresolved:
        """Check whether a resource's condition holds; one without a condition is declared."""
        condition = self._template.resources[logical_id].get("Condition")
        done = self._condition(condition) if condition else True
        return done if isinstance(done, Unresolved) else bool(done)

    def resolve(self, value: Any) -> Any:
        """Resolve a value; None where it is AWS::NoValue."""
        done = self._resolve(value)
        return None if done is _NO_VALUE else done

    def _resolve(self, value: Any) -> Any:
        match value:
            case str():
                found = _DYNAMIC_REFERENCE.search(value)
                return Unresolved(f"the dynamic reference {found[0]}") if found else value
            case {**pairs} if len(pairs) == 1:
                ((name, argument),) = pairs.items()
                if name in self._functions:
                    return self._functions[name](argument)
                if str(name).startswith("Fn::"):
                    return Unresolved(f"the function {name}")
        if isinstance(value, Mapping):
            done = {key: self._resolve(item) for key, item in value.items()}
            return {key: item for key, item in done.items() if item is not _NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NO_VALUE]
        return value

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._template.pseudo_parameters:
            return self._template.pseudo_parameters[name]
        if name in (self._template.body.get("Parameters") or {}):
            return self._parameter(name)
        return self._template.physical_ids.get(name) or Unresolved(f"{name}, which is not deployed")

    def _parameter(self, name: str) -> Any:
        value = self._template.parameters.get(name)
        declared = self._template.body["Parameters"][name]
        if value is None:
            return Unresolved(f"the parameter {name}")
        if str(declared.get("NoEcho", "")).lower() == "true" and _HIDDEN_VALUE.fullmatch(value):
            return Unresolved(f"the parameter {name}, which is NoEcho")
        kind = str(declared.get("Type", "String"))
        is_list = kind == "CommaDelimitedList" or "List<" in kind
        return [item.strip() for item in value.split(",")] if is_list else value

    def _get_att(self, argument: Any) -> Any:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else map(str, argument)
        physical_id = self._template.physical_ids.get(name)
        if not physical_id:
            return Unresolved(f"{name}.{attribute}: {name} is not deployed")
        resource = self._template.resources.get(name) or {}
        if resource.get("Type") == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
            outputs = self._template.nested_outputs.get(name) or {}
            return outputs.get(attribute.removeprefix("Outputs."), Unresolved(f"{name}.{attribute}"))
        if resource.get("Type") == "AWS::SSM::Parameter" and attribute == "Value":
            return self._resolve((resource.get("Properties") or {}).get("Value"))
        known = get_attribute(str(resource.get("Type")), physical_id, attribute, self._template.pseudo_parameters)
        return Unresolved(f"{name}.{attribute}") if known is None else known

    def _join(self, argument: Any) -> Any:
        separator, parts = self._resolve(argument)
        lost = find_unresolved(parts)
        return lost or str(separator).join(map(_to_text, parts))

    def _sub(self, argument: Any) -> Any:
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        lost: list[Unresolved] = []

        def replace(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                done = self._resolve(variables[name])
            else:
                done = self._get_att(name) if "." in name else self._ref(name)
            if isinstance(done, Unresolved):
                lost.append(done)
            return _to_text(done)

        done = _SUB_VARIABLE.sub(replace, text)
        return lost[0] if lost else self._resolve(done)

    def _select(self, argument: Any) -> Any:
        index, items = self._resolve(argument)
        if isinstance(items, Unresolved):
            return items
        return items[int(index)] if int(index) < len(items) else Unresolved("Fn::Select of a list that is shorter")

    def _split(self, argument: Any) -> Any:
        separator, text = self._resolve(argument)
        return text if isinstance(text, Unresolved) else str(text).split(str(separator))

    def _if(self, argument: Any) -> Any:
        condition, then, otherwise = argument
        holds = self._condition(condition)
        return holds if isinstance(holds, Unresolved) else self._resolve(then if holds else otherwise)

    def _find_in_map(self, argument: Any) -> Any:
        keys = self._resolve(argument[:3])
        found: Any = self._template.body.get("Mappings") or {}
        for key in keys:
            if isinstance(key, Unresolved):
                return key
            found = found.get(key) if isinstance(found, Mapping) else None
        return Unresolved(f"Fn::FindInMap of {keys}") if found is None else found

    def _import_value(self, argument: Any) -> Any:
        name, exports = self._resolve(argument), self._template.exports
        if isinstance(name, Unresolved):
            return name
        if isinstance(exports, Unresolved):
            return Unresolved(f"the import {name} ({exports.reason})")
        return exports.get(name, Unresolved(f"the import {name}, which no stack exports"))

    def _base64(self, argument: Any) -> Any:
        text = self._resolve(argument)
        return text if isinstance(text, Unresolved) else base64.b64encode(str(text).encode()).decode()

    def _condition(self, name: Any) -> Any:
        conditions = self._template.body.get("Conditions") or {}
        return self._resolve(conditions[name]) if name in conditions else Unresolved(f"the condition {name}")

    def _conditions(self, argument: Any) -> list[Any]:
        """Resolve conditions within a condition, where alone {"Condition": NAME} is a reference."""
        return [
            self._condition(part["Condition"]) if set(part) == {"Condition"} else self._resolve(part)
            for part in argument
        ]

    def _equals(self, argument: Any) -> Any:
        left, right = self._resolve(argument)
        return find_unresolved([left, right]) or _to_text(left) == _to_text(right)

    def _and(self, argument: Any) -> Any:
        parts = self._conditions(argument)
        return find_unresolved(parts) or all(parts)

    def _or(self, argument: Any) -> Any:
        parts = self._conditions(argument)
        return find_unresolved(parts) or any(parts)

    def _not(self, argument: Any) -> Any:
        (part,) = self._conditions(argument)
        return part if isinstance(part, Unresolved) else not part


def get_attribute(
    resource_type: str, physical_id: str, attribute: str, pseudo_parameters: Mapping[str, str]
) -> str | None:
    """Return what Fn::GetAtt gives, where that follows from the physical id; else None."""
    if resource_type == "AWS::Kinesis::Stream" and attribute == "Arn":
        partition, region, account = (
            pseudo_parameters.get(f"AWS::{name}", "") for name in ("Partition", "Region", "AccountId")
        )
        return f"arn:{partition}:kinesis:{region}:{account}:stream/{physical_id}"
    if not resource_type.startswith(("AWS::Chime::", "Custom::Chime")):
        return None
    # The physical ids of these types are ARNs; where two things identify a resource, the second follows a |.
    arn, _, second = physical_id.partition("|")
    if attribute == "AppInstanceArn":
        return "/".join(arn.split("/")[:2])
    if attribute in ("ChannelId", "AppInstanceUserId", "AppInstanceBotId"):
        return arn.rpartition("/")[2]
    if attribute == "MemberArn":
        return second or None
    return arn if attribute.endswith("Arn") else None


def _to_text(value: Any) -> str:
    """Write a scalar as CloudFormation does."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is _NO_VALUE or isinstance(value, Unresolved) else str(value)
