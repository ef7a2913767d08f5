"""What Amazon Chime SDK messaging accepts, checked at synth; values that are tokens are let through."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Token

REGIONS = ("us-east-1", "eu-central-1")
OWN_PREFIX = "cdk-chime-messaging:"
MAX_DAYS = 5475
"""Of an expiration and of retention (botocore's models: ExpirationDays, RetentionDays)."""
MOST_TAGS = 49
"""The service takes fifty; one is the owner's mark."""

_APP_INSTANCE = re.compile(r"arn:aws[a-z-]*:chime:([a-z0-9-]+):\d{12}:app-instance/[A-Za-z0-9][A-Za-z0-9-]*")
# A ChannelId and an AppInstanceUserId (botocore's models); the service makes the ids of bots, which are UUIDs.
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9:\-_.@]{0,62}[A-Za-z0-9])?")
_IDENTITY = re.compile(rf"({_APP_INSTANCE.pattern})/(user|bot)/{_ID.pattern}")
_CHANNEL = re.compile(rf"({_APP_INSTANCE.pattern})/channel/({_ID.pattern})")
STREAM = re.compile(r"arn:aws[a-z-]*:kinesis:([a-z0-9-]+):(\d{12}):stream/([A-Za-z0-9_.-]{1,128})")
_VARIABLE = re.compile(r"\$\{[A-Za-z0-9-]+:[^{}$*?']{1,128}\}")
_AS_USER = re.compile(rf"({_APP_INSTANCE.pattern})/(user|bot)/(?:[A-Za-z0-9:\-_.@]|{_VARIABLE.pattern}){{1,64}}")
_TOKENS = re.compile(r"\$\{Token\[[^\]]*\]\}")
_PLAIN = re.compile(r"[A-Za-z0-9:/\-_.@]*")
PATTERNS = {
    "app instance": _APP_INSTANCE.pattern,
    "identity": _IDENTITY.pattern,
    "bearer": _AS_USER.pattern,
    "channel": _CHANNEL.pattern,
    "stream": STREAM.pattern,
}
"""What the ARN of one thing looks like where a policy names it: no wildcard; policy variables in bearers only."""
_NAME = re.compile("[\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_ONE_LINE = re.compile("[^\n\r\x85\u2028\u2029]*")
_TOKEN = re.compile(r"[-_a-zA-Z0-9]{2,64}")


_ID_RULE = "an ID is 1–64 letters, digits or :-_.@ and begins and ends with a letter or digit"


class ChannelError(ValueError):
    """Arguments of a construct break rules of Amazon Chime SDK messaging; the text lists all errors."""

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(problems))
        self.problems = tuple(problems)


def unknown(value: object) -> bool:
    """Say whether a value is not known before deployment."""
    # Token.is_unresolved is a call into jsii; a token that stands for text, or a list of it, shows by its mark.
    if isinstance(value, str):
        return "${Token[" in value or value.startswith("#{Token[")
    if isinstance(value, list | tuple):
        return any(isinstance(item, str) and item.startswith("#{Token[") for item in value)
    return not isinstance(value, int | None) and Token.is_unresolved(value)


def app_instance_of(arn: str) -> str | None:
    """Give the app instance of a user's, bot's or channel's ARN; None where it cannot be told."""
    if unknown(arn):
        return None
    found = _IDENTITY.fullmatch(arn) or _CHANNEL.fullmatch(arn)
    return found[1] if found else None


def channel_id_of(arn: str) -> str | None:
    """Give the ChannelId of a channel's ARN; None where it cannot be told."""
    found = None if unknown(arn) else _CHANNEL.fullmatch(arn)
    return found[3] if found else None


def region_of(arn: str) -> str | None:
    """Give the region of an app instance's ARN; None where it cannot be told."""
    found = None if unknown(arn) else _APP_INSTANCE.fullmatch(arn)
    return found[1] if found else None


def account_of(arn: str) -> str | None:
    """Give the account of an app instance's ARN; None where it cannot be told."""
    return None if region_of(arn) is None else arn.split(":")[4]


def app_instance_problems(name: str, arn: str) -> Iterator[str]:
    """Check the ARN of an app instance."""
    if unknown(arn):
        yield from fragment_problems(name, arn)
        return
    region = region_of(arn)
    if region is None:
        yield (
            f"{name} must be the ARN of an app instance (arn:aws:chime:REGION:ACCOUNT:app-instance/ID), got {arn!r}"
        )
    elif region not in REGIONS:
        yield f"{name} is in {region}, but Amazon Chime SDK messaging has endpoints in {' and '.join(REGIONS)} only"


def channel_problems(name: str, arn: str) -> Iterator[str]:
    """Check the ARN of a channel."""
    if unknown(arn):
        yield from fragment_problems(name, arn)
    elif channel_id_of(arn) is None:
        yield f"{name} must be the ARN of a channel (…:app-instance/ID/channel/ID), got {arn!r}"


