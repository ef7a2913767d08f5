"""The Python that adopts channels, written from what they are: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chime_messaging import arns
from chime_messaging.errors import ChimeMessagingError

OWN_TAG_PREFIX = "cdk-chime-messaging:"
OWNER_TAG = f"{OWN_TAG_PREFIX}owner"
MAX_TAGS = 49
MAX_IDENTITIES_LENGTH = 100_000
"""What the library allows; tests compare these with its own."""
MAX_CHANNELS_PER_STACK = 400
"""A stack has at most 500 resources (quota of CloudFormation), and some are the Lambda's."""
_DYNAMIC_REFERENCE = "{{resolve:"
_LINE_BREAKS = "\n\r\x85\u2028\u2029"
_TOKEN_MARKS = ("${Token[", "#{Token[")
_HEADER = '''"""Adopts channels of Amazon Chime SDK messaging; written by `chime-messaging adopt`.

Deploy it with `cdk deploy --app "python THIS_FILE"`: the channels stay as they are, with their messages.
"""
'''


@dataclass(frozen=True)
class ChannelFacts:
    """What a channel is."""

    arn: str
    name: str
    mode: str
    privacy: str
    metadata: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    flow: str | None = None
    expiration: Mapping[str, Any] | None = None
    elastic: Mapping[str, Any] | None = None
    members: Sequence[str] = ()
    hidden_members: Sequence[str] = ()
    moderators: Sequence[str] = ()
    bans: Sequence[str] = ()


@dataclass(frozen=True)
class Module:
    """The source of a module, and what it leaves out."""

    source: str
    warnings: tuple[str, ...]


def write_module(
    app_instance: str, bearer: str, channels: Sequence[ChannelFacts], stack_name: str = "AdoptedChannels"
) -> Module:
    """Write a CDK app that adopts channels of an app instance.

    Args:
        app_instance: The ARN of the app instance.
        bearer: The user or bot in whose name the stack manages them.
        channels: What the channels are.
        stack_name: The name of the stack; where one is not enough for all channels, others follow with a number.

    Raises:
        ChimeMessagingError: there is no channel to adopt.
    """
    warnings: list[str] = []
    names: set[str] = {"App", "Stack"}
    body: list[str] = []
    adopted = [channel for channel in channels if not _is_refused(channel, warnings)]
    if not adopted:
        raise ChimeMessagingError("; ".join([f"{app_instance} has no channel to adopt", *warnings]))
    for index, channel in enumerate(adopted):
        if index % MAX_CHANNELS_PER_STACK == 0:
            number = index // MAX_CHANNELS_PER_STACK + 1
            body += ["", f"stack = Stack(app, {write_text(stack_name + (str(number) if number > 1 else ''))})"]
        writer = _ChannelWriter(channel, names, warnings)
        body += ["", *writer.write()]
    lines = [
        _HEADER,
        *_write_imports(names),
        "",
        f"APP_INSTANCE = {write_text(app_instance)}",
        f"BEARER = {_write_arn(bearer, app_instance)}",
        "",
        "app = App()",
        *body,
        "",
        "app.synth()",
    ]
    return Module("\n".join(lines) + "\n", tuple(warnings))


def _write_member(enumeration: str, value: str) -> str:
    """Write a member of an enumeration; what is no name, which no release of the service has, in quotes."""
    return f"{enumeration}.{value}" if value.isidentifier() else f"{enumeration}[{write_text(value)}]"


