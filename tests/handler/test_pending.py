"""What a request that did not come to its end may have made is known by its id, and goes with the Delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

import index
from chime_handler.errors import ServiceError
from helpers.harness import Context
from helpers.resources import BEHAVIORS, KINDS, AppInstanceSetup, Kind

Strike = Callable[[], None]


class Killed(BaseException):
    """The execution environment ends without a word."""


@pytest.fixture(params=BEHAVIORS, ids=lambda text: text or "default")
def behaviors(request: pytest.FixtureRequest) -> str:
    """Return some behaviors."""
    return str(request.param)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return each type of resource."""
    return KINDS[request.param]


def strike(setup: AppInstanceSetup, number: int, moment: str, blow: Strike, *, lasting: bool = False) -> list[str]:
    """Let something happen before or after the effect of a call, counted from now; return a list of those hit."""
    hit: list[str] = []
    counts = {"before": 0, "after": 0}

    def at(when: str) -> Callable[[str, Mapping[str, Any]], None]:
        def count(operation: str, _: Mapping[str, Any]) -> None:
            counts[when] += 1
            due = counts["before"] >= number if lasting else counts["before"] == number
            if when == moment and due:
                hit.append(operation)
                blow()

        return count

    setup.harness.before, setup.harness.after = at("before"), at("after")
    return hit


def each_call(behaviors: str, act: Callable[[AppInstanceSetup, int, str], list[str]]) -> None:
    """Act with something striking before and after each call in turn, until no call is hit."""
    for moment in ("before", "after"):
        number, hit = 0, ["first"]
        while hit:
            number += 1
            assert number < 60
            hit = act(AppInstanceSetup(behaviors, seed=number), number, moment)


def throttle(operation: str, _: Mapping[str, Any]) -> None:
    """Refuse a call for its rate."""
    raise ServiceError(operation, "ThrottledClientException", "slow down", 429)


def no_way(operation: str, _: Mapping[str, Any]) -> None:
    """Fail before a connection is there, as in a VPC without a way to the service."""
    raise no_connection(operation)


def no_connection(operation: str) -> ServiceError:
    """Create the error of a call that got no connection."""
    failed = ServiceError(operation, "Unreachable", "EndpointConnectionError")
    failed.was_sent = False
    return failed


