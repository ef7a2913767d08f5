"""The native CloudFormation types `AWS::Chime::…`, for MiniStack's CloudFormation.

Their replacement rules are those of the published schemas; `AWS::Chime::Channel` replaces the channel, and so
loses its messages, when the bearer, the members or the moderators change.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chime_local.chime import REGIONS, ChimeError, ChimeService
from chime_local.cloudformation._ministack import CloudFormation

Properties = dict[str, Any]
_NUMBERS = frozenset(
    {
        "ExpirationDays",
        "MaximumSubChannels",
        "TargetMembershipsPerSubChannel",
        "MinimumMembershipPercentage",
        "ExecutionOrder",
    }
)
_MAX_READS = 10


@dataclass(frozen=True)
class NativeType:
    """A type: its properties, which of them replace or are changed by Update…, and how the service names it."""

    name: str
    arn: str
    """The parameter that holds its ARN, and the attribute where `attribute` names no other."""
    properties: tuple[str, ...]
    updates: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    expires: str = ""
    """The operation that puts ExpirationSettings."""
    attribute: str = ""
    service_name: str = "chime-sdk-identity"
    regions: tuple[str, ...] = REGIONS

    @property
    def identifiers(self) -> tuple[str, ...]:
        """What names a resource that is imported; the last is its ARN."""
        bearer = ("ChimeBearer",) if "ChimeBearer" in self.properties else ()
        return (*bearer, self.attribute or self.arn)


TYPES = (
    NativeType("AppInstance", "AppInstanceArn", ("Name", "Metadata"), ("Name", "Metadata")),
    NativeType(
        "AppInstanceUser",
        "AppInstanceUserArn",
        ("AppInstanceArn", "AppInstanceUserId", "Name", "Metadata", "ExpirationSettings"),
        ("Name", "Metadata"),
        ("AppInstanceArn", "AppInstanceUserId"),
        "PutAppInstanceUserExpirationSettings",
    ),
    NativeType(
        "AppInstanceBot",
        "AppInstanceBotArn",
        ("AppInstanceArn", "Configuration", "Name", "Metadata"),
        ("Name", "Metadata", "Configuration"),
        ("AppInstanceArn",),
    ),
    NativeType(
        "ChannelFlow",
        "ChannelFlowArn",
        ("AppInstanceArn", "Processors", "Name"),
        ("Processors", "Name"),
        ("AppInstanceArn",),
        attribute="Arn",
        service_name="chime-sdk-messaging",
    ),
    NativeType(
        "Channel",
        "ChannelArn",
        (
            "AppInstanceArn",
            "ChannelId",
            "ChimeBearer",
            "ElasticChannelConfiguration",
            "ExpirationSettings",
            "MemberArns",
            "Metadata",
            "Mode",
            "ModeratorArns",
            "Name",
            "Privacy",
        ),
        ("Name", "Mode", "Metadata"),
        (
            "AppInstanceArn",
            "ChannelId",
            "ChimeBearer",
            "ElasticChannelConfiguration",
            "MemberArns",
            "ModeratorArns",
            "Privacy",
        ),
        "PutChannelExpirationSettings",
        "Arn",
        "chime-sdk-messaging",
        ("us-east-1",),
    ),
)


class NativeTypes:
    """Create, update and delete of the native types, over the emulated service."""

    def __init__(self, service: ChimeService) -> None:
        self._service = service

    def register(self, ministack: CloudFormation) -> None:
        """Add the types to MiniStack's tables of handlers, of replacing properties, of tags and of imports."""
        for one in TYPES:
            name = f"AWS::Chime::{one.name}"
            handlers = _Handlers(self._service, one, ministack)
            ministack.resource_handlers[name] = handlers.methods()
            ministack.import_lookups[name] = (one.identifiers, handlers.import_error)
            ministack.replacing_properties[name] = one.replaces
            ministack.stack_tag_properties[name] = ("Tags", "list")
        ministack.resource_handlers[_LEX_POLICY] = _lex_policy_methods()
        ministack.replacing_properties[_LEX_POLICY] = ("ResourceArn",)


_LEX_POLICY = "AWS::Lex::ResourcePolicy"


def _lex_policy_methods() -> dict[str, Any]:
    """Return what CloudFormation does to policies of Lex: they are taken, and nobody reads them."""

    def create(_logical_id: str, _given: Properties, _stack: str) -> tuple[str, Properties]:
        made = str(uuid.uuid4())
        return made, {"Id": made, "RevisionId": made}

    def update(id_: str, _old: Properties, _new: Properties, _stack: str) -> tuple[str, Properties]:
        return id_, {"Id": id_, "RevisionId": str(uuid.uuid4())}

    return {"create": create, "update": update, "delete": lambda _id, _given: None}


