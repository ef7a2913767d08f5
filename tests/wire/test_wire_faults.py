"""Faults of the network and of the service: the handler retries the call, and no change is made twice."""

from __future__ import annotations

import json

import pytest

from wire.execution import Environment, Invocation, Start
from wire.stack import Stack
from wire.wire_server import Behavior, answering, bytewise, cut, error, html, reset_after, reset_before

FAULTS_BEFORE_EFFECT: dict[str, Behavior] = {
    "reset": reset_before,
    "throttled": error(429, "ThrottledClient"),
    "failed": error(500, "ServiceFailure"),
    "unavailable": error(503, "ServiceUnavailable"),
    "page of a gateway": html(504, effect=False),
    "page with 200": html(200, effect=False),
}
FAULTS_AFTER_EFFECT: dict[str, Behavior] = {
    "reset": reset_after,
    "cut": cut,
    "failed": error(500, "ServiceFailure", effect=True),
    "unavailable": error(503, "ServiceUnavailable", effect=True),
    "page of a gateway": html(502, effect=True),
    "page with 200": html(200, effect=True),
    "not UTF-8": answering(201, b'{"ChannelArn": "\xff\xfe\x80"}', effect=True),
    "error not in UTF-8": answering(500, b'{"Code": "\xff", "Message": "\xfe"}', effect=True),
    "no JSON": answering(201, b'{"ChannelArn": ', effect=True),
    "no object": answering(201, b'["ChannelArn"]', effect=True),
    "empty": answering(201, b"", effect=True),
}


def tries(seen: Invocation, operation: str) -> list[int]:
    """Return the numbers of the tries that the handler has logged for an operation."""
    return [line["try"] for line in seen.lines if line.get("operation") == operation]


@pytest.mark.parametrize("fault", FAULTS_BEFORE_EFFECT)
def test_create_channel_without_effect_is_retried(warm_environment: Environment, stack: Stack, fault: str) -> None:
    """CreateChannel fails before the channel exists; the second try creates it."""
    stack.state.script["CreateChannel"] = [FAULTS_BEFORE_EFFECT[fault]]
    seen = warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    assert (stack.answer["Status"], stack.answer["PhysicalResourceId"]) == ("SUCCESS", channel)
    assert (len(stack.requests("CreateChannel")), tries(seen, "CreateChannel")) == (2, [1, 2])


