"""Cures what MiniStack judges a request on: each parameter of Systems Manager, the tags that AssumeRole passes."""

from __future__ import annotations

import json
from typing import Any

from chime_local.cloudformation._ministack import Iam


class Resources(str):
    """The first resource of a request, with the others that must be allowed as well."""

    __slots__ = ("others",)
    others: tuple[str, ...]

    @classmethod
    def of(cls, resources: list[str]) -> Resources:
        """Create it from one resource or more."""
        made = cls(resources[0])
        made.others = tuple(resources[1:])
        return made


class Requests:
    """Replaces functions by which MiniStack judges requests; what it replaces goes on doing the rest."""

    def __init__(self, ministack: Iam) -> None:
        self._ministack = ministack
        self._enforce_one = ministack.enforce
        self._resource = ministack.resource_of_request

    def install(self) -> None:
        """Put the cures in place."""
        self._ministack.enforce = self._enforce
        self._ministack.resource_of_request = self._resource_arn

    def _resource_arn(self, *given: Any) -> str:
        """Return what a request names; GetParameters and DeleteParameters name several parameters."""
        service, _, _, _, body, _, region, account = given
        if service == "ssm":
            names = parameter_names(body)
            if names:
                prefix = f"arn:aws:ssm:{region}:{account}:parameter/"
                return Resources.of([prefix + name.lstrip("/") for name in names])
        return str(self._resource(*given))

    def _enforce(  # noqa: PLR0917 - MiniStack's own signature
        self,
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        """Judge a request on all of its resources, and on the permission to pass session tags."""
        actions = [action]
        if action == "sts:AssumeRole" and any(key.lower() == "aws:tagkeys" for key in service_context or {}):
            actions.append("sts:TagSession")
        for each in actions:
            for resource in (str(resource_arn), *getattr(resource_arn, "others", ())):
                denied = self._enforce_one(access_key, each, service, region, resource, service_context)
                if denied is not None:
                    return denied
        return None


def parameter_names(body: bytes) -> list[str]:
    """Return the parameters that a request names in a list; one that names none, or no JSON, has none."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return []
    names = parsed.get("Names") if isinstance(parsed, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
