"""Records each call of the emulated service: what it asked, what IAM said of it, how it was answered."""

from __future__ import annotations

import json
import re
import time
from contextvars import ContextVar
from typing import Any

from chime_local.chime import ChimeError
from chime_local.chime.protocol import Scope, Send, operation_of, scope_of
from chime_local.iam.evaluator import DECISION, denial_reason
from chime_local.lambdas.deliveries import Deliveries
from chime_local.recording import Call, Record, Verdict

_CALL: ContextVar[Call | None] = ContextVar("call", default=None)
_ACCESS_KEY = re.compile(r"Credential=([^/,\s]+)/")
_FIELDS = {
    "Sid": "sid",
    "Effect": "effect",
    "Action": "actions",
    "NotAction": "not_actions",
    "Resource": "resources",
    "NotResource": "not_resources",
    "Condition": "conditions",
}


class CallRecorder:
    """Stands between the gateway and the emulated service."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._recorder = deliveries.recorder

    def watch(self, scope: Scope, headers: dict[str, str], body: bytes, send: Send) -> Send:
        """Record a call, and return the `send` through which its answer is recorded."""
        raw_path = scope.get("raw_path") or scope["path"].encode()
        try:
            service, operation, parameters = operation_of(
                scope["method"], raw_path, scope.get("query_string", b""), headers, body
            )
        except ChimeError:
            service, operation, parameters = "", f"{scope['method']} {scope['path'][:200]}", {}
        found = _ACCESS_KEY.search(headers.get("authorization", ""))
        key = found[1] if found else ""
        call = self._recorder.begin_call(
            service,
            operation,
            parameters,
            region=(scope_of(headers) or ("us-east-1", ""))[0],
            access_key=key,
            delivery=self._deliveries.find(headers, key),
        )
        _CALL.set(call)
        return self._watched(call, send)

    def _watched(self, call: Call, send: Send) -> Send:
        started, status = time.perf_counter(), 0

        async def sent(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not message.get("more_body"):
                error = _error(message.get("body", b"")) if status >= 400 else ""
                self._recorder.end_call(call, status, (time.perf_counter() - started) * 1000, error)
                # Before the answer is sent: what the Lambda would do with it must not be a race.
                self._deliveries.kill_after(call)
            await send(message)

        return sent

    @staticmethod
    def judge(action: str, resource: str, denied: Any) -> None:
        """Record what IAM says of an action; `denied` is MiniStack's result, None where it is allowed."""
        call = _CALL.get()
        if call is None:
            return
        decision = DECISION.get()
        principal, statement = decision or (f"arn:aws:iam::{call.access_key}:root", None)
        if denied is None:
            reason = "" if decision else "The root user of the account may do everything."
            call.verdicts.append(Verdict(principal, action, resource, "Allow", reason, _statement(statement)))
        elif hasattr(denied, "decision"):
            reason = denial_reason(action, denied)
            shown = _statement(statement) if denied.decision == "Deny" else None
            call.verdicts.append(Verdict(principal, action, resource, denied.decision, reason, shown))
        else:
            call.verdicts.append(Verdict("", action, resource, denied.code, denied.message, None))


def _statement(statement: Any) -> Record | None:
    """Return a statement as a policy document has it."""
    if statement is None:
        return None
    return {name: value for name, key in _FIELDS.items() if (value := getattr(statement, key))}


def _error(body: bytes) -> str:
    try:
        parsed = json.loads(body)
        return f"{parsed['Code']}: {parsed['Message']}"
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace")
