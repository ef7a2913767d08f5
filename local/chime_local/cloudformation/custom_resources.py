"""CloudFormation's contract with custom resources, where MiniStack's is looser than AWS's.

Added: the Lambda is invoked as an asynchronous event is, with the retries its event invoke config allows; the first
answer counts; answers have rules; ServiceTimeout also ends the wait for a Lambda that still runs; a ServiceToken
cannot change. What became of failed requests is kept for the rollback (`_rollback`).
Left as MiniStack has it: resources are provisioned one after another. Unlike on AWS, retries come at once, and a
request that nobody can answer any more fails at once instead of after ServiceTimeout.
"""

from __future__ import annotations

import contextvars
import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Lambda
from chime_local.errors import ChimeLocalError
from chime_local.lambdas.deliveries import Deliveries
from chime_local.recording import Recorder

_MAX_ANSWER_BYTES = 4096
_ECHOED = ("StackId", "RequestId", "LogicalResourceId")
_MAX_WAIT_SECONDS = 3600

Answer = dict[str, Any]
Properties = dict[str, Any]


class CustomResourceError(ChimeLocalError):
    """A request failed; the text is what CloudFormation's event says."""


@dataclass(frozen=True)
class Failure:
    """A request that failed, and the id that its resource has from then on."""

    request_type: str
    resource_type: str
    physical_id: str
    properties: Properties


@dataclass
class _PendingRequest:
    """A request whose answer is awaited."""

    event: dict[str, Any]
    settled: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    failure: str = ""


