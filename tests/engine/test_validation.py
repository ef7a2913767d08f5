"""What AWS's model refuses of parameters, named in one sentence: each rule from both sides, values by hand."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime import ChimeError
from chime_local.chime.model import validate
from helpers.harness import Harness

APP = "arn:aws:chime:us-east-1:000000000000:app-instance/a"
BOSS = f"{APP}/user/boss"
PLAIN = {"AppInstanceArn": APP, "Name": "n", "ClientRequestToken": "tt", "ChimeBearer": BOSS}
ELASTIC = {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 2, "MinimumMembershipPercentage": 1}
CALLBACK = {"CallbackId": "0" * 32, "ChannelArn": f"{APP}/channel/c", "ChannelMessage": {"MessageId": "m"}}


def errors(parameters: Any, operation: str = "CreateChannel", service: str = "chime-sdk-messaging") -> str:
    """Return the sentence of the refusal, "" where there is none."""
    try:
        validate(service, operation, parameters)
    except ChimeError as refused:
        return refused.message if refused.code == "BadRequestException" else str(refused)
    return ""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, ""),
        # Text: from the shortest to the longest
        ({"Name": ""}, "Name has 0 characters, must have 1–256"),
        ({"Name": "n" * 256}, ""),
        ({"Name": "n" * 257}, "Name has 257 characters, must have 1–256"),
        ({"Name": "Ω \U0001f600\t"}, ""),
        ({"ClientRequestToken": "t"}, "ClientRequestToken has 1 characters, must have 2–64"),
        ({"ClientRequestToken": "t" * 64}, ""),
        ({"ClientRequestToken": "t" * 65}, "ClientRequestToken has 65 characters, must have 2–64"),
        ({"ClientRequestToken": "a b"}, "ClientRequestToken must match [-_a-zA-Z0-9]*"),
        ({"Metadata": ""}, ""),
        ({"Metadata": "m" * 1024}, ""),
        ({"Metadata": "m" * 1025}, "Metadata has 1025 characters, must have 0–1024"),
        ({"Name": 1}, "Name must be a string"),
        (
            {"Name": "\x00"},
            "Name must match "
            + r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF",
        ),
        (
            {"ChimeBearer": "arn:boss"},
            r"ChimeBearer must match "
            r"arn:[a-z0-9-\.]{1,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[^/]",
        ),
        # One of some
        ({"Mode": "UNRESTRICTED", "Privacy": "PRIVATE"}, ""),
        ({"Mode": "restricted"}, "Mode must be one of UNRESTRICTED, RESTRICTED"),
        ({"Privacy": "SECRET"}, "Privacy must be one of PUBLIC, PRIVATE"),
        # Lists
        ({"MemberArns": []}, "MemberArns has 0 items, must have 1–10"),
        ({"MemberArns": [BOSS] * 10}, ""),
        ({"MemberArns": [BOSS] * 11}, "MemberArns has 11 items, must have 1–10"),
        ({"MemberArns": BOSS}, "MemberArns must be a list"),
        ({"MemberArns": [BOSS, 1]}, "MemberArns item must be a string"),
        ({"Tags": [{"Key": "k"}]}, "Tags item Value is required"),
        ({"Tags": [{"Key": "", "Value": "v"}]}, "Tags item Key has 0 characters, must have 1–128"),
        ({"Tags": ["k"]}, "Tags item  must be a map"),
        # Maps and numbers
        ({"ElasticChannelConfiguration": ELASTIC}, ""),
        (
            {"ElasticChannelConfiguration": {**ELASTIC, "MaximumSubChannels": 1}},
            "ElasticChannelConfiguration MaximumSubChannels is 1, must have 2–any",
        ),
        ({"ElasticChannelConfiguration": {**ELASTIC, "MinimumMembershipPercentage": 40}}, ""),
        (
            {"ElasticChannelConfiguration": {**ELASTIC, "MinimumMembershipPercentage": 41}},
            "ElasticChannelConfiguration MinimumMembershipPercentage is 41, must have 1–40",
        ),
        (
            {"ElasticChannelConfiguration": {**ELASTIC, "MaximumSubChannels": "2"}},
            "ElasticChannelConfiguration MaximumSubChannels must be a number",
        ),
        (
            {"ElasticChannelConfiguration": {**ELASTIC, "MaximumSubChannels": True}},
            "ElasticChannelConfiguration MaximumSubChannels must be a number",
        ),
        ({"ElasticChannelConfiguration": []}, "ElasticChannelConfiguration  must be a map"),
        # What is left out, and what no rule knows
        ({"Name": None}, "Name is required"),
        ({"Name": None, "ClientRequestToken": None}, "Name is required; ClientRequestToken is required"),
        ({"Metadata": None, "Tags": None}, ""),
        ({"Unknown": 1}, ""),
        # At most five at once
        (
            {"Name": 1, "ClientRequestToken": 1, "ChimeBearer": 1, "Mode": 1, "Privacy": 1, "Metadata": 1},
            "Name must be a string; ClientRequestToken must be a string; ChimeBearer must be a string; "
            "Mode must be a string; Privacy must be a string",
        ),
    ],
)
def test_parameter_is_refused_by_name_and_rule(changed: dict[str, Any], message: str) -> None:
    """What is at the limit passes; what is beyond it is named with what it is and what it may be."""
    assert errors({**PLAIN, **changed}) == message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "the body must be a map"),
        ({**CALLBACK, "DeleteResource": True}, ""),
        ({**CALLBACK, "DeleteResource": "true"}, "DeleteResource must be true or false"),
        ({**CALLBACK, "DeleteResource": 0}, "DeleteResource must be true or false"),
        ({**CALLBACK, "ChannelMessage": {}}, "ChannelMessage MessageId is required"),
        ({**CALLBACK, "ChannelMessage": {"MessageId": "m", "MessageAttributes": {"a": 1}}}, ""),
    ],
)
def test_types_of_parameters_are_checked(given: Any, message: str) -> None:
    """Booleans must be such; maps of what callers choose and what is no map at all."""
    assert errors(given, "ChannelFlowCallback") == message


def test_parameters_of_the_other_service_are_those_of_its_model() -> None:
    """Users and retention stand in the model of chime-sdk-identity; an operation without input takes anything."""
    identity = "chime-sdk-identity"
    retention = {"ChannelRetentionSettings": {"RetentionDays": 5476}}
    put = {"AppInstanceArn": APP, "AppInstanceRetentionSettings": retention}
    wrong = errors(put, "PutAppInstanceRetentionSettings", identity)
    where = "AppInstanceRetentionSettings ChannelRetentionSettings RetentionDays"
    assert wrong == f"{where} is 5476, must have 1–5475"
    assert errors({"x": 1}, "GetMessagingSessionEndpoint") == ""


def test_call_is_validated_before_anything_is_done() -> None:
    """A call that breaks a rule of the model changes nothing and is no call in its bearer's name."""
    harness = Harness()
    given = {"AppInstanceArn": harness.app, "ClientRequestToken": "tt", "ChimeBearer": harness.boss}
    with pytest.raises(ChimeError, match=r"^BadRequest: Name is required$"):
        harness.messaging("CreateChannel", **given)
    assert harness.service.channels() == []
