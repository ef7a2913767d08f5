"""The forms of ARNs, and what their parts are."""

from __future__ import annotations

import re
from typing import Literal

from aws_cdk import Fn

from cdk_chime_messaging import _limits as limits
from cdk_chime_messaging._tokens import is_unresolved

Kind = Literal["app instance", "identity", "bearer", "channel", "stream"]
"""Kinds of ARNs in policies; a bearer is an identity whose id may hold policy variables."""

APP_INSTANCE = re.compile(r"arn:aws[a-z-]*:chime:([a-z0-9-]+):\d{12}:app-instance/[A-Za-z0-9][A-Za-z0-9-]*")
IDENTITY = re.compile(rf"({APP_INSTANCE.pattern})/(user|bot)/{limits.ID.pattern}")
CHANNEL = re.compile(rf"({APP_INSTANCE.pattern})/channel/({limits.ID.pattern})")
STREAM = re.compile(r"arn:aws[a-z-]*:kinesis:([a-z0-9-]+):(\d{12}):stream/([A-Za-z0-9_.-]{1,128})")
POLICY_VARIABLE = re.compile(r"\$\{[A-Za-z0-9-]+:[^{}$*?']{1,128}\}")
BEARER = re.compile(rf"({APP_INSTANCE.pattern})/(user|bot)/(?:[A-Za-z0-9:\-_.@]|{POLICY_VARIABLE.pattern}){{1,64}}")
LEX_BOT_ALIAS = re.compile(r"arn:aws:lex:([a-z]{2}-[a-z]+-\d):(\d{12}):bot-alias/[A-Z0-9]{10}/[A-Z0-9]{10}")
FUNCTION = re.compile(
    r"arn:aws:lambda:([a-z]{2}-[a-z]+-\d):(\d{12}):function:[A-Za-z0-9_.-]+(?::(?:\$LATEST|[A-Za-z0-9_-]+))?"
)
ARN_CHARACTERS = re.compile(r"[A-Za-z0-9:/\-_.@]*")
"""Characters allowed in the literal parts of an ARN that contains tokens."""
PATTERNS: dict[Kind, str] = {
    "app instance": APP_INSTANCE.pattern,
    "identity": IDENTITY.pattern,
    "bearer": BEARER.pattern,
    "channel": CHANNEL.pattern,
    "stream": STREAM.pattern,
}
"""Patterns of ARNs in IAM policies: no wildcards; policy variables in bearers only."""


def find_app_instance_arn(arn: str) -> str | None:
    """Return the app instance of a user's, bot's or channel's ARN; None if it is a token, or no such ARN."""
    if is_unresolved(arn):
        return None
    match = IDENTITY.fullmatch(arn) or CHANNEL.fullmatch(arn)
    return match[1] if match else None


def find_channel_id(arn: str) -> str | None:
    """Return the ChannelId of a channel's ARN; None if it is known at deployment only, or is no such ARN."""
    match = None if is_unresolved(arn) else CHANNEL.fullmatch(arn)
    return match[3] if match else None


def find_region(app_instance_arn: str) -> str | None:
    """Return the region of an app instance; None if it is known at deployment only, or is no such ARN."""
    match = None if is_unresolved(app_instance_arn) else APP_INSTANCE.fullmatch(app_instance_arn)
    return match[1] if match else None


def find_account(app_instance_arn: str) -> str | None:
    """Return the account of an app instance; None if it is known at deployment only, or is no such ARN."""
    return None if find_region(app_instance_arn) is None else app_instance_arn.split(":")[4]


def get_app_instance_arn(channel_arn: str) -> str:
    """Return the app instance's part of a channel's ARN, which may be a token."""
    # arn:aws:chime:REGION:ACCOUNT:app-instance/ID/channel/ID
    found = find_app_instance_arn(channel_arn)
    return found or Fn.join("/", [Fn.select(part, Fn.split("/", channel_arn)) for part in (0, 1)])


def get_channel_id(channel_arn: str) -> str:
    """Return the ChannelId of a channel's ARN, which may be a token."""
    return find_channel_id(channel_arn) or Fn.select(3, Fn.split("/", channel_arn))
