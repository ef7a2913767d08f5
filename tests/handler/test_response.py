"""One answer to each request, and the right one: warm environments, events of any form, other regions."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import index
from chime_handler import response
from chime_handler.errors import ResponseNotDeliveredError
from helpers.harness import URL, Context, Harness, Timer
from helpers.resources import KINDS, AppInstanceSetup, Kind


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return each type of resource."""
    return KINDS[request.param]


def test_timer_of_an_answered_request_never_answers_the_next() -> None:
    """In a warm environment the timer of the first request, going off late, answers neither first nor second."""
    harness = Harness()
    harness.create()
    first = harness.timers[0]

    def late(_operation: str, _parameters: object) -> None:
        first.call()

    harness.before = harness.after = late
    answer = harness.deliver(harness.event("Create", harness.properties(), LogicalResourceId="Other"))
    assert (answer["Status"], answer["LogicalResourceId"]) == ("SUCCESS", "Other")
    assert [answer["Status"] for answer in harness.answers] == ["SUCCESS", "SUCCESS"]


@pytest.mark.parametrize(
    ("request_type", "known", "physical_id"),
    [
        ("Create", {}, "unmade:Support1A2B3C4D"),
        ("Update", {"PhysicalResourceId": "held"}, "held"),
        ("Delete", {"PhysicalResourceId": "held"}, "held"),
    ],
)
def test_time_that_is_up_before_the_work_began_names_the_resource_as_it_was(
    request_type: str, known: dict[str, str], physical_id: str
) -> None:
    """A Create has made nothing yet; another id than the one before would have CloudFormation delete a resource."""
    harness = Harness()

    def go_off(_seconds: float, call: Callable[[], None]) -> Timer:
        call()
        return Timer(0, call)

    event = harness.event(request_type, harness.properties(), **known)
    effects = dataclasses.replace(harness.provider.effects, start_timer=go_off)
    index.Provider(effects).serve(event, Context(harness, 1))
    assert harness.answers == [
        {
            "Status": "FAILED",
            "PhysicalResourceId": physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "NoEcho": False,
            "Reason": "The request did not end before the Lambda's time ran out. Try again.",
        }
    ]


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        ({}, {}),
        ({"StackId": 5, "RequestId": None, "LogicalResourceId": ["l"], "PhysicalResourceId": 5}, {}),
        ({"StackId": "s", "RequestId": "r"}, {"StackId": "s", "RequestId": "r"}),
        ({"PhysicalResourceId": "held"}, {"PhysicalResourceId": "held"}),
        ({"RequestId": "r" * 512}, {"RequestId": "r" * 512}),
        ({"RequestId": "r" * 513}, {}),
    ],
    ids=["nothing", "no texts", "some", "physical id", "512", "513"],
)
def test_event_that_is_no_request_is_answered_with_what_it_holds(
    given: dict[str, object], returned: dict[str, str]
) -> None:
    """Each member of the answer is a string, as CloudFormation requires, and none that is sent back is large."""
    harness = Harness()
    answer = harness.deliver({"ResponseURL": URL, "RequestType": "Create", **given})
    assert answer == {
        "Status": "FAILED",
        "PhysicalResourceId": "unknown",
        "StackId": "",
        "RequestId": "",
        "LogicalResourceId": "",
        "NoEcho": False,
        "Reason": "The event is no request of CloudFormation: ResourceType is missing or no string.",
        **returned,
    }


