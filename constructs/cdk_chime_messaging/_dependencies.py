"""Dependencies that references do not state: who acts as a bearer comes after what gives that bearer its right."""

from __future__ import annotations

import json
from typing import Any, Literal

from aws_cdk import Stack
from constructs import Construct

_ID = "ChimeMessagingOrder"
Requirement = Literal["user", "right"]
"""That a user exists, or that it is AppInstanceAdmin."""


class BearerDependencies(Construct):
    """Which resources of a stack provide a bearer, and which require one: these are created after, deleted before.

    A channel whose bearer is written as the user's ARN refers to the user, or to nothing, but not to the
    AppInstanceAdmin that lets the user act.
    """

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, _ID)
        self._providers: dict[tuple[Requirement, str], list[Construct]] = {}
        self._dependents: dict[tuple[Requirement, str], list[Construct]] = {}

    @staticmethod
    def of(scope: Construct) -> BearerDependencies:
        """Return the dependencies of the stack that `scope` is in; they are created with the first use."""
        stack = Stack.of(scope)
        found = stack.node.try_find_child(_ID)
        return found if isinstance(found, BearerDependencies) else BearerDependencies(stack)

    def provides(self, resource: Construct, arn: str, requirement: Requirement) -> None:
        """Put a resource before all of its stack that require this of an ARN, now or later."""
        key = (requirement, self.key(arn))
        self._providers.setdefault(key, []).append(resource)
        for dependent in self._dependents.get(key, ()):
            dependent.node.add_dependency(resource)

    def requires(self, resource: Construct, key: str, *requirements: Requirement) -> None:
        """Put a resource after all of its stack that provide this of the ARN with this `key`, now or later."""
        for requirement in requirements:
            self._dependents.setdefault((requirement, key), []).append(resource)
            for provider in self._providers.get((requirement, key), ()):
                resource.node.add_dependency(provider)

    def key(self, arn: str) -> str:
        """Return what an ARN is known by, however it is written."""
        return json.dumps(_normalize(Stack.of(self).resolve(arn)), sort_keys=True)


def _normalize(value: Any) -> Any:
    """Write a resolved ARN in one way: of the native types, Ref and the attribute of the ARN are the same."""
    match value:
        case {"Fn::GetAtt": [name, "AppInstanceArn" | "AppInstanceUserArn" | "AppInstanceBotArn"]}:
            return {"Ref": name}
        case dict():
            return {key: _normalize(item) for key, item in value.items()}
        case list():
            return [_normalize(item) for item in value]
    return value
