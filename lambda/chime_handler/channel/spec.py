"""What the template declares of a channel: the properties of `Custom::ChimeChannel`, parsed once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from chime_handler import limits
from chime_handler.arns import (
    app_instance_errors,
    app_instance_of,
    is_bot,
    is_channel_flow_arn,
    is_channel_id,
    region_of,
)
from chime_handler.channel.ownership import OWN_PREFIX
from chime_handler.errors import InvalidPropertyError
from chime_handler.limits import Range
from chime_handler.shared import shown, unknown_property_errors

SECRET = ("Name", "Metadata", "Tags")
"""The properties of which no value is ever shown."""
_ELASTIC_LIMITS = {
    "MaximumSubChannels": limits.SUB_CHANNELS,
    "TargetMembershipsPerSubChannel": limits.MEMBERSHIPS_PER_SUB_CHANNEL,
    "MinimumMembershipPercentage": limits.MEMBERSHIP_PERCENTAGE,
}


class ElasticConfiguration(NamedTuple):
    """ElasticChannelConfiguration: fixed when a channel is created."""

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


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidPropertyError("must be a string", value)
    return value


def _number(value: object, limit: Range) -> int:
    # CloudFormation sends numbers as strings.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise InvalidPropertyError("must be a whole number", value)
    number = int(text)
    if not limit.includes(number):
        raise InvalidPropertyError(f"must be {limit}", number)
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
    errors = app_instance_errors("", value)
    if errors:
        raise InvalidPropertyError(errors[0].removeprefix(": "))
    return str(value)


def _identity_arn(value: object) -> str:
    arn = _text(value)
    if app_instance_of(arn) is None:
        raise InvalidPropertyError("must be the ARN of an app instance user or bot", arn)
    return arn


def _identity_arns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidPropertyError("must be a list of ARNs", value)
    return tuple(dict.fromkeys(_identity_arn(arn) for arn in value))


def _flow_arn(value: object) -> str:
    arn = _text(value)
    if not is_channel_flow_arn(arn):
        raise InvalidPropertyError("must be a channel flow's ARN", arn)
    return arn


def _name(value: object) -> str:
    name = _text(value)
    if not limits.NAME_LENGTH.includes(len(name)):
        raise InvalidPropertyError(f"must have {limits.NAME_LENGTH} characters, has {len(name)}")
    if not limits.NAME.fullmatch(name):
        raise InvalidPropertyError("has a control character; only tab, line feed and carriage return are allowed")
    return name


def _metadata(value: object) -> str:
    metadata = _text(value)
    size = len(metadata.encode("utf-8", "surrogatepass"))
    if size > limits.MAX_METADATA_BYTES:
        raise InvalidPropertyError(f"must have at most {limits.MAX_METADATA_BYTES} bytes as UTF-8, has {size}")
    return metadata


def _token(value: object) -> str:
    token = _text(value)
    if not limits.CLIENT_REQUEST_TOKEN.fullmatch(token):
        raise InvalidPropertyError(f"must be {limits.CLIENT_REQUEST_TOKEN_RULE}", token)
    return token


def _channel_id(value: object) -> str:
    channel_id = _text(value)
    if not is_channel_id(channel_id):
        raise InvalidPropertyError(f"must be {limits.ID_RULE}", channel_id)
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
        if not limits.TAG_KEY_LENGTH.includes(len(key)) or not limits.TAG_VALUE_LENGTH.includes(len(tag)):
            raise InvalidPropertyError(
                f"needs keys of {limits.TAG_KEY_LENGTH} and values of {limits.TAG_VALUE_LENGTH} characters"
            )
        if key.startswith(OWN_PREFIX):
            raise InvalidPropertyError(f"has a key that begins with {OWN_PREFIX}, which is reserved")
        if key in tags:
            raise InvalidPropertyError("has one key twice")
        tags[key] = tag
    if len(tags) > limits.MAX_TAGS:
        raise InvalidPropertyError(
            f"must be at most {limits.MAX_TAGS} (the service takes {limits.MAX_TAGS + 1}, one marks the owner), "
            f"has {len(tags)}"
        )
    return tags


def _number_of(key: str, given: Mapping[str, object], limit: Range) -> int:
    try:
        return _number(given[key], limit)
    except InvalidPropertyError as error:
        raise InvalidPropertyError(f".{key} {error.rule}", error.value) from None


def _elastic(value: object) -> ElasticConfiguration:
    given = _map(value, tuple(_ELASTIC_LIMITS))
    return ElasticConfiguration(*(_number_of(key, given, limit) for key, limit in _ELASTIC_LIMITS.items()))


def _expiration(value: object) -> Expiration:
    given = _map(value, ("ExpirationDays", "ExpirationCriterion"))
    days = _number_of("ExpirationDays", given, limits.DAYS)
    return Expiration(days, _one_of(limits.EXPIRATION_CRITERIA)(given["ExpirationCriterion"]))


_PARSERS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "AppInstanceArn": ("app_instance_arn", _app_instance_arn),
    "ChimeBearer": ("bearer", _identity_arn),
    "Name": ("name", _name),
    "Mode": ("mode", _one_of(limits.MODES)),
    "Privacy": ("privacy", _one_of(limits.PRIVACIES)),
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
PROPERTIES = frozenset(_PARSERS)
_PEOPLE = ("MemberArns", "HiddenMemberArns", "ModeratorArns", "BanArns")
_REQUIRED = ("AppInstanceArn", "ChimeBearer", "Name")


def _people_errors(spec: ChannelSpec) -> Iterator[str]:
    """Return the rules that members, moderators and bans break together."""
    for name, identities in (
        ("ChimeBearer", (spec.bearer,)),
        ("MemberArns", spec.members),
        ("HiddenMemberArns", spec.hidden),
        ("ModeratorArns", spec.moderators),
        ("BanArns", spec.bans),
    ):
        for arn in identities:
            if arn and spec.app_instance_arn and app_instance_of(arn) != spec.app_instance_arn:
                yield f"{name}: {shown(arn)} belongs to another app instance than AppInstanceArn"
    everyone = {*spec.members, *spec.hidden, *spec.moderators, spec.bearer}
    for arn in spec.bans:
        if arn in everyone:
            yield f"BanArns: {shown(arn)} is declared as member, moderator or bearer, too"
        if is_bot(arn):
            yield f"BanArns: {shown(arn)} is a bot, but only users can be banned"
    for arn in spec.hidden:
        if arn in spec.members:
            yield f"HiddenMemberArns: {shown(arn)} is in MemberArns, too"
    if len(spec.moderators) > limits.MAX_MODERATORS:
        yield f"ModeratorArns: a channel has at most {limits.MAX_MODERATORS} moderators, got {len(spec.moderators)}"


def _combination_errors(spec: ChannelSpec) -> Iterator[str]:
    """Return what breaks a rule between properties."""
    yield from _people_errors(spec)
    if spec.flow and spec.flow.partition("/channel-flow/")[0] != spec.app_instance_arn:
        yield "ChannelFlowArn: belongs to another app instance than AppInstanceArn"
    if spec.elastic:
        if spec.mode != "RESTRICTED":
            yield "Mode: must be RESTRICTED on an elastic channel"
        if spec.hidden:
            yield "HiddenMemberArns: an elastic channel has no hidden members"
        if spec.app_instance_arn and region_of(spec.app_instance_arn) not in limits.ELASTIC_REGIONS:
            regions = " and ".join(limits.ELASTIC_REGIONS)
            yield f"ElasticChannelConfiguration: elastic channels exist in {regions} only"
    if spec.adopt and not spec.channel_id:
        yield "AdoptExisting: needs the ChannelId of the channel to adopt"
    if spec.adopt_from_other_owner and not spec.adopt:
        yield "AdoptFromOtherOwner: needs AdoptExisting"


def _expanded(value: object, app_instance_arn: object) -> object:
    """Complete the short form of users and bots: user/ID is one of this app instance."""
    if not isinstance(value, list) or not isinstance(app_instance_arn, str):
        return value
    short = ("user/", "bot/")
    return [
        f"{app_instance_arn}/{item}" if isinstance(item, str) and item.startswith(short) else item for item in value
    ]


def parse_spec(properties: object) -> tuple[ChannelSpec, list[str]]:
    """Parse resource properties; what does not parse is left out and stands in the list of errors."""
    if not isinstance(properties, Mapping):
        return ChannelSpec(), ["ResourceProperties must be a map"]
    values: dict[str, Any] = {}
    errors = [f"{name}: is required" for name in _REQUIRED if name not in properties]
    errors += unknown_property_errors("Custom::ChimeChannel", properties, _PARSERS)
    for name, (attribute, parser) in _PARSERS.items():
        if name not in properties:
            continue
        given = properties[name]
        value = _expanded(given, properties.get("AppInstanceArn")) if name in _PEOPLE else given
        try:
            values[attribute] = parser(value)
        except InvalidPropertyError as error:
            errors.append(_describe(name, error))
    spec = ChannelSpec(**values)
    return spec, [*errors, *_combination_errors(spec)]


def _describe(name: str, error: InvalidPropertyError) -> str:
    """Return rule and value, the latter not of a property that is secret."""
    separator = "" if error.rule.startswith(".") else ": "
    value = "" if error.value is None or name in SECRET else f", got {shown(error.value)}"
    return f"{name}{separator}{error.rule}{value}"
