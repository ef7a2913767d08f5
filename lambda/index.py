"""The Lambda behind `Custom::Chime…` resources: crhelper and boto3 meet the channel here, and only here."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import botocore_clients

# crhelper imports boto3 for clients that are not made here.
with botocore_clients.no_garbage_collection(), botocore_clients.lazy_import("boto3"):
    from botocore import xform_name
    from botocore.exceptions import (
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        ParamValidationError,
        SSLError,
    )
    from crhelper import CfnResource

    from chime_handler import response
    from chime_handler.dispatch import dispatch, new_context
    from chime_handler.errors import (
        MalformedEventError,
        RequestRejectedError,
        ResponseNotDeliveredError,
        ServiceError,
    )
    from chime_handler.physical_id import NotCreated
    from chime_handler.request import RequestContext, parse_request
    from chime_handler.service import Effects

# crhelper logs events, ResponseURL and tracebacks.
logging.getLogger("crhelper").setLevel(logging.CRITICAL + 1)

_MAX_DELIVERY_TRIES = 6
_MARGIN_SECONDS = 8.0
"""Seconds before the Lambda's end at which the timer responds to a request that hangs."""


def log(line: str) -> None:
    """Write one line to the Lambda's log."""
    print(line, flush=True)  # noqa: T201 - standard output is the log


def send(
    region: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    client: Callable[[str, str], Any] = botocore_clients.client,
) -> dict[str, Any]:
    """Send one call of the service, once; whatever it raises beside ServiceError is a failed connection."""
    try:
        method = getattr(client(_service_name(operation, parameters), region), xform_name(operation))
        result: dict[str, Any] = method(**parameters)
    except ClientError as error:
        details = error.response.get("Error") or {}
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        # Both come from the body, which need not hold texts.
        code, message = str(details.get("Code") or "Unknown"), str(details.get("Message") or "")
        raise ServiceError(operation, code, message, status) from None
    except ParamValidationError as error:
        raise ServiceError(operation, "BadRequest", str(error), 400) from None
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        unsent = ServiceError(operation, "Unreachable", type(error).__name__)
        unsent.was_sent = False
        raise unsent from None
    except SSLError:
        why = "TLS failed: the certificate may be unknown, expired or of another host."
        raise ServiceError(operation, "Unreachable", why) from None
    if _is_web_page(result):
        raise ServiceError(operation, "Unreachable", "a web page came instead of the service's response.")
    return result


def _is_web_page(result: Mapping[str, Any]) -> bool:
    """Check whether a proxy on the way responded, not the service: botocore takes a page with 200 for success."""
    headers = result.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("content-type", "")).lower().startswith("text/html")


def _service_name(operation: str, parameters: Mapping[str, Any]) -> str:
    """Return which of the two services serves a call: that of identities has app instances, users and bots."""
    resource = str(parameters.get("ResourceARN", "/channel/"))
    messaging = "AppInstance" not in operation and ("/channel/" in resource or "/channel-flow/" in resource)
    return "chime-sdk-messaging" if messaging else "chime-sdk-identity"


class _RealTimer:
    """A timer on a thread of its own."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self._timer = threading.Timer(seconds, call)
        self._timer.daemon = True  # an idle timer must not keep the process
        self._timer.start()

    def cancel(self) -> None:
        """Keep the timer from calling; without effect where it has begun to."""
        self._timer.cancel()

    def join(self) -> None:
        """Wait until the timer's call is over."""
        self._timer.join()


class _Response:
    """The one response to one request, whoever comes first: the main thread, or the timer of this request."""

    def __init__(self, provider: Provider, event: Mapping[str, Any], remaining: float) -> None:
        self._provider, self._event = provider, event
        self._claim = threading.Lock()
        self.context: RequestContext | None = None
        self.delivered = False
        self._timer = provider.effects.start_timer(max(0.1, remaining - _MARGIN_SECONDS), self._time_is_up)

    def cancel(self) -> None:
        """Stop the timer; where the main thread was too late, wait until the timer has responded."""
        self._timer.cancel()
        if not self.delivered:
            self._timer.join()

    def send(self, status: str, reason: str, data: Mapping[str, str]) -> None:
        """Send the response, unless the other has already."""
        if not self._claim.acquire(blocking=False):
            return
        body = response.build_body(self._event, status, self._physical_id(), reason, data)
        self.delivered = self._provider.deliver(str(self._event["ResponseURL"]), body)

    def _physical_id(self) -> str:
        if self.context:
            return self.context.physical_id
        not_created = NotCreated(str(self._event.get("LogicalResourceId")))
        return str(self._event.get("PhysicalResourceId") or not_created)

    def _time_is_up(self) -> None:
        self.send("FAILED", "The request did not end before the Lambda's time ran out. Try again.", {})


