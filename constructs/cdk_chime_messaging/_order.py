"""Order where references do not give it: who acts in a user's name comes after what gives that user the right."""

from __future__ import annotations

import json
from typing import Any, Literal

from aws_cdk import Stack
from constructs import Construct

_ID = "ChimeMessagingOrder"
Needed = Literal["user", "right"]
"""That a user is there at all, or is AppInstanceAdmin."""


class Order(Construct):
    """What a stack's resources stand for and lean on, by ARN: made after, and deleted before.

    A channel whose bearer is written as the user's ARN refers to the user, or to nothing, but not to the
    AppInstanceAdmin that lets the user act.
    """

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, _ID)
        self._first: dict[tuple[Needed, str], list[Construct]] = {}
        self._then: dict[tuple[Needed, str], list[Construct]] = {}

    @staticmethod
    def of(scope: Construct) -> Order:
        """Give the order of the stack that `scope` is in."""
        stack = Stack.of(scope)
        found = stack.node.try_find_child(_ID)
        return found if isinstance(found, Order) else Order(stack)

    def first(self, resource: Construct, arn: str, gives: Needed) -> None:
        """Put a resource before all in its stack that lean on an ARN, those to come included."""
        key = (gives, self.key(arn))
        self._first.setdefault(key, []).append(resource)
        for later in self._then.get(key, ()):
            later.node.add_dependency(resource)

    def then(self, resource: Construct, key: str, needs: tuple[Needed, ...] = ("user", "right")) -> None:
        """Put a resource after all in its stack that stand for an ARN, given by its key, those to come included."""
        for need in needs:
            self._then.setdefault((need, key), []).append(resource)
            for earlier in self._first.get((need, key), ()):
                resource.node.add_dependency(earlier)

    def key(self, arn: str) -> str:
        """Give what an ARN is known by, however it is written."""
        return json.dumps(_plain(Stack.of(self).resolve(arn)), sort_keys=True)


def _plain(value: Any) -> Any:
    """Write a resolved ARN in one way: of the native types, Ref and the attribute of the ARN are the same."""
    match value:
        case {"Fn::GetAtt": [name, "AppInstanceArn" | "AppInstanceUserArn" | "AppInstanceBotArn"]}:
            return {"Ref": name}
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
    return value
