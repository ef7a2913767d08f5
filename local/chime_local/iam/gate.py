"""Authorizes each call of Amazon Chime SDK messaging by the caller's IAM policies, on every resource it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from chime_local.chime import ChimeError, ChimeService
from chime_local.chime.iam import required_actions
from chime_local.chime.protocol import Scope, operation_of, scope_of
from chime_local.cloudformation._ministack import Iam
from chime_local.iam.evaluator import DECISION, denial_reason
from chime_local.iam.history import PolicyHistory

Context = dict[str, Any]


class IamGate:
    """Lets calls through that the caller's policies allow, and rejects others with AWS's messages."""

    def __init__(
        self,
        service: ChimeService,
        ministack: Iam,
        history: PolicyHistory | None = None,
        record: Callable[[str, str, Any], None] | None = None,
    ) -> None:
        self._service = service
        self._ministack = ministack
        self._history = history
        self._record = record

    def authorize(self, scope: Scope, headers: dict[str, str], body: bytes) -> None:
        """Authorize a call; raises ChimeError."""
        query = scope.get("query_string", b"")
        raw_path = scope.get("raw_path") or scope["path"].encode()
        region = (scope_of(headers) or ("us-east-1", ""))[0]
        key = self._pin(scope, headers, body, region)
        _, operation, parameters = operation_of(scope["method"], raw_path, query, headers, body)
        request = request_context(parameters, headers)
        for action, resources in required_actions(operation, parameters):
            for resource in resources:
                self._authorize(key, action, region, resource, {**request, **self._resource_context(resource)})

    def _pin(self, scope: Scope, headers: dict[str, str], body: bytes, region: str) -> str:
        """Set what MiniStack's evaluator reads of a request, and return the access key that signed it."""
        ministack = self._ministack
        key = str(ministack.access_key_of(headers, {}))
        ministack.set_account(ministack.account_scope(key))
        ministack.set_region(region)
        # On AWS every call comes over TLS.
        ministack.pin_origin((scope.get("client") or ("127.0.0.1",))[0], True)
        raw_path = scope.get("raw_path") or scope["path"].encode()
        parameters = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        ministack.pin_request(scope["method"], raw_path.decode("latin-1"), parameters, list(scope["headers"]))
        ministack.pin_body(body)
        return key

    def _resource_context(self, resource: str) -> Context:
        """Return the condition keys of a resource: its tags."""
        with self._service.lock:
            tags = dict(self._service.tags.get(resource, {}))
        return {f"aws:ResourceTag/{name}": value for name, value in tags.items()}

    def _authorize(self, key: str, action: str, region: str, resource: str, context: Context) -> None:
        def denial() -> Any:
            return self._ministack.enforce(key, action, action.partition(":")[0], region, resource, context)

        DECISION.set(None)
        denied = denial()
        if denied is None and self._history is not None:
            denied = self._history.as_of_delay(denial)
        if self._record:
            self._record(action, resource, denied)
        if denied is None:
            return
        if isinstance(denied, self._ministack.AuthError):
            raise ChimeError(denied.code, denied.message, 403)
        raise ChimeError(
            "AccessDenied",
            f"User: {denied.principal_arn} is not authorized to perform: {action} on resource: {resource} "
            f"{denial_reason(action, denied)}",
        )


def request_context(parameters: dict[str, Any], headers: dict[str, str]) -> Context:
    """Return the condition keys of a request: the tags that it writes or removes, and how it came."""
    context: Context = {"aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false"}
    if headers.get("user-agent"):
        context["aws:UserAgent"] = headers["user-agent"]
    tags = parameters.get("Tags")
    written = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    removed = parameters.get("TagKeys")
    keys = [str(tag.get("Key")) for tag in written] + (list(map(str, removed)) if isinstance(removed, list) else [])
    if keys:
        context["aws:TagKeys"] = keys
    return {**context, **{f"aws:RequestTag/{tag.get('Key')}": str(tag.get("Value", "")) for tag in written}}