def test_creation_that_never_got_a_connection_leaves_nothing_to_delete(kind: Kind) -> None:
    """Where no call reaches the service, a Create is rolled back without one."""
    setup = AppInstanceSetup("")
    setup.harness.before = no_way
    answer = kind.create(setup)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "unmade:Support1A2B3C4D")
    assert "A Lambda in a VPC needs a NAT gateway" in answer["Reason"]
    assert kind.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("failed", "state"),
    [
        (EndpointConnectionError(endpoint_url="https://service"), "unmade:"),
        (ConnectTimeoutError(endpoint_url="https://service"), "unmade:"),
        (ReadTimeoutError(endpoint_url="https://service"), "unproven:"),
        (ConnectionClosedError(endpoint_url="https://service"), "unproven:"),
        (SSLError(endpoint_url="https://service", error=OSError("eof")), "unproven:"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_only_a_connection_that_never_came_about_is_known_to_have_no_effect(failed: Exception, state: str) -> None:
    """Of a call whose connection was there, however it ended, nobody knows whether it had its effect."""

    class Client:
        def create_channel(self, **_: object) -> None:
            raise failed

    def fail(operation: str, parameters: Mapping[str, Any]) -> None:
        index.send("us-east-1", operation, parameters, client=lambda *_: Client())

    harness = AppInstanceSetup("").harness
    harness.before = fail
    assert harness.create()["PhysicalResourceId"].startswith(state)


def test_creation_whose_answer_was_lost_before_the_connections_is_pending(kind: Kind) -> None:
    """One try that reached the service is enough for an effect, however many after it get no connection."""
    setup = AppInstanceSetup("")
    tries: list[str] = []

    def once(operation: str, _: Mapping[str, Any]) -> None:
        tries.append(operation)
        raise no_connection(operation) if len(tries) > 1 else ConnectionError

    setup.harness.before = once
    answer = kind.create(setup)
    assert (answer["Status"], answer["PhysicalResourceId"][:9]) == ("FAILED", "unproven:")


@pytest.mark.parametrize("name", ["channel", "elastic channel"])
@pytest.mark.parametrize("code", ["ConflictException", "ResourceLimitExceededException"])
def test_creation_that_another_delivery_may_have_made_is_pending(name: str, code: str) -> None:
    """Where the ChannelId is held, or the one elastic channel is, it may be by this request's other delivery."""
    setup = AppInstanceSetup("")

    def refuse(operation: str, parameters: Mapping[str, Any]) -> None:
        if operation == "CreateChannel":
            raise ServiceError(operation, code, "no", 400)
        throttle(operation, parameters)

    setup.harness.before = refuse
    answer = KINDS[name].create(setup)
    state = "unproven:" if code == "ConflictException" or name == "elastic channel" else "unmade:"
    assert (answer["Status"], answer["PhysicalResourceId"].partition(":")[0] + ":") == ("FAILED", state)


def test_lost_answer_then_throttled_is_pending_and_its_delete_undoes_it(kind: Kind, behaviors: str) -> None:
    """A Create whose effect was not answered, then throttled to the deadline, is undone by its Delete."""
    setup = AppInstanceSetup(behaviors)
    before = setup.everything()

    def lose(operation: str, _: Mapping[str, Any]) -> None:
        if operation == kind.effect:
            setup.harness.before = throttle
            raise ServiceError(operation, "Unreachable", "connection reset")

    setup.harness.after = lose
    answer = kind.create(setup)
    setup.harness.heal()
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith("unproven:")
    assert setup.everything() != before
    assert kind.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert setup.everything() == before


def test_refused_for_good_made_nothing_and_its_delete_calls_nothing(kind: Kind, behaviors: str) -> None:
    """A Create whose every call is refused for good answers that nothing was made."""
    setup = AppInstanceSetup(behaviors)

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        raise ServiceError(operation, "BadRequestException", "no", 400)

    setup.harness.before = refuse
    answer = kind.create(setup)
    assert answer["PhysicalResourceId"].startswith("unmade:")
    setup.harness.calls.clear()
    assert kind.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert setup.harness.calls == []


def test_quota_of_elastic_channels_may_be_used_up_by_another_delivery() -> None:
    """A quota of one says nothing of who has used it up: the id is pending, and its Delete deletes what is ours."""
    setup, kind = AppInstanceSetup(), KINDS["elastic channel"]
    before = setup.everything()
    event = kind.event(setup, "Create", kind.first(setup))

    def die(operation: str, _: object) -> None:
        if operation == "CreateChannel":
            raise Killed

    def refuse(operation: str, _: object) -> None:
        if operation == "CreateChannel":
            raise ServiceError(operation, "ResourceLimitExceededException", "at most one elastic channel", 400)

    setup.harness.after = die
    _serve(setup, event)
    setup.harness.heal()
    setup.harness.before = refuse
    answer = setup.harness.deliver(event)
    setup.harness.heal()
    assert answer["PhysicalResourceId"].startswith("unproven:")
    assert kind.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert setup.everything() == before


ERRORS: tuple[Exception, ...] = (
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
    ResponseParserError("Unable to parse response: not well-formed"),
    AttributeError("'list' object has no attribute 'get'"),
    KeyError("ChannelArn"),
    ConnectionResetError(),
    RecursionError(),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_any_exception_of_the_client_is_a_failed_connection(kind: Kind, error: Exception) -> None:
    """Whatever the client raises once, before or after the effect of any call, the Create succeeds all the same."""

    def raise_error() -> None:
        raise error

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        before = setup.everything()
        hit = strike(setup, number, moment, raise_error)
        answer = kind.create(setup)
        setup.harness.heal()
        assert answer["Status"] == "SUCCESS", (number, moment, answer)
        assert kind.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"
        assert setup.everything() == before
        return hit

    each_call("", act)


@pytest.mark.parametrize("request_type", ["Update", "Delete"])
def test_failed_connection_of_an_update_or_delete_is_made_up_for(kind: Kind, request_type: str) -> None:
    """A connection that fails once, before or after the effect of any call, changes nothing of the end."""

    def run(setup: AppInstanceSetup, number: int, moment: str) -> tuple[list[str], dict[str, Any]]:
        held = kind.create(setup)["PhysicalResourceId"]
        setup.harness.now += 100

        def raise_error() -> None:
            raise ERRORS[number % len(ERRORS)]

        hit = strike(setup, number, moment, raise_error) if number else []
        answer = (kind.update if request_type == "Update" else kind.delete)(setup, held)
        setup.harness.heal()
        assert answer["Status"] == "SUCCESS", (number, moment, answer)
        return hit, setup.everything()

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        hit, end = run(setup, number, moment)
        assert end == run(AppInstanceSetup(seed=number), 0, moment)[1]
        return hit

    each_call("", act)


REFUSALS = {
    "AccessDenied": ("AccessDeniedException", "no", 403),
    "BadRequest": ("BadRequestException", "no", 400),
    "Forbidden": ("ForbiddenException", "no", 403),
    "ResourceLimitExceeded": ("ResourceLimitExceededException", "no", 400),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusals_from_a_call_on_leave_nothing_behind(kind: Kind, refusal: str) -> None:
    """Where the service, or IAM, refuses all calls of a Create from any one on, its Delete leaves nothing."""

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        before = setup.everything()

        def refuse() -> None:
            raise ServiceError("SomeCall", *REFUSALS[refusal])

        hit = strike(setup, number, "before", refuse, lasting=True) if moment == "before" else []
        answer = kind.create(setup)
        setup.harness.heal()
        gone = kind.delete(setup, answer["PhysicalResourceId"])
        assert gone["Status"] == "SUCCESS", (number, answer, gone)
        assert setup.everything() == before, (number, answer)
        return hit

    each_call("", act)


def test_answers_that_were_cut_in_an_update_are_rolled_back(kind: Kind) -> None:
    """Where the answers from any call of an Update on lack what they should hold, the rollback restores all."""

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        held, hit = kind.create(setup)["PhysicalResourceId"], []
        setup.harness.now += 100
        created, calls = setup.everything(), len(setup.harness.calls)

        def garble(operation: str, answer: dict[str, Any]) -> Any:
            if len(setup.harness.calls) - calls < number or operation == "ListTagsForResource":
                return answer
            hit.append(operation)
            return {}

        if moment == "before":
            setup.harness.garble = garble
        answered = kind.update(setup, held)["PhysicalResourceId"]
        setup.harness.heal()
        restored = kind.update(setup, answered, back=True)
        assert restored["Status"] == "SUCCESS", (number, restored)
        if restored["PhysicalResourceId"] != answered:
            assert kind.delete(setup, answered, second=True)["Status"] == "SUCCESS"
        assert setup.everything() == created, number
        return hit

    each_call("", act)


def test_client_that_fails_from_a_call_on_leaves_nothing_behind(kind: Kind, behaviors: str) -> None:
    """A Create that can make no call any more, from any moment on, is undone by the Delete of its id."""

    def raise_error() -> None:
        raise ERRORS[0]

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        before = setup.everything()
        hit = strike(setup, number, moment, raise_error, lasting=True)
        answer = kind.create(setup)
        setup.harness.heal()
        # A call whose answers are all lost may be refused as done already: that is a success.
        assert answer["Status"] == "FAILED" or moment == "after" or not hit
        gone = kind.delete(setup, answer["PhysicalResourceId"])
        assert gone["Status"] == "SUCCESS", (number, moment, answer, gone)
        assert setup.everything() == before, (number, moment)
        return hit

    each_call(behaviors, act)


GARBLED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "empty": lambda _: {},
    "list": lambda _: [],
    "nothing": lambda _: None,
    "metadata only": lambda _: {"ResponseMetadata": {"HTTPStatusCode": 200}},
}


@pytest.mark.parametrize("how", GARBLED)
def test_answers_that_were_cut_leave_nothing_behind(kind: Kind, how: str) -> None:
    """Where the answers from any call on lack what they should hold, the Delete of the id leaves nothing."""

    def act(setup: AppInstanceSetup, number: int, _moment: str) -> list[str]:
        before = setup.everything()
        hit: list[str] = []

        def garble(operation: str, answer: dict[str, Any]) -> Any:
            # No tags at all is an answer that the service may give, so it cannot be known to be cut.
            if len(setup.harness.calls) - calls < number or operation == "ListTagsForResource":
                return answer
            hit.append(operation)
            return GARBLED[how](answer)

        calls = len(setup.harness.calls)
        setup.harness.garble = garble
        answer = kind.create(setup)
        setup.harness.heal()
        assert "unforeseen" not in answer.get("Reason", "")
        gone = kind.delete(setup, answer["PhysicalResourceId"])
        assert gone["Status"] == "SUCCESS", (number, answer, gone)
        assert setup.everything() == before, (number, answer)
        return hit

    each_call("", act)


def test_one_answer_that_was_cut_is_asked_for_again(kind: Kind) -> None:
    """Where one answer of a Create lacks all it should hold, the Create succeeds all the same."""
    asked_again = (
        "CreateChannel",
        "DescribeChannel",
        "BatchCreateChannelMembership",
        "ListChannelModerators",
        "ListChannelBans",
        "ListChannelMemberships",
    )
    for operation in asked_again:
        setup, cut = AppInstanceSetup(), [operation]

        def garble(called: str, answer: dict[str, Any], cut: list[str] = cut) -> Any:
            if called not in cut:
                return answer
            cut.remove(called)
            return {}

        setup.harness.garble = garble
        answer = kind.create(setup)
        assert answer["Status"] == "SUCCESS", (operation, answer)


@pytest.mark.parametrize("goes_on", [True, False], ids=["goes on", "is killed"])
def test_timer_at_any_call_of_a_create_answers_an_id_whose_delete_leaves_nothing(
    kind: Kind, behaviors: str, *, goes_on: bool
) -> None:
    """When time is up in any call of a Create, the Delete of the id that is answered leaves nothing."""

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        harness, before = setup.harness, setup.everything()

        def time_is_up() -> None:
            harness.timers[-1].call()
            if not goes_on:
                raise Killed

        hit = strike(setup, number, moment, time_is_up)
        _serve(setup, kind.event(setup, "Create", kind.first(setup)))
        harness.heal()
        (answer,) = harness.answers
        assert answer["Status"] == ("FAILED" if hit else "SUCCESS")
        gone = kind.delete(setup, answer["PhysicalResourceId"])
        assert gone["Status"] == "SUCCESS", (number, moment, answer, gone)
        assert setup.everything() == before, (number, moment, answer)
        return hit

    each_call(behaviors, act)


@pytest.mark.parametrize("goes_on", [True, False], ids=["goes on", "is killed"])
def test_timer_at_any_call_of_an_update_is_rolled_back(kind: Kind, behaviors: str, *, goes_on: bool) -> None:
    """When time is up in any call of an Update, the rollback restores all, and the Delete then leaves nothing."""

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        harness, before = setup.harness, setup.everything()
        held = kind.create(setup)["PhysicalResourceId"]
        harness.now += 100
        created = setup.everything()

        def time_is_up() -> None:
            harness.timers[-1].call()
            if not goes_on:
                raise Killed

        hit = strike(setup, number, moment, time_is_up)
        more = {"PhysicalResourceId": held, "OldResourceProperties": kind.first(setup)}
        _serve(setup, kind.event(setup, "Update", kind.second(setup), **more))
        harness.heal()
        answered = harness.answers[-1]["PhysicalResourceId"]
        assert harness.answers[-1]["Status"] == ("FAILED" if hit else "SUCCESS")
        restored = kind.update(setup, answered, back=True)
        assert restored["Status"] == "SUCCESS", (number, moment, restored)
        if restored["PhysicalResourceId"] != answered:
            assert kind.delete(setup, answered, second=True)["Status"] == "SUCCESS"
        assert setup.everything() == created, (number, moment)
        assert kind.delete(setup, restored["PhysicalResourceId"])["Status"] == "SUCCESS"
        assert setup.everything() == before, (number, moment)
        return hit

    each_call(behaviors, act)


@pytest.mark.parametrize("goes_on", [True, False], ids=["goes on", "is killed"])
def test_timer_at_any_call_of_a_delete_lets_the_next_delete_end_it(
    kind: Kind, behaviors: str, *, goes_on: bool
) -> None:
    """When time is up in any call of a Delete, another Delete of the same id leaves nothing."""

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        harness, before = setup.harness, setup.everything()
        held = kind.create(setup)["PhysicalResourceId"]

        def time_is_up() -> None:
            harness.timers[-1].call()
            if not goes_on:
                raise Killed

        hit = strike(setup, number, moment, time_is_up)
        _serve(setup, kind.event(setup, "Delete", kind.first(setup), PhysicalResourceId=held))
        harness.heal()
        assert harness.answers[-1]["PhysicalResourceId"] == held
        gone = kind.delete(setup, held)
        assert gone["Status"] == "SUCCESS", (number, moment, gone)
        assert setup.everything() == before, (number, moment)
        return hit

    each_call(behaviors, act)


@pytest.mark.parametrize("redelivered", [True, False], ids=["redelivered", "made up"])
def test_crash_at_any_call_of_a_create_leaves_nothing_behind(
    kind: Kind, behaviors: str, *, redelivered: bool
) -> None:
    """A Create that dies without a word is done by its next delivery, or undone by the Delete of a made-up id."""

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        harness, before = setup.harness, setup.everything()

        def die() -> None:
            raise Killed

        hit = strike(setup, number, moment, die)
        event = kind.event(setup, "Create", kind.first(setup))
        _serve(setup, event)
        harness.heal()
        if not hit:
            return hit
        assert harness.answers == []
        held = "demo-Support-1XY2Z3"
        if redelivered:
            harness.now += 60
            answer = harness.deliver(event)
            assert answer["Status"] == "SUCCESS", (number, moment, answer)
            held = answer["PhysicalResourceId"]
        gone = kind.delete(setup, held)
        assert gone["Status"] == "SUCCESS", (number, moment, gone)
        assert setup.everything() == before, (number, moment)
        return hit

    each_call(behaviors, act)


def _serve(setup: AppInstanceSetup, event: Mapping[str, Any]) -> None:
    try:
        setup.harness.provider.serve(event, Context(setup.harness, 900))
    except Killed:
        return


def test_two_deliveries_of_a_create_at_once_make_one_resource(kind: Kind, behaviors: str) -> None:
    """Where a second delivery does all its work within any call of the first, both answer one id, with success."""

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        harness, before = setup.harness, setup.everything()
        event = kind.event(setup, "Create", kind.first(setup))

        def deliver_again() -> None:
            setattr(harness, moment, lambda _operation, _parameters: None)
            harness.deliver_elsewhere(event)

        hit = strike(setup, number, moment, deliver_again)
        harness.deliver_elsewhere(event)
        harness.heal()
        assert {answer["Status"] for answer in harness.answers} == {"SUCCESS"}, (number, moment, harness.answers)
        (held,) = {answer["PhysicalResourceId"] for answer in harness.answers}
        gone = kind.delete(setup, held)
        assert gone["Status"] == "SUCCESS", (number, moment, gone)
        assert setup.everything() == before, (number, moment)
        return hit

    each_call(behaviors, act)


def test_two_deliveries_of_an_update_at_once_end_as_one(kind: Kind) -> None:
    """Where a second delivery does all its work within any call of the first, the Update ends as with one."""

    def run(setup: AppInstanceSetup, number: int, moment: str) -> tuple[list[str], dict[str, Any]]:
        harness, held = setup.harness, kind.create(setup)["PhysicalResourceId"]
        harness.now += 100
        more = {"PhysicalResourceId": held, "OldResourceProperties": kind.first(setup)}
        event = kind.event(setup, "Update", kind.second(setup), **more)

        def deliver_again() -> None:
            setattr(harness, moment, lambda _operation, _parameters: None)
            harness.deliver_elsewhere(event)

        hit = strike(setup, number, moment, deliver_again) if number else []
        harness.deliver_elsewhere(event)
        harness.heal()
        assert {answer["Status"] for answer in harness.answers} == {"SUCCESS"}, (number, moment, harness.answers)
        assert len({answer["PhysicalResourceId"] for answer in harness.answers[1:]}) == 1
        return hit, setup.everything()

    def act(setup: AppInstanceSetup, number: int, moment: str) -> list[str]:
        hit, end = run(setup, number, moment)
        assert end == run(AppInstanceSetup(seed=number), 0, moment)[1]
        return hit

    each_call("", act)


def test_attempt_whose_effect_is_unknown_stays_pending_after_a_later_one() -> None:
    """What a first attempt may have created is not forgotten when a second finds its ChannelId taken."""
    setup = AppInstanceSetup()
    harness = setup.harness
    tried: list[str] = []

    def refuse(operation: str, parameters: Mapping[str, Any]) -> None:
        if operation != "CreateChannel":
            return
        tried.append(parameters["ChannelId"])
        if len(tried) == 1:
            raise ServiceError(operation, "Conflict", "The token is in use.", 409)
        if len(tried) == 2:
            given = {key: value for key, value in parameters.items() if key != "Tags"}
            harness.messaging("CreateChannel", **{**given, "ClientRequestToken": "token-of-others"})
        else:
            raise ServiceError(operation, "Forbidden", "no", 403)

    harness.before = refuse
    event = harness.event("Create", harness.properties(ClientRequestToken="my-token"))
    answer = harness.deliver(event)
    assert (answer["Status"], len(set(tried))) == ("FAILED", 3)
    assert answer["PhysicalResourceId"] == f"unproven:{harness.app}/channel/{tried[0]}"


def test_pending_id_leads_to_the_life_that_another_delivery_went_on_to() -> None:
    """A delivery that went on to the next ChannelId and died is undone by the Delete of the id it passed over."""
    setup, kind = AppInstanceSetup(), KINDS["channel"]
    harness = setup.harness
    setup.say(kind.create(setup)["PhysicalResourceId"], "hello")  # a former life that was retained
    harness.now += 100_000
    before = setup.everything()
    event = kind.event(setup, "Create", kind.first(setup))
    created: list[str] = []

    def die(operation: str, _: object) -> None:
        if operation == "CreateChannel":
            created.append(operation)
            raise Killed

    harness.after = die
    _serve(setup, event)
    assert created
    assert setup.everything() != before
    harness.before = throttle
    answer = harness.deliver(event)
    harness.heal()
    assert answer["PhysicalResourceId"].startswith("unproven:")
    assert kind.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert setup.everything() == before