class ThreadTimer:
    """A timer that calls on a thread of its own when a test says so."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=call)
        self.waited_for = threading.Event()

    def go_off(self) -> None:
        """Begin to call."""
        self._thread.start()

    def cancel(self) -> None:
        """Come too late where it has begun."""

    def join(self) -> None:
        """Wait until the call is over."""
        self.waited_for.set()
        if self._thread.ident is not None:
            self._thread.join()


def test_timer_that_still_delivers_keeps_the_next_request_waiting() -> None:
    """While the timer of a request delivers its answer, the request does not end: no other can begin meanwhile."""
    harness = Harness()
    timers: list[ThreadTimer] = []
    delivering, release = threading.Event(), threading.Event()
    put = harness.provider.effects.put

    def slow_put(url: str, written: bytes) -> int:
        if len(timers) == 1:
            delivering.set()
            assert release.wait(60)
        return put(url, written)

    def start_timer(_seconds: float, call: Callable[[], None]) -> ThreadTimer:
        timers.append(ThreadTimer(call))
        return timers[-1]

    def go_off(operation: str, _: object) -> None:
        if operation == "CreateChannel" and len(timers) == 1:
            timers[0].go_off()
            assert delivering.wait(60)

    harness.before = go_off
    provider = index.Provider(dataclasses.replace(harness.provider.effects, put=slow_put, start_timer=start_timer))
    first = harness.event("Create", harness.properties())
    environment = threading.Thread(target=provider.serve, args=(first, Context(harness, 900)))
    environment.start()
    assert delivering.wait(60)
    assert timers[0].waited_for.wait(60)
    assert environment.is_alive()
    assert harness.answers == []
    release.set()
    environment.join(60)
    provider.serve(harness.event("Create", harness.properties(), LogicalResourceId="Other"), Context(harness, 900))
    outcomes = [(answer["LogicalResourceId"], answer["Status"]) for answer in harness.answers]
    assert outcomes == [("Support1A2B3C4D", "FAILED"), ("Other", "SUCCESS")]


def test_answer_that_is_not_taken_is_an_error_of_the_lambda() -> None:
    """Where nobody takes the answer, the Lambda fails, so that the event is delivered again."""
    harness = Harness()
    provider = index.Provider(dataclasses.replace(harness.provider.effects, put=lambda _url, _body: 403))
    with pytest.raises(ResponseNotDeliveredError, match=r"^CloudFormation did not take the response$"):
        provider.serve(harness.event("Create", harness.properties()), Context(harness, 900))


def test_answer_that_is_refused_for_a_while_is_sent_again_after_pauses() -> None:
    """Where S3 is busy, the answer waits on the Lambda's clock and is sent until it is taken."""
    harness, statuses, moments = Harness(), [503, 503, 200], list[float]()

    def put(_url: str, _body: bytes) -> int:
        moments.append(harness.now)
        return statuses.pop(0)

    provider = index.Provider(dataclasses.replace(harness.provider.effects, put=put))
    provider.serve(harness.event("Create", harness.properties()), Context(harness, 900))
    assert [later - moments[0] for later in moments] == pytest.approx([0, 1, 3])


@settings(max_examples=60, deadline=None)
@given(
    fixed=st.dictionaries(
        st.sampled_from(["StackId", "RequestId", "LogicalResourceId"]),
        st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=3), st.integers(1, 6000)),
    ),
    reason=st.text(max_size=2000),
    status=st.sampled_from(["SUCCESS", "FAILED"]),
    data=st.dictionaries(st.text(max_size=5), st.text(max_size=3000), max_size=2),
)
def test_body_ends_for_any_size_of_what_cloudformation_sent(
    fixed: dict[str, str], reason: str, status: str, data: dict[str, str]
) -> None:
    """However large StackId, RequestId and LogicalResourceId, they come back whole and the rest is cut to fit."""
    written = response.build_body(fixed, status, "id", reason, data)
    body = json.loads(written)
    assert {name: body[name] for name in fixed} == fixed
    assert body["Status"] == "SUCCESS" or body["Reason"]
    alone = len(json.dumps({**dict.fromkeys(("StackId", "RequestId", "LogicalResourceId"), ""), **fixed}))
    assert len(written) <= max(4096, alone + 150)


CRHELPER = ("CrHelperPoll", "CrHelperData", "CrHelperPermission", "CrHelperRule", "CrHelper")


@pytest.mark.parametrize("name", CRHELPER)
@pytest.mark.parametrize("value", [{"a": "b"}, "x", None, [1], True])
def test_keys_of_crhelper_in_an_event_change_nothing(name: str, value: object) -> None:
    """An event that carries what crhelper writes into events of its own is answered as if it did not."""
    plain, harness = Harness(), Harness()
    expected = plain.deliver(plain.event("Create", plain.properties()))
    assert harness.deliver({**harness.event("Create", harness.properties()), name: value}) == expected
    assert harness.calls == plain.calls
    refused = harness.deliver({**harness.event("Create", harness.properties(Mode="X")), name: value})
    assert "Data" not in refused


def nested(depth: int, *, lists: bool) -> Any:
    """Return a value that lies deep."""
    value: Any = "deep"
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