def identity_problems(name: str, arn: str, app_instance_arn: str) -> Iterator[str]:
    """Check the ARN of a user or bot, which must be one, and of the same app instance."""
    if unknown(arn):
        yield from fragment_problems(name, arn)
        return
    found = _IDENTITY.fullmatch(arn)
    if found is None:
        yield (
            f"{name} must be the ARN of an app instance user or bot (…:app-instance/ID/user/ID; {_ID_RULE}), "
            f"got {arn!r}"
        )
    elif app_instance_arn and not unknown(app_instance_arn) and found[1] != app_instance_arn:
        yield f"{name} {arn!r} belongs to another app instance than {app_instance_arn!r}"


def as_user_problems(arn: str, app_instance_arn: str) -> Iterator[str]:
    """Check the bearer of a grant: one user or bot, whose id may hold policy variables."""
    if unknown(arn):
        yield from fragment_problems("as_user", _VARIABLE.sub("", _TOKENS.sub("", arn)))
    elif not _VARIABLE.search(arn):
        yield from identity_problems("as_user", arn, app_instance_arn)
    else:
        found = _AS_USER.fullmatch(arn)
        if found is None:
            yield (
                "as_user must be the ARN of an app instance user or bot, with policy variables in its id at most "
                f"(…:app-instance/ID/user/${{aws:PrincipalTag/UserId}}), got {arn!r}"
            )
        elif app_instance_arn and not unknown(app_instance_arn) and found[1] != app_instance_arn:
            yield f"as_user {arn!r} belongs to another app instance than {app_instance_arn!r}"


def fragment_problems(name: str, arn: str) -> Iterator[str]:
    """Check what is known of an ARN that is put together from tokens and text."""
    known = _TOKENS.sub("", arn)
    if not _PLAIN.fullmatch(known):
        yield f"{name}: around tokens, an ARN may hold only letters, digits and :/-_.@ (no wildcard); got {known!r}"


def list_problems(name: str, arns: Sequence[str], app_instance_arn: str) -> Iterator[str]:
    """Check a list of users and bots."""
    if unknown(list(arns)):
        return  # one token stands for the whole list, such as a parameter's
    for arn in arns:
        yield from identity_problems(f"{name}:", arn, app_instance_arn)
    counts = Counter(arn for arn in arns if not unknown(arn))
    for arn in sorted(arn for arn, count in counts.items() if count > 1):
        yield f"{name}: {arn!r} is there twice"


def name_problems(name: str) -> Iterator[str]:
    """Check a channel's Name: 1–256 characters, no control characters but tab, line feed, carriage return."""
    if unknown(name):
        return
    if not 1 <= len(name) <= 256:
        yield f"name must have 1–256 characters, has {len(name)}: {name[:40]!r}"
    elif not _NAME.fullmatch(name):
        yield f"name must hold no control character (tab, line feed and carriage return may be), got {name[:80]!r}"


def is_one_line(text: str) -> bool:
    """Say whether a text has no line break, as the service's pattern `.*` wants it."""
    return _ONE_LINE.fullmatch(text) is not None


def metadata_problems(metadata: str) -> Iterator[str]:
    """Check Metadata: at most 1024 bytes as UTF-8, on one line."""
    if unknown(metadata):
        return
    if not is_one_line(metadata):
        yield f"metadata must have no line break (what is written as JSON has none), got {metadata[:40]!r}"
    size = len(metadata.encode("utf-8", "surrogatepass"))
    if size > 1024:
        yield f"metadata must have at most 1024 bytes as UTF-8, has {size}"


def token_problems(token: str) -> Iterator[str]:
    """Check a ClientRequestToken."""
    if not unknown(token) and not _TOKEN.fullmatch(token):
        yield f"client_request_token must be 2–64 letters, digits, - or _, got {token!r}"


def channel_id_problems(channel_id: str) -> Iterator[str]:
    """Check a ChannelId."""
    if not unknown(channel_id) and not _ID.fullmatch(channel_id):
        yield (
            "channel_id must be 1–64 letters, digits or :-_.@ and begin and end with a letter or digit, "
            f"got {channel_id!r}"
        )


def tag_problems(tags: Mapping[str, str]) -> Iterator[str]:
    """Check the tags of a channel, those of its stack and its scopes included."""
    if len(tags) > MOST_TAGS:
        yield f"a channel has at most {MOST_TAGS} tags (the service takes 50, one marks the owner), got {len(tags)}"
    for key, value in tags.items():
        if not unknown(key) and (not 1 <= len(key) <= 128 or key.startswith(("aws:", OWN_PREFIX))):
            yield f"tag keys must have 1–128 characters and not begin with aws: or {OWN_PREFIX}, got {key!r}"
        if not unknown(value) and not 1 <= len(value) <= 256:
            yield f"tag values must have 1–256 characters, that of {key!r} has {len(value)}"


def days_problems(name: str, duration: Duration) -> Iterator[str]:
    """Check a number of whole days, 1–5475; one that is known at deployment only is let through."""
    if duration.is_unresolved():
        return
    days = duration.to_days(integral=False)
    yield from number_problems(f"{name} in days", int(days) if days == int(days) else days, 1, MAX_DAYS)


def number_problems(name: str, value: Any, least: int, most: int | None = None) -> Iterator[str]:
    """Check a whole number."""
    if unknown(value):
        return
    limits = f"{least}–{most}" if most is not None else f"{least} or more"
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"{name} must be a whole number, got {value!r}"
    elif value < least or (most is not None and value > most):
        yield f"{name} must be {limits}, got {value}"
