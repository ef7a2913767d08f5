"""Says of each call of Chime which delivery of which custom-resource request made it. No guess: exact, or not said.

Two things name a delivery. Its trace id: Lambda puts it into `_X_AMZN_TRACE_ID`, and botocore's clients send it as
`X-Amzn-Trace-Id`. And the access key: each execution environment has one of its own and serves one delivery at a
time. The second is for clients without botocore's built-in handlers, such as this package's own, and for SDKs that
send no trace.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from chime_local.recording import Call, Delivery, Recorder

if TYPE_CHECKING:
    from chime_local.cloudformation._ministack import Lambda  # which imports this one

_DELIVERY: ContextVar[Delivery | None] = ContextVar("delivery", default=None)
_STARTING: ContextVar[Any] = ContextVar("starting_environment", default=None)
"""The execution environment that is being started."""


class Deliveries:
    """Marks what Lambdas are invoked with, and finds the marks again."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._environments: WeakValueDictionary[str, Any] = WeakValueDictionary()
        """By access key."""
        self._kill_process: Callable[[Any], None] = lambda _environment: None
        self._served: WeakKeyDictionary[Any, Delivery] = WeakKeyDictionary()
        """By environment: the delivery that it serves."""

    def install(self, ministack: Lambda) -> None:
        """Wrap MiniStack's invocation of Lambdas; to be done after their credentials are replaced."""
        trace = ministack.trace_id

        def trace_id(config: dict[str, Any], inbound: str | None = None) -> str | None:
            delivery = _DELIVERY.get()
            found: str | None = delivery.trace_id if delivery else trace(config, inbound)
            return found

        ministack.trace_id = trace_id
        ministack.execution_credentials = self._noting_environment(ministack.execution_credentials)
        self._kill_process = ministack.kill_process
        ministack.wrap_environments(start=self._started, invoke=self._invoked)

    def _noting_environment(self, issue: Any) -> Any:
        def issued(config: dict[str, Any]) -> dict[str, str]:
            credentials: dict[str, str] = issue(config)
            environment = _STARTING.get()
            if environment is not None:
                self._environments[credentials["AWS_ACCESS_KEY_ID"]] = environment
            return credentials

        return issued

    @staticmethod
    def _started(start: Any, environment: Any, *given: Any, **named: Any) -> Any:
        token = _STARTING.set(environment)
        try:
            return start(environment, *given, **named)
        finally:
            _STARTING.reset(token)

    def _invoked(self, invoke: Any, environment: Any, *given: Any, **named: Any) -> Any:
        delivery = _DELIVERY.get()
        if delivery is not None:
            self._served[environment] = delivery
        try:
            result = invoke(environment, *given, **named)
        finally:
            self._served.pop(environment, None)
        if delivery is not None:
            delivery.is_cold = bool(result.get("cold_start"))
        return result

    @contextmanager
    def begin(self, request_id: str, *, is_replay: bool = False, kill_after_call: int = 0) -> Iterator[Delivery]:
        """Record one delivery: what is invoked inside this block."""
        delivery = self.recorder.begin_delivery(
            request_id, _new_trace_id(), is_replay=is_replay, kill_after_call=kill_after_call
        )
        token = _DELIVERY.set(delivery)
        try:
            yield delivery
        finally:
            _DELIVERY.reset(token)
            self.recorder.end_delivery(delivery, delivery.error)

    def kill_after(self, call: Call) -> None:
        """Kill the Lambda's process where that is ordered for after this call, which has had its effect."""
        delivery = self.recorder.count_to_kill(call)
        if delivery is not None:
            for environment, served in list(self._served.items()):
                if served is delivery:
                    self._kill_process(environment)

    def find(self, headers: Mapping[str, str], access_key: str) -> Delivery | None:
        """Return the delivery whose Lambda makes a call."""
        traced = self.recorder.find_delivery(headers.get("x-amzn-trace-id", ""))
        if traced is not None:
            return traced
        environment = self._environments.get(access_key)
        return None if environment is None else self._served.get(environment)


def _new_trace_id() -> str:
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