@pytest.mark.parametrize("fault", FAULTS_AFTER_EFFECT)
def test_retry_of_create_channel_with_effect_returns_same_channel(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """The channel exists, but the response is lost; the same request is sent again."""
    stack.state.script["CreateChannel"] = [FAULTS_AFTER_EFFECT[fault]]
    seen = warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    assert (stack.answer["Status"], stack.answer["PhysicalResourceId"]) == ("SUCCESS", channel)
    first, second = (exchange.json for exchange in stack.requests("CreateChannel"))
    assert first == second
    assert tries(seen, "CreateChannel") == [1, 2]


def test_response_in_single_bytes_is_read_completely(warm_environment: Environment, stack: Stack) -> None:
    """Each TLS record has one byte; no call is retried, and the members are added."""
    operations = ("CreateChannel", "BatchCreateChannelMembership", "ListChannelModerators")
    stack.state.always.update(dict.fromkeys(operations, bytewise))
    ann = stack.user("ann")
    warm_environment.invoke(stack.event("Create", stack.properties(MemberArns=[ann])))
    assert stack.answer["Status"] == "SUCCESS"
    assert [exchange.name for exchange in stack.calls] == ["CreateChannel", "BatchCreateChannelMembership"]
    (channel,) = stack.state.service.channels()
    assert ann in channel.members


@pytest.mark.parametrize("fault", FAULTS_AFTER_EFFECT)
def test_create_with_all_responses_lost_answers_unproven_id(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """All tries until the deadline fail; the Delete of the rollback deletes the channel by that id."""
    stack.state.always["CreateChannel"] = FAULTS_AFTER_EFFECT[fault]
    event = stack.event("Create")
    warm_environment.invoke(event, seconds=25)
    (channel,) = stack.channels
    assert (stack.answer["Status"], stack.answer["PhysicalResourceId"]) == ("FAILED", f"unproven:{channel}")
    assert stack.answer["Reason"].startswith("Retried until shortly before the deadline, without success. CreateCh")
    assert len({exchange.body for exchange in stack.requests("CreateChannel")}) == 1
    warm_environment.invoke(stack.event("Delete", PhysicalResourceId=f"unproven:{channel}"))
    assert (stack.answers[1]["Status"], stack.channels) == ("SUCCESS", [])


@pytest.mark.parametrize("fault", FAULTS_AFTER_EFFECT)
def test_create_with_refused_second_try_answers_unproven_id(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """The first try may have created the channel, although the second is a BadRequest."""
    stack.state.script["CreateChannel"] = [FAULTS_AFTER_EFFECT[fault], error(400, "BadRequest")]
    warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    assert (stack.answer["Status"], stack.answer["PhysicalResourceId"]) == ("FAILED", f"unproven:{channel}")


def test_refused_create_answers_unmade_id(warm_environment: Environment, stack: Stack) -> None:
    """A BadRequest is not retried; no channel was created."""
    stack.state.always["CreateChannel"] = error(400, "BadRequest")
    warm_environment.invoke(stack.event("Create"))
    assert stack.answer["PhysicalResourceId"] == "unmade:Support"
    assert stack.answer["Reason"].startswith("CreateChannel: BadRequest: words of the service")
    assert len(stack.requests("CreateChannel")) == 1


@pytest.mark.parametrize("fault", ["reset", "cut", "failed", "page with 200", "not UTF-8"])
def test_retry_of_batch_with_lost_response_adds_members_once(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """BatchCreateChannelMembership is sent again; members who exist already are no error."""
    stack.state.script["BatchCreateChannelMembership"] = [FAULTS_AFTER_EFFECT[fault]]
    ann, bob = stack.user("ann"), stack.user("bob")
    warm_environment.invoke(stack.event("Create", stack.properties(MemberArns=[ann, bob])))
    assert stack.answer["Status"] == "SUCCESS"
    assert len(stack.requests("BatchCreateChannelMembership")) == 2
    (channel,) = stack.state.service.channels()
    assert set(channel.members) == {stack.boss, ann, bob}


@pytest.mark.parametrize("fault", ["reset", "failed", "page of a gateway"])
def test_retry_of_delete_channel_with_lost_response_is_success(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """In the second try, the channel does not exist any more."""
    warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    stack.state.script["DeleteChannel"] = [FAULTS_AFTER_EFFECT[fault]]
    warm_environment.invoke(stack.event("Delete", PhysicalResourceId=channel))
    assert (stack.answers[1]["Status"], stack.channels) == ("SUCCESS", [])
    assert len(stack.requests("DeleteChannel")) == 2


def test_html_response_to_delete_channel_is_retried(warm_environment: Environment, stack: Stack) -> None:
    """A web page with status 200, as of a gateway, is no success."""
    warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    stack.state.script["DeleteChannel"] = [html(200, effect=False)]
    warm_environment.invoke(stack.event("Delete", PhysicalResourceId=channel))
    assert (stack.answers[1]["Status"], stack.channels) == ("SUCCESS", [])


def test_html_response_to_update_channel_is_retried(warm_environment: Environment, stack: Stack) -> None:
    """A web page with status 200, as of a gateway, is no success."""
    warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    stack.state.script["UpdateChannel"] = [html(200, effect=False)]
    old, new = stack.properties(), stack.properties(Name="Sales")
    warm_environment.invoke(stack.event("Update", new, OldResourceProperties=old, PhysicalResourceId=channel))
    assert stack.answers[1]["Status"] == "SUCCESS"
    assert [channel.name for channel in stack.state.service.channels()] == ["Sales"]


def test_redirect_of_call_is_not_followed(warm_environment: Environment, stack: Stack) -> None:
    """A redirect is an error; no other host gets the request."""
    location = {"location": "https://elsewhere.example/channels"}
    stack.state.always["CreateChannel"] = answering(307, b"", effect=False, **location)
    seen = warm_environment.invoke(stack.event("Create"))
    assert "elsewhere.example" not in seen.resolved
    assert {exchange.host for exchange in stack.calls} == {"messaging-chime.us-east-1.amazonaws.com"}
    assert stack.answer["Status"] == "FAILED"


def test_retry_variables_of_aws_add_no_tries(start_environment: Start, stack: Stack) -> None:
    """AWS_MAX_ATTEMPTS and AWS_RETRY_MODE do not make botocore retry as well; only the handler does."""
    stack.state.script["CreateChannel"] = [error(503, "ServiceUnavailable", effect=True)] * 3
    environment = start_environment(AWS_MAX_ATTEMPTS="5", AWS_RETRY_MODE="standard")
    seen = environment.invoke(stack.event("Create"))
    assert (len(stack.requests("CreateChannel")), tries(seen, "CreateChannel")) == (4, [1, 2, 3, 4])


def test_log_and_reason_have_no_url_and_no_credentials(warm_environment: Environment, stack: Stack) -> None:
    """Neither the signature of ResponseURL nor the function's credentials, after failed calls and a failed PUT."""
    stack.state.always["CreateChannel"] = reset_after
    stack.state.script["answer"] = [error(500, "InternalError")]
    seen = warm_environment.invoke(stack.event("Create"), seconds=25)
    written = seen.log + seen.raised + json.dumps(stack.answers)
    assert len(stack.answers) == 2
    for secret in ("sEcReT", "ResponseURL", "AKIDEXAMPLE", "wJalrXUtnFEMI", "session", "Traceback"):
        assert secret not in written
