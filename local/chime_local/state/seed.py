"""Seeds: app instances, users, channels and messages from NDJSON (docs/state.md).

Every record is checked by AWS's own model of the call that would create it, and then put into the service as it is:
its ARN and its time are those of the seed, which no call takes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chime_local.chime import ChimeError, ChimeService
from chime_local.chime.backend import check_metadata, to_datetime
from chime_local.chime.model import validate
from chime_local.chime.service import REGIONS
from chime_local.chime.state import AppInstance, Channel, Write
from chime_local.state.errors import SeedError

Outputs = Mapping[str, Mapping[str, str]]
_Message = tuple[str, str, datetime]
"""By which a message is known: sender, content and time."""
_OUTPUT = re.compile(r"\$\{(!?)([A-Za-z][A-Za-z0-9-]*)\.([A-Za-z0-9]+)\}")
_ARN = re.compile(
    rf"(?P<app>arn:aws:chime:(?:{'|'.join(REGIONS)}):\d{{12}}:app-instance/[A-Za-z0-9_-]+)"
    r"(?:/(?P<kind>user|bot|channel)/(?P<id>[^/]+))?"
)
_EXAMPLE = "arn:aws:chime:us-east-1:000000000000:app-instance/ID"
_TOKEN = "seed"
_MESSAGE_DETAILS = ("ContentType", "MessageAttributes", "Target")


class _WrongLineError(Exception):
    """What is wrong with a line."""


@dataclass(frozen=True)
class _Kind:
    """The fields of a kind of record, and what puts it into the service; that returns whether it was new."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    add: Callable[[_Seeder, dict[str, Any]], bool]


def apply_seed(service: ChimeService, text: str, source: str, outputs: Outputs) -> dict[str, int]:
    """Put a seed into the service and return how many records of each kind were new.

    Raises SeedError that names the file and the line; nothing is applied then.
    """
    with service.lock:
        before = service.copy_state()
        seeder = _Seeder(service)
        for number, line in enumerate(text.split("\n"), 1):
            try:
                if line.strip():
                    seeder.add(_parse(line, outputs))
            except BaseException as wrong:
                service.import_state(service.read_copy(before))
                if isinstance(wrong, (RecursionError, TypeError)):
                    wrong = _WrongLineError("it is nested too deeply, or a value is of a wrong type")
                if not isinstance(wrong, (_WrongLineError, ChimeError)):
                    raise
                message = wrong.message if isinstance(wrong, ChimeError) else str(wrong)
                raise SeedError(f"{source}, line {number}: {message.rstrip('.')}; nothing was applied") from None
        seeder.finish()
    return dict(seeder.added)


def _parse(line: str, outputs: Outputs) -> dict[str, Any]:
    try:
        record = json.loads(line, parse_constant=_refuse_constant)
    except RecursionError:
        raise _WrongLineError("it is nested too deeply") from None
    except ValueError as wrong:
        raise _WrongLineError(f"it is not JSON ({wrong})") from None
    if not isinstance(record, dict):
        raise _WrongLineError('it is not a JSON object such as {"Kind": "AppInstance", …}')
    filled: dict[str, Any] = _fill(record, outputs)
    return filled


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _fill(value: Any, outputs: Outputs) -> Any:
    """Replace ${StackName.OutputKey} in all strings; ${!…} stands for ${…}, as in CloudFormation's Fn::Sub."""
    if isinstance(value, str):
        return _OUTPUT.sub(lambda found: _output(found, outputs), value)
    if isinstance(value, list):
        return [_fill(one, outputs) for one in value]
    if isinstance(value, dict):
        return {key: _fill(one, outputs) for key, one in value.items()}
    return value


