"""Patches which resources and actions a request is authorized for: SSM parameters, session tags of AssumeRole."""

from __future__ import annotations

import json
from typing import Any

from chime_local.cloudformation._ministack import Iam


class Resources(str):
    """The ARN of a request's first resource, with the ARNs of the others, which must be allowed as well."""

    __slots__ = ("others",)
    others: tuple[str, ...]

    @classmethod
    def of(cls, resources: list[str]) -> Resources:
        """Create one from a list that is not empty."""
        made = cls(resources[0])
        made.others = tuple(resources[1:])
        return made


class Requests:
    """Patches functions with which MiniStack authorizes requests; each calls the original where that is right."""

    def __init__(self, ministack: Iam) -> None:
        self._ministack = ministack
        self._enforce_one = ministack.enforce
        self._resource = ministack.resource_of_request

    def install(self) -> None:
        """Replace MiniStack's functions with the methods of this class."""
        self._ministack.enforce = self._enforce
        self._ministack.resource_of_request = self._resource_arn

    def _resource_arn(self, *given: Any) -> str:
        """Return the resource of a request; GetParameters and DeleteParameters name several."""
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
        """Authorize a request for all of its resources, and for sts:TagSession if it passes session tags."""
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
    """Return the names of SSM parameters in a request; an empty list if it has none or is no JSON."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return []
    names = parsed.get("Names") if isinstance(parsed, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
