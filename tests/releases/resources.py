"""One resource of each type as CloudFormation keeps it, served now by one release's handler, now by another's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from releases.harness import (
    ANN,
    APP,
    BOB,
    BOSS,
    FLOW,
    FRANKFURT,
    LOBBY,
    OTHER_FLOW,
    STACK,
    Harness,
)

Properties = dict[str, Any]
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-"
_SECONDS = 30
"""Between two requests of one operation."""
_HOURS = 7200
"""Between two operations, in seconds."""


class Served(NamedTuple):
    """A release's handler, with the time-out that its library declares."""

    handler: ModuleType
    service_timeout: str


class Resource:
    """A resource of a stack: its physical id and its properties, before and after an operation."""

    def __init__(self, harness: Harness, type_: str, stack: str = STACK) -> None:
        self.harness, self._type, self._stack = harness, type_, stack
        self.id = ""
        self.properties: Properties = {}
        self._former: tuple[str, Properties] = ("", {})

    def create(self, by: Served, properties: Mapping[str, Any]) -> None:
        """Create it, in an operation of its own."""
        self.harness.now += _HOURS
        self.properties = _declared(by, properties)
        self.id = self._request(by, "Create", self.properties)["PhysicalResourceId"]

    def update(self, by: Served, properties: Mapping[str, Any]) -> None:
        """Update it: the operation is not over before `clean_up` or `roll_back`."""
        self.harness.now += _HOURS
        self._former = (self.id, self.properties)
        self._change(by, _declared(by, properties))

    def clean_up(self, by: Served) -> None:
        """End an operation that succeeded: delete what was replaced."""
        if self._former[0] != self.id:
            self._delete(by, *self._former)

    def roll_back(self, by: Served) -> None:
        """End an operation that failed: change it back, and delete what had replaced it."""
        failed = (self.id, self.properties)
        self._change(by, self._former[1])
        if self.id != failed[0]:
            self._delete(by, *failed)

    def delete(self, by: Served) -> None:
        """Delete it, in an operation of its own."""
        self.harness.now += _HOURS
        self._delete(by, self.id, self.properties)

    def _change(self, by: Served, properties: Properties) -> None:
        more = {"PhysicalResourceId": self.id, "OldResourceProperties": {"ServiceToken": "arn", **self.properties}}
        self.id = self._request(by, "Update", properties, **more)["PhysicalResourceId"]
        self.properties = properties

    def _delete(self, by: Served, physical_id: str, properties: Properties) -> None:
        self._request(by, "Delete", properties, PhysicalResourceId=physical_id)

    def _request(self, by: Served, kind: str, properties: Properties, **more: Any) -> dict[str, Any]:
        self.harness.now += _SECONDS
        answer = self.harness.deliver(
            by.handler, self.harness.event(kind, self._type, properties, StackId=self._stack, **more)
        )
        assert answer["Status"] == "SUCCESS", (kind, answer.get("Reason"))
        return answer


def _declared(by: Served, properties: Mapping[str, Any]) -> Properties:
    return {"ServiceTimeout": by.service_timeout, **properties}


def everything(harness: Harness) -> dict[str, Any]:
    """Return all that resources could have made or changed; of tags of ours, only those of users and bots."""
    found: dict[str, Any] = {}
    for region, app in (("us-east-1", APP), ("eu-central-1", FRANKFURT)):
        state = harness.service.app_instances[app]
        found[region] = {
            "channels": {channel.arn: _seen(harness, channel) for channel in state.channels.values()},
            "admins": sorted(_name(arn) for arn in state.admins),
            "retention": (state.retention.get("ChannelRetentionSettings") or {}).get("RetentionDays"),
            "streams": {one["DataType"]: _name(one["ResourceArn"])[-1] for one in state.streaming},
        }
    tagged = {arn: tags for arn, tags in harness.service.tags.items() if tags and "/channel/" not in arn}
    return {**found, "tags of users": tagged}


