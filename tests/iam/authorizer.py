"""IAM in process: the grants of synthesized policies, and the check of each call of the handler by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from aws_cdk import App
from aws_cdk import Stack as CdkStack
from aws_cdk.assertions import Template

from chime_handler.errors import ServiceError
from chime_local.chime.iam import required_actions
from helpers.harness import Harness


@dataclass(frozen=True)
class Grant:
    """One action, on what one statement names."""

    action: str
    resources: tuple[str, ...]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(build: Callable[[CdkStack], Any]) -> list[Grant]:
    """Synthesise a stack and return what its policies beside the role's own allow."""
    stack = CdkStack(App(), "Demo")
    build(stack)
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    statements = [s for p in policies for s in p["Properties"]["PolicyDocument"]["Statement"]]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return [
        Grant(action, tuple(_to_deployed_text(resource) for resource in _as_list(statement["Resource"])))
        for statement in statements
        for action in _as_list(statement["Action"])
    ]


_KNOWN = {"AWS::Partition": "aws", "AWS::AccountId": "000000000000"}


def _to_deployed_text(resource: Any) -> str:
    """Write a resource as it is once deployed."""
    match resource:
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(_to_deployed_text(part) for part in parts)
        case {"Ref": name}:
            return _KNOWN[name]
    return str(resource)


@dataclass
class Authorizer:
    """Refuses each call that the grants do not allow, and remembers what was needed."""

    granted: list[Grant]
    without: str = ""
    """The action that is denied."""
    used: set[Grant] = field(default_factory=set)
    ungranted: list[str] = field(default_factory=list)

    def __call__(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Check a call before it takes effect."""
        for action, resources in required_actions(operation, dict(parameters)):
            allowing = [grant for grant in self.granted if grant.action == action]
            for resource in resources:
                matching = [g for g in allowing if any(fnmatchcase(resource, to) for to in g.resources)]
                if action == self.without or not matching:
                    self.ungranted.append(f"{action} on {resource}")
                    message = f"User is not authorized to perform: {action} on resource: {resource}"
                    raise ServiceError(operation, "AccessDeniedException", message, 403)
                self.used.update(matching)


Scenario = Callable[["Requests"], None]


class RequestFailedError(Exception):
    """A request was answered FAILED."""


class Requests:
    """A harness under an authorizer; requests end the scenario when they fail."""

    def __init__(self, harness: Harness, authorizer: Authorizer, resource_type: str) -> None:
        self.harness = harness
        self._authorizer, self.resource_type = authorizer, resource_type
        self.harness.before = authorizer

    def send(
        self, kind: str, properties: Mapping[str, Any], physical_id: str = "", old: Mapping[str, Any] | None = None
    ) -> str:
        """Deliver a request and return the physical resource id."""
        more: dict[str, Any] = {"ResourceType": self.resource_type}
        if physical_id:
            more["PhysicalResourceId"] = physical_id
        if old is not None:
            more["OldResourceProperties"] = old
        answer = self.harness.deliver(self.harness.event(kind, properties, **more))
        if answer["Status"] != "SUCCESS":
            raise RequestFailedError(answer["Reason"])
        return str(answer["PhysicalResourceId"])
