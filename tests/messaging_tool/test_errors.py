"""Errors of the command: one sentence that says what to do, whatever the environment or the service says."""

from __future__ import annotations

import pytest

from chime_messaging.errors import ChimeMessagingError, explain
from messaging_tool.conftest import Command


def test_without_a_region_the_sentence_names_what_to_set(command: Command) -> None:
    expected = "error: no region is set: give --region, or set AWS_REGION\n"
    assert command("drift", "Stack") == (1, "", expected)


def test_region_of_aws_region_is_used(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by the AWS CLI; boto3 alone reads AWS_DEFAULT_REGION only. What is missing next are credentials."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    result = command("drift", "Stack")
    assert result.status == 1
    assert result.errors.startswith("error: no credentials are found: ")


def test_control_characters_of_a_services_message_are_escaped() -> None:
    assert explain(ChimeMessagingError("a\n b\x1b[2J\u202ec é")) == "a b\\x1b[2J\\u202ec é"