def _seen(harness: Harness, channel: Any) -> dict[str, Any]:
    tags = harness.service.tags.get(channel.arn, {})
    seen = {
        "name": channel.name,
        "mode": channel.mode,
        "privacy": channel.privacy,
        "metadata": channel.metadata,
        "members": {_name(arn): kind for arn, kind in channel.members.items()},
        "moderators": sorted(_name(arn) for arn in channel.moderators),
        "bans": sorted(_name(arn) for arn in channel.bans),
        "flow": _name(channel.flow or "")[-1:],
        "days": (channel.expiration or {}).get("ExpirationDays"),
        "tags": {key: tag for key, tag in tags.items() if not key.startswith("cdk-chime-messaging:")},
        "messages": [message["Content"] for message in channel.messages.values()],
    }
    return {key: value for key, value in seen.items() if value}


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _of_stack(harness: Harness) -> list[dict[str, Any]]:
    channels = everything(harness)["us-east-1"]["channels"]
    return [seen for arn, seen in channels.items() if arn != LOBBY]


def _of_lobby(*keys: str) -> Callable[[Harness], Any]:
    def look(harness: Harness) -> Any:
        seen = everything(harness)["us-east-1"]["channels"][LOBBY]
        return {key: seen.get(key) for key in keys}

    return look


def _of_app(key: str) -> Callable[[Harness], Any]:
    return lambda harness: everything(harness)["us-east-1"][key]


class Case(NamedTuple):
    """A type of resource in one of its forms: how it is declared, changed, and what must then be seen."""

    type: str
    first: Properties
    second: Properties
    look: Callable[[Harness], Any]
    sees_first: Any
    sees_second: Any
    """After the cleanup, where the change replaces it."""


CHANNEL = {"AppInstanceArn": APP, "ChimeBearer": BOSS, "Name": "Help", "Mode": "RESTRICTED", "Privacy": "PRIVATE"}
_PLAIN = {
    "name": "Help",
    "mode": "RESTRICTED",
    "privacy": "PRIVATE",
    "members": {"boss": "DEFAULT"},
    "moderators": ["boss"],
}
_FULL = {
    **CHANNEL,
    "Metadata": "m",
    "MemberArns": [ANN],
    "ModeratorArns": ["user/bob"],
    "BanArns": ["user/cy"],
    "ChannelFlowArn": FLOW,
    "ExpirationSettings": {"ExpirationDays": "7", "ExpirationCriterion": "CREATED_TIMESTAMP"},
    "Tags": {"team": "x"},
}
_SEES_FULL = {
    **_PLAIN,
    "metadata": "m",
    "members": {"boss": "DEFAULT", "ann": "DEFAULT"},
    "moderators": ["bob", "boss"],
    "bans": ["cy"],
    "flow": "3",
    "days": 7,
    "tags": {"team": "x"},
}
_ELASTIC = {
    **CHANNEL,
    "ElasticChannelConfiguration": {
        "MaximumSubChannels": "5",
        "TargetMembershipsPerSubChannel": "100",
        "MinimumMembershipPercentage": "40",
    },
}
_SEES_ELASTIC = {key: value for key, value in _PLAIN.items() if key != "members"}
_ATTACHED = {"ChannelArn": LOBBY, "ChimeBearer": BOSS}
_MEMBERS = {"boss": "DEFAULT"}

