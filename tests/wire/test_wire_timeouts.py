"""Time-outs of sockets, and servers that do not respond."""

from __future__ import annotations

import threading

import pytest

from wire.execution import Environment, Start
from wire.stack import S3, Stack
from wire.wire_server import and_then, hang_after, reset_after, trickle_until, whole

CHIME = {
    "lean": ({}, "messaging-chime.us-east-1.amazonaws.com"),
    "of boto3": ({"AWS_USE_FIPS_ENDPOINT": "true"}, "messaging-chime-fips.us-east-1.amazonaws.com"),
}


@pytest.mark.parametrize("client", CHIME)
def test_timeouts_of_sockets(start_environment: Start, stack: Stack, client: str) -> None:
    """5 s to connect to the service and 10 s for each read; 5 s for each step of the PUT to ResponseURL."""
    variables, host = CHIME[client]
    seen = start_environment(**variables).invoke(stack.event("Create"))
    assert (seen.timeouts[host][0], seen.timeouts[host][-1]) == (5, 10)
    assert set(seen.timeouts[host]) == {5, 10}
    assert set(seen.timeouts[S3]) == {5}


def test_call_without_response_is_retried(fast_environment: Environment, stack: Stack) -> None:
    """The client closes the connection after the time-out; the next try returns the channel."""
    fast_environment.invoke(stack.event("Create", LogicalResourceId="Warm"))
    stack.state.script["CreateChannel"] = [hang_after]
    seen = fast_environment.invoke(stack.event("Create"))
    assert stack.state.client_left.get(timeout=60) == "answer"
    assert "Unreachable" in [line["outcome"] for line in seen.lines]
    assert (stack.answers[-1]["Status"], len(stack.channels)) == ("SUCCESS", 2)
    assert stack.answers[-1]["PhysicalResourceId"] in stack.channels


def test_tls_handshake_without_response_is_retried(start_environment: Start, stack: Stack) -> None:
    """The server accepts the connection and sends nothing; the client closes it and connects again."""
    stack.state.silent_handshakes = 1
    seen = start_environment(speed=10).invoke(stack.event("Create"))
    assert stack.state.client_left.get(timeout=60) == "handshake"
    assert seen.lines[0]["outcome"] == "Unreachable"
    assert (stack.answers[-1]["Status"], len(stack.channels)) == ("SUCCESS", 1)


def test_put_of_answer_without_response_is_retried(fast_environment: Environment, stack: Stack) -> None:
    """The client closes the connection after the time-out and sends the same body again."""
    stack.state.script["answer"] = [hang_after]
    fast_environment.invoke(stack.event("Create"))
    assert stack.state.client_left.get(timeout=60) == "answer"
    assert len(stack.answers) >= 2
    assert len({exchange.body for exchange in stack.requests("answer")}) == 1


def test_endless_response_is_answered_by_the_timer(fast_environment: Environment, stack: Stack) -> None:
    """Before the Lambda's timeout, a timer sends FAILED with an unproven id, once."""
    fast_environment.invoke(stack.event("Create", LogicalResourceId="Warm"))
    answered = threading.Event()
    stack.state.script["CreateChannel"] = [trickle_until(answered), reset_after]
    stack.state.script["answer"] = [and_then(whole, answered)]
    seen = fast_environment.invoke(stack.event("Create"), seconds=30)
    answer = stack.answers[1]
    assert stack.answers[2:] in ([], [answer])
    (channel,) = (arn for arn in stack.channels if "/Support-" in arn)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", f"unproven:{channel}")
    assert answer["Reason"] == "The request did not end before the Lambda's time ran out. Try again."
    assert seen.timers[0] <= 30 - 8
    assert (seen.raised, len(stack.requests("CreateChannel"))) == ("", 2)
