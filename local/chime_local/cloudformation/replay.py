"""Delivers a custom-resource request once more, as AWS may: at least once is what asynchronous events are promised.

The answer to a replay is recorded and goes nowhere: the stack has had its answer. What the Lambda does is real.
"""

from __future__ import annotations

import contextvars
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Lambda
from chime_local.errors import ChimeLocalError
from chime_local.lambdas.deliveries import Deliveries

MAX_TIMES = 2
MAX_CALL = 10_000
MAX_RUNNING = 20
"""Replays at once; each holds a thread and runs a Lambda."""
_MAX_OPEN = 1000
"""Of replays whose answer is awaited; a Lambda may never answer."""


class ReplayError(ChimeLocalError):
    """A request cannot be delivered again; the text says why."""


class Replays:
    """Invokes Lambdas with recorded requests, and takes the answers."""

    def __init__(self, ministack: CloudFormation, lambdas: Lambda, deliveries: Deliveries) -> None:
        self._ministack = ministack
        self._lambdas = lambdas
        self._deliveries = deliveries
        self._tokens: dict[str, str] = {}
        """From the token in a ResponseURL to the request's id."""
        self._places = threading.BoundedSemaphore(MAX_RUNNING)

    def replay(self, request_id: str, times: int = 1, kill_after_call: int = 0) -> None:
        """Deliver a request again, twice at once where asked for; returns while that goes on.

        Args:
            request_id: The request.
            times: How often.
            kill_after_call: After which of its calls of Chime the Lambda's process is killed; 0 is never.
        """
        request = self._deliveries.recorder.request(request_id)
        if request is None:
            raise ReplayError(f"There is no request {request_id}: it has rolled off, or the engine was reset.")
        if not 1 <= times <= MAX_TIMES:
            raise ReplayError(f"A request is delivered once or twice at once, not {times} times.")
        if not 0 <= kill_after_call <= MAX_CALL:
            raise ReplayError(f"The Lambda can be killed after call 1 to {MAX_CALL:,}, not {kill_after_call}.")
        self._find_function(request.event)
        for taken in range(times):
            if not self._places.acquire(blocking=False):
                done = "Delivered once only: " if taken else ""
                raise ReplayError(f"{done}{MAX_RUNNING} replays are running already; wait until one ends.")
            run = contextvars.copy_context().run
            given = (self._deliver_in_place, dict(request.event), kill_after_call)
            threading.Thread(target=run, args=given, daemon=True).start()

    def before(self, deliver: Callable[[str, bytes], None]) -> Callable[[str, bytes], None]:
        """Return what records an answer to a replay, and hands any other on."""

        def take(token: str, body: bytes) -> None:
            request_id = self._tokens.pop(token, None)
            if request_id is None:
                deliver(token, body)
            else:
                self._deliveries.recorder.add_answer(request_id, body, is_replay=True)

        return take

    def _deliver_in_place(self, event: dict[str, Any], kill_after_call: int) -> None:
        try:
            self._deliver(event, kill_after_call)
        finally:
            self._places.release()

    def _deliver(self, event: dict[str, Any], kill_after_call: int) -> None:
        token = str(uuid.uuid4())
        while len(self._tokens) >= _MAX_OPEN:
            self._tokens.pop(next(iter(self._tokens)), None)
        self._tokens[token] = event["RequestId"]
        sent = {**event, "ResponseURL": self._ministack.response_url(token)}
        with self._deliveries.begin(
            event["RequestId"], is_replay=True, kill_after_call=kill_after_call
        ) as delivery:
            try:
                record, config = self._find_function(event)
                result = self._lambdas.invoke(self._lambdas.with_config(record, config), sent)
            except Exception as failed:
                delivery.error = str(failed)[:500]
            else:
                if result.get("error"):
                    delivery.error = json.dumps(result.get("body"), default=str)[:500]
            if delivery.is_killed:
                delivery.error = f"Its process was killed after call {kill_after_call}, as ordered."
            elif kill_after_call:
                delivery.error = delivery.error or f"It ended before call {kill_after_call}: not killed."

    def _find_function(self, event: dict[str, Any]) -> tuple[Any, Any]:
        """Find the Lambda of a request, in the account and region of its ARN."""
        arn = str(event.get("ServiceToken"))
        parts = arn.split(":")
        if len(parts) > 6:
            self._lambdas.set_account(parts[4])
            self._lambdas.set_region(parts[3])
            record, config, _ = self._lambdas.find_function(arn)
            if record is not None and config is not None:
                return record, config
        raise ReplayError(f"The Lambda {arn} is not there any more.")
