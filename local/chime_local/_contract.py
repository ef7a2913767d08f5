"""CloudFormation's contract with custom resources, where MiniStack's is looser than AWS's.

Added: the first answer counts; answers have rules; a Lambda that crashes is invoked once
more with the same event; a failed Create gets its Delete, with the id that was
answered or one that is made up.
Left as MiniStack has it: resources are provisioned one after another, and the Lambda runs synchronously.
"""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

_MOST_BYTES = 4096
_ECHOED = ("StackId", "RequestId", "LogicalResourceId")
_ATTEMPTS = 2


class Contract:
    """Invokes custom resources by the rules; takes the place of functions in MiniStack."""

    def __init__(self, custom_resource: Any) -> None:
        self._ministack = custom_resource
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[dict[str, Any], threading.Event, list[dict[str, Any]]]] = {}

    def install(self) -> None:
        """Put these rules in the place of MiniStack's."""
        self._ministack.invoke_custom_resource = self.invoke
        self._ministack.deliver_response = self.deliver

    def deliver(self, token: str, answer: dict[str, Any]) -> bool:
        """Take an answer that was PUT to a ResponseURL."""
        with self._lock:
            waiting = self._waiting.get(token)
            if waiting is None:
                return False
            event, arrived, answers = waiting
            answers.append(_checked(event, answer))
            arrived.set()
        return True

    def invoke(  # noqa: PLR0917 - the signature is MiniStack's
        self,
        request_type: str,
        logical_id: str,
        props: dict[str, Any],
        stack_name: str,
        stack_id: str,
        resource_type: str,
        physical_id: str | None = None,
        old_props: dict[str, Any] | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """Send one request and wait for its answer; raises RuntimeError with the Reason of a failure."""
        event = {
            "RequestType": request_type,
            "RequestId": str(uuid.uuid4()),
            "StackId": stack_id,
            "ServiceToken": props.get("ServiceToken"),
            "ResourceType": resource_type,
            "LogicalResourceId": logical_id,
            "ResourceProperties": self._ministack._normalise_resource_properties(props),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old_props is not None:
            event["OldResourceProperties"] = self._ministack._normalise_resource_properties(old_props)
        answer = self._ask(event, str(props.get("ServiceToken", "")))
        if answer.get("Status") == "SUCCESS":
            return str(answer["PhysicalResourceId"]), answer.get("Data") or {}
        told = answer.get("Reason")
        reason = f"Received response status [FAILED] from custom resource. Message returned: {told}"
        if request_type == "Create":
            made_up = f"{stack_name}-{logical_id}-{uuid.uuid4().hex[:12].upper()}"
            held = answer.get("PhysicalResourceId") or made_up
            try:
                self.invoke("Delete", logical_id, props, stack_name, stack_id, resource_type, str(held))
            except RuntimeError as second:
                reason += f" Its deletion failed, too: {second}"
        raise RuntimeError(reason)

    def _ask(self, event: dict[str, Any], service_token: str) -> dict[str, Any]:
        """Invoke the Lambda until it has answered, as often as an asynchronous invocation would."""
        import ministack.services.lambda_svc as lambdas  # noqa: PLC0415 - reads its settings when imported

        record, config, _ = lambdas._get_func_record_for_ref(service_token)
        if record is None or config is None:
            return {"Reason": f"the ServiceToken {service_token} is no Lambda function of this region"}
        token = str(uuid.uuid4())
        arrived, answers = threading.Event(), list[dict[str, Any]]()
        with self._lock:
            self._waiting[token] = (event, arrived, answers)
        sent = {**event, "ResponseURL": self._ministack._response_url(token)}
        told = ""
        for _ in range(_ATTEMPTS):
            try:
                scoped = lambdas._execution_record_for_config(record, config)
                result = lambdas._execute_function_with_config_scope(scoped, sent)
                told = str(result.get("error") or "")
            except Exception as failed:
                told = str(failed)
            if arrived.wait(1):
                break
        with self._lock:
            del self._waiting[token]
        if not answers:
            return {"Reason": f"the Lambda ended {_ATTEMPTS} times without an answer {told[:500]}".strip()}
        return answers[0]


def _checked(event: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Turn an answer that breaks a rule of CloudFormation into a failure that says so."""
    problem = ""
    physical_id = answer.get("PhysicalResourceId")
    if len(json.dumps(answer).encode()) > _MOST_BYTES:
        problem = f"Response object is too long (more than {_MOST_BYTES} bytes)."
    elif answer.get("Status") not in ("SUCCESS", "FAILED"):
        problem = "Status must be SUCCESS or FAILED."
    elif not isinstance(physical_id, str) or not 1 <= len(physical_id.encode()) <= 1024:
        problem = "PhysicalResourceId must have 1–1024 bytes."
    elif any(answer.get(name) != event[name] for name in _ECHOED):
        problem = f"{', '.join(_ECHOED)} must be those of the request."
    elif answer["Status"] == "FAILED" and not answer.get("Reason"):
        problem = "A failure must have a Reason."
    return {"Status": "FAILED", "Reason": f"Invalid response: {problem}"} if problem else answer