class _Handlers:
    """What CloudFormation does to resources of one type; the signatures are MiniStack's."""

    def __init__(self, service: ChimeService, native: NativeType, ministack: CloudFormation) -> None:
        self._service = service
        self._ministack = ministack
        self._type = native

    def methods(self) -> dict[str, Any]:
        return {"create": self.create, "update": self.update, "delete": self.delete, "import": self.import_}

    def import_error(self, *identifiers: str) -> str | None:
        """Return why a resource cannot be imported; None where it can."""
        try:
            self.import_(dict(zip(self._type.identifiers, identifiers, strict=True)))
        except ValueError as error:
            return str(error)
        return None

    def import_(self, identifier: Properties) -> tuple[str, Properties]:
        return self._result(str(identifier[self._type.identifiers[-1]]), identifier)

    def create(self, _logical_id: str, given: Properties, _stack: str) -> tuple[str, Properties]:
        self._check(given)
        made = self._call(
            f"Create{self._type.name}",
            **{name: given.get(name) for name in self._type.properties},
            Tags=[{"Key": key, "Value": value} for key, value in _tags(given).items()] or None,
            ClientRequestToken=str(uuid.uuid4()),
        )
        return self._result(str(made[self._type.arn]), given)

    def update(self, arn: str, old: Properties, new: Properties, _stack: str) -> tuple[str, Properties]:
        self._check(new)
        here = {self._type.arn: arn, **_bearer(new)}
        if any(old.get(name) != new.get(name) for name in self._type.updates):
            # What the template no longer says is cleared; "" is how the API clears a text.
            given = {
                name: new.get(name, "") if name in ("Name", "Metadata") else new.get(name)
                for name in self._type.updates
            }
            self._call(f"Update{self._type.name}", **here, **given)
        if self._type.expires and old.get("ExpirationSettings") != new.get("ExpirationSettings"):
            self._call(self._type.expires, **here, ExpirationSettings=new.get("ExpirationSettings"))
        before, after = _tags(old), _tags(new)
        gone = [key for key in before if key not in after]
        if gone:
            self._call("UntagResource", ResourceARN=arn, TagKeys=gone)
        if after.items() - before.items():
            changed = [{"Key": key, "Value": value} for key, value in after.items()]
            self._call("TagResource", ResourceARN=arn, Tags=changed)
        return self._result(arn, new)

    def delete(self, arn: str, given: Properties) -> None:
        try:
            self._call(f"Delete{self._type.name}", **{self._type.arn: arn}, **_bearer(given))
        except ValueError as error:
            # What is gone is deleted; the service says so in its own words, with whatever code.
            if "is not there" not in str(error):
                raise

    def _result(self, arn: str, given: Properties) -> tuple[str, Properties]:
        """Return Ref and the attributes of Fn::GetAtt."""
        shown = self._describe(arn, given)
        known = {name: _text(shown.get(name)) for name in ("CreatedTimestamp", "LastUpdatedTimestamp")}
        known[self._type.attribute or self._type.arn] = arn
        if self._type.name == "ChannelFlow":
            known |= {"ChannelFlowId": arn.rpartition("/")[2], "AppInstanceId": arn.split("/")[1]}
        if self._type.name == "Channel":
            known |= {name: _text(shown.get(name)) for name in ("ChannelFlowArn", "LastMessageTimestamp")}
            creator = shown.get("CreatedBy") or {}
            known |= {f"CreatedBy.{name}": _text(creator.get(name)) for name in ("Arn", "Name")}
        return arn, known

    def _describe(self, arn: str, given: Properties) -> dict[str, Any]:
        """Read a resource; its first reads may miss it."""
        for attempt in range(_MAX_READS):
            try:
                answer = self._call(f"Describe{self._type.name}", **{self._type.arn: arn}, **_bearer(given))
            except ValueError:
                if attempt == _MAX_READS - 1:
                    raise
            else:
                return dict(answer[self._type.name])
        raise AssertionError("the last attempt returns or raises")

    def _check(self, given: Properties) -> None:
        for name in given:
            if name not in (*self._type.properties, "Tags"):
                raise ValueError(f"Properties validation failed: #: extraneous key [{name}] is not permitted")

    def _call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        region = self._ministack.region()
        if region not in self._type.regions:
            there = ", ".join(self._type.regions)
            raise ValueError(f"AWS::Chime::{self._type.name} does not exist in {region}, only in {there}")
        given = {key: _typed(value, key) for key, value in parameters.items() if value is not None}
        try:
            return self._service.call(operation, given, service_name=self._type.service_name, region=region)
        except ChimeError as error:
            raise ValueError(f"{operation}: {error.code}: {error.message}") from None


def _bearer(given: Properties) -> Properties:
    return {"ChimeBearer": given["ChimeBearer"]} if "ChimeBearer" in given else {}


def _tags(given: Properties) -> dict[str, str]:
    """Return the user's tags, those of the stack among them, without CloudFormation's own."""
    listed = given.get("Tags") or ()
    return {str(tag["Key"]): str(tag["Value"]) for tag in listed if not str(tag["Key"]).startswith("aws:")}


def _typed(value: Any, name: str = "") -> Any:
    """Turn the numbers, which templates may write as strings, into what the API takes."""
    if isinstance(value, dict):
        return {key: _typed(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if name in _NUMBERS and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value or "")
