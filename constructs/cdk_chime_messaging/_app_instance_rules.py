"""What the service accepts of app instances, users, bots, flows and streams; tokens are let through.

The limits are those of botocore's models chime-sdk-identity (CreateAppInstance, CreateAppInstanceUser,
CreateAppInstanceBot, PutAppInstanceRetentionSettings) and chime-sdk-messaging (CreateChannelFlow). What streams
need is in the developer guide, "Streaming messaging data": prefix, two shards, encryption, same region and account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aws_cdk import CfnResource, Stack, Token
from aws_cdk import aws_kinesis as kinesis

from cdk_chime_messaging import _validation as rules

MOST_DAYS = 5475
STREAM_PREFIX = "chime-messaging-"
_MOST_TAGS = 50
_MOST_USER_NAME = 100
_LEAST_SHARDS = 2
_LEX_ALIAS = re.compile(r"arn:aws:lex:[a-z]{2}-[a-z]+-\d:\d{12}:bot-alias/[A-Z0-9]{10}/[A-Z0-9]{10}")
_INTENT = re.compile(r"(?=.{1,100}$)([A-Za-z]_?)+")
_STREAM_ARN = re.compile(r"arn:aws[a-z-]*:kinesis:([a-z0-9-]+):(\d{12}):stream/([A-Za-z0-9_.-]{1,128})")


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


def tag_problems(tags: Mapping[str, str]) -> Iterator[str]:
    """Check tags: at most 50, keys of 1–128 characters, values of 1–256."""
    if len(tags) > _MOST_TAGS:
        yield f"there may be at most {_MOST_TAGS} tags, got {len(tags)}"
    for key, value in tags.items():
        if not rules.unknown(key) and (not 1 <= len(key) <= 128 or key.startswith("aws:")):
            yield f"tag keys must have 1–128 characters and not begin with aws:, got {key!r}"
        if not rules.unknown(value) and not 1 <= len(value) <= 256:
            yield f"tag values must have 1–256 characters, that of {key!r} has {len(value)}"


def user_name_problems(name: str) -> Iterator[str]:
    """Check a user's Name: 1–100 characters, one of which is no space."""
    if rules.unknown(name):
        return
    if not 1 <= len(name) <= _MOST_USER_NAME or not name.strip():
        yield f"name must have 1–{_MOST_USER_NAME} characters and not be blank, has {len(name)}: {name[:40]!r}"


def user_id_problems(user_id: str) -> Iterator[str]:
    """Check an AppInstanceUserId, whose rules are those of a ChannelId."""
    for problem in rules.channel_id_problems(user_id):
        yield problem.replace("channel_id", "app_instance_user_id", 1)


def bot_problems(alias: str, locale: str, welcome_intent: str | None) -> Iterator[str]:
    """Check what a bot needs of Amazon Lex."""
    if not rules.unknown(alias) and not _LEX_ALIAS.fullmatch(alias):
        yield f"lex_bot_alias_arn must be arn:aws:lex:REGION:ACCOUNT:bot-alias/BOT/ALIAS, got {alias!r}"
    if not rules.unknown(locale) and not locale:
        yield "locale_id must not be empty"
    if welcome_intent and not rules.unknown(welcome_intent) and not _INTENT.fullmatch(welcome_intent):
        yield f"welcome_intent must be 1–100 letters, with single _ between, got {welcome_intent!r}"


def stream_arn_problems(name: str, arn: str, app_instance_arn: str) -> Iterator[str]:
    """Check the ARN of a Kinesis stream; its region and account must be the app instance's."""
    if rules.unknown(arn):
        return
    found = _STREAM_ARN.fullmatch(arn)
    if found is None:
        yield f"{name} must be the ARN of a Kinesis stream, got {arn!r}"
        return
    if not found[3].startswith(STREAM_PREFIX):
        yield f"{name}: the stream's name must begin with {STREAM_PREFIX}, got {found[3]!r}"
    region = rules.region_of(app_instance_arn)
    if region and (found[1], found[2]) != (region, app_instance_arn.split(":")[4]):
        yield f"{name} {arn!r} must be in the account and region of the app instance {app_instance_arn!r}"


def stream_problems(name: str, stream: kinesis.CfnStream) -> Iterator[str]:
    """Check a stream of the same app: its name, shards and encryption."""
    stack = Stack.of(stream)
    given = stack.resolve(stream.name)
    # Without a name CloudFormation makes one that begins with the stack's.
    known = stack.stack_name if given is None else given
    if isinstance(known, str) and not Token.is_unresolved(known) and not known.startswith(STREAM_PREFIX):
        told = "it has none, and gets one from its stack's" if given is None else f"got {known!r}"
        yield f"{name}: the stream's name must begin with {STREAM_PREFIX}; {told}"
    shards = stream.shard_count
    if shards is not None and not rules.unknown(shards) and shards < _LEAST_SHARDS:
        yield f"{name}: the stream must have at least {_LEAST_SHARDS} shards, or be on demand, has {shards:g}"
    if not _encrypted(stream):
        yield f"{name}: the stream must be encrypted at the server; leave out UNENCRYPTED, or give a key"


def _encrypted(stream: kinesis.CfnStream) -> bool:
    try:
        return stream.stream_encryption is not None
    except RuntimeError:
        return True  # CDK's own default is a condition, which jsii cannot hand out as what it is declared to be


def default_child(given: object) -> CfnResource | None:
    """Give the L1 of a construct of this app; None for what is imported, or no construct."""
    if isinstance(given, CfnResource):
        return given
    node = getattr(given, "node", None)
    found = node.default_child if node is not None else None
    return found if isinstance(found, CfnResource) else None
