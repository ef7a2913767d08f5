"""Warm execution environments: no state of one request in the next, and reused connections."""

from __future__ import annotations

import json
import threading

from wire.execution import Environment
from wire.stack import S3, Stack
from wire.wire_server import and_then, close_after, error, reset_after


def test_second_request_has_no_data_of_the_first(warm_environment: Environment, stack: Stack) -> None:
    """Calls, answer and log of the second request are as in a cold environment."""
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


def test_request_after_failed_one_has_no_reason_of_it(warm_environment: Environment, stack: Stack) -> None:
    """The next answer has no Reason and its own id; the answer of the failed request has no Data."""
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


def test_request_after_undelivered_answer_is_answered_once(warm_environment: Environment, stack: Stack) -> None:
    """The undelivered answer is not sent again with the next request."""
    stack.state.script["answer"] = [error(403, "AccessDenied")]
    warm_environment.invoke(stack.event("Create", LogicalResourceId="Lost"))
    seen = warm_environment.invoke(stack.event("Create", LogicalResourceId="Next"))
    assert [answer["LogicalResourceId"] for answer in stack.answers] == ["Lost", "Next"]
    assert (stack.answers[1]["Status"], seen.raised) == ("SUCCESS", "")


def test_invalid_event_does_not_change_later_requests(warm_environment: Environment, stack: Stack) -> None:
    """An unknown RequestType is answered FAILED, and None is not answered; the next request succeeds."""
    warm_environment.invoke(stack.event("Create", LogicalResourceId="Before"))
    warm_environment.invoke(stack.event("Explode", LogicalResourceId="Bad"))
    warm_environment.invoke(None)
    warm_environment.invoke(stack.event("Create", LogicalResourceId="After"))
    seen = [(answer["LogicalResourceId"], answer["Status"], "Data" in answer) for answer in stack.answers]
    assert seen == [("Before", "SUCCESS", True), ("Bad", "FAILED", False), ("After", "SUCCESS", True)]


def test_connection_to_service_is_reused(warm_environment: Environment, stack: Stack) -> None:
    """All calls of two requests have one connection; each PUT to ResponseURL has its own."""
    properties = stack.properties(MemberArns=[stack.user("ann")])
    warm_environment.invoke(stack.event("Create", properties, LogicalResourceId="First"))
    seen = warm_environment.invoke(stack.event("Create", properties, LogicalResourceId="Second"))
    assert (len(stack.calls), len({exchange.connection for exchange in stack.calls})) == (4, 1)
    assert seen.resolved == [S3]


def test_connection_closed_while_idle_is_replaced(warm_environment: Environment, stack: Stack) -> None:
    """The service closes the idle connection; the next call succeeds in its first try."""
    closed = threading.Event()
    stack.state.script["CreateChannel"] = [and_then(close_after, closed)]
    warm_environment.invoke(stack.event("Create", LogicalResourceId="First"))
    assert closed.wait(60)
    seen = warm_environment.invoke(stack.event("Create", LogicalResourceId="Second"))
    assert [line["outcome"] for line in seen.lines] == ["ok", "ok"]
    assert len(stack.requests("CreateChannel")) == len(stack.channels) == 2


def test_request_after_connection_resets_succeeds(warm_environment: Environment, stack: Stack) -> None:
    """The request before failed because each connection was reset."""
    stack.state.always["CreateChannel"] = reset_after
    warm_environment.invoke(stack.event("Create", LogicalResourceId="First"), seconds=25)
    del stack.state.always["CreateChannel"]
    warm_environment.invoke(stack.event("Create", LogicalResourceId="Second"))
    assert [answer["Status"] for answer in stack.answers] == ["FAILED", "SUCCESS"]
    assert stack.answers[1]["PhysicalResourceId"].partition("/channel/Second-")[1]
