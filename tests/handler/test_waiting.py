"""How long is waited, for what, and in which steps: seconds written out as ARCHITECTURE.md promises them."""

from __future__ import annotations

import gc
import http.client
import json
import random
import threading
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any, ClassVar

import pytest

import botocore_clients
from chime_handler import response
from chime_handler.errors import DeadlineExceededError, ServiceError
from chime_handler.service import Effects, Service
from helpers.harness import Harness

BATCH = "BatchCreateChannelMembership"


def throttle(operation: str, _: Mapping[str, Any]) -> None:
    """Refuse a call for its rate."""
    raise ServiceError(operation, "ThrottledClientException", "slow down", 429)


@pytest.mark.parametrize(
    ("request_type", "remaining", "least", "most"),
    [
        ("Create", 900, 237, 240.1),
        ("Update", 900, 237, 240.1),
        ("Create", 255, 237, 240.1),
        ("Create", 200, 182, 185.1),
        ("Delete", 900, 882, 885.1),
        ("Delete", 100, 82, 85.1),
    ],
)
def test_request_stops_acting_while_there_is_time_to_answer(
    request_type: str, remaining: float, least: float, most: float
) -> None:
    """A Create or Update acts for 240 seconds, a Delete to the end; fifteen seconds are kept for the answer."""
    harness = Harness()
    held = harness.create()["PhysicalResourceId"]
    harness.now += 100
    known = {} if request_type == "Create" else {"PhysicalResourceId": held}
    event = harness.event(request_type, harness.properties(Name="new"), **known)
    harness.before, began = throttle, harness.now
    harness.calls.clear()
    answer = harness.deliver(event, seconds=remaining)
    assert least <= harness.now - began <= most
    assert "Retried until shortly before the deadline, without success." in answer["Reason"]
    assert "ThrottledClient" in answer["Reason"]


class Clock:
    """A clock that a sleep moves on, by more than was asked for, and each log line by a second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Sleep far too long, as in a paused environment."""
        self.pauses.append(seconds)
        self.now += seconds + 100

    def log(self, _: str) -> None:
        """Let the time go on."""
        self.now += 1