CASES = {
    "channel": Case(
        "Channel",
        CHANNEL,
        {**CHANNEL, "Name": "Talk", "Mode": "UNRESTRICTED", "Metadata": "m"},
        _of_stack,
        [_PLAIN],
        [{**_PLAIN, "name": "Talk", "mode": "UNRESTRICTED", "metadata": "m"}],
    ),
    "full channel": Case(
        "Channel",
        _FULL,
        {
            **CHANNEL,
            "MemberArns": ["user/cy"],
            "HiddenMemberArns": ["user/deputy"],
            "BanArns": [ANN],
            "ChannelFlowArn": OTHER_FLOW,
            "Tags": [{"Key": "cost", "Value": "1"}],
        },
        _of_stack,
        [_SEES_FULL],
        [
            {
                **_PLAIN,
                "members": {"boss": "DEFAULT", "cy": "DEFAULT", "deputy": "HIDDEN"},
                "bans": ["ann"],
                "flow": "4",
                "tags": {"cost": "1"},
            }
        ],
    ),
    "replaced channel": Case(
        "Channel", CHANNEL, {**CHANNEL, "Privacy": "PUBLIC"}, _of_stack, [_PLAIN], [{**_PLAIN, "privacy": "PUBLIC"}]
    ),
    "channel with a ChannelId of the user's own": Case(
        "Channel",
        {**CHANNEL, "ChannelId": "mine"},
        {**CHANNEL, "ChannelId": "mine", "Name": "Talk"},
        _of_stack,
        [_PLAIN],
        [{**_PLAIN, "name": "Talk"}],
    ),
    "channel whose ChannelId changes": Case(
        "Channel",
        {**CHANNEL, "ChannelId": "mine"},
        {**CHANNEL, "ChannelId": "other", "Name": "Talk"},
        _of_stack,
        [_PLAIN],
        [{**_PLAIN, "name": "Talk"}],
    ),
    "channel with a token of the user's own": Case(
        "Channel",
        {**CHANNEL, "ClientRequestToken": "my-token"},
        {**CHANNEL, "ClientRequestToken": "my-token", "Name": "Talk"},
        _of_stack,
        [_PLAIN],
        [{**_PLAIN, "name": "Talk"}],
    ),
    "channel of another bearer": Case(
        "Channel",
        CHANNEL,
        {**CHANNEL, "ChimeBearer": f"{APP}/user/deputy", "Name": "Talk"},
        _of_stack,
        [_PLAIN],
        [{**_PLAIN, "name": "Talk"}],
    ),
    "elastic channel": Case(
        "Channel",
        _ELASTIC,
        {**_ELASTIC, "Name": "Talk", "Metadata": "m"},
        _of_stack,
        [_SEES_ELASTIC],
        [{**_SEES_ELASTIC, "name": "Talk", "metadata": "m"}],
    ),
    "admin": Case(
        "AppInstanceAdmin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": ANN},
        {"AppInstanceArn": APP, "AppInstanceAdminArn": BOB},
        _of_app("admins"),
        ["ann", "boss", "deputy"],
        ["bob", "boss", "deputy"],
    ),
    "retention": Case(
        "AppInstanceRetention",
        {"AppInstanceArn": APP, "RetentionDays": "7"},
        {"AppInstanceArn": APP, "RetentionDays": "30"},
        _of_app("retention"),
        7,
        30,
    ),
    "retention of another app instance": Case(
        "AppInstanceRetention",
        {"AppInstanceArn": APP, "RetentionDays": "7"},
        {"AppInstanceArn": FRANKFURT, "RetentionDays": "7"},
        lambda harness: [everything(harness)[region]["retention"] for region in ("us-east-1", "eu-central-1")],
        [7, None],
        [None, 7],
    ),
    "streaming": Case(
        "AppInstanceStreaming",
        {"AppInstanceArn": APP, "StreamArns": {"Channel": f"{STREAM}a", "ChannelMessage": f"{STREAM}a"}},
        {"AppInstanceArn": APP, "StreamArns": {"ChannelMessage": f"{STREAM}b"}},
        _of_app("streams"),
        {"Channel": "a", "ChannelMessage": "a"},
        {"ChannelMessage": "b"},
    ),
    "membership": Case(
        "ChannelMembership",
        {**_ATTACHED, "MemberArn": ANN},
        {**_ATTACHED, "MemberArn": BOB},
        _of_lobby("members"),
        {"members": {**_MEMBERS, "ann": "DEFAULT"}},
        {"members": {**_MEMBERS, "bob": "DEFAULT"}},
    ),
    "type of membership": Case(
        "ChannelMembership",
        {**_ATTACHED, "MemberArn": ANN},
        {**_ATTACHED, "MemberArn": ANN, "Type": "HIDDEN"},
        _of_lobby("members"),
        {"members": {**_MEMBERS, "ann": "DEFAULT"}},
        {"members": {**_MEMBERS, "ann": "HIDDEN"}},
    ),
    "moderator": Case(
        "ChannelModerator",
        {**_ATTACHED, "MemberArn": ANN},
        {**_ATTACHED, "MemberArn": BOB},
        _of_lobby("moderators"),
        {"moderators": ["ann", "boss"]},
        {"moderators": ["bob", "boss"]},
    ),
    "ban": Case(
        "ChannelBan",
        {**_ATTACHED, "MemberArn": ANN},
        {**_ATTACHED, "MemberArn": BOB},
        _of_lobby("bans"),
        {"bans": ["ann"]},
        {"bans": ["bob"]},
    ),
    "flow": Case(
        "ChannelFlowAssociation",
        {**_ATTACHED, "ChannelFlowArn": FLOW},
        {**_ATTACHED, "ChannelFlowArn": OTHER_FLOW},
        _of_lobby("flow"),
        {"flow": "3"},
        {"flow": "4"},
    ),
}
