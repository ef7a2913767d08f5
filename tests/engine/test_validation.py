"""Validation of parameters by the rules of AWS's service models, with valid and invalid values of each rule."""

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
    """Return the message of a BadRequest, or "" if the parameters are valid."""
    try:
        validate(service, operation, parameters)
    except ChimeError as error:
        return error.message if error.code == "BadRequestException" else str(error)
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
        # Enumerations
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
        # Missing and unknown parameters
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
def test_invalid_parameter_is_named_with_the_broken_rule(changed: dict[str, Any], message: str) -> None:
    """Values at a limit are valid; the message for one beyond it contains the value and the limits."""
    assert errors({**PLAIN, **changed}) == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "the body must be a map"),
        ({**CALLBACK, "DeleteResource": True}, ""),
        ({**CALLBACK, "DeleteResource": "true"}, "DeleteResource must be true or false"),
        ({**CALLBACK, "DeleteResource": 0}, "DeleteResource must be true or false"),
        ({**CALLBACK, "ChannelMessage": {}}, "ChannelMessage MessageId is required"),
        ({**CALLBACK, "ChannelMessage": {"MessageId": "m", "MessageAttributes": {"a": 1}}}, ""),
    ],
)
def test_types_of_booleans_and_maps_are_validated(parameters: Any, message: str) -> None:
    """Keys of a map that callers choose are not validated."""
    assert errors(parameters, "ChannelFlowCallback") == message


def test_identity_operations_are_validated_by_their_own_model() -> None:
    """An operation without input accepts any parameters."""
    identity = "chime-sdk-identity"
    retention = {"ChannelRetentionSettings": {"RetentionDays": 5476}}
    put = {"AppInstanceArn": APP, "AppInstanceRetentionSettings": retention}
    message = errors(put, "PutAppInstanceRetentionSettings", identity)
    path = "AppInstanceRetentionSettings ChannelRetentionSettings RetentionDays"
    assert message == f"{path} is 5476, must have 1–5475"
    assert errors({"x": 1}, "GetMessagingSessionEndpoint") == ""


def test_invalid_call_changes_nothing() -> None:
    """A request without a required parameter creates no channel."""
    harness = Harness()
    request = {"AppInstanceArn": harness.app, "ClientRequestToken": "tt", "ChimeBearer": harness.boss}
    with pytest.raises(ChimeError, match=r"^BadRequest: Name is required$"):
        harness.messaging("CreateChannel", **request)
    assert harness.service.channels() == []
