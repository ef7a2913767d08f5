"""Faults that are ordered in the console: before an effect, after it, and late."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from local.test_console import Stage, anonymous, client, stage

__all__ = ["anonymous", "client", "stage"]


def send(stage: Stage, client: TestClient) -> int:
    """Send a message; return the status."""
    given = {"bearer": stage.user("bob"), "content": "hello"}
    return client.post(f"/_chime/api/channels/{stage.channel}/messages", json=given).status_code


def count(stage: Stage) -> int:
    """Return how many messages there are."""
    return len(stage.service.app_instances[stage.app].channels[stage.channel].messages)


def test_fault_before_the_effect_leaves_nothing_done(stage: Stage, client: TestClient) -> None:
    given = {"operation": "SendChannelMessage", "error": "ServiceUnavailable", "when": "before", "times": 2}
    answer = client.post("/_chime/api/faults", json=given)
    assert answer.json()["message"] == (
        "Ordered: the next 2 calls of SendChannelMessage fail with ServiceUnavailable before the effect."
    )
    seen = [(send(stage, client), count(stage)) for _ in range(3)]
    assert seen == [(503, 0), (503, 0), (200, 1)]
    assert client.get("/_chime/api/faults").json()["faults"] == []


def test_fault_after_the_effect_leaves_it_done(stage: Stage, client: TestClient) -> None:
    client.post("/_chime/api/faults", json={"error": "ServiceFailure", "when": "after"})
    assert (send(stage, client), count(stage)) == (500, 1)
    assert [one.error for one in stage.recorder.calls()] == [
        "ServiceFailureException: A fault that was ordered in the local engine."
    ]


def test_fault_of_another_operation_waits(stage: Stage, client: TestClient) -> None:
    client.post("/_chime/api/faults", json={"operation": "CreateChannel", "error": "Conflict"})
    assert send(stage, client) == 200
    (left,) = client.get("/_chime/api/faults").json()["faults"]
    assert (left["operation"], left["left"]) == ("CreateChannel", 1)


def test_faults_are_shown_removed_and_end_with_a_reset(stage: Stage, client: TestClient) -> None:
    given = {"operation": "CreateChannel", "milliseconds": 250}
    number = client.post("/_chime/api/faults", json=given).json()["id"]
    client.post("/_chime/api/faults", json={"error": "Conflict", "times": 3})
    text = client.get("/_chime/behaviors").text
    assert "The next call of CreateChannel begins 250 ms later." in text
    assert "The next 3 calls of any operation fail with Conflict before the effect." in text
    assert client.post("/_chime/api/faults", json={"remove": number}).status_code == 200
    assert client.post("/_chime/api/faults", json={"remove": number}).status_code == 404
    assert [one["error"] for one in client.get("/_chime/api/faults").json()["faults"]] == ["Conflict"]
    stage.service.reset()
    assert client.get("/_chime/api/faults").json()["faults"] == []
    client.post("/_chime/api/faults", json={"error": "Conflict"})
    client.post("/_chime/api/faults", json={"clear": True})
    assert client.get("/_chime/api/faults").json()["faults"] == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"operation": "Nope", "error": "Conflict"},
        {"error": "Nope"},
        {"error": "Conflict", "when": "never"},
        {"error": "Conflict", "times": -1},
        {"error": "Conflict", "times": "x"},
        {"error": "Conflict", "times": 1001},
        {"milliseconds": 60_001},
        {"milliseconds": -1},
        {"remove": "x"},
    ],
)
def test_wrong_faults_are_refused_with_a_sentence(stage: Stage, client: TestClient, given: dict[str, Any]) -> None:
    answer = client.post("/_chime/api/faults", json=given)
    assert (answer.status_code, answer.json()["error"][-1]) == (400, ".")
    assert stage.service.faults.ordered() == []


def test_faults_are_bounded(stage: Stage, client: TestClient) -> None:
    statuses = [client.post("/_chime/api/faults", json={"error": "Conflict"}).status_code for _ in range(51)]
    assert statuses == [200] * 50 + [400]
