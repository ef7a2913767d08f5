"""Compares what the last successful request of each custom resource declared with what the service has.

Only what is declared can differ. What is there besides is others': people added at run time, tags of other tools.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chime_local.chime import ChimeService
from chime_local.chime.state import AppInstance, Channel
from chime_local.console.words import OWNER_TAG
from chime_local.recording import Request

SAME, DIFFERS, MISSING, UNKNOWN = "as declared", "differs", "not there", "not comparable"
_MARKS = "cdk-chime-messaging:"
_NOT_OF_THE_STATE = {
    "ClientRequestToken": "a token of the first creation",
    "AdoptExisting": "says how, not what",
    "AdoptFromOtherOwner": "says how, not what",
    "Resync": "says when, not what",
}
_OF_CLOUDFORMATION = ("ServiceToken", "ServiceTimeout")
_DEFAULTS = {"Mode": "RESTRICTED", "Privacy": "PRIVATE"}


@dataclass(frozen=True)
class Row:
    """One property, declared and actual."""

    name: str
    declared: Any
    actual: Any
    state: str
    others: tuple[str, ...] = ()
    """What is there and not declared, so that it is none of the stack's business."""
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """One custom resource, declared and actual."""

    request: Request
    """The last that succeeded."""
    resource_type: str
    state: str
    rows: tuple[Row, ...] = ()
    owner: str = ""
    """What the owner's mark says."""
    note: str = ""


@dataclass
class _Found:
    """What a comparison gathers."""

    rows: list[Row] = field(default_factory=list)
    owner: str = ""

    def compare(self, name: str, declared: Any, actual: Any, **more: Any) -> None:
        """Compare two values."""
        self.rows.append(
            Row(name, declared, actual, SAME if _plain(declared) == _plain(actual) else DIFFERS, **more)
        )

    def compare_sets(self, name: str, declared: Iterable[str], actual: Iterable[str]) -> None:
        """Compare what is declared with what is there of it; the rest is others'."""
        wanted, there = dict.fromkeys(declared), dict.fromkeys(actual)
        kept = [one for one in wanted if one in there]
        missing = [one for one in wanted if one not in there]
        others = tuple(one for one in there if one not in wanted)
        # What is missing comes first: of many, a page shows the first ones.
        self.rows.append(Row(name, missing + kept, kept, DIFFERS if missing else SAME, others))


def compare(service: ChimeService, request: Request) -> Comparison:
    """Compare what a request declared; to be called with the service's lock held."""
    resource_type = str(request.event.get("ResourceType", ""))
    comparer = _COMPARERS.get(resource_type)
    if comparer is None:
        note = "Not one of this package's types: only its own Lambda knows what is declared with it."
        return Comparison(request, resource_type, UNKNOWN, note=note)
    properties = request.event.get("ResourceProperties") or {}
    found = _Found()
    try:
        missing = comparer(service, request, properties, found)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Whoever writes the template may give such a type another Lambda, and that any properties.
        return Comparison(request, resource_type, UNKNOWN, note="The properties are none that this type has.")
    if missing:
        return Comparison(request, resource_type, MISSING, note=missing)
    rows = (*found.rows, *_uncompared(properties, found.rows))
    state = DIFFERS if any(row.state == DIFFERS for row in rows) else SAME
    return Comparison(request, resource_type, state, rows, found.owner)


def _uncompared(properties: Mapping[str, Any], rows: Iterable[Row]) -> Iterator[Row]:
    """List what is declared and was not compared."""
    compared = {row.name for row in rows}
    for name, value in properties.items():
        if name not in compared and name not in _OF_CLOUDFORMATION:
            yield Row(name, value, None, UNKNOWN, note=_NOT_OF_THE_STATE.get(name, "the engine does not know how"))


