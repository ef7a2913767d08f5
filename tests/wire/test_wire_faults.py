"""What goes wrong on the wire: the handler alone sends a call again, and no effect comes twice."""

from __future__ import annotations

import json

import pytest

from wire.execution import Environment, Invocation, Start
from wire.stack import Stack
from wire.wire_server import Behavior, answering, bytewise, cut, error, html, reset_after, reset_before

BEFORE: dict[str, Behavior] = {
    "reset": reset_before,
    "throttled": error(429, "ThrottledClient"),
    "failed": error(500, "ServiceFailure"),
    "unavailable": error(503, "ServiceUnavailable"),
    "page of a gateway": html(504, effect=False),
    "page with 200": html(200, effect=False),
}
AFTER: dict[str, Behavior] = {
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
    """Return the numbers of the tries that the handler itself has counted of an operation."""
    return [line["try"] for line in seen.lines if line.get("operation") == operation]


@pytest.mark.parametrize("fault", BEFORE)
def test_call_that_failed_before_its_effect_is_sent_once_more(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """A CreateChannel that failed before its effect is sent once more, and makes the channel."""
    stack.state.script["CreateChannel"] = [BEFORE[fault]]
    seen = warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    assert (stack.answer["Status"], stack.answer["PhysicalResourceId"]) == ("SUCCESS", channel)
    assert (len(stack.requests("CreateChannel")), tries(seen, "CreateChannel")) == (2, [1, 2])


@pytest.mark.parametrize("fault", AFTER)
def test_call_that_failed_after_its_effect_makes_one_channel(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """A CreateChannel whose answer is lost is sent again as it was: one channel, and its ARN is answered."""
    stack.state.script["CreateChannel"] = [AFTER[fault]]
    seen = warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    assert (stack.answer["Status"], stack.answer["PhysicalResourceId"]) == ("SUCCESS", channel)
    first, second = (exchange.json for exchange in stack.requests("CreateChannel"))
    assert first == second
    assert tries(seen, "CreateChannel") == [1, 2]


def test_answer_that_comes_byte_by_byte_is_read_whole(warm_environment: Environment, stack: Stack) -> None:
    """Answers written byte by byte are read whole: no call is sent twice, and the members are there."""
    operations = ("CreateChannel", "BatchCreateChannelMembership", "ListChannelModerators")
    stack.state.always.update(dict.fromkeys(operations, bytewise))
    ann = stack.user("ann")
    warm_environment.invoke(stack.event("Create", stack.properties(MemberArns=[ann])))
    assert stack.answer["Status"] == "SUCCESS"
    assert [exchange.name for exchange in stack.calls] == ["CreateChannel", "BatchCreateChannelMembership"]
    (channel,) = stack.state.service.channels()
    assert ann in channel.members


@pytest.mark.parametrize("fault", AFTER)
def test_create_that_never_learns_its_end_answers_a_pending_id(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """Where every answer is lost until the deadline, the id says so; the rollback's Delete finds the channel."""
    stack.state.always["CreateChannel"] = AFTER[fault]
    event = stack.event("Create")
    warm_environment.invoke(event, seconds=25)
    (channel,) = stack.channels
    assert (stack.answer["Status"], stack.answer["PhysicalResourceId"]) == ("FAILED", f"unproven:{channel}")
    assert stack.answer["Reason"].startswith("Retried until shortly before the deadline, without success. CreateCh")
    assert len({exchange.body for exchange in stack.requests("CreateChannel")}) == 1
    warm_environment.invoke(stack.event("Delete", PhysicalResourceId=f"unproven:{channel}"))
    assert (stack.answers[1]["Status"], stack.channels) == ("SUCCESS", [])


@pytest.mark.parametrize("fault", AFTER)
def test_create_whose_second_try_is_refused_answers_a_pending_id(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """A refusal says nothing of an earlier try whose answer was lost: the id says that a channel may be there."""
    stack.state.script["CreateChannel"] = [AFTER[fault], error(400, "BadRequest")]
    warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    assert (stack.answer["Status"], stack.answer["PhysicalResourceId"]) == ("FAILED", f"unproven:{channel}")


def test_create_that_is_refused_was_not_created(warm_environment: Environment, stack: Stack) -> None:
    """A CreateChannel that is refused for good is sent once, and the id says that nothing was created."""
    stack.state.always["CreateChannel"] = error(400, "BadRequest")
    warm_environment.invoke(stack.event("Create"))
    assert stack.answer["PhysicalResourceId"] == "unmade:Support"
    assert stack.answer["Reason"].startswith("CreateChannel: BadRequest: words of the service")
    assert len(stack.requests("CreateChannel")) == 1


@pytest.mark.parametrize("fault", ["reset", "cut", "failed", "page with 200", "not UTF-8"])
def test_members_whose_answer_is_lost_are_added_once(
    warm_environment: Environment, stack: Stack, fault: str
) -> None:
    """A batch of members whose answer is lost is sent again, and what was done already is no error."""
    stack.state.script["BatchCreateChannelMembership"] = [AFTER[fault]]
    ann, bob = stack.user("ann"), stack.user("bob")
    warm_environment.invoke(stack.event("Create", stack.properties(MemberArns=[ann, bob])))
    assert stack.answer["Status"] == "SUCCESS"
    assert len(stack.requests("BatchCreateChannelMembership")) == 2
    (channel,) = stack.state.service.channels()
    assert set(channel.members) == {stack.boss, ann, bob}


@pytest.mark.parametrize("fault", ["reset", "failed", "page of a gateway"])
def test_delete_whose_answer_is_lost_is_a_success(warm_environment: Environment, stack: Stack, fault: str) -> None:
    """A DeleteChannel whose answer is lost is sent again; that the channel is gone then is a success."""
    warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    stack.state.script["DeleteChannel"] = [AFTER[fault]]
    warm_environment.invoke(stack.event("Delete", PhysicalResourceId=channel))
    assert (stack.answers[1]["Status"], stack.channels) == ("SUCCESS", [])
    assert len(stack.requests("DeleteChannel")) == 2


def test_web_page_is_no_proof_that_a_channel_was_deleted(warm_environment: Environment, stack: Stack) -> None:
    """A web page in answer to DeleteChannel is not taken for the service's word, though its status is 200."""
    warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    stack.state.script["DeleteChannel"] = [html(200, effect=False)]
    warm_environment.invoke(stack.event("Delete", PhysicalResourceId=channel))
    assert (stack.answers[1]["Status"], stack.channels) == ("SUCCESS", [])


def test_web_page_is_no_proof_that_a_channel_was_changed(warm_environment: Environment, stack: Stack) -> None:
    """A web page in answer to UpdateChannel is not taken for the service's word, though its status is 200."""
    warm_environment.invoke(stack.event("Create"))
    (channel,) = stack.channels
    stack.state.script["UpdateChannel"] = [html(200, effect=False)]
    old, new = stack.properties(), stack.properties(Name="Sales")
    warm_environment.invoke(stack.event("Update", new, OldResourceProperties=old, PhysicalResourceId=channel))
    assert stack.answers[1]["Status"] == "SUCCESS"
    assert [channel.name for channel in stack.state.service.channels()] == ["Sales"]


def test_redirect_of_a_call_is_not_followed(warm_environment: Environment, stack: Stack) -> None:
    """A redirect is an error: no other host gets the request."""
    location = {"location": "https://elsewhere.example/channels"}
    stack.state.always["CreateChannel"] = answering(307, b"", effect=False, **location)
    seen = warm_environment.invoke(stack.event("Create"))
    assert "elsewhere.example" not in seen.resolved
    assert {exchange.host for exchange in stack.calls} == {"messaging-chime.us-east-1.amazonaws.com"}
    assert stack.answer["Status"] == "FAILED"


def test_settings_of_the_environment_do_not_add_tries(start_environment: Start, stack: Stack) -> None:
    """AWS_MAX_ATTEMPTS and AWS_RETRY_MODE add no tries to the handler's own, which knows the deadline."""
    stack.state.script["CreateChannel"] = [error(503, "ServiceUnavailable", effect=True)] * 3
    environment = start_environment(AWS_MAX_ATTEMPTS="5", AWS_RETRY_MODE="standard")
    seen = environment.invoke(stack.event("Create"))
    assert (len(stack.requests("CreateChannel")), tries(seen, "CreateChannel")) == (4, [1, 2, 3, 4])


def test_log_and_reason_hold_no_url_and_no_credential(warm_environment: Environment, stack: Stack) -> None:
    """Whatever fails, neither log nor Reason repeats the ResponseURL's signature, the access key or the session."""
    stack.state.always["CreateChannel"] = reset_after
    stack.state.script["answer"] = [error(500, "InternalError")]
    seen = warm_environment.invoke(stack.event("Create"), seconds=25)
    said = seen.log + seen.raised + json.dumps(stack.answers)
    assert len(stack.answers) == 2
    for secret in ("sEcReT", "ResponseURL", "AKIDEXAMPLE", "wJalrXUtnFEMI", "session", "Traceback"):
        assert secret not in said
