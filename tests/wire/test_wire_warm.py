"""Warm environments: one process, one request after another, nothing of the first in the second."""

from __future__ import annotations

import json
import threading

from wire.execution import Environment
from wire.stack import S3, Stack
from wire.wire_server import and_then, close_after, error, reset_after


def test_second_request_holds_nothing_of_the_first(warm_environment: Environment, stack: Stack) -> None:
    """Calls, answer and log of a second request are those of a fresh environment's."""
    first = stack.event("Create", stack.properties(MemberArns=[stack.user("ann")]), LogicalResourceId="First")
    second = stack.event("Create", stack.properties(Name="Sales"), LogicalResourceId="Second")
    warm_environment.invoke(first)
    before = len(stack.calls)
    seen = warm_environment.invoke(second)
    assert [exchange.name for exchange in stack.calls[before:]] == ["CreateChannel"]
    written = json.dumps(stack.answers[1]) + seen.log
    assert stack.answers[1]["RequestId"] == second["RequestId"]
    for of_first in ("First", first["RequestId"] + '"', "/user/ann"):
        assert of_first not in written


def test_request_after_a_failed_one_holds_nothing_of_it(warm_environment: Environment, stack: Stack) -> None:
    """After a request that failed, the next has neither its Reason nor its id, and the failed one has no Data."""
    warm_environment.invoke(stack.event("Create", LogicalResourceId="Before"))
    stack.state.script["CreateChannel"] = [error(400, "BadRequest")]
    warm_environment.invoke(stack.event("Create", LogicalResourceId="Failed"))
    warm_environment.invoke(stack.event("Create", LogicalResourceId="After"))
    before, failed, after = stack.answers
    assert [before["Status"], failed["Status"], after["Status"]] == ["SUCCESS", "FAILED", "SUCCESS"]
    assert "Data" not in failed
    assert failed["PhysicalResourceId"] == "unmade:Failed"
    assert set(after) == {
        "Status", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId", "NoEcho", "Data"
    }  # fmt: skip
    assert after["NoEcho"] is False
    assert after["Data"]["ChannelArn"] == after["PhysicalResourceId"] != before["PhysicalResourceId"]


def test_request_after_one_whose_answer_nobody_took_is_answered_for_itself(
    warm_environment: Environment, stack: Stack
) -> None:
    """After a request whose answer was not taken, the next is answered for itself alone."""
    stack.state.script["answer"] = [error(403, "AccessDenied")]
    warm_environment.invoke(stack.event("Create", LogicalResourceId="Lost"))
    seen = warm_environment.invoke(stack.event("Create", LogicalResourceId="Next"))
    assert [answer["LogicalResourceId"] for answer in stack.answers] == ["Lost", "Next"]
    assert (stack.answers[1]["Status"], seen.raised) == ("SUCCESS", "")


def test_bad_events_leave_nothing_behind(warm_environment: Environment, stack: Stack) -> None:
    """An event that is no request is answered alone, and does not change what comes after it."""
    warm_environment.invoke(stack.event("Create", LogicalResourceId="Before"))
    warm_environment.invoke(stack.event("Explode", LogicalResourceId="Bad"))
    warm_environment.invoke(None)
    warm_environment.invoke(stack.event("Create", LogicalResourceId="After"))
    seen = [(answer["LogicalResourceId"], answer["Status"], "Data" in answer) for answer in stack.answers]
    assert seen == [("Before", "SUCCESS", True), ("Bad", "FAILED", False), ("After", "SUCCESS", True)]


def test_connection_is_used_again(warm_environment: Environment, stack: Stack) -> None:
    """All calls of one request, and those of the next, take one connection; each answer has one of its own."""
    properties = stack.properties(MemberArns=[stack.user("ann")])
    warm_environment.invoke(stack.event("Create", properties, LogicalResourceId="First"))
    seen = warm_environment.invoke(stack.event("Create", properties, LogicalResourceId="Second"))
    assert (len(stack.calls), len({exchange.connection for exchange in stack.calls})) == (4, 1)
    assert seen.resolved == [S3]


def test_connection_that_was_closed_while_idle_is_not_used(warm_environment: Environment, stack: Stack) -> None:
    """A connection that the service closed meanwhile is replaced: no try is lost, and one channel is made."""
    closed = threading.Event()
    stack.state.script["CreateChannel"] = [and_then(close_after, closed)]
    warm_environment.invoke(stack.event("Create", LogicalResourceId="First"))
    assert closed.wait(60)
    seen = warm_environment.invoke(stack.event("Create", LogicalResourceId="Second"))
    assert [line["outcome"] for line in seen.lines] == ["ok", "ok"]
    assert len(stack.requests("CreateChannel")) == len(stack.channels) == 2


def test_environment_whose_connection_was_reset_goes_on(warm_environment: Environment, stack: Stack) -> None:
    """A request that failed by resets leaves an environment that works."""
    stack.state.always["CreateChannel"] = reset_after
    warm_environment.invoke(stack.event("Create", LogicalResourceId="First"), seconds=25)
    del stack.state.always["CreateChannel"]
    warm_environment.invoke(stack.event("Create", LogicalResourceId="Second"))
    assert [answer["Status"] for answer in stack.answers] == ["FAILED", "SUCCESS"]
    assert stack.answers[1]["PhysicalResourceId"].partition("/channel/Second-")[1]