Undelivered = ResponseNotDeliveredError
"""The name of this error in the first release, kept for one more."""


class Provider(CfnResource):
    """crhelper, with its faults put right: see docs/adr and tests/handler/test_crhelper.py."""

    def __init__(self, effects: Effects) -> None:
        # crhelper builds clients for lambda, events and logs, for polling, which is not used here; it leaves
        # them out where it believes to run in SAM.
        os.environ["AWS_SAM_LOCAL"] = "true"
        try:
            super().__init__(log_level="WARNING", boto_level="WARNING")
        finally:
            del os.environ["AWS_SAM_LOCAL"]
        self.effects = effects
        self._response: _Response | None = None
        for register in (self.create, self.update, self.delete):
            register(self._serve)

    def serve(self, event: Any, context: Any) -> None:
        """Serve one event: exactly one response, where there is somewhere to send it."""
        url = event.get("ResponseURL") if isinstance(event, Mapping) else None
        if not response.is_trusted_url(url):
            self.effects.log('{"outcome": "ignored", "why": "no ResponseURL that a response may be sent to"}')
            return
        try:
            parse_request(event)
        except MalformedEventError as error:
            delivered = self.deliver(str(url), _response_to_malformed_event(event, error))
        else:
            self._response = None
            # crhelper takes keys that begin with its name for its own.
            self({key: value for key, value in event.items() if not str(key).startswith("CrHelper")}, context)
            delivered = self._response is not None and self._response.delivered
        if not delivered:
            # Lambda delivers the event again, and every request can be worked on again.
            raise ResponseNotDeliveredError("CloudFormation did not take the response")

    def deliver(self, url: str, body: bytes) -> bool:
        """Send a response until it is taken."""
        effects = self.effects
        return response.deliver(
            url, body, tries=_MAX_DELIVERY_TRIES, sleep=effects.sleep, log=effects.log, send=effects.put
        )

    def _serve(self, event: Mapping[str, Any], context: Any) -> str:
        """Do the work of one request; crhelper turns what is raised into a FAILED response."""
        assert self._response is not None
        try:
            request = parse_request(event)
            remaining = context.get_remaining_time_in_millis() / 1000
            self._response.context = new_context(request, self.effects, remaining)
            self.Data = dispatch(self._response.context)
        except Exception as error:
            from chime_handler import reasons  # noqa: PLC0415 - only for what fails

            message = reasons.describe_failure(
                error, event.get("ResourceProperties"), event.get("OldResourceProperties")
            )
            self.effects.log(json.dumps({"outcome": "FAILED", "kind": type(error).__name__, **_where(error)}))
            raise RequestRejectedError(message) from None
        return self._response.context.physical_id

    def _set_timeout(self) -> None:
        """Start the timer of this request; one of an earlier request can respond to that one only."""
        self._timer = None
        remaining = self._context.get_remaining_time_in_millis() / 1000
        self._response = _Response(self, self._event, remaining)

    def _wait_for_cwlogs(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """Wait for nothing: the logs are read from their group, not from the stack."""

    def _cfn_response(self, event: Mapping[str, Any]) -> None:
        self._send()

    def _send(self, status: str | None = None, reason: str = "", send_response: object = None) -> None:
        """Respond to the request, unless its timer has already."""
        if self._response is not None:
            self._response.send(status or self.Status, reason or self.Reason, self.Data)
            self._response.cancel()


def _response_to_malformed_event(event: Mapping[str, Any], error: MalformedEventError) -> bytes:
    physical_id = event.get("PhysicalResourceId")
    return response.build_body(
        {key: value for key, value in event.items() if isinstance(value, str) and len(value) <= 512},
        "FAILED",
        physical_id if isinstance(physical_id, str) else "",
        f"The event is no request of CloudFormation: {error}.",
        {},
    )


def _where(error: BaseException) -> dict[str, str]:
    """Return where an unforeseen error arose: file and line, never its text, which could hold anything."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if not trace:
        return {}
    return {"at": f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"}


_provider = Provider(Effects(send, time.time, time.sleep, log, response.put, _RealTimer))


def handler(event: Any, context: Any) -> None:
    """Serve one event of CloudFormation."""
    _provider.serve(event, context)
