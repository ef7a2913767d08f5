"""IAM in process: what the synthesised policies allow, and what each call of the handler is judged on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from aws_cdk import App
from aws_cdk import Stack as CdkStack
from aws_cdk.assertions import Template

from chime_channel._api import ServiceError
from chime_local.service.iam import iam_of
from stage import Stage


@dataclass(frozen=True)
class Grant:
    """One action, on what one statement names."""

    action: str
    resources: tuple[str, ...]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(build: Callable[[CdkStack], Any]) -> list[Grant]:
    """Synthesise a stack and give what its policies beside the role's own allow."""
    stack = CdkStack(App(), "Demo")
    build(stack)
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    statements = [s for p in policies for s in p["Properties"]["PolicyDocument"]["Statement"]]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return [
        Grant(action, tuple(_text(resource) for resource in _list(statement["Resource"])))
        for statement in statements
        for action in _list(statement["Action"])
    ]


_KNOWN = {"AWS::Partition": "aws", "AWS::AccountId": "000000000000"}


def _text(resource: Any) -> str:
    """Write a resource as it is once deployed."""
    match resource:
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(_text(part) for part in parts)
        case {"Ref": name}:
            return _KNOWN[name]
    return str(resource)


@dataclass
class Judge:
    """Refuses each call that the grants do not allow, and remembers what was needed."""

    granted: list[Grant]
    without: str = ""
    """The action that is denied."""
    used: set[Grant] = field(default_factory=set)
    ungranted: list[str] = field(default_factory=list)

    def __call__(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Judge a call before it takes effect."""
        for action, resources in iam_of(operation, dict(parameters)):
            allowing = [grant for grant in self.granted if grant.action == action]
            for resource in resources:
                matching = [g for g in allowing if any(fnmatchcase(resource, to) for to in g.resources)]
                if action == self.without or not matching:
                    self.ungranted.append(f"{action} on {resource}")
                    why = f"User is not authorized to perform: {action} on resource: {resource}"
                    raise ServiceError(operation, "AccessDeniedException", why, 403)
                self.used.update(matching)


Story = Callable[["Play"], None]


class Failed(Exception):
    """A request was answered FAILED."""


class Play:
    """A stage under a judge; requests end the story when they fail."""

    def __init__(self, stage: Stage, judge: Judge, resource_type: str) -> None:
        self.stage = stage
        self._judge, self.resource_type = judge, resource_type
        self.stage.before = judge

    def ask(
        self, kind: str, properties: Mapping[str, Any], physical_id: str = "", old: Mapping[str, Any] | None = None
    ) -> str:
        """Deliver a request and give the physical resource id."""
        more: dict[str, Any] = {"ResourceType": self.resource_type}
        if physical_id:
            more["PhysicalResourceId"] = physical_id
        if old is not None:
            more["OldResourceProperties"] = old
        answer = self.stage.deliver(self.stage.event(kind, properties, **more))
        if answer["Status"] != "SUCCESS":
            raise Failed(answer["Reason"])
        return str(answer["PhysicalResourceId"])
