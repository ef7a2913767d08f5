"""The errors of the emulated service, as its clients see them."""

from __future__ import annotations

from chime_local.errors import ChimeLocalError

_STATUS = {
    "BadRequest": 400,
    "ResourceLimitExceeded": 400,
    "UnauthorizedClient": 401,
    "Forbidden": 403,
    "AccessDenied": 403,
    "NotFound": 404,
    "Conflict": 409,
    "ThrottledClient": 429,
    "ServiceFailure": 500,
    "NotImplemented": 501,
    "ServiceUnavailable": 503,
}


class ChimeError(ChimeLocalError):
    """An error that the service answers: `code` with its suffix Exception, as boto3 shows it."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code if code.endswith("Exception") else f"{code}Exception"
        self.message = message
        self.status = status or _STATUS[self.code.removesuffix("Exception")]
