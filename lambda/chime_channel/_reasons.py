"""Turns what went wrong into a Reason for the stack's events: operation, code, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chime_channel._api import OutOfTime, ServiceError
from chime_channel._request import BadEvent, Refused

_BEARER = "The bearer is no user or bot that exists. Check ChimeBearer; delete it after its channels only."
_SLOWER = "The service's rate limit was hit until time ran out. Deploy fewer channels at once, or try again."
_ADVICE = {
    "AccessDenied": "IAM does not allow the Lambda this call. See that no boundary, SCP or role of "
    "your own takes away what the provider's policy allows.",
    "BadRequest": "The service found a parameter invalid. Correct the property that it names.",
    "Conflict": "Something else holds what was asked for, or changed it at the same time. Try again.",
    "Forbidden": "The bearer has no right to do this. Give an AppInstanceUser that is AppInstanceAdmin.",
    "NotFound": "The app instance, channel or user is not there. Check the ARNs.",
    "ResourceLimitExceeded": "A quota of the service is used up. Delete what is unused or ask AWS for more.",
    "ServiceFailure": "The service failed. Try again.",
    "ServiceUnavailable": "The service is not available. Try again.",
    "Throttled": _SLOWER,
    "Throttling": _SLOWER,
    "ThrottledClient": _SLOWER,
    "Unauthorized": _BEARER,
    "UnauthorizedClient": _BEARER,
    "Unreachable": "The endpoint could not be reached. A Lambda in a VPC needs a way to the internet (NAT): "
    "Amazon Chime SDK messaging has no VPC endpoint.",
}
_LONGEST_MESSAGE = 600


def reason(error: Exception, properties: Mapping[str, Any]) -> str:
    """Say what went wrong and what to do, without the names and metadata that `properties` hold."""
    return _scrub(_reason(error), properties)


def _reason(error: Exception) -> str:
    match error:
        case Refused() | BadEvent():
            return str(error)
        case OutOfTime(last=None):
            return (
                f"{error.operation}: the time for this request ran out before the call. Try again; if it "
                "comes again, declare fewer changes at once."
            )
        case OutOfTime(last=ServiceError() as last):
            return f"Retried until shortly before the deadline, without success. {_of_service(last)}"
        case ServiceError():
            return _of_service(error)
    # The text of an unforeseen error could hold anything: only its kind is told.
    return (
        f"An unforeseen {type(error).__name__} in the provider; nothing can be said about the channel. "
        "Please report it with the Lambda's log of this request."
    )


def _of_service(refused: ServiceError) -> str:
    message = " ".join(refused.message.split())[:_LONGEST_MESSAGE]
    advice = _ADVICE.get("AccessDenied" if refused.denied else refused.code, "")
    return f"{refused.operation}: {refused.code}: {message} {advice}".rstrip()


def _scrub(text: str, properties: Mapping[str, Any]) -> str:
    for name in ("Name", "Metadata"):
        value = properties.get(name)
        if isinstance(value, str) and len(value) >= 4:
            text = text.replace(value, f"[{name}]")
    return text
