"""What the service accepts of app instances, users, bots, flows and streams; tokens are let through.

The limits are those of botocore's models chime-sdk-identity (CreateAppInstanceUser, CreateAppInstanceBot,
PutAppInstanceRetentionSettings) and chime-sdk-messaging (CreateChannelFlow). What streams and processors need is in
the developer guide, "Streaming messaging data" and "Setting up a Channel Processor".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from aws_cdk import CfnResource, Stack

from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._types import (
    ExpirationCriterion,
    ExpirationSettings,
    FunctionLike,
    LexBotAliasLike,
    LexConfiguration,
    Processor,
)

if TYPE_CHECKING:  # slow to import, and needed by few
    from aws_cdk import aws_kinesis as kinesis
    from aws_cdk.interfaces import aws_kinesis as refs

StreamLike: TypeAlias = "str | kinesis.IStream | kinesis.CfnStream | refs.IStreamRef"
"""A Kinesis stream: its ARN, CDK's L2 or L1, or anything that refers to one."""

STREAM_PREFIX = "chime-messaging-"
_MOST_USER_NAME = 100
_LEAST_SHARDS = 2
_MOST_PROCESSORS = 3
_LEX_ALIAS = re.compile(r"arn:aws:lex:([a-z]{2}-[a-z]+-\d):(\d{12}):bot-alias/[A-Z0-9]{10}/[A-Z0-9]{10}")
_INTENT = re.compile(r"(?=.{1,100}$)([A-Za-z]_?)+")
_FUNCTION_ARN = re.compile(
    r"arn:aws:lambda:([a-z]{2}-[a-z]+-\d):(\d{12}):function:[A-Za-z0-9_.-]+(?::(?:\$LATEST|[A-Za-z0-9_-]+))?"
)


def home_problems(stack: Stack, type_: str, app_instance_arn: str | None = None) -> Iterator[str]:
    """Check that a native type exists where the stack is, and that its app instance is there too."""
    if rules.unknown(stack.region):
        return
    if stack.region not in rules.REGIONS:
        yield f"{type_} exists in {' and '.join(rules.REGIONS)} only, but the stack is in {stack.region}"
    elif app_instance_arn and rules.region_of(app_instance_arn) not in (None, stack.region):
        yield (
            f"{type_} must be in its app instance's region, {rules.region_of(app_instance_arn)}, but the stack is "
            f"in {stack.region}"
        )


def user_name_problems(name: str) -> Iterator[str]:
    """Check a user's Name: 1–100 characters on one line, one of which is no space."""
    if rules.unknown(name):
        return
    if not 1 <= len(name) <= _MOST_USER_NAME or not name.strip():
        yield f"name must have 1–{_MOST_USER_NAME} characters and not be blank, has {len(name)}: {name[:40]!r}"
    elif not rules.is_one_line(name):
        yield f"name must have no line break, got {name[:40]!r}"


def user_id_problems(user_id: str) -> Iterator[str]:
    """Check an AppInstanceUserId, whose rules are those of a ChannelId."""
    for problem in rules.channel_id_problems(user_id):
        yield problem.replace("channel_id", "app_instance_user_id", 1)


def user_expiration_problems(settings: ExpirationSettings | None) -> Iterator[str]:
    """Check a user's expiration, which is counted from creation only."""
    if settings is None:
        return
    if settings.criterion is not ExpirationCriterion.CREATED_TIMESTAMP:
        yield f"expiration_settings.criterion of a user must be CREATED_TIMESTAMP, got {settings.criterion!r}"
    yield from rules.days_problems("expiration_settings.expiration", settings.expiration)


def lex_bot_alias_arn(alias: LexBotAliasLike) -> str:
    """Give the ARN of a Lex bot alias."""
    return alias if isinstance(alias, str) else alias.bot_alias_ref.bot_alias_arn


def bot_problems(given: LexConfiguration, app_instance_arn: str) -> Iterator[str]:
    """Check what a bot needs of Amazon Lex."""
    alias = lex_bot_alias_arn(given.lex_bot_alias_arn)
    found = None if rules.unknown(alias) else _LEX_ALIAS.fullmatch(alias)
    region = rules.region_of(app_instance_arn)
    if not rules.unknown(alias) and found is None:
        yield f"lex_bot_alias_arn must be arn:aws:lex:REGION:ACCOUNT:bot-alias/BOT/ALIAS, got {alias!r}"
    elif found and region and (found[1], found[2]) != (region, rules.account_of(app_instance_arn)):
        yield f"lex_bot_alias_arn {alias!r} must be in the account and region of {app_instance_arn!r}"
    if not given.locale_id:
        yield "locale_id must not be empty"
    intent = given.welcome_intent
    if intent is not None and not rules.unknown(intent) and not _INTENT.fullmatch(intent):
        yield f"welcome_intent must be 1–100 letters, with single _ between, got {intent!r}"


