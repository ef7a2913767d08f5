"""Time-outs: what the sockets get, and that a server which hangs is left."""

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
def test_sockets_have_time_outs(start_environment: Start, stack: Stack, client: str) -> None:
    """Connecting to the service may take five seconds, each read ten; of an answer each step may take five."""
    variables, host = CHIME[client]
    seen = start_environment(**variables).invoke(stack.event("Create"))
    assert (seen.timeouts[host][0], seen.timeouts[host][-1]) == (5, 10)
    assert set(seen.timeouts[host]) == {5, 10}
    assert set(seen.timeouts[S3]) == {5}


def test_call_that_hangs_is_left_and_sent_again(fast_environment: Environment, stack: Stack) -> None:
    """A service that takes a call and never answers is left by the client; the next try finds the channel."""
    fast_environment.invoke(stack.event("Create", LogicalResourceId="Warm"))
    stack.state.script["CreateChannel"] = [hang_after]
    seen = fast_environment.invoke(stack.event("Create"))
    assert stack.state.client_left.get(timeout=60) == "answer"
    assert "Unreachable" in [line["outcome"] for line in seen.lines]
    assert (stack.answers[-1]["Status"], len(stack.channels)) == ("SUCCESS", 2)
    assert stack.answers[-1]["PhysicalResourceId"] in stack.channels


def test_handshake_that_hangs_is_left_and_tried_again(start_environment: Start, stack: Stack) -> None:
    """A server that takes the connection and never speaks is left by the client, and connected to again."""
    stack.state.silent_handshakes = 1
    seen = start_environment(speed=10).invoke(stack.event("Create"))
    assert stack.state.client_left.get(timeout=60) == "handshake"
    assert seen.lines[0]["outcome"] == "Unreachable"
    assert (stack.answers[-1]["Status"], len(stack.channels)) == ("SUCCESS", 1)


def test_answer_that_hangs_is_left_and_sent_again(fast_environment: Environment, stack: Stack) -> None:
    """A host that takes an answer and never replies is left, and gets the same answer again."""
    stack.state.script["answer"] = [hang_after]
    fast_environment.invoke(stack.event("Create"))
    assert stack.state.client_left.get(timeout=60) == "answer"
    assert len(stack.answers) >= 2
    assert len({exchange.body for exchange in stack.requests("answer")}) == 1


def test_answer_of_the_service_that_never_ends_does_not_keep_cloudformation_waiting(
    fast_environment: Environment, stack: Stack
) -> None:
    """Where the service's answer trickles without end, the timer answers once, with the id of what may be there."""
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