class CustomResourceInvoker:
    """Invokes custom resources by the rules; takes the place of a function in MiniStack."""

    def __init__(self, ministack: CloudFormation, lambdas: Lambda, deliveries: Deliveries | None = None) -> None:
        self._ministack = ministack
        self._lambdas = lambdas
        self._deliveries = deliveries or Deliveries(Recorder())
        self._recorder = self._deliveries.recorder
        self._lock = threading.Lock()
        self._pending: dict[str, _PendingRequest] = {}
        self.failures: dict[tuple[str, str], Failure] = {}
        """By stack id and logical id: what the rollback has to undo."""

    def install(self) -> None:
        """Put these rules in the place of MiniStack's."""
        self._ministack.invoke_custom_resource = self.invoke

    def reset(self) -> None:
        """Forget every request, and end the wait for those in flight."""
        with self._lock:
            self.failures.clear()
            for pending in self._pending.values():
                pending.failure = "The engine was reset."
                pending.settled.set()

    def deliver(self, token: str, body: bytes) -> None:
        """Take an answer that was PUT to a ResponseURL; only the first to a pending request counts."""
        with self._lock:
            pending = self._pending.get(token)
            if pending is not None:
                self._recorder.add_answer(pending.event["RequestId"], body)
            if pending is not None and pending.answer is None:
                pending.answer = parse_answer(pending.event, body)
                pending.settled.set()

    def invoke(  # noqa: PLR0917 - the signature is MiniStack's
        self,
        request_type: str,
        logical_id: str,
        props: Properties,
        stack_name: str,
        stack_id: str,
        resource_type: str,
        physical_id: str | None = None,
        old_props: Properties | None = None,
    ) -> tuple[str, Properties]:
        """Send one request and wait for its answer; raises CustomResourceError with the Reason of a failure."""
        stringified = self._ministack.stringify_properties
        event = {
            "RequestType": request_type,
            "RequestId": str(uuid.uuid4()),
            "StackId": stack_id,
            "ServiceToken": props.get("ServiceToken"),
            "ResourceType": resource_type,
            "LogicalResourceId": logical_id,
            "ResourceProperties": stringified(props),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old_props is not None:
            event["OldResourceProperties"] = stringified(old_props)
            if old_props.get("ServiceToken") != props.get("ServiceToken"):
                raise CustomResourceError("Modifying service token is not allowed.")
        self.failures.pop((stack_id, logical_id), None)
        self._recorder.begin_request(event, stack_name)
        answer = self._request(event, props)
        self._recorder.end_request(event["RequestId"], answer)
        if answer["Status"] == "SUCCESS":
            return str(answer["PhysicalResourceId"]), answer.get("Data") or {}
        made_up = f"{stack_name}-{logical_id}-{uuid.uuid4().hex[:12].upper()}"
        known_id = str(answer.get("PhysicalResourceId") or physical_id or made_up)
        self.failures[stack_id, logical_id] = Failure(request_type, resource_type, known_id, props)
        raise CustomResourceError(answer["Reason"])

    def _request(self, event: dict[str, Any], props: Properties) -> Answer:
        """Have the Lambda invoked, and wait for the answer; where none comes, the answer is a failure."""
        service_token, region = str(props.get("ServiceToken", "")), self._ministack.region()
        parts = service_token.split(":")
        if len(parts) > 3 and parts[2] == "lambda" and parts[3] != region:
            return _failed(f"ServiceToken {service_token} is not in the stack's region {region}")
        record, config, _ = self._lambdas.find_function(service_token)
        if record is None or config is None:
            return _failed(f"ServiceToken {service_token} is no Lambda function")
        seconds = _service_timeout(props)
        if seconds is None:
            return _failed(f"ServiceTimeout must be 1–{_MAX_WAIT_SECONDS}, but is {props['ServiceTimeout']!r}")
        pending, token = _PendingRequest(event), str(uuid.uuid4())
        with self._lock:
            self._pending[token] = pending
        sent = {**event, "ResponseURL": self._ministack.response_url(token)}
        run = contextvars.copy_context().run
        thread = threading.Thread(
            target=run, args=(self._deliver_event, pending, record, config, sent), daemon=True
        )
        thread.start()
        if pending.settled.wait(seconds):
            thread.join(1)  # so that most often its log lines are there before the stack is
        with self._lock:
            del self._pending[token]
        return pending.answer or _failed(pending.failure or _no_response(event))

    def _deliver_event(self, pending: _PendingRequest, record: Any, config: Any, event: dict[str, Any]) -> None:
        """Invoke a Lambda as AWS delivers an asynchronous event: again when it failed, answered or not."""
        lambdas = self._lambdas
        settings = lambdas.event_invoke_config(record, "$LATEST") or lambdas.event_invoke_config(record, None) or {}
        error = ""
        attempts = 1 + int(settings.get("MaximumRetryAttempts", 2))
        for _ in range(attempts):
            with self._deliveries.begin(event["RequestId"]) as delivery:
                try:
                    result = lambdas.invoke(lambdas.with_config(record, config), event)
                except Exception as failed:
                    error = str(failed) or type(failed).__name__
                else:
                    error = json.dumps(result.get("body"), default=str) if result.get("error") else ""
                delivery.error = error[:500]
            if not error:
                return
        pending.failure = f"The Lambda failed {attempts} times without an answer: {error[:500]}"
        pending.settled.set()


def _service_timeout(props: Properties) -> int | None:
    text = str(props.get("ServiceTimeout", _MAX_WAIT_SECONDS))
    seconds = int(text) if text.isascii() and text.isdecimal() else 0
    return seconds if 1 <= seconds <= _MAX_WAIT_SECONDS else None


def _no_response(event: dict[str, Any]) -> str:
    return (
        "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId "
        f"[{event['RequestId']}]."
    )


def _failed(reason: str) -> Answer:
    return {"Status": "FAILED", "Reason": reason}


def parse_answer(event: dict[str, Any], body: bytes) -> Answer:
    """Read an answer; one that breaks a rule of CloudFormation is a failure that says so, without an id."""
    if len(body) > _MAX_ANSWER_BYTES:
        return _failed(f"Response object is too long: {len(body)} bytes, at most {_MAX_ANSWER_BYTES}.")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return _failed("Invalid response: it is no JSON.")
    error = _error(event, answer) if isinstance(answer, dict) else "it is no JSON object."
    if error:
        return _failed(f"Invalid response: {error}")
    if answer["Status"] == "FAILED":
        reason = f"Received response status [FAILED] from custom resource. Message returned: {answer['Reason']}"
        return {**answer, "Reason": f"{reason} (RequestId: {event['RequestId']})"}
    return dict(answer)


def _error(event: dict[str, Any], answer: dict[str, Any]) -> str:
    physical_id = answer.get("PhysicalResourceId")
    if answer.get("Status") not in ("SUCCESS", "FAILED"):
        return f"Status must be SUCCESS or FAILED, but is {answer.get('Status')!r}."
    if not isinstance(physical_id, str) or not 1 <= len(physical_id.encode("utf-8", "replace")) <= 1024:
        return "PhysicalResourceId must be a string of 1–1024 bytes."
    foreign = [name for name in _ECHOED if answer.get(name) != event[name]]
    if foreign:
        return f"{', '.join(foreign)} must be as in the request."
    if answer["Status"] == "FAILED" and not (isinstance(answer.get("Reason"), str) and answer["Reason"]):
        return "a FAILED response must have a Reason."
    if not isinstance(answer.get("Data") or {}, dict):
        return "Data must be an object."
    return ""