def _output(found: re.Match[str], outputs: Outputs) -> str:
    literal, stack, key = found.groups()
    if literal:
        return f"${{{stack}.{key}}}"
    if stack not in outputs:
        there = ", ".join(sorted(outputs)) or "none"
        raise _WrongLineError(
            f"{found[0]}: there is no stack {stack} (there are: {there}); ${{!{stack}.{key}}} stands for the text"
        )
    if key not in outputs[stack]:
        there = ", ".join(sorted(outputs[stack])) or "none"
        raise _WrongLineError(f"{found[0]}: the stack {stack} has no output {key}; it has: {there}")
    return outputs[stack][key]


@dataclass
class _Seeder:
    """Puts records into a service whose lock is held."""

    service: ChimeService
    added: Counter[str] = field(default_factory=Counter)
    _changed: dict[str, Channel] = field(default_factory=dict)
    """Channels with new messages, by ARN."""
    _known: dict[str, set[_Message]] = field(default_factory=dict)

    def add(self, record: dict[str, Any]) -> None:
        """Put in one record, unless it is there already."""
        name = record.pop("Kind", None)
        if not isinstance(name, str) or name not in _KINDS:
            raise _WrongLineError(f"Kind is {name!r}; it must be one of {', '.join(_KINDS)}")
        kind = _KINDS[name]
        for missing in kind.required:
            if record.get(missing) is None:
                raise _WrongLineError(f"{missing} is missing")
        unknown = [one for one in record if one not in (*kind.required, *kind.optional)]
        if unknown:
            fields = ", ".join((*kind.required, *kind.optional))
            raise _WrongLineError(f"{name} has no field {unknown[0]}; it has: {fields}")
        given = {key: value for key, value in record.items() if value is not None}
        check_metadata({"Metadata": given["Metadata"] if isinstance(given.get("Metadata"), str) else ""})
        self.added[name] += kind.add(self, given)

    def finish(self) -> None:
        """Order the messages by their time, as the service would have got them."""
        for channel in self._changed.values():
            ordered = sorted(channel.messages.items(), key=lambda one: one[1]["CreatedTimestamp"])
            channel.messages = dict(ordered)
            channel.last_message = ordered[-1][1]["CreatedTimestamp"].timestamp()

    # One method for each kind

    def add_app_instance(self, given: dict[str, Any]) -> bool:
        arn = _parse_arn("AppInstanceArn", given["AppInstanceArn"], None)["app"]
        _check("chime-sdk-identity", "CreateAppInstance", given)
        if arn in self.service.app_instances:
            return False
        metadata = given.get("Metadata", "")
        self.service.app_instances[arn] = AppInstance(arn, given["Name"], metadata, self.service.clock())
        return True

    def add_user(self, given: dict[str, Any]) -> bool:
        arn = given["AppInstanceUserArn"]
        app = self._app("AppInstanceUserArn", arn, "user")
        shape = {"AppInstanceArn": app.arn, "AppInstanceUserId": arn.rpartition("/")[2]}
        _check("chime-sdk-identity", "CreateAppInstanceUser", {**given, **shape})
        if arn in app.identities:
            return False
        now = to_datetime(self.service.clock())
        app.identities[arn] = {
            "AppInstanceUserArn": arn,
            "Name": given["Name"],
            "Metadata": given.get("Metadata", ""),
            "CreatedTimestamp": now,
            "LastUpdatedTimestamp": now,
        }
        return True

    def add_channel(self, given: dict[str, Any]) -> bool:
        arn = given["ChannelArn"]
        app = self._app("ChannelArn", arn, "channel")
        creator = given.get("CreatedBy", "")
        if isinstance(creator, dict):  # as DescribeChannel returns it
            creator = creator.get("Arn", "")
        if creator:
            self._require_identity(app, "CreatedBy", creator)
        channel_id = arn.rpartition("/")[2]
        shape = {
            "AppInstanceArn": app.arn,
            "ChannelId": channel_id,
            "ChimeBearer": creator or f"{app.arn}/user/none",
        }
        _check("chime-sdk-messaging", "CreateChannel", {**given, **shape})
        if self.service.get_channel(arn):
            return False
        if given.get("ElasticChannelConfiguration") and given["Mode"] != "RESTRICTED":
            raise _WrongLineError("an elastic channel must be RESTRICTED")
        now = self._parse_time("CreatedTimestamp", given).timestamp()
        channel = Channel(
            arn=arn,
            name=given["Name"],
            mode=given["Mode"],
            privacy=given["Privacy"],
            metadata=given.get("Metadata", ""),
            token=f"{_TOKEN}-{channel_id}",
            created_by=creator,
            created=now,
            updated=now,
            elastic=given.get("ElasticChannelConfiguration"),
            expiration=given.get("ExpirationSettings"),
        )
        channel.creation = Write(0.0)  # long ago, so that no read misses it
        app.channels[arn] = channel
        if given.get("Tags"):
            self.service.tags[arn] = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
        return True

    def add_membership(self, given: dict[str, Any]) -> bool:
        app, channel = self._channel(given)
        member = self._require_identity(app, "MemberArn", given["MemberArn"])
        _check("chime-sdk-messaging", "CreateChannelMembership", {**given, "ChimeBearer": member})
        if member in channel.bans:
            raise _WrongLineError(f"{member} is banned from {channel.arn}")
        if member in channel.members:
            return False
        channel.members[member] = given["Type"]
        return True

    def add_moderator(self, given: dict[str, Any]) -> bool:
        app, channel = self._channel(given)
        moderator = self._require_identity(app, "ChannelModeratorArn", given["ChannelModeratorArn"])
        is_new = moderator not in channel.moderators
        channel.moderators[moderator] = None
        return is_new

    def add_ban(self, given: dict[str, Any]) -> bool:
        app, channel = self._channel(given)
        member = self._require_identity(app, "MemberArn", given["MemberArn"])
        if member in channel.members or member in channel.moderators:
            raise _WrongLineError(f"{member} is a member or moderator of {channel.arn}, and cannot be banned")
        is_new = member not in channel.bans
        channel.bans[member] = None
        return is_new

    def add_message(self, given: dict[str, Any]) -> bool:
        app, channel = self._channel(given)
        sender = given["SenderArn"]
        # Messages stay when their senders are deleted, so that it need not be there.
        if _parse_arn("SenderArn", sender, ("user", "bot"))["app"] != app.arn:
            raise _WrongLineError(f"SenderArn {sender} is not of the channel's app instance")
        message = {"Type": "STANDARD", "Persistence": "PERSISTENT", **given, "ChimeBearer": sender}
        _check(
            "chime-sdk-messaging",
            "SendChannelMessage",
            {**message, "Content": "-" if given["Content"] == "" else given["Content"]},
        )
        created = self._parse_time("CreatedTimestamp", given)
        if message["Persistence"] != "PERSISTENT":
            raise _WrongLineError(f"Persistence is {message['Persistence']}; only PERSISTENT messages are kept")
        message_id = given.get("MessageId") or self.service.new_id()
        _check("chime-sdk-messaging", "GetChannelMessage", {**message, "MessageId": message_id})
        known = self._known_messages(channel)
        is_known = "CreatedTimestamp" in given and (sender, given["Content"], created) in known
        if message_id in channel.messages or is_known:
            return False
        known.add((sender, given["Content"], created))
        name = str(app.identities.get(sender, {}).get("Name", ""))
        channel.messages[message_id] = {
            "MessageId": message_id,
            "Content": given["Content"],
            "Metadata": given.get("Metadata", ""),
            "Type": message["Type"],
            "CreatedTimestamp": created,
            "LastUpdatedTimestamp": created,
            "Sender": {"Arn": sender, "Name": name},
            "Redacted": given["Content"] == "",
            **{key: given[key] for key in _MESSAGE_DETAILS if key in given},
        }
        if "LastEditedTimestamp" in given:
            edited = self._parse_time("LastEditedTimestamp", given)
            channel.messages[message_id] |= {"LastEditedTimestamp": edited, "LastUpdatedTimestamp": edited}
        self._changed[channel.arn] = channel
        return True

    # What the fields name

    def _app(self, name: str, arn: Any, kind: str) -> AppInstance:
        app_arn = _parse_arn(name, arn, (kind,))["app"]
        app = self.service.app_instances.get(app_arn)
        if app is None:
            raise _WrongLineError(f"{name} {arn}: the app instance {app_arn} is not there")
        return app

    def _channel(self, given: dict[str, Any]) -> tuple[AppInstance, Channel]:
        arn = given["ChannelArn"]
        self._app("ChannelArn", arn, "channel")
        found = self.service.get_channel(arn)
        if found is None:
            raise _WrongLineError(f"the channel {arn} is not there")
        return found

    def _known_messages(self, channel: Channel) -> set[_Message]:
        if channel.arn not in self._known:
            self._known[channel.arn] = {
                (one["Sender"]["Arn"], one["Content"], one["CreatedTimestamp"]) for one in channel.messages.values()
            }
        return self._known[channel.arn]

    def _require_identity(self, app: AppInstance, name: str, arn: Any) -> str:
        _parse_arn(name, arn, ("user", "bot"))
        if arn not in app.identities:
            raise _WrongLineError(f"{name} {arn} is not a user or bot of the app instance")
        return str(arn)

    def _parse_time(self, name: str, given: dict[str, Any]) -> datetime:
        text = given.get(name)
        now = datetime.fromtimestamp(self.service.clock(), UTC)
        if text is None:
            return now
        try:
            moment = datetime.fromisoformat(text)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise _WrongLineError(f"{name} {text!r} is not a time such as 2026-01-31T12:00:00Z") from None
        if moment > now:
            raise _WrongLineError(f"{name} {text} is later than the engine's clock ({now:%Y-%m-%dT%H:%M:%SZ})")
        return moment