def create_service(clock: Clock, error: ServiceError, deadline: float) -> Service:
    """Return a service whose calls all fail with one error."""

    def send(region: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        raise error

    effects = Effects(
        send, lambda: clock.now, clock.sleep, clock.log, lambda *_: 200, threading.Timer, random.Random(1)
    )
    return Service(effects, "request", deadline, settled_at=60.0)


ADMIN = {"AppInstanceArn": "arn:aws:chime:us-east-1:000000000000:app-instance/a"}


def test_refusal_is_named_when_a_sleep_outlasts_the_deadline() -> None:
    """The stack event names the throttling, not just the time, when a pause takes longer than was asked for."""
    refusal = ServiceError("ListAppInstanceAdmins", "ThrottledClientException", "slow down", 429)
    service = create_service(Clock(), refusal, deadline=50)
    with pytest.raises(DeadlineExceededError) as ended:
        service.call("ListAppInstanceAdmins", **ADMIN)
    assert ended.value.last is refusal


def test_pause_is_never_negative_when_the_time_for_tries_passes_meanwhile() -> None:
    """The wait for IAM ends at 60 s; a log line that takes a second lets it pass, and the error stays IAM's."""
    clock = Clock()
    clock.now = 59.5
    refusal = ServiceError("ListAppInstanceAdmins", "AccessDeniedException", "no", 403)
    with pytest.raises(ServiceError) as ended:
        create_service(clock, refusal, deadline=900).call("ListAppInstanceAdmins", **ADMIN)
    assert ended.value is refusal
    assert clock.pauses == [0.0]


def test_throttled_call_is_tried_again_with_growing_pauses() -> None:
    """Requests that are throttled together neither hammer the service nor come back together."""
    harness, moments = Harness(), list[float]()

    def note(operation: str, parameters: Mapping[str, Any]) -> None:
        moments.append(harness.now)
        throttle(operation, parameters)

    harness.before = note
    harness.deliver(harness.event("Create", harness.properties()), seconds=255)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert 100 < len(pauses) < 260
    assert max(pauses) <= 3.1
    assert min(pauses) >= 0.05
    assert max(pauses[:1]) <= 0.5
    assert len({round(pause, 3) for pause in pauses}) > 90


@pytest.mark.parametrize(
    ("remaining", "waited"), [(900, 795), (860, 795), (840, 795), (500, 455), (60, 15), (20, 0)]
)
def test_delete_with_a_made_up_id_outwaits_the_create(remaining: float, waited: float) -> None:
    """After 540 + 240 + 15 seconds no Create acts any more; half a minute is kept to look and delete."""
    harness = Harness()
    arn = harness.create()["PhysicalResourceId"]
    harness.calls.clear()
    began, looked = harness.now, list[float]()
    harness.before = lambda _operation, _parameters: looked.append(harness.now - began)
    event = harness.event("Delete", harness.properties(), PhysicalResourceId="demo-Support-1XY2Z3")
    answer = harness.deliver(event, seconds=remaining)
    assert looked[0] == pytest.approx(waited, abs=0.1)
    if remaining > 20:
        assert answer["Status"] == "SUCCESS"
        assert arn not in [channel.arn for channel in harness.service.channels()]


def test_delete_that_waits_for_a_create_says_so_in_the_log() -> None:
    """Who looks at a Delete that takes minutes finds for what it waits, and how long."""
    harness = Harness()
    event = harness.event("Delete", harness.properties(), PhysicalResourceId="demo-Support-1XY2Z3")
    harness.deliver(event)
    assert json.loads(harness.lines[0]) == {
        "outcome": "waiting",
        "request_id": event["RequestId"],
        "why": "no Create has responded; one may still be running",
        "seconds": 795,
    }


@pytest.mark.parametrize(
    ("seconds", "operation", "sent"),
    [(14, "CreateChannel", []), (15.5, BATCH, ["CreateChannel", BATCH])],
    ids=["before the first call", "before the second batch"],
)
def test_time_that_runs_out_before_a_call_is_named_with_the_call(
    seconds: float, operation: str, sent: list[str]
) -> None:
    """Nothing is sent that could not be answered for; the answer names the call that was due, and what to do."""
    harness = Harness()
    for number in range(101):
        harness.user(f"u{number}")
    event = harness.event("Create", harness.properties(MemberArns=[f"user/u{number}" for number in range(101)]))
    answer = harness.deliver(event, seconds=seconds)
    assert answer["Reason"] == (
        f"{operation}: the time for this request ran out before the call. Try again; if it comes again, declare "
        "fewer changes at once."
    )
    assert [name for name, _ in harness.calls] == sent


def test_missing_channel_is_looked_for_while_reads_may_miss_it() -> None:
    """For fifteen seconds a read may miss a channel: so long it is read again, and not much longer."""
    harness = Harness()
    arn = harness.create()["PhysicalResourceId"]
    harness.now += 200_000
    harness.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=harness.boss)
    began, missed = harness.now, list[float]()

    def note(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "DescribeChannel":
            missed.append(harness.now - began)

    harness.before = note
    assert harness.update(arn, {}, {"Name": "new"})["Status"] == "SUCCESS"
    assert 15 <= missed[-1] <= 16
    assert max(later - earlier for earlier, later in pairwise(missed)) <= 0.6


def test_refused_update_of_a_new_bearer_is_waited_for_a_minute() -> None:
    """A bearer made a moment ago may be unknown for sixty seconds, and a rotation waits so long."""
    harness = Harness()
    arn = harness.create()["PhysicalResourceId"]
    harness.now += 200_000
    weak, began = harness.user("weak"), harness.now
    answer = harness.update(arn, {}, {"ChimeBearer": weak, "Name": "new"})
    assert answer["Status"] == "FAILED"
    assert 60 <= harness.now - began <= 62


@pytest.mark.parametrize("status", [400, 404, 409, 429])
def test_words_of_iam_in_another_answer_are_no_denial(status: int) -> None:
    """A service that repeats "not authorized to perform" in another answer has not said that IAM denied."""
    harness = Harness()
    refused = ServiceError("CreateChannel", "BadRequestException", "x is not authorized to perform y", status)
    assert not refused.is_access_denied
    for code in ("AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId"):
        assert ServiceError("CreateChannel", code, "", 400).is_access_denied
    for denied in (401, 403):
        assert ServiceError("X", "Forbidden", "Authorization failed for x", denied).is_access_denied

    def refuse(_operation: str, _parameters: Mapping[str, Any]) -> None:
        raise ServiceError("CreateChannel", "BadRequestException", "x is not authorized to perform y", 400)

    harness.before, began = refuse, harness.now
    assert "IAM does not allow" not in harness.create()["Reason"]
    assert harness.now - began < 1


@pytest.mark.parametrize("code", ["UnauthorizedClient", "Unauthorized", "Forbidden"])
def test_unknown_bearer_fails_with_advice(code: str) -> None:
    """The stack's event says that the bearer must be looked at, whatever code the service uses."""
    harness = Harness()

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        raise ServiceError(operation, f"{code}Exception", "An invalid app instance user ARN was supplied", 403)

    harness.before = refuse
    reason = harness.create()["Reason"]
    assert "The bearer does not exist. Check ChimeBearer" in reason
    assert "The same response came for 60 seconds." in reason


def test_log_line_of_a_call_says_what_is_asked_of_support() -> None:
    """Each call's line has operation, outcome, tries, duration and both request ids."""
    harness, failed = Harness(), list[str]()

    def fail_once(operation: str, _: Mapping[str, Any]) -> None:
        if not failed:
            failed.append(operation)
            raise ServiceError(operation, "ServiceUnavailableException", "no", 503)

    harness.before = fail_once
    harness.garble = lambda _operation, answer: {**answer, "ResponseMetadata": {"RequestId": "of-aws"}}
    event = harness.event("Create", harness.properties())
    harness.deliver(event)
    lines = [json.loads(line) for line in harness.lines]
    first, second = (line for line in lines if line.get("operation") == "CreateChannel")
    assert first == {
        "operation": "CreateChannel",
        "outcome": "ServiceUnavailable",
        "milliseconds": 20,
        "try": 1,
        "request_id": event["RequestId"],
        "status": 503,
    }
    assert second == {
        "operation": "CreateChannel",
        "outcome": "ok",
        "milliseconds": 20,
        "try": 2,
        "request_id": event["RequestId"],
        "aws_request_id": "of-aws",
    }
    assert {"operation": "respond", "outcome": "ok", "status": 200, "try": 1} in lines


class Connection:
    """Notes how a connection is made, and refuses."""

    made: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, host: str, port: int | None, **more: Any) -> None:
        self.made.append({"host": host, "port": port, **more})

    def request(self, method: str, path: str, **more: Any) -> None:
        """Note the request."""
        self.made[-1] |= {"method": method, "path": path, **more}
        raise ConnectionRefusedError

    def close(self) -> None:
        """Note the end."""
        self.made[-1]["closed"] = True