def _plain(value: Any) -> Any:
    """Make a value comparable: CloudFormation sends every scalar as a string."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return "" if value is None else str(value)


def owner_of(stack_id: str, logical_id: str) -> str:
    """Return how the owner's mark of a resource begins; a test compares it with the Lambda's."""
    readable = re.sub(r"[^A-Za-z0-9]", "", logical_id)[:64] or "Channel"
    digest = hashlib.sha256(f"{stack_id!r}\0{logical_id!r}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable}-{digest[:32]}"


# Each compares one type, and returns why there is nothing to compare with, where that is so.


def _compare_channel(
    service: ChimeService, request: Request, properties: Mapping[str, Any], found: _Found
) -> str | None:
    arn = request.physical_id_after
    there = service.get_channel(arn)
    if there is None:
        return f"There is no channel {arn}: it was deleted, or has expired."
    app, channel = there
    found.compare("AppInstanceArn", properties.get("AppInstanceArn"), app.arn)
    _compare_bearer(app, properties, found)
    _compare_settings(channel, properties, found)
    _compare_people(app, channel, properties, found)
    _compare_tags(service.tags.get(arn, {}), request, properties, found)
    return None


def _compare_bearer(app: AppInstance, properties: Mapping[str, Any], found: _Found) -> None:
    """Compare who manages a channel with who is there: it is in the declaration alone."""
    bearer = str(properties.get("ChimeBearer", ""))
    found.compare("ChimeBearer", bearer, bearer if bearer in app.identities else None, note=_role(app, bearer))


def _role(app: AppInstance, arn: str) -> str:
    if arn not in app.identities:
        return "is no user or bot of the app instance any more"
    return "is admin" if arn in app.admins else "is no admin"


def _compare_settings(channel: Channel, properties: Mapping[str, Any], found: _Found) -> None:
    actual = {
        "ChannelId": channel.arn.rpartition("/")[2],  # derived where it is not declared
        "Name": channel.name,
        "Mode": channel.mode,
        "Privacy": channel.privacy,
        "Metadata": channel.metadata,
        "ExpirationSettings": channel.expiration,
        "ElasticChannelConfiguration": channel.elastic,
        "ChannelFlowArn": channel.flow,
    }
    for name, value in actual.items():
        declared = properties.get(name, _DEFAULTS.get(name))
        if declared is not None:
            found.compare(name, declared, value)
        elif value and name != "ChannelId":
            found.rows.append(Row(name, None, None, SAME, (str(value),)))


def _compare_people(app: AppInstance, channel: Channel, properties: Mapping[str, Any], found: _Found) -> None:
    actual = {
        "MemberArns": [arn for arn, kind in channel.members.items() if kind == "DEFAULT"],
        "HiddenMemberArns": [arn for arn, kind in channel.members.items() if kind == "HIDDEN"],
        "ModeratorArns": list(channel.moderators),
        "BanArns": list(channel.bans),
    }
    for name, there in actual.items():
        declared = properties.get(name) or []
        if declared or there:
            found.compare_sets(name, [_full_arn(app, str(one)) for one in declared], there)


def _full_arn(app: AppInstance, given: str) -> str:
    return f"{app.arn}/{given}" if given.startswith(("user/", "bot/")) else given


def _compare_tags(tags: Mapping[str, str], request: Request, properties: Mapping[str, Any], found: _Found) -> None:
    given = properties.get("Tags") or {}
    declared = {tag["Key"]: tag["Value"] for tag in given} if isinstance(given, list) else dict(given)
    others = tuple(
        f"{key}={value}" for key, value in tags.items() if key not in declared and not key.startswith(_MARKS)
    )
    kept = {key: tags[key] for key in declared if key in tags}
    if declared or others:
        state = SAME if kept == declared else DIFFERS
        found.rows.append(Row("Tags", declared, kept, state, others))
    mark = tags.get(OWNER_TAG)
    if mark is None:
        found.owner = "no owner's mark: the next deploy does not touch this channel"
    elif mark.rpartition(".")[0] == owner_of(str(request.event["StackId"]), request.logical_id):
        found.owner = "ours, adopted" if mark.endswith("-adopted") else "ours"
    else:
        found.owner = f"another's mark ({mark}): this stack does not touch the channel"


def _compare_attachment(
    service: ChimeService, request: Request, properties: Mapping[str, Any], found: _Found
) -> str | None:
    arn = str(properties.get("ChannelArn", ""))
    there = service.get_channel(arn)
    if there is None:
        return f"There is no channel {arn}."
    found.compare("ChannelArn", arn, there[1].arn)
    _compare_bearer(there[0], properties, found)
    channel, kind = there[1], str(request.event["ResourceType"]).removeprefix("Custom::ChimeChannel")
    if kind == "FlowAssociation":
        found.compare("ChannelFlowArn", properties.get("ChannelFlowArn"), channel.flow)
        return None
    member = str(properties.get("MemberArn", ""))
    groups: dict[str, Iterable[str]] = {
        "Membership": channel.members,
        "Moderator": channel.moderators,
        "Ban": channel.bans,
    }
    found.compare("MemberArn", member, member if member in groups[kind] else None)
    if kind == "Membership":
        found.compare("Type", properties.get("Type", "DEFAULT"), channel.members.get(member))
    return None


def _app_instance(service: ChimeService, properties: Mapping[str, Any], found: _Found) -> AppInstance | None:
    arn = str(properties.get("AppInstanceArn", ""))
    app = service.app_instances.get(arn)
    if app is not None:
        found.compare("AppInstanceArn", arn, app.arn)
    return app


def _compare_admin(
    service: ChimeService, _request: Request, properties: Mapping[str, Any], found: _Found
) -> str | None:
    app = _app_instance(service, properties, found)
    if app is None:
        return f"There is no app instance {properties.get('AppInstanceArn')}."
    admin = str(properties.get("AppInstanceAdminArn", ""))
    found.compare("AppInstanceAdminArn", admin, admin if admin in app.admins else None)
    marks = sum(key.startswith(f"{_MARKS}admin-") for key in service.tags.get(admin, {}))
    found.owner = f"{marks} {'resource holds' if marks == 1 else 'resources hold'} on to this right"
    return None


def _compare_retention(
    service: ChimeService, _request: Request, properties: Mapping[str, Any], found: _Found
) -> str | None:
    app = _app_instance(service, properties, found)
    if app is None:
        return f"There is no app instance {properties.get('AppInstanceArn')}."
    actual = (app.retention.get("ChannelRetentionSettings") or {}).get("RetentionDays")
    found.compare("RetentionDays", properties.get("RetentionDays"), actual)
    return None


def _compare_streaming(
    service: ChimeService, _request: Request, properties: Mapping[str, Any], found: _Found
) -> str | None:
    app = _app_instance(service, properties, found)
    if app is None:
        return f"There is no app instance {properties.get('AppInstanceArn')}."
    actual = {one["DataType"]: one["ResourceArn"] for one in app.streaming}
    declared = properties.get("StreamArns") or {}
    kept = {key: actual[key] for key in declared if key in actual}
    others = tuple(f"{key}: {arn}" for key, arn in actual.items() if key not in declared)
    found.compare("StreamArns", dict(declared), kept, others=others)
    return None


_Comparer = Callable[[ChimeService, Request, Mapping[str, Any], _Found], "str | None"]
_COMPARERS: dict[str, _Comparer] = {
    "Custom::ChimeChannel": _compare_channel,
    "Custom::ChimeChannelMembership": _compare_attachment,
    "Custom::ChimeChannelModerator": _compare_attachment,
    "Custom::ChimeChannelBan": _compare_attachment,
    "Custom::ChimeChannelFlowAssociation": _compare_attachment,
    "Custom::ChimeAppInstanceAdmin": _compare_admin,
    "Custom::ChimeAppInstanceRetention": _compare_retention,
    "Custom::ChimeAppInstanceStreaming": _compare_streaming,
}