def _parse_arn(name: str, arn: Any, kinds: tuple[str, ...] | None) -> re.Match[str]:
    found = _ARN.fullmatch(arn) if isinstance(arn, str) else None
    if found is None or (found["kind"] not in kinds if kinds else found["kind"] is not None):
        example = f"{_EXAMPLE}/{kinds[0]}/ID" if kinds else _EXAMPLE
        raise _WrongLineError(f"{name} {arn!r} is not an ARN such as {example}, in {' or '.join(REGIONS)}")
    return found


def _check(service_name: str, operation: str, given: dict[str, Any]) -> None:
    validate(service_name, operation, {**given, "ClientRequestToken": _TOKEN})


_KINDS: Mapping[str, _Kind] = {
    "AppInstance": _Kind(("AppInstanceArn", "Name"), ("Metadata",), _Seeder.add_app_instance),
    "AppInstanceUser": _Kind(("AppInstanceUserArn", "Name"), ("Metadata",), _Seeder.add_user),
    "Channel": _Kind(
        ("ChannelArn", "Name", "Mode", "Privacy"),
        (
            *("Metadata", "CreatedBy", "CreatedTimestamp", "Tags", "ExpirationSettings"),
            *("ElasticChannelConfiguration", "ChannelFlowArn"),
        ),
        _Seeder.add_channel,
    ),
    "ChannelMembership": _Kind(("ChannelArn", "MemberArn", "Type"), ("SubChannelId",), _Seeder.add_membership),
    "ChannelModerator": _Kind(("ChannelArn", "ChannelModeratorArn"), (), _Seeder.add_moderator),
    "ChannelBan": _Kind(("ChannelArn", "MemberArn"), (), _Seeder.add_ban),
    "ChannelMessage": _Kind(
        ("ChannelArn", "SenderArn", "Content"),
        (
            *(
                "Type",
                "Persistence",
                "Metadata",
                "CreatedTimestamp",
                "LastEditedTimestamp",
                "MessageId",
                "Redacted",
            ),
            *("SubChannelId", *_MESSAGE_DETAILS),
        ),
        _Seeder.add_message,
    ),
}