def test_answer_is_sent_within_five_seconds_or_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An S3 that hangs is given up after five seconds; path and signature arrive whole, without a content type."""
    Connection.made.clear()
    monkeypatch.setattr(http.client, "HTTPSConnection", Connection)
    with pytest.raises(ConnectionRefusedError):
        response.put("https://b.s3.amazonaws.com/a%20b?x=1&sig=%2F", b"{}")
    (made,) = Connection.made
    context = made.pop("context")
    assert context.check_hostname
    assert made == {
        "host": "b.s3.amazonaws.com",
        "port": None,
        "timeout": 5.0,
        "method": "PUT",
        "path": "/a%20b?x=1&sig=%2F",
        "body": b"{}",
        "headers": {"content-type": ""},
        "closed": True,
    }


def test_answer_to_a_local_engine_is_sent_within_five_seconds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that hangs is given up as S3 is; a URL without a path leads to the root."""
    Connection.made.clear()
    monkeypatch.setattr(http.client, "HTTPConnection", Connection)
    with pytest.raises(ConnectionRefusedError):
        response.put("http://127.0.0.1:4566", b"{}")
    (made,) = Connection.made
    assert made == {
        "host": "127.0.0.1",
        "port": 4566,
        "timeout": 5.0,
        "method": "PUT",
        "path": "/",
        "body": b"{}",
        "headers": {"content-type": ""},
        "closed": True,
    }


@pytest.mark.parametrize("was_on", [True, False])
def test_garbage_collector_is_as_it_was_after_an_import(*, was_on: bool) -> None:
    """The collector rests while clients are built, also where that fails, and no longer."""
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with suppress(KeyError), botocore_clients.no_garbage_collection():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() is was_on
    finally:
        gc.unfreeze()
        (gc.enable if before else gc.disable)()
