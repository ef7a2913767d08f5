"""The Lambda behind `Custom::Chime…` resources: crhelper and boto3 meet the channel here, and only here."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import clients

# crhelper imports boto3 for clients that are not made here.
with clients.no_collection(), clients.later("boto3"):
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
    from crhelper import CfnResource

    from chime_channel import _answer, _handle, _reasons
    from chime_channel._api import Effects, ServiceError
    from chime_channel._request import UNMADE, BadEvent, Refused, Work, parse_request

# crhelper logs events, ResponseURL and tracebacks.
logging.getLogger("crhelper").setLevel(logging.CRITICAL + 1)

_ANSWER_TRIES = 6
_MARGIN = 8.0
"""Seconds before the Lambda's end at which the timer answers for a request that hangs."""


def log(line: str) -> None:
    """Write one line to the Lambda's log."""
    print(line, flush=True)  # noqa: T201 - standard output is the log


def send(region: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Send one call of the service, once."""
    service = "chime-sdk-identity" if "AppInstance" in operation else "chime-sdk-messaging"
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]
    try:
        answer: dict[str, Any] = getattr(clients.client(service, region), method)(**parameters)
    except ClientError as refused:
        error = refused.response.get("Error", {})
        status = refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        raise ServiceError(operation, error.get("Code", "Unknown"), error.get("Message", ""), status) from None
    except ParamValidationError as wrong:
        raise ServiceError(operation, "BadRequest", str(wrong), 400) from None
    except BotoCoreError as failed:
        raise ServiceError(operation, "Unreachable", type(failed).__name__) from None
    return answer


class Undelivered(Exception):
    """The answer to a request could not be delivered."""


class Provider(CfnResource):
    """crhelper, with its faults put right: see docs/adr and tests/handler/test_crhelper.py."""

    def __init__(self, effects: Effects) -> None:
        # crhelper builds clients for lambda, events and logs, for polling, which is not used here; it leaves
        # them out where it believes to run in SAM.
        os.environ["AWS_SAM_LOCAL"] = "true"
        try:
            super().__init__(log_level="WARNING", boto_level="WARNING", sleep_on_delete=0)
        finally:
            del os.environ["AWS_SAM_LOCAL"]
        self.effects = effects
        self._work: Work | None = None
        self._once = threading.Lock()
        self._sent = False
        self._delivered = False
        for register in (self.create, self.update, self.delete):
            register(self._serve)

    def serve(self, event: Any, context: Any) -> None:
        """Serve one event: exactly one answer, where there is somewhere to answer."""
        url = event.get("ResponseURL") if isinstance(event, Mapping) else None
        if not _answer.is_sendable(url):
            self.effects.log('{"outcome": "ignored", "why": "no ResponseURL that an answer may be sent to"}')
            return
        self._delivered = False
        try:
            parse_request(event)
        except BadEvent as wrong:
            physical_id = event.get("PhysicalResourceId")
            written = _answer.body(
                {key: value for key, value in event.items() if isinstance(value, str) and len(value) <= 512},
                "FAILED",
                physical_id if isinstance(physical_id, str) else "",
                f"The event is no request of CloudFormation: {wrong}.",
                {},
            )
            self._deliver(str(url), written)
        else:
            self(event, context)
        if not self._delivered:
            # Lambda delivers the event again, and every request can be worked on again.
            raise Undelivered("CloudFormation did not take the answer")

    def _serve(self, event: Mapping[str, Any], context: Any) -> str:
        """Do the work of one request; crhelper turns what is raised into a FAILED answer."""
        try:
            request = parse_request(event)
            remaining = context.get_remaining_time_in_millis() / 1000
            self._work = _handle.begin(request, self.effects, remaining)
            self.Data = _handle.work_on(self._work)
        except Exception as error:
            properties = event.get("ResourceProperties")
            told = _reasons.reason(error, properties if isinstance(properties, Mapping) else {})
            self.effects.log(json.dumps({"outcome": "FAILED", "kind": type(error).__name__, **_where(error)}))
            raise Refused(told) from None
        return self._work.physical_id

    def _crhelper_init(self, event: Mapping[str, Any], context: Any) -> bool:
        self._work, self._sent = None, False
        return bool(super()._crhelper_init(event, context))

    def _set_timeout(self) -> None:
        remaining = self._context.get_remaining_time_in_millis() / 1000
        self._timer = threading.Timer(max(0.1, remaining - _MARGIN), self._timeout)
        self._timer.daemon = True  # an idle timer must not keep the process
        self._timer.start()

    def _timeout(self) -> None:
        self._send("FAILED", "The request did not end before the Lambda's time ran out. Try again.")

    def _wait_for_cwlogs(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """Wait for nothing: the logs are read from their group, not from the stack."""

    def _cfn_response(self, event: Mapping[str, Any]) -> None:
        self._send()

    def _send(self, status: str | None = None, reason: str = "", send_response: object = None) -> None:
        """Answer the request, unless the timer or the main thread has already."""
        with self._once:  # held until it is delivered: who comes second has nothing left to do
            if self._sent:
                return
            self._sent = True
            known = self._work.physical_id if self._work else self._event.get("PhysicalResourceId")
            written = _answer.body(
                self._event,
                status or self.Status,
                str(known or UNMADE + str(self.LogicalResourceId)),
                reason or self.Reason,
                self.Data,
            )
            self._deliver(self._response_url, written)

    def _deliver(self, url: str, written: bytes) -> None:
        effects = self.effects
        self._delivered = _answer.deliver(
            url, written, tries=_ANSWER_TRIES, sleep=effects.sleep, log=effects.log, send=effects.put
        )


def _where(error: BaseException) -> dict[str, str]:
    """Say where an unforeseen error arose: file and line, never its text, which could hold anything."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if not trace:
        return {}
    return {"at": f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"}


_provider = Provider(Effects(send, time.time, time.sleep, log, _answer.put))


def handler(event: Any, context: Any) -> None:
    """Serve one event of CloudFormation."""
    _provider.serve(event, context)
