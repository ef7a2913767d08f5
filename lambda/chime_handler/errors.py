"""What can go wrong: one root, and what each error says to the code that catches it."""

from __future__ import annotations

_RETRYABLE_STATUS = frozenset({429, 500, 502, 503, 504})
_DENIED_CODES = ("AccessDenied", "UnrecognizedClient", "InvalidClientTokenId")
_DENIED_WORDS = ("authorization failed", "not authorized to perform")
_UNKNOWN_BEARER_WORDS = "an invalid app instance user arn"
"""How the service says that a bearer is not there, be it with 401 or 403 (seen on AWS)."""


class ChimeHandlerError(Exception):
    """The root of all errors of this package."""


class MalformedEventError(ChimeHandlerError):
    """The event is no request of CloudFormation for a custom resource."""


class RequestRejectedError(ChimeHandlerError):
    """The request cannot be done; the text says what, the value seen and what to do."""


class ResponseNotDeliveredError(ChimeHandlerError):
    """The response to a request could not be delivered."""


class InvalidPropertyError(ChimeHandlerError):
    """A property breaks a rule.

    Args:
        rule: Which rule; holds nothing of the value.
        value: What was seen; left out where the rule says enough.
    """

    def __init__(self, rule: str, value: object = None) -> None:
        super().__init__(rule)
        self.rule = rule
        self.value = value


class ServiceError(ChimeHandlerError):
    """The service, or the way to it, refused a call.

    Args:
        operation: The operation that was called.
        code: The error code, with or without the suffix Exception.
        message: The service's own words.
        status: The HTTP status; 0 for a connection that failed or a response that could not be read.
    """

    def __init__(self, operation: str, code: str, message: str, status: int = 0) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code.removesuffix("Exception")
        self.message = message
        self.status = status
        self.waited = 0.0
        """Seconds for which the same refusal was waited out, since it might have been eventual consistency."""
        self.may_have_had_effect = False
        """Whether an earlier try of the same call may have had its effect."""
        self.was_sent = True
        """Whether this or an earlier try of the same call got a connection, without which it has no effect."""

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed a little later."""
        return self.status in _RETRYABLE_STATUS or self.status == 0 or "Throttl" in self.code

    @property
    def is_access_denied(self) -> bool:
        """Whether IAM refused the Lambda, as apart from the service refusing the bearer."""
        if self.code.startswith(_DENIED_CODES):
            return True
        words = self.message.lower()
        return self.status in (401, 403) and any(denied in words for denied in _DENIED_WORDS)

    @property
    def is_bearer_unknown(self) -> bool:
        """Whether the service does not know the bearer."""
        return self.code.startswith("Unauthorized") or _UNKNOWN_BEARER_WORDS in self.message.lower()

    @property
    def is_not_found(self) -> bool:
        """Whether the response can mean that what was asked for is not there; Forbidden may also hide it."""
        verdict = self.code in ("NotFound", "Forbidden")
        return verdict and not self.is_access_denied and not self.is_bearer_unknown


class DeadlineExceededError(ChimeHandlerError):
    """The time for a request ran out; `last` is the refusal that was being waited out."""

    def __init__(self, last: ServiceError | None, operation: str) -> None:
        super().__init__(operation)
        self.last = last
        self.operation = operation
