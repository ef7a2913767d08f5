"""Declarations that break a rule: each must be refused, with nothing changed and no secret shown."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

_OTHER = "arn:aws:chime:us-east-1:000000000000:app-instance/other"
_AFAR = "arn:aws:chime:eu-west-1:000000000000:app-instance/afar"
_SPAN = {"ExpirationDays": 5476, "ExpirationCriterion": "CREATED_TIMESTAMP"}
_PARTS = {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 1, "MinimumMembershipPercentage": 40}
_OF_CHANNELS: tuple[dict[str, Any], ...] = (
    {"AppInstanceArn": "app"},
    {"AppInstanceArn": _AFAR},
    {"ChimeBearer": f"{_OTHER}/user/boss"},
    {"ChimeBearer": "boss"},
    {"Name": "sEcReT" + "x" * 251},
    {"Name": "sEcReT\x07"},
    {"Name": ["sEcReT"]},
    {"Name": ""},
    {"Name": None},
    {"Mode": "OPEN"},
    {"Privacy": "SECRET"},
    {"Metadata": "sEcReT" + "é" * 510},
    {"ClientRequestToken": "a"},
    {"ClientRequestToken": "a b"},
    {"ChannelId": "a" * 65},
    {"ChannelId": "-a"},
    {"MemberArns": "@/user/ann"},
    {"MemberArns": [f"{_OTHER}/user/ann"]},
    {"ModeratorArns": [f"@/user/u{number}" for number in range(1001)]},
    {"HiddenMemberArns": ["@/user/ann"], "MemberArns": ["@/user/ann"]},
    {"BanArns": ["@/user/ann"], "MemberArns": ["@/user/ann"]},
    {"BanArns": ["@/bot/robot"]},
    {"ChannelFlowArn": "flow"},
    {"ChannelFlowArn": f"{_OTHER}/channel-flow/f"},
    {"Tags": "sEcReT"},
    {"Tags": {"cdk-chime-messaging:owner": "sEcReT"}},
    {"Tags": {"Zqa": "sEcReT" + "x" * 251}},
    {"Tags": {f"Zq{number}": "Zq" for number in range(50)}},
    {"Tags": [{"Key": "Zqa", "Value": "Zq"}, {"Key": "Zqa", "Value": "Zq"}]},
    {"Tags": [{"Key": "Zqa"}]},
    {"ElasticChannelConfiguration": _PARTS},
    {"ElasticChannelConfiguration": {**_PARTS, "TargetMembershipsPerSubChannel": "two"}},
    {"ExpirationSettings": _SPAN},
    {"ExpirationSettings": {**_SPAN, "ExpirationDays": 1, "ExpirationCriterion": "NEVER"}},
    {"AdoptExisting": True, "ChannelId": None},
    {"AdoptExisting": "perhaps"},
    {"ChannelId": "wrong", "AdoptExisting": None, "AdoptFromOtherOwner": True},
    {"Nmae": "sEcReT"},
)
"""What is declared instead; `@` stands for the app instance, None for what is left out."""
_OF_ALL: tuple[dict[str, Any], ...] = ({"Nmae": "x"},)
_OF_ATTACHED: tuple[dict[str, Any], ...] = (
    {"ChannelArn": "lobby"},
    {"ChannelArn": f"{_AFAR}/channel/lobby"},
    {"ChimeBearer": "boss"},
    {"ChimeBearer": f"{_OTHER}/user/boss"},
)
_OF_MEMBERS: tuple[dict[str, Any], ...] = ({"MemberArn": "ann"}, {"MemberArn": f"{_OTHER}/user/ann"})
_OF_SETTINGS: tuple[dict[str, Any], ...] = ({"AppInstanceArn": "app"}, {"AppInstanceArn": _AFAR})
_BY_TYPE: dict[str, tuple[dict[str, Any], ...]] = {
    "Custom::ChimeChannel": _OF_CHANNELS,
    "Custom::ChimeChannelMembership": (*_OF_ALL, *_OF_ATTACHED, *_OF_MEMBERS, {"Type": "SEEN"}),
    "Custom::ChimeChannelModerator": (*_OF_ALL, *_OF_ATTACHED, *_OF_MEMBERS),
    "Custom::ChimeChannelBan": (*_OF_ALL, *_OF_ATTACHED, *_OF_MEMBERS, {"MemberArn": "@/bot/robot"}),
    "Custom::ChimeChannelFlowAssociation": (*_OF_ALL, *_OF_ATTACHED, {"ChannelFlowArn": "flow"}),
    "Custom::ChimeAppInstanceAdmin": (
        *_OF_ALL,
        {"AppInstanceAdminArn": "jo"},
        {"AppInstanceAdminArn": f"{_OTHER}/user/jo"},
        {"AppInstanceAdminArn": f"{_AFAR}/user/jo"},
    ),
    "Custom::ChimeAppInstanceRetention": (
        *_OF_ALL,
        *_OF_SETTINGS,
        {"RetentionDays": "0"},
        {"RetentionDays": "5476"},
        {"RetentionDays": "a week"},
    ),
    "Custom::ChimeAppInstanceStreaming": (
        *_OF_ALL,
        *_OF_SETTINGS,
        {"StreamArns": {}},
        {"StreamArns": {"Messages": "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-x"}},
        {"StreamArns": {"Channel": "arn:aws:kinesis:us-east-1:000000000000:stream/x"}},
    ),
}


def make_wrong(rng: random.Random, kind: str, properties: Mapping[str, Any], app: str) -> dict[str, Any]:
    """Return properties of a resource of some type with something in them that breaks a rule."""
    changed = {**properties, **_filled(rng.choice(_BY_TYPE[kind]), app)}
    return {name: value for name, value in changed.items() if value is not None}


def _filled(value: Any, app: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, app) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, app) for item in value]
    return value.replace("@/", f"{app}/") if isinstance(value, str) else value