VALUES: dict[str, Callable[[], Any]] = {
    "map 3000 deep": lambda: nested(3000, lists=False),
    "list 3000 deep": lambda: nested(3000, lists=True),
    "pairs 3000 deep": lambda: [{"Key": nested(3000, lists=True), "Value": nested(3000, lists=False)}],
    "long": lambda: "x" * 1_000_000,
    "many": lambda: [str(number) for number in range(20_000)],
    "huge number": lambda: 10**4000,
    "nothing": lambda: None,
}
NAMES = sorted(
    {name for kind in KINDS.values() for name in kind.first(AppInstanceSetup()) if name != "ServiceToken"}
    | {"HiddenMemberArns", "ExpirationSettings", "ElasticChannelConfiguration", "AdoptExisting", "Resync", "Type"}
)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", NAMES)
def test_property_of_any_depth_and_size_never_fails_a_delete(name: str, value: str) -> None:
    """With any property nested 3000 deep or huge, a Delete of what was never made is a success for every type."""
    for kind in KINDS.values():
        setup = AppInstanceSetup()
        properties = {**kind.first(setup), name: VALUES[value]()}
        event = kind.event(setup, "Delete", properties, PhysicalResourceId="unmade:Support")
        assert setup.harness.deliver(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", NAMES)
def test_property_of_any_depth_and_size_is_refused_by_rule(name: str, value: str) -> None:
    """With any property nested 3000 deep or huge, a Create or Update of a channel is refused, and foreseen."""
    setup = AppInstanceSetup()
    harness = setup.harness
    held = harness.create()["PhysicalResourceId"]
    harness.calls.clear()
    properties, old = (harness.properties() | {name: VALUES[value]()} for _ in range(2))
    requests = (
        harness.event("Create", properties),
        harness.event("Update", properties, OldResourceProperties=old, PhysicalResourceId=held),
    )
    for event in requests:
        answer = harness.deliver(event)
        assert "unforeseen" not in answer.get("Reason", "")
        assert len(harness.raw[-1]) <= 4096
        if answer["Status"] == "FAILED" and "break rules" in answer["Reason"]:
            assert harness.calls == []


@pytest.mark.parametrize("value", ["map 3000 deep", "list 3000 deep", "pairs 3000 deep"])
def test_delete_of_a_channel_whose_tags_lie_deep_deletes_it(value: str) -> None:
    """Tags nested 3000 deep do not keep a Delete from deleting the channel."""
    setup = AppInstanceSetup()
    before = setup.everything()
    held = setup.harness.create()["PhysicalResourceId"]
    answer = setup.harness.delete(held, Tags=VALUES[value]())
    assert answer["Status"] == "SUCCESS", answer
    assert setup.everything() == before


REGIONS = ("eu-west-1", "us-west-2", "us-gov-west-1", "cn-north-1", "xx-nowhere-1", "ap-southeast-1")


@pytest.mark.parametrize("region", REGIONS)
def test_region_without_endpoint_is_refused_at_once(kind: Kind, region: str) -> None:
    """A resource in a region that has no endpoint is refused before any call, and its Delete calls nothing."""
    setup = AppInstanceSetup()

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [moved(item) for item in value]
        return value.replace(":chime:us-east-1:", f":chime:{region}:") if isinstance(value, str) else value

    began = setup.harness.now
    properties = moved(kind.first(setup))
    answer = setup.harness.deliver(kind.event(setup, "Create", properties))
    assert answer["Status"] == "FAILED"
    assert (
        f"is in {region}; Amazon Chime SDK messaging has endpoints in us-east-1 and eu-central-1"
        in answer["Reason"]
    )
    known = {"PhysicalResourceId": answer["PhysicalResourceId"]}
    assert setup.harness.deliver(kind.event(setup, "Delete", properties, **known))["Status"] == "SUCCESS"
    assert (setup.harness.calls, setup.harness.now - began) == ([], 0)


@pytest.mark.parametrize("held", ["demo-Support-1XY2Z3", "unproven:x"])
def test_delete_in_a_region_without_endpoint_calls_nothing(kind: Kind, held: str) -> None:
    """A made-up id, with properties of a region that has no endpoint, is deleted without a call."""
    setup = AppInstanceSetup()
    text = json.dumps(kind.first(setup)).replace(":chime:us-east-1:", ":chime:eu-west-1:")
    answer = setup.harness.deliver(kind.event(setup, "Delete", json.loads(text), PhysicalResourceId=held))
    assert answer["Status"] == "SUCCESS", answer
    assert setup.harness.calls == []


def test_unknown_type_is_refused_and_its_delete_succeeds() -> None:
    """A type that this provider does not serve is refused by name; what was not made is deleted with success."""
    harness = Harness()
    answer = harness.deliver(harness.event("Create", {}, ResourceType="Custom::Other"))
    assert "Custom::Other is no resource type of this provider" in answer["Reason"]
    known: Mapping[str, Any] = {"PhysicalResourceId": answer["PhysicalResourceId"], "ResourceType": "Custom::Other"}
    assert harness.deliver(harness.event("Delete", {}, **known))["Status"] == "SUCCESS"


def test_each_request_has_one_timer_that_is_cancelled(kind: Kind) -> None:
    """A request of any type starts one timer, which is cancelled when it is answered."""
    setup = AppInstanceSetup()
    kind.create(setup)
    timers: list[Timer] = setup.harness.timers
    assert [timer.cancelled for timer in timers] == [True]
