"""A client of the service as botocore makes it, which fails in every way that one was seen or feared to fail."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, NoReturn

from botocore import xform_name
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from chime_local.chime import ChimeError
from chime_local.chime.model import SERVICES, service_model

_OPERATIONS = {
    service: {xform_name(name): name for name in service_model(service).operation_names} for service in SERVICES
}
_ALWAYS_HOLD_FIELDS = ("CreateChannel", "Describe", "Batch", "ListChannel")
"""Begins the operations whose whole answer is never empty."""
DENIALS = (
    (
        "AccessDeniedException",
        "User: arn:aws:sts::000000000000:assumed-role/r/f is not authorized to perform: chime:",
    ),
    ("AccessDenied", None),
    ("ForbiddenException", "User is not authorized to perform: chime:"),
    ("ForbiddenException", "Authorization failed for chime:"),
    ("UnrecognizedClientException", "The security token included in the request is invalid"),
    ("InvalidClientTokenId", "The security token included in the request is invalid."),
)


class Client:
    """One service in one region; `call` does a call of a delivery."""

    def __init__(self, service: str, region: str, call: Callable[..., Any]) -> None:
        self._service, self._region, self._call = service, region, call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = _OPERATIONS[self._service][name]
        return lambda **parameters: self._call(self._service, self._region, operation, parameters)


def refusal(operation: str, code: str, message: str | None, status: int) -> ClientError:
    """Create the error that botocore raises for a refusal."""
    error = {"Code": code, "Message": message}
    response: Any = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


def raise_refusal(operation: str, refused: ChimeError) -> NoReturn:
    """Raise what botocore raises where the emulated service refuses."""
    raise refusal(operation, refused.code, refused.message, refused.status) from None


def denial(operation: str, rng: random.Random) -> ClientError:
    """Create one of IAM's refusals."""
    code, message = rng.choice(DENIALS)
    return refusal(operation, code, message and message.replace("chime:", f"chime:{operation}"), 403)


def failure(operation: str, rng: random.Random, message: str | None) -> ClientError:
    """Create a failure of the service, or of what stands before it."""
    match rng.randrange(4):
        case 0:
            return refusal(operation, "ServiceFailureException", message, 500)
        case 1:
            return refusal(operation, "ServiceUnavailableException", message, 503)
        case 2:
            return refusal(operation, rng.choice(("502", "504")), "Bad Gateway", rng.choice((502, 504)))
        case _:  # no error at all in the body
            return ClientError({"ResponseMetadata": {"HTTPStatusCode": 503}}, operation)  # type: ignore[typeddict-item]


def no_connection(rng: random.Random) -> Exception:
    """Create one of the errors of a connection that never came about."""
    url = "https://messaging-chime.us-east-1.amazonaws.com/channels"
    errors = (EndpointConnectionError(endpoint_url=url), SSLError(endpoint_url=url, error="eof"), OSError(9, "bad"))
    return rng.choice(errors)


def lost_answer(rng: random.Random) -> Exception:
    """Create one of the errors of an answer that never came."""
    url = "https://messaging-chime.us-east-1.amazonaws.com/channels"
    return rng.choice((ReadTimeoutError(endpoint_url=url, error="t"), ConnectionClosedError(endpoint_url=url)))


def unreadable(rng: random.Random) -> Exception:
    """Create one of the errors of an answer that cannot be read; not all are of botocore."""
    return rng.choice(
        (
            ResponseParserError("Unable to parse response (no element found), invalid XML received"),
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            json.JSONDecodeError("Expecting value", "<html>", 0),
            AttributeError("'list' object has no attribute 'get'"),
            KeyError("ResponseMetadata"),
            MemoryError(),
            RuntimeError("dictionary changed size during iteration"),
        )
    )


def without_fields(operation: str, answer: dict[str, Any], rng: random.Random) -> Any:
    """Return an answer that lost its content; raises where botocore could not have read it."""
    if not operation.startswith(_ALWAYS_HOLD_FIELDS):
        raise unreadable(rng)
    return rng.choice(([], None, {}, {"ResponseMetadata": {"HTTPStatusCode": 200}}, "<html>"))