def function_arn(function: FunctionLike) -> str:
    """Give the ARN of a Lambda, with the alias or version that it names."""
    if isinstance(function, str):
        return function
    found: str | None = getattr(function, "function_arn", None)
    return found or function.function_ref.function_arn


def processor_problems(processors: Sequence[Processor], stack: Stack) -> Iterator[str]:
    """Check the processors of a channel flow: 1–3, in the region and account of the flow's stack."""
    if not 1 <= len(processors) <= _MOST_PROCESSORS:
        yield f"processors: there must be 1–{_MOST_PROCESSORS}, got {len(processors)}"
    for number, one in enumerate(processors):
        for problem in rules.name_problems(one.name):
            yield f"processors[{number}]: {problem}"
        arn = function_arn(one.function)
        found = None if rules.unknown(arn) else _FUNCTION_ARN.fullmatch(arn)
        if isinstance(one.function, str):
            if found is None and not rules.unknown(arn):
                yield f"processors[{number}]: function must be the ARN of a Lambda function, got {arn!r}"
            places = (found[1], found[2]) if found else ()
        else:
            places = (one.function.env.region, one.function.env.account)
        for what, there, here in zip(("region", "account"), places, (stack.region, stack.account), strict=False):
            if there != here and not rules.unknown(there) and not rules.unknown(here):
                yield (
                    f"processors[{number}]: the Lambda must be in the {what} of its app instance, {here}, "
                    f"but is in {there}"
                )


def stream_arn(stream: StreamLike) -> str:
    """Give the ARN of a Kinesis stream."""
    return stream if isinstance(stream, str) else stream.stream_ref.stream_arn


def stream_problems(name: str, stream: StreamLike, app_instance_arn: str) -> Iterator[str]:
    """Check a stream: by its ARN, and by its declaration where that is in the same app."""
    arn = stream_arn(stream)
    if rules.unknown(arn):
        yield from rules.fragment_problems(name, arn)
    else:
        yield from _stream_arn_problems(name, arn, app_instance_arn)
    native: Any = stream
    if not isinstance(stream, str | CfnResource):
        native = stream.node.default_child  # an L2's; None where it is imported
    if isinstance(native, CfnResource) and native.cfn_resource_type == "AWS::Kinesis::Stream":
        yield from _declared_stream_problems(name, native)


def _stream_arn_problems(name: str, arn: str, app_instance_arn: str) -> Iterator[str]:
    found = rules.STREAM.fullmatch(arn)
    if found is None:
        yield f"{name} must be the ARN of a Kinesis stream, got {arn!r}"
        return
    if not found[3].startswith(STREAM_PREFIX):
        yield f"{name}: the stream's name must begin with {STREAM_PREFIX}, got {found[3]!r}"
    region = rules.region_of(app_instance_arn)
    if region and (found[1], found[2]) != (region, rules.account_of(app_instance_arn)):
        yield f"{name} {arn!r} must be in the account and region of the app instance {app_instance_arn!r}"


def _declared_stream_problems(name: str, stream: Any) -> Iterator[str]:
    stack = Stack.of(stream)
    given = stack.resolve(stream.name)
    # Without a name CloudFormation makes one that begins with the stack's.
    known = stack.stack_name if given is None else given
    if isinstance(known, str) and not rules.unknown(known) and not known.startswith(STREAM_PREFIX):
        told = f"it has none, and gets one that begins with {known!r}" if given is None else f"got {known!r}"
        yield f"{name}: the stream's name must begin with {STREAM_PREFIX}; {told}"
    shards = stream.shard_count
    if shards is not None and not rules.unknown(shards) and shards < _LEAST_SHARDS:
        yield f"{name}: the stream must have at least {_LEAST_SHARDS} shards, or be on demand, has {shards:g}"
    if not _encrypted(stream):
        yield f"{name}: the stream must be encrypted at the server; leave out UNENCRYPTED, or give a key"


def _encrypted(stream: Any) -> bool:
    try:
        return stream.stream_encryption is not None
    except RuntimeError:
        return True  # CDK's own default is a condition, which jsii cannot hand out as what it is declared to be
