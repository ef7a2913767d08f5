"""The Reason of a failed response, for the stack's events: operation, code, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chime_handler.channel.spec import SECRET
from chime_handler.errors import DeadlineExceededError, MalformedEventError, RequestRejectedError, ServiceError

_BEARER = "The bearer does not exist. Check ChimeBearer, and delete a bearer only after its channels."
_THROTTLED = "The service's rate limit was hit until time ran out. Deploy fewer channels at once, or try again."
_ADVICE = {
    "AccessDenied": "IAM does not allow the Lambda this call. See that no boundary, SCP or role of "
    "your own takes away what the provider's policy allows.",
    "BadRequest": "The service found a parameter invalid. Correct the property that it names.",
    "Conflict": "Something else holds what was asked for, or changed it at the same time. Try again.",
    "Forbidden": "The right to do this is lacking. Where there is a ChimeBearer, make it an AppInstanceAdmin.",
    "NotFound": "The app instance, channel or user is not there. Check the ARNs.",
    "ResourceLimitExceeded": "A quota of the service is used up. Delete what is unused or ask AWS for more.",
    "ServiceFailure": "The service failed. Try again.",
    "ServiceUnavailable": "The service is not available. Try again.",
    "Throttled": _THROTTLED,
    "Throttling": _THROTTLED,
    "ThrottledClient": _THROTTLED,
    "Unauthorized": _BEARER,
    "UnauthorizedClient": _BEARER,
    "Unreachable": "The endpoint could not be reached, or its response not be read. A Lambda in a VPC needs a NAT "
    "gateway, or interface endpoints for Amazon Chime SDK messaging and identity and a way to S3 for responses.",
}
_MAX_MESSAGE_CHARACTERS = 600
_MAX_SECRETS = 500
_ARN = re.compile(r"arn:[\w-]+:[^\s'\",;]*")
_ECHO = re.compile(r"""\bValue\s+(['"]).*\1\s+at\b""")
"""How AWS repeats a value that breaks a rule; greedy, so that no quotation mark inside the value ends it."""
_HIDDEN = "(the service's message is not shown here, for it repeats a value of Name, Metadata or Tags)"


def describe_failure(error: Exception, *properties: object) -> str:
    """Return what went wrong and what to do; nothing in it repeats a value of Name, Metadata or Tags.

    Args:
        error: What went wrong.
        properties: The resource's properties, new and old, whose values must not be repeated.
    """
    match error:
        case RequestRejectedError() | MalformedEventError():
            return str(error)
        case DeadlineExceededError(last=None):
            return (
                f"{error.operation}: the time for this request ran out before the call. Try again; if it "
                "comes again, declare fewer changes at once."
            )
        case DeadlineExceededError(last=ServiceError() as last):
            described = _describe_refusal(last, properties)
            return f"Retried until shortly before the deadline, without success. {described}"
        case ServiceError():
            return _describe_refusal(error, properties)
    # The text of an unforeseen error could hold anything: only its class is named.
    return (
        f"An unforeseen {type(error).__name__} in the provider; the state of the resource is unknown. "
        "Please report it with the Lambda's log of this request."
    )


def _describe_refusal(error: ServiceError, properties: tuple[object, ...]) -> str:
    advice = _ADVICE.get("AccessDenied" if error.is_access_denied else error.code, "")
    if error.is_bearer_unknown and not error.is_access_denied:
        advice = _BEARER
    waited = f"The same response came for {error.waited:.0f} seconds. " if error.waited >= 1 else ""
    message = without_secrets(error.message, properties)[:_MAX_MESSAGE_CHARACTERS]
    return f"{error.operation}: {error.code}: {message} {waited}{advice}".rstrip()


def without_secrets(message: str, properties: tuple[object, ...]) -> str:
    """Return the service's message on one line, or that it cannot be shown."""
    text = _ECHO.sub("Value at", " ".join(message.split()))
    searched = _ARN.sub("", text)
    for number, value in enumerate(_secret_texts(properties)):
        # Names in ARNs are no repetition, but a value may hold an ARN itself.
        if number >= _MAX_SECRETS or _repeats(text if _ARN.search(value) else searched, value):
            return _HIDDEN
    return text


def _secret_texts(properties: tuple[object, ...]) -> Iterator[str]:
    for given in properties:
        for name in SECRET:
            yield from _texts(given.get(name) if isinstance(given, Mapping) else None, 0)


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Return the texts in a value, as they are and as JSON writes them; what lies deep is of no template."""
    if isinstance(value, str):
        for form in {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}:
            yield " ".join(form.split())
    elif isinstance(value, Mapping) and depth < 10:
        for key, item in value.items():
            if depth == 0 or key not in ("Key", "Value"):  # a map of tags, or one of a list of tags
                yield from _texts(key, depth + 1)
            yield from _texts(item, depth + 1)
    elif isinstance(value, list) and depth < 10:
        for item in value:
            yield from _texts(item, depth + 1)


def _repeats(text: str, value: str) -> bool:
    """Check whether a text repeats a value, whole, or a part of a long one, or a phrase in capitals."""
    if not value:
        return False
    if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text):
        return True
    part = 16
    text, value = text.casefold(), value.casefold()
    if " " in value and value in text:
        return True
    return len(value) > part and any(value[start : start + part] in text for start in range(len(value) - part + 1))