def write_text(text: str) -> str:
    """Write text as a literal of Python, in double quotes where that needs no escapes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal.startswith("'") and '"' not in text and "\\'" not in literal else literal


def _is_refused(channel: ChannelFacts, warnings: list[str]) -> bool:
    """Check whether a channel cannot be declared; CloudFormation or the CDK would change its name."""
    if _is_literal(channel.name):
        return False
    warnings.append(
        f"{channel.arn} is left out: CloudFormation would not keep its name, {channel.name!r}; rename it first"
    )
    return True


def _is_literal(text: str) -> bool:
    """Check whether a text means itself in a template, and to the CDK."""
    return _DYNAMIC_REFERENCE not in text and not any(mark in text for mark in _TOKEN_MARKS)


def _write_imports(names: set[str]) -> Iterator[str]:
    from_cdk = sorted(names & {"App", "Duration", "Stack"})
    yield f"from aws_cdk import {', '.join(from_cdk)}"
    yield ""
    yield "from cdk_chime_messaging import ("
    yield from (f"    {name}," for name in sorted(names - {"App", "Duration", "Stack"}))
    yield ")"


def _write_arn(arn: str, app_instance: str) -> str:
    """Write the ARN of what is in the app instance, by the constant."""
    prefix = f"{app_instance}/"
    if not arn.startswith(prefix):
        return write_text(arn)
    return f"APP_INSTANCE + {write_text(arn.removeprefix(app_instance))}"


class _ChannelWriter:
    """Writes the statements for one channel.

    Args:
        channel: What it is.
        names: The names that the module imports, to which this adds.
        warnings: What is left out, to which this adds.
    """

    def __init__(self, channel: ChannelFacts, names: set[str], warnings: list[str]) -> None:
        self._channel = channel
        self._names = names
        self._warnings = warnings
        self._app_instance = arns.get_app_instance_arn(channel.arn)

    def write(self) -> list[str]:
        """Return the lines."""
        calls = [f"channel.{call}" for call in self._write_calls()]
        self._names.add("Channel")
        channel_id = arns.get_id(self._channel.arn)
        return [
            f"{'channel = ' if calls else ''}Channel(",
            "    stack,",
            f"    {write_text(f'Channel-{channel_id}')},",
            *(f"    {line}" for line in self._write_arguments(channel_id)),
            ")",
            *calls,
        ]

    def _write_arguments(self, channel_id: str) -> Iterator[str]:
        channel = self._channel
        self._names |= {"ChannelMode", "ChannelPrivacy"}
        yield "app_instance_arn=APP_INSTANCE,"
        yield "chime_bearer=BEARER,"
        yield f"channel_id={write_text(channel_id)},"
        yield "adopt_existing=True,"
        yield from self._write_owner()
        yield f"name={write_text(channel.name)},"
        # As subscripts, a value that the library does not know is an error that names it.
        yield f"mode={_write_member('ChannelMode', channel.mode)},"
        yield f"privacy={_write_member('ChannelPrivacy', channel.privacy)},"
        yield from self._write_metadata()
        yield from self._write_tags()
        yield from self._write_expiration()
        yield from self._write_elastic()

    def _write_owner(self) -> Iterator[str]:
        owner = self._channel.tags.get(OWNER_TAG)
        if owner is None:
            return
        yield f"adopt_from_other_owner=True,  # it belongs to {owner!r}: release it there first"
        self._warn(f"belongs to {owner!r}: release it there before you deploy (docs/adoption.md)")

    def _write_metadata(self) -> Iterator[str]:
        metadata = self._channel.metadata
        if not metadata:
            return
        if _is_literal(metadata) and not set(_LINE_BREAKS) & set(metadata):
            yield f"metadata={write_text(metadata)},"
        else:
            yield "# metadata is not declared, since a template cannot hold it as it is; it stays"
            self._warn("its metadata is not declared, since a template cannot hold it as it is; it stays")

    def _write_tags(self) -> Iterator[str]:
        tags = {
            key: value
            for key, value in self._channel.tags.items()
            if not key.startswith(("aws:", OWN_TAG_PREFIX)) and _is_literal(key) and _is_literal(value)
        }
        declared = dict(list(tags.items())[:MAX_TAGS])
        others = [key for key in self._channel.tags if key not in declared and not key.startswith(OWN_TAG_PREFIX)]
        if declared:
            yield "tags={"
            yield from (f"    {write_text(key)}: {write_text(value)}," for key, value in declared.items())
            yield "},"
        if others:
            self._warn(f"these tags are not declared, and stay: {', '.join(map(repr, others))}")

    def _write_expiration(self) -> Iterator[str]:
        expiration = self._channel.expiration
        if not expiration:
            return
        self._names |= {"Duration", "ExpirationCriterion", "ExpirationSettings"}
        criterion = _write_member("ExpirationCriterion", str(expiration["ExpirationCriterion"]))
        days = f"Duration.days({int(expiration['ExpirationDays'])})"
        yield f"expiration_settings=ExpirationSettings({days}, {criterion}),"

    def _write_elastic(self) -> Iterator[str]:
        elastic = self._channel.elastic
        if not elastic:
            return
        self._names.add("ElasticChannelConfiguration")
        yield "elastic_channel_configuration=ElasticChannelConfiguration("
        yield f"    maximum_sub_channels={int(elastic['MaximumSubChannels'])},"
        yield f"    target_memberships_per_sub_channel={int(elastic['TargetMembershipsPerSubChannel'])},"
        yield f"    minimum_membership_percentage={int(elastic['MinimumMembershipPercentage'])},"
        yield "),"

    def _write_calls(self) -> Iterator[str]:
        """Yield what is added to the channel: members, moderators, bans, the flow."""
        channel = self._channel
        identities = [*channel.members, *channel.hidden_members, *channel.moderators, *channel.bans]
        length = sum(len(arn) - len(self._app_instance) for arn in identities)
        if length > MAX_IDENTITIES_LENGTH:
            self._warn(f"its {len(identities)} members, moderators and bans are too many to declare; they stay")
        else:
            yield from (f"add_member({self._write(arn)})" for arn in channel.members)
            for arn in channel.hidden_members:
                self._names.add("ChannelMembershipType")
                yield f"add_member({self._write(arn)}, type=ChannelMembershipType.HIDDEN)"
            yield from (f"add_moderator({self._write(arn)})" for arn in channel.moderators)
            yield from (f"add_ban({self._write(arn)})" for arn in channel.bans)
        if channel.flow:
            yield f"associate_flow({self._write(channel.flow)})"

    def _write(self, arn: str) -> str:
        return _write_arn(arn, self._app_instance)

    def _warn(self, text: str) -> None:
        self._warnings.append(f"{self._channel.arn}: {text}")
