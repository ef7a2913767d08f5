"""What CloudFormation, its user and AWS read of what the handler sends."""

from __future__ import annotations

from typing import Any

import pytest

import botocore_clients
from helpers.harness import Harness


@pytest.fixture
def harness() -> Harness:
    """Return a new harness."""
    return Harness()


@pytest.mark.parametrize(
    "physical_id", ["arn:aws:chime:us-east-1:000000000000:app-instance/1/channel/2", "pending:x"]
)
def test_event_that_cannot_be_read_keeps_its_physical_id(harness: Harness, physical_id: str) -> None:
    """An event that cannot be read fails under the id it came with: another one would mean that it was replaced."""
    event = harness.event("Update", harness.properties(), PhysicalResourceId=physical_id)
    answer = harness.deliver({**event, "RequestId": 5})
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == physical_id


@pytest.mark.parametrize(
    ("days", "words"),
    [(["30", "40"], "got ['30', '40']"), ({"Days": "30"}, "got {'Days': '30'}"), ("thirty", "got 'thirty'")],
)
def test_wrong_value_is_shown_as_it_was_declared(harness: Harness, days: Any, words: str) -> None:
    """Who declared a wrong value reads it in the stack's events, whatever type it has."""
    properties = {"AppInstanceArn": harness.app, "RetentionDays": days}
    answer = harness.deliver(
        {**harness.event("Create", properties), "ResourceType": "Custom::ChimeAppInstanceRetention"}
    )
    assert answer["Status"] == "FAILED"
    assert words in answer["Reason"]


def test_requests_name_this_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudTrail's userAgent tells these calls from others'."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    botocore_clients.client.cache_clear()
    config = botocore_clients.client("chime-sdk-messaging", "us-east-1").meta.config
    botocore_clients.client.cache_clear()
    assert config.user_agent.startswith("cdk-chime-messaging Botocore/")
