"""What the template declares of a channel: the properties of `Custom::ChimeChannel`, parsed once."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from chime_handler import arns
from chime_handler.channel.ownership import OWN_PREFIX
from chime_handler.errors import InvalidPropertyError

_NAME = re.compile("[\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_TOKEN = re.compile(r"[-_a-zA-Z0-9]{2,64}")
_MODES = ("RESTRICTED", "UNRESTRICTED")
_PRIVACIES = ("PRIVATE", "PUBLIC")
_CRITERIA = ("CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP")
_ELASTIC = {
    "MaximumSubChannels": (2, None),
    "TargetMembershipsPerSubChannel": (2, None),
    "MinimumMembershipPercentage": (1, 40),
}
_SHOWN = 200
"""How many characters of a wrong value a message shows."""
SECRET = ("Name", "Metadata", "Tags")
"""The properties of which no value is ever shown."""


class ElasticConfiguration(NamedTuple):
    """ElasticChannelConfiguration: fixed for a channel's life."""

    maximum_sub_channels: int
    target_memberships_per_sub_channel: int
    minimum_membership_percentage: int


class Expiration(NamedTuple):
    """ExpirationSettings: when the service deletes the channel by itself."""

    days: int
    criterion: str


class ChannelSpec(NamedTuple):
    """A channel as a template declares it; an empty value means not declared."""

    app_instance_arn: str = ""
    bearer: str = ""
    name: str = ""
    mode: str = "RESTRICTED"
    privacy: str = "PRIVATE"
    metadata: str = ""
    client_request_token: str = ""
    channel_id: str = ""
    members: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Members of type HIDDEN."""
    moderators: tuple[str, ...] = ()
    bans: tuple[str, ...] = ()
    flow: str = ""
    tags: Mapping[str, str] = MappingProxyType({})
    elastic: ElasticConfiguration | None = None
    expiration: Expiration | None = None
    adopt: bool = False
    adopt_from_other_owner: bool = False
    resync: str = ""
    """Changes when everything is to be compared with what is there, and put right."""


def _shown(value: object) -> str:
    text = reprlib.repr(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidPropertyError("must be a string", value)
    return value


def _number(value: object, least: int, most: int | None) -> int:
    # CloudFormation sends numbers as strings.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise InvalidPropertyError("must be a whole number", value)
    number = int(text)
    if number < least or (most is not None and number > most):
        limits = f"{least}–{most}" if most is not None else f"{least} or more"
        raise InvalidPropertyError(f"must be {limits}", number)
    return number


def _flag(value: object) -> bool:
    text = value.lower() if isinstance(value, str) else value
    if text not in ("true", "false", True, False):
        raise InvalidPropertyError("must be true or false", value)
    return text in ("true", True)


def _map(value: object, keys: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or set(value) != set(keys):
        raise InvalidPropertyError(f"must be a map of exactly {', '.join(keys)}", value)
    return value


def _one_of(values: tuple[str, ...]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value not in values:
            raise InvalidPropertyError(f"must be {' or '.join(values)}", value)
        return str(value)

    return parse


def _app_instance_arn(value: object) -> str:
    errors = arns.app_instance_errors("", value)
    if errors:
        raise InvalidPropertyError(errors[0].removeprefix(": "))
    return str(value)


def _identity_arn(value: object) -> str:
    arn = _text(value)
    if arns.app_instance_of(arn) is None:
        raise InvalidPropertyError("must be the ARN of an app instance user or bot", arn)
    return arn


def _identity_arns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidPropertyError("must be a list of ARNs", value)
    return tuple(dict.fromkeys(_identity_arn(arn) for arn in value))


def _flow_arn(value: object) -> str:
    arn = _text(value)
    if not arns.is_channel_flow_arn(arn):
        raise InvalidPropertyError("must be a channel flow's ARN", arn)
    return arn


def _name(value: object) -> str:
    name = _text(value)
    if not 1 <= len(name) <= 256:
        raise InvalidPropertyError(f"must have 1–256 characters, has {len(name)}")
    if not _NAME.fullmatch(name):
        raise InvalidPropertyError("has a control character; only tab, line feed and carriage return are allowed")
    return name


def _metadata(value: object) -> str:
    metadata = _text(value)
    size = len(metadata.encode("utf-8", "surrogatepass"))
    if size > 1024:
        raise InvalidPropertyError(f"must have at most 1024 bytes as UTF-8, has {size}")
    return metadata


def _token(value: object) -> str:
    token = _text(value)
    if not _TOKEN.fullmatch(token):
        raise InvalidPropertyError("must be 2–64 letters, digits, - or _", token)
    return token


def _channel_id(value: object) -> str:
    channel_id = _text(value)
    if not arns.is_channel_id(channel_id):
        raise InvalidPropertyError(
            "must be 1–64 letters, digits or :-_.@ that begins and ends with a letter or digit", channel_id
        )
    return channel_id


def _tags(value: object) -> dict[str, str]:
    if isinstance(value, Mapping):
        value = [{"Key": key, "Value": tag} for key, tag in value.items()]
    if not isinstance(value, list):
        raise InvalidPropertyError("must be a map, or a list of Key and Value")
    tags: dict[str, str] = {}
    for entry in value:
        pair = _map(entry, ("Key", "Value"))
        key, tag = _text(pair["Key"]), _text(pair["Value"])
        if not 1 <= len(key) <= 128 or not 1 <= len(tag) <= 256:
            raise InvalidPropertyError("needs keys of 1–128 and values of 1–256 characters")
        if key.startswith(OWN_PREFIX):
            raise InvalidPropertyError(f"has a key that begins with {OWN_PREFIX}, which is reserved")
        if key in tags:
            raise InvalidPropertyError("has one key twice")
        tags[key] = tag
    if len(tags) > 49:
        raise InvalidPropertyError(
            f"must be at most 49 (the service takes 50, one marks the owner), has {len(tags)}"
        )
    return tags


def _inside(key: str, given: Mapping[str, object], least: int, most: int | None) -> int:
    try:
        return _number(given[key], least, most)
    except InvalidPropertyError as error:
        raise InvalidPropertyError(f".{key} {error.rule}", error.value) from None


def _elastic(value: object) -> ElasticConfiguration:
    given = _map(value, tuple(_ELASTIC))
    numbers = []
    for key, (least, most) in _ELASTIC.items():
        numbers.append(_inside(key, given, least, most))
    return ElasticConfiguration(*numbers)


def _expiration(value: object) -> Expiration:
    given = _map(value, ("ExpirationDays", "ExpirationCriterion"))
    days = _inside("ExpirationDays", given, 1, 5475)
    return Expiration(days, _one_of(_CRITERIA)(given["ExpirationCriterion"]))


_PARSERS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "AppInstanceArn": ("app_instance_arn", _app_instance_arn),
    "ChimeBearer": ("bearer", _identity_arn),
    "Name": ("name", _name),
    "Mode": ("mode", _one_of(_MODES)),
    "Privacy": ("privacy", _one_of(_PRIVACIES)),
    "Metadata": ("metadata", _metadata),
    "ClientRequestToken": ("client_request_token", _token),
    "ChannelId": ("channel_id", _channel_id),
    "MemberArns": ("members", _identity_arns),
    "HiddenMemberArns": ("hidden", _identity_arns),
    "ModeratorArns": ("moderators", _identity_arns),
    "BanArns": ("bans", _identity_arns),
    "ChannelFlowArn": ("flow", _flow_arn),
    "Tags": ("tags", _tags),
    "ElasticChannelConfiguration": ("elastic", _elastic),
    "ExpirationSettings": ("expiration", _expiration),
    "AdoptExisting": ("adopt", _flag),
    "AdoptFromOtherOwner": ("adopt_from_other_owner", _flag),
    "Resync": ("resync", _text),
}
_PERSONS = ("MemberArns", "HiddenMemberArns", "ModeratorArns", "BanArns")
_REQUIRED = ("AppInstanceArn", "ChimeBearer", "Name")
CLOUDFORMATION_PROPERTIES = ("ServiceToken", "ServiceTimeout")


def _persons_together(declared: ChannelSpec) -> Iterator[str]:
    """Return what persons break together."""
    for name, identities in (
        ("ChimeBearer", (declared.bearer,)),
        ("MemberArns", declared.members),
        ("HiddenMemberArns", declared.hidden),
        ("ModeratorArns", declared.moderators),
        ("BanArns", declared.bans),
    ):
        for arn in identities:
            if arn and declared.app_instance_arn and arns.app_instance_of(arn) != declared.app_instance_arn:
                yield f"{name}: {_shown(arn)} belongs to another app instance than AppInstanceArn"
    everyone = {*declared.members, *declared.hidden, *declared.moderators, declared.bearer}
    for arn in declared.bans:
        if arn in everyone:
            yield f"BanArns: {_shown(arn)} is declared as member, moderator or bearer, too"
        if arns.is_bot(arn):
            yield f"BanArns: {_shown(arn)} is a bot, but only users can be banned"
    for arn in declared.hidden:
        if arn in declared.members:
            yield f"HiddenMemberArns: {_shown(arn)} is in MemberArns, too"
    if len(declared.moderators) > 1000:
        yield f"ModeratorArns: a channel has at most 1000 moderators, got {len(declared.moderators)}"


def _together(declared: ChannelSpec) -> Iterator[str]:
    """Return what breaks a rule between properties."""
    yield from _persons_together(declared)
    if declared.flow and declared.flow.partition("/channel-flow/")[0] != declared.app_instance_arn:
        yield "ChannelFlowArn: belongs to another app instance than AppInstanceArn"
    if declared.elastic:
        if declared.mode != "RESTRICTED":
            yield "Mode: must be RESTRICTED on an elastic channel"
        if declared.hidden:
            yield "HiddenMemberArns: an elastic channel has no hidden members"
        if declared.app_instance_arn and arns.region_of(declared.app_instance_arn) != "us-east-1":
            yield "ElasticChannelConfiguration: elastic channels exist in us-east-1 only"
    if declared.adopt and not declared.channel_id:
        yield "AdoptExisting: needs the ChannelId of the channel to adopt"
    if declared.adopt_from_other_owner and not declared.adopt:
        yield "AdoptFromOtherOwner: needs AdoptExisting"


def _expanded(value: object, app_instance_arn: object) -> object:
    """Complete the short form of users and bots: user/ID is one of this app instance."""
    if not isinstance(value, list) or not isinstance(app_instance_arn, str):
        return value
    short = ("user/", "bot/")
    return [
        f"{app_instance_arn}/{item}" if isinstance(item, str) and item.startswith(short) else item for item in value
    ]


def parse(properties: object) -> tuple[ChannelSpec, list[str]]:
    """Parse resource properties; what does not parse is left out and stands in the list of errors."""
    if not isinstance(properties, Mapping):
        return ChannelSpec(), ["ResourceProperties must be a map"]
    values: dict[str, Any] = {}
    errors = [f"{name}: is required" for name in _REQUIRED if name not in properties]
    for name, given in properties.items():
        if name in CLOUDFORMATION_PROPERTIES:
            continue
        value = _expanded(given, properties.get("AppInstanceArn")) if name in _PERSONS else given
        if name not in _PARSERS:
            errors.append(f"{_shown(name)}: is no property of Custom::ChimeChannel")
            continue
        attribute, parser = _PARSERS[name]
        try:
            values[attribute] = parser(value)
        except InvalidPropertyError as error:
            shown = "" if error.value is None or name in SECRET else f", got {_shown(error.value)}"
            errors.append(f"{name}{'' if error.rule.startswith('.') else ': '}{error.rule}{shown}")
    declared = ChannelSpec(**values)
    return declared, [*errors, *_together(declared)]
