"""A request that was delivered often, or made many calls, is shown in parts, each of which can be reached."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from chime_local.console.app import create_console
from chime_local.console.drift import owner_of
from chime_local.recording import Recorder
from local.test_console import BASE, STACK, TOKEN, Stage

REQUEST = "/_chime/requests/r1"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def client(stage: Stage) -> TestClient:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return TestClient(create_console(stage.engine, TOKEN), base_url=BASE, headers=headers)


def deliver(recorder: Recorder, calls: int) -> None:
    """Record a replay that makes calls."""
    delivery = recorder.begin_delivery("r1", f"Root=replay-{calls}", is_replay=True)
    for number in range(calls):
        call = recorder.begin_call(
            "chime-sdk-messaging",
            "UpdateChannel",
            {"Name": f"call {number}."},
            region="us-east-1",
            access_key="AKIA",
            delivery=delivery,
        )
        recorder.end_call(call, 200, 1.0)
    recorder.end_delivery(delivery)


def headings(client: TestClient, query: str = "") -> list[str]:
    """Return which deliveries a request's view shows."""
    return re.findall(r"<h3>((?:Replay|Delivery) \d+)</h3>", client.get(REQUEST + query).text)


def calls(client: TestClient, query: str = "") -> int:
    """Count the calls that a request's view shows."""
    return client.get(REQUEST + query).text.count('<details id="call-')


def links(client: TestClient, query: str = "") -> dict[str, str]:
    """Return the links of a request's view by their texts."""
    found = re.findall(r'<a[^>]* href="([^"]+)">([^<]+)</a>', client.get(REQUEST + query).text)
    return {text: address.replace("&amp;", "&") for address, text in found}


def test_newest_deliveries_are_shown_and_all_can_be(stage: Stage, client: TestClient) -> None:
    stage.record()
    for number in range(29):
        deliver(stage.recorder, number % 2)
    assert headings(client) == [f"Replay {number}" for number in range(21, 31)]
    assert "29 deliveries" not in client.get(REQUEST).text
    assert links(client)["Show all 30 deliveries"] == f"{REQUEST}?deliveries=all"
    first = headings(client, "?deliveries=all")
    second = headings(client, "?deliveries=all&page=2")
    assert [*first, *second] == ["Delivery 1", *(f"Replay {number}" for number in range(2, 31))]
    assert links(client, "?deliveries=all")["Next"] == f"{REQUEST}?deliveries=all&page=2"
    assert "Show all 30 deliveries" not in links(client, "?deliveries=all")


def test_first_calls_of_a_delivery_are_shown_and_all_can_be(stage: Stage, client: TestClient) -> None:
    stage.record()
    deliver(stage.recorder, 130)
    assert calls(client) == 2 + 25
    link = links(client)["Show all 130 calls of replay 2"]
    assert link == f"{REQUEST}?delivery=2"
    assert headings(client, "?delivery=2") == ["Replay 2"]
    assert calls(client, "?delivery=2") == 100
    assert links(client, "?delivery=2")["Next"] == f"{REQUEST}?delivery=2&calls=2"
    assert calls(client, "?delivery=2&calls=2") == 30
    assert '<ol class="timeline" start="101">' in client.get(f"{REQUEST}?delivery=2&calls=2").text
    assert links(client, "?delivery=2")["Show the newest deliveries"] == REQUEST


def test_few_deliveries_with_few_calls_need_no_link(stage: Stage, client: TestClient) -> None:
    stage.record()
    deliver(stage.recorder, 25)
    assert not [text for text in links(client) if text.startswith("Show")]


@pytest.mark.parametrize("number", ["0", "2", "x", "-1", "1.0", "%3Cb%3E"])
def test_delivery_that_is_not_there_gets_a_sentence(
    stage: Stage,
    client: TestClient,
    number: str,
) -> None:
    stage.record()
    answer = client.get(f"{REQUEST}?delivery={number}")
    assert answer.status_code == 404
    assert "This request has no delivery" in answer.text
    assert "<b>" not in answer.text


def test_api_has_pages_of_deliveries_and_calls(stage: Stage, client: TestClient) -> None:
    stage.record()
    deliver(stage.recorder, 501)
    for _ in range(100):
        deliver(stage.recorder, 0)
    first = client.get("/_chime/api/requests/r1").json()
    assert (len(first["deliveries"]), first["pages"], first["total"]) == (100, 2, 102)
    assert (len(first["deliveries"][1]["calls"]), first["deliveries"][1]["calls_total"]) == (500, 501)
    more = client.get("/_chime/api/requests/r1?calls=2").json()["deliveries"][1]["calls"]
    assert [call["parameters"] for call in more] == [{"Name": "call 500."}]
    second = client.get("/_chime/api/requests/r1?page=2").json()["deliveries"]
    assert [one["number"] for one in second] == [101, 102]


def test_first_of_many_members_are_shown_in_drift_what_is_missing_before_all(
    stage: Stage, client: TestClient
) -> None:
    owner = f"{owner_of(STACK, 'Room')}1"
    tags = [{"Key": "cdk-chime-messaging:owner", "Value": owner}]
    stage.messaging("TagResource", ResourceARN=stage.channel, Tags=tags)
    members = [f"{stage.app}/user/u{number}" for number in range(1000)]
    for member in members[:-1]:
        stage.service.app_instances[stage.app].channels[stage.channel].members[member] = "DEFAULT"
    properties = {"Name": "room", "MemberArns": members}
    stage.record(ResourceType="Custom::ChimeChannel", RequestType="Update", ResourceProperties=properties)
    text = client.get("/_chime/drift").text
    declared, actual = re.findall(r"<td>(.*?)</td>", text[text.index(">MemberArns</th>") :], re.DOTALL)[:2]
    assert re.findall(r">(u\d+)</code>", declared) == ["u999", *(f"u{number}" for number in range(19))]
    assert "and 980 more" in declared
    assert "and 979 more" in actual


def test_deliveries_and_their_calls_count_against_what_is_kept() -> None:
    recorder = Recorder()
    event = {
        "StackId": "s",
        "LogicalResourceId": "Room",
        "RequestType": "Create",
        "ResponseURL": "http://never/shown",
    }
    for name in ("old", "new"):
        recorder.begin_request({**event, "RequestId": name}, "S")
    recorder._requests._max_bytes = 20_000
    for number in range(30):
        recorder.begin_delivery("new", f"Root={number}", is_replay=True)
    assert recorder.request("old") is None
    assert recorder.request("new") is not None
    assert recorder.dropped["requests"] == 1
