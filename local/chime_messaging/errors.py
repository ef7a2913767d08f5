"""What goes wrong, in one sentence each that says what to do: pure."""

from __future__ import annotations

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_REJECTED = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "MissingAuthenticationToken",
}
_ACCESS_DENIED = {"AccessDenied", "AccessDeniedException"}
_NOT_FOUND = {"NotFound", "NotFoundException"}
_CREDENTIALS = (
    "set AWS_PROFILE or --profile, log in with `aws sso login`, or, for the local engine, set the variables that "
    "it prints"
)


class ChimeMessagingError(Exception):
    """What the command cannot do, in a sentence for its user."""


def get_code(error: ClientError) -> str:
    """Return the code of a service's error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_access_denied(error: ClientError) -> bool:
    """Check whether IAM has denied a call."""
    return get_code(error) in _ACCESS_DENIED


def is_not_found(error: ClientError) -> bool:
    """Check whether what a call is about is known to be absent."""
    return get_code(error) in _NOT_FOUND


def is_forbidden(error: ClientError) -> bool:
    """Check whether the service itself refuses the bearer, or may return for what is not there."""
    return get_code(error) in ("Forbidden", "ForbiddenException")


def explain(error: ChimeMessagingError | BotoCoreError | ClientError) -> str:
    """Return one line on an error, which says what to do about it."""
    if isinstance(error, ChimeMessagingError):
        text = str(error)
    elif isinstance(error, ClientError):
        text = _explain_response(error)
    else:
        text = _explain_botocore(error)
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _explain_response(error: ClientError) -> str:
    """Explain the error that a service has returned."""
    code, message = get_code(error), str(error.response.get("Error", {}).get("Message", ""))
    response = f"{error.operation_name}: {code}: {message}".rstrip(": ")
    if code in _EXPIRED:
        return f"the credentials have expired ({response}): get new ones, for example with `aws sso login`"
    if code in _REJECTED:
        return f"the credentials are not accepted ({response}): {_CREDENTIALS}"
    if is_access_denied(error):
        return f"{response}; the credentials need an IAM policy that allows {error.operation_name}"
    if code.startswith("Unauthorized"):
        return f"{response}; the bearer is no user or bot of this app instance: give another --bearer"
    if is_forbidden(error):
        return f"{response}; it does not exist, or the bearer may not do this: give --bearer an AppInstanceAdmin"
    return response


def _explain_botocore(error: BotoCoreError) -> str:
    """Explain what stops a call before there is a response."""
    match error:
        case exceptions.NoRegionError():
            return "no region is set: give --region, or set AWS_REGION"
        case exceptions.ProfileNotFound():
            return f"{error}; `aws configure list-profiles` lists them"
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return f"no credentials are found: {_CREDENTIALS}"
        case (
            exceptions.TokenRetrievalError()
            | exceptions.SSOError()
            | exceptions.CredentialRetrievalError()
            | exceptions.InvalidConfigError()
        ):
            return f"the credentials cannot be had ({error}): log in again, for example with `aws sso login`"
        case exceptions.ConnectionError() | exceptions.HTTPClientError():
            return f"{error}: check the network, the region and AWS_ENDPOINT_URL; does the local engine still run?"
    return str(error)
