"""Checks arguments at synth against the rules of Amazon Chime SDK messaging.

Each function yields errors, none where all is well. Values that are known at deployment only are let through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Stack

from cdk_chime_messaging import _arns as arns
from cdk_chime_messaging import _limits as limits
from cdk_chime_messaging._limits import Range
from cdk_chime_messaging._tokens import is_unresolved, remove_tokens


def validate_app_instance_arn(argument: str, arn: str) -> Iterator[str]:
    """Check the ARN of an app instance, and its region."""
    if is_unresolved(arn):
        yield from validate_known_part(argument, arn)
        return
    region = arns.find_region(arn)
    if region is None:
        yield (
            f"{argument} must be the ARN of an app instance (arn:aws:chime:REGION:ACCOUNT:app-instance/ID), "
            f"got {arn!r}"
        )
    elif region not in limits.REGIONS:
        yield (
            f"{argument} is in {region}, but Amazon Chime SDK messaging has endpoints in "
            f"{' and '.join(limits.REGIONS)} only"
        )


def validate_channel_arn(argument: str, arn: str) -> Iterator[str]:
    """Check the ARN of a channel."""
    if is_unresolved(arn):
        yield from validate_known_part(argument, arn)
    elif arns.find_channel_id(arn) is None:
        yield f"{argument} must be the ARN of a channel (…:app-instance/ID/channel/ID), got {arn!r}"


def validate_identity_arn(argument: str, arn: str, app_instance_arn: str) -> Iterator[str]:
    """Check the ARN of a user or bot, which must be one, and of the same app instance."""
    if is_unresolved(arn):
        yield from validate_known_part(argument, arn)
        return
    match = arns.IDENTITY.fullmatch(arn)
    if match is None:
        yield (
            f"{argument} must be the ARN of an app instance user or bot (…:app-instance/ID/user/ID; the ID must be "
            f"{limits.ID_RULE}), got {arn!r}"
        )
    else:
        yield from _validate_app_instance_of(argument, arn, match[1], app_instance_arn)


def validate_as_user(arn: str, app_instance_arn: str) -> Iterator[str]:
    """Check the bearer of a grant: one user or bot, whose id may hold policy variables."""
    if is_unresolved(arn):
        yield from validate_known_part("as_user", arns.POLICY_VARIABLE.sub("", remove_tokens(arn)))
    elif not arns.POLICY_VARIABLE.search(arn):
        yield from validate_identity_arn("as_user", arn, app_instance_arn)
    else:
        match = arns.BEARER.fullmatch(arn)
        if match is None:
            yield (
                "as_user must be the ARN of an app instance user or bot, with policy variables in its id at most "
                f"(…:app-instance/ID/user/${{aws:PrincipalTag/UserId}}), got {arn!r}"
            )
        else:
            yield from _validate_app_instance_of("as_user", arn, match[1], app_instance_arn)


def _validate_app_instance_of(argument: str, arn: str, actual: str, app_instance_arn: str) -> Iterator[str]:
    if app_instance_arn and not is_unresolved(app_instance_arn) and actual != app_instance_arn:
        yield f"{argument} {arn!r} belongs to another app instance than {app_instance_arn!r}"


def validate_known_part(argument: str, arn: str) -> Iterator[str]:
    """Check what is known of an ARN that is put together from tokens and text."""
    known = remove_tokens(arn)
    if not arns.ARN_CHARACTERS.fullmatch(known):
        yield (
            f"{argument}: around tokens, an ARN may hold only letters, digits and :/-_.@ (no wildcard); "
            f"got {known!r}"
        )


def validate_identity_arns(argument: str, identity_arns: Sequence[str], app_instance_arn: str) -> Iterator[str]:
    """Check a list of users and bots."""
    if is_unresolved(list(identity_arns)):
        return  # one token stands for the whole list, such as a parameter's
    for arn in identity_arns:
        yield from validate_identity_arn(f"{argument}:", arn, app_instance_arn)
    counts = Counter(arn for arn in identity_arns if not is_unresolved(arn))
    for arn in sorted(arn for arn, count in counts.items() if count > 1):
        yield f"{argument}: {arn!r} is there twice"


def validate_region(stack: Stack, resource_type: str, app_instance_arn: str | None = None) -> Iterator[str]:
    """Check that a native type exists where the stack is, and that its app instance is there too."""
    if is_unresolved(stack.region):
        return
    region = arns.find_region(app_instance_arn) if app_instance_arn else None
    if stack.region not in limits.REGIONS:
        yield (f"{resource_type} exists in {' and '.join(limits.REGIONS)} only, but the stack is in {stack.region}")
    elif region not in (None, stack.region):
        yield f"{resource_type} must be in its app instance's region, {region}, but the stack is in {stack.region}"


def validate_name(name: str) -> Iterator[str]:
    """Check a Name: 1–256 characters, no control characters but tab, line feed, carriage return."""
    if is_unresolved(name):
        return
    if len(name) not in limits.NAME_LENGTH:
        yield f"name must have {limits.NAME_LENGTH} characters, has {len(name)}: {name[:40]!r}"
    elif not limits.NAME.fullmatch(name):
        yield f"name must hold no control character (tab, line feed and carriage return may be), got {name[:80]!r}"


def validate_metadata(metadata: str | None) -> Iterator[str]:
    """Check Metadata: at most 1024 bytes as UTF-8, on one line."""
    if metadata is None or is_unresolved(metadata):
        return
    if not limits.ONE_LINE.fullmatch(metadata):
        yield f"metadata must have no line break (what is written as JSON has none), got {metadata[:40]!r}"
    size = len(metadata.encode("utf-8", "surrogatepass"))
    if size > limits.MAX_METADATA_BYTES:
        yield f"metadata must have at most {limits.MAX_METADATA_BYTES} bytes as UTF-8, has {size}"


def validate_client_request_token(token: str) -> Iterator[str]:
    """Check a ClientRequestToken."""
    if not is_unresolved(token) and not limits.CLIENT_REQUEST_TOKEN.fullmatch(token):
        yield f"client_request_token must be {limits.CLIENT_REQUEST_TOKEN_RULE}, got {token!r}"


def validate_id(argument: str, id_: str) -> Iterator[str]:
    """Check a ChannelId or AppInstanceUserId, which have the same rules."""
    if not is_unresolved(id_) and not limits.ID.fullmatch(id_):
        yield f"{argument} must be {limits.ID_RULE}, got {id_!r}"


def validate_tags(tags: Mapping[str, str]) -> Iterator[str]:
    """Check the tags of a channel, those of its stack and its scopes included."""
    if len(tags) > limits.MAX_TAGS:
        yield (
            f"a channel has at most {limits.MAX_TAGS} tags (the service takes 50, one marks the owner), "
            f"got {len(tags)}"
        )
    for key, value in tags.items():
        if not is_unresolved(key) and (
            len(key) not in limits.TAG_KEY_LENGTH or key.startswith(limits.RESERVED_TAG_PREFIXES)
        ):
            yield (
                f"tag keys must have {limits.TAG_KEY_LENGTH} characters and not begin with "
                f"{' or '.join(limits.RESERVED_TAG_PREFIXES)}, got {key!r}"
            )
        if not is_unresolved(value) and len(value) not in limits.TAG_VALUE_LENGTH:
            yield f"tag values must have {limits.TAG_VALUE_LENGTH} characters, that of {key!r} has {len(value)}"


def validate_days(argument: str, duration: Duration) -> Iterator[str]:
    """Check a number of whole days, 1–5475."""
    if duration.is_unresolved():
        return
    days = duration.to_days(integral=False)
    yield from validate_number(f"{argument} in days", int(days) if days == int(days) else days, limits.DAYS)


def validate_number(argument: str, number: Any, limit: Range) -> Iterator[str]:
    """Check a whole number."""
    if is_unresolved(number):
        return
    if isinstance(number, bool) or not isinstance(number, int):
        yield f"{argument} must be a whole number, got {number!r}"
    elif number not in limit:
        yield f"{argument} must be {limit}, got {number}"
