"""AWS Signature Version 4 of received requests: who signed, with what secret, and is it this very request?

The canonical request is made by botocore's own signer, so that it is what SDKs make. Sources, all documented (D):
"Authenticating Requests (AWS Signature Version 4)" of Amazon S3's API reference for headers, query strings and
chunks; "Create a signed AWS API request" of the IAM user guide for the rest. Asymmetric signatures (SigV4A) and
Signature Version 2 are refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

RawHeaders = Iterable[tuple[bytes, bytes]]

MAX_SKEW = timedelta(minutes=15)
MAX_EXPIRES_SECONDS = 604_800
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_SCOPE = r"(?P<key>\w{1,128})/(?P<date>\d{8})/(?P<region>[a-z0-9-]*)/(?P<service>[a-z0-9-]+)/aws4_request"
_AUTHORIZATION = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={_SCOPE}, ?SignedHeaders=(?P<headers>[!-+\--~]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_CREDENTIAL = re.compile(_SCOPE)
_ONCE = ("authorization", "host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256")
"""Headers that mean something only when they are sent once; whoever reads them later may take another."""
_UNENCODED_PATHS = frozenset({"s3", "s3-object-lambda", "s3-outposts", "s3express"})
"""Services whose signature takes the path as it is; for all others it is encoded once more."""
_EMPTY = hashlib.sha256(b"").hexdigest()


class SignatureError(Exception):
    """A request is not signed, or not by whom it says; code and text are for the caller."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Signature:
    """What a request says about its signature."""

    key: str
    """The access key id."""
    token: str
    region: str
    service: str
    headers: tuple[str, ...]
    """Names of the signed headers."""
    value: str
    timestamp: str
    payload: str | None
    """The announced hash of the body, or what stands in its place; None where it is not announced."""
    expires: int | None
    """Seconds for which a presigned URL is valid; None for a signature in the headers."""


def read_signature(headers: RawHeaders, query: str) -> Signature:
    """Return the signature of a request, which is not yet verified; raises SignatureError where there is none."""
    fields = _fields(headers)
    for name in _ONCE:
        if len(fields.get(name, ())) > 1:
            raise SignatureError("IncompleteSignature", f"The header {name} is there more than once.")
    parameters = _parameters(query)
    authorization = fields.get("authorization", [""])[0]
    if authorization and parameters:
        raise SignatureError("IncompleteSignature", "Only one way to sign a request is allowed at a time.")
    found = _from_query(parameters, fields) if parameters else _from_headers(authorization, fields)
    unsigned = [name for name in fields if name.startswith("x-amz-") and name not in found.headers]
    if "host" not in found.headers or unsigned:
        raise SignatureError(
            "AccessDenied", f"Headers that must be signed are not: {', '.join(unsigned) or 'host'}."
        )
    return found


def _fields(headers: RawHeaders) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name.decode("latin-1").lower(), []).append(_text(value))
    return fields


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters of a presigned URL, none where it is not one."""
    found: dict[str, str] = {}
    known: set[str] = set()
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name = unquote(name)
        if name.lower() in ("awsaccesskeyid", "signature"):
            raise SignatureError(
                "InvalidRequest",
                "Signature Version 2 is not supported; sign with AWS4-HMAC-SHA256 "
                "(in boto3: Config(signature_version='s3v4')).",
            )
        if name.lower().startswith("x-amz-"):
            if name.lower() in known:
                raise SignatureError("IncompleteSignature", f"The parameter {name} is there more than once.")
            known.add(name.lower())
            found[name] = unquote(value)
    return found if any(name.lower() in ("x-amz-signature", "x-amz-credential") for name in found) else {}


def _from_headers(authorization: str, fields: dict[str, list[str]]) -> Signature:
    if not authorization:
        raise SignatureError("MissingAuthenticationToken", "The request is not signed.")
    found = _AUTHORIZATION.fullmatch(authorization)
    if not found:
        raise SignatureError("IncompleteSignature", "The Authorization header is none of AWS4-HMAC-SHA256.")
    timestamp = fields.get("x-amz-date", [""])[0]
    if timestamp[:8] != found["date"]:
        raise SignatureError("SignatureDoesNotMatch", "X-Amz-Date is not there, or not of the credential's date.")
    return Signature(
        key=found["key"],
        token=fields.get("x-amz-security-token", [""])[0],
        region=found["region"],
        service=found["service"],
        headers=tuple(found["headers"].split(";")),
        value=found["signature"],
        timestamp=timestamp,
        payload=fields.get("x-amz-content-sha256", [None])[0],
        expires=None,
    )


def _from_query(parameters: dict[str, str], fields: dict[str, list[str]]) -> Signature:
    names = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    missing = [name for name in names if not parameters.get(f"X-Amz-{name}")]
    if missing:
        raise SignatureError("IncompleteSignature", f"The query string has no X-Amz-{missing[0]}.")
    scope = _CREDENTIAL.fullmatch(parameters["X-Amz-Credential"])
    timestamp, expires = parameters["X-Amz-Date"], parameters["X-Amz-Expires"]
    if parameters["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256" or not scope or timestamp[:8] != scope["date"]:
        raise SignatureError("IncompleteSignature", "The query string is none of AWS4-HMAC-SHA256.")
    if not re.fullmatch(r"[0-9]{1,6}", expires) or not 1 <= int(expires) <= MAX_EXPIRES_SECONDS:
        raise SignatureError("IncompleteSignature", f"X-Amz-Expires must be 1–{MAX_EXPIRES_SECONDS} seconds.")
    announced = fields.get("x-amz-content-sha256", [parameters.get("X-Amz-Content-Sha256")])[0]
    return Signature(
        key=scope["key"],
        token=parameters.get("X-Amz-Security-Token", ""),
        region=scope["region"],
        service=scope["service"],
        headers=tuple(parameters["X-Amz-SignedHeaders"].split(";")),
        value=parameters["X-Amz-Signature"],
        timestamp=timestamp,
        # Whoever makes a presigned URL of S3 does not know the body.
        payload=announced or (UNSIGNED_PAYLOAD if scope["service"] in _UNENCODED_PATHS else None),
        expires=int(expires),
    )


def check_time(signature: Signature, now: datetime | None = None) -> None:
    """Check that a signature was made a short while ago, or that its URL has not expired."""
    now = now or datetime.now(UTC)
    try:
        made = datetime.strptime(signature.timestamp, _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        raise SignatureError("IncompleteSignature", "X-Amz-Date must be written as 20260131T235959Z.") from None
    skewed = made - now > MAX_SKEW
    if signature.expires is None:
        skewed |= now - made > MAX_SKEW
    elif now - made > timedelta(seconds=signature.expires):
        raise SignatureError("AccessDenied", f"Request has expired: it was valid for {signature.expires} s.")
    if skewed:
        raise SignatureError(
            "RequestTimeTooSkewed",
            f"The request was signed at {signature.timestamp}, more than {MAX_SKEW.seconds // 60} minutes "
            f"from now, {now.strftime(_TIMESTAMP)}.",
        )


class _Signer(SigV4Auth):
    """botocore's signer, for what was signed already."""

    def __init__(self, signature: Signature, secret: str) -> None:
        super().__init__(Credentials(signature.key, secret), signature.service, signature.region)
        self._signed = signature

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        """Return those of the received headers that were signed."""
        chosen = HTTPHeaders()
        for name, value in request.headers.items():
            if name in self._signed.headers:
                chosen[name] = value
        return chosen

    def _normalize_url_path(self, path: str) -> str:
        if self._signed.service in _UNENCODED_PATHS:
            return path
        return str(super()._normalize_url_path(path))  # type: ignore[misc]  # the stubs leave it out

    def payload(self, request: AWSRequest) -> str:
        """Return the hash of the body, which was made already."""
        return str(request.context["payload"])


class Verification:
    """Compares a request with its signature: the headers as soon as the body's hash is known, then the body."""

    def __init__(self, signature: Signature, secret: str) -> None:
        self._signature = signature
        self._signer = _Signer(signature, secret)
        self._request = AWSRequest()
        self._request.context["timestamp"] = signature.timestamp

    def check_headers(self, method: str, path: str, query: str, headers: RawHeaders, payload: str) -> None:
        """Check method, path, query and headers, with this hash of the body."""
        if not path.startswith("/") or "#" in path + query:
            raise SignatureError("IncompleteSignature", "The path of the request is malformed.")
        pairs = [pair for pair in query.split("&") if pair.partition("=")[0] != "X-Amz-Signature"]
        request = self._request
        request.method, request.url = method, f"http://engine{path}?{'&'.join(pairs)}"
        for name, value in headers:
            request.headers[name.decode("latin-1").lower()] = _text(value)
        request.context["payload"] = payload
        text = self._signer.string_to_sign(request, self._signer.canonical_request(request))
        expected = str(self._signer.signature(text, request))
        if not hmac.compare_digest(expected.encode(), self._signature.value.encode()):
            raise _mismatch()

    def check_body(self, body: bytes) -> None:
        """Check the body, or each of its chunks, against what the headers have announced."""
        announced = self._signature.payload or ""
        if announced.startswith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"):
            self._check_chunks(body, trailing=announced.endswith("-TRAILER"))
        elif announced.startswith("STREAMING-") and announced != "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
            raise SignatureError("InvalidRequest", f"{announced} is not supported.")
        elif re.fullmatch(r"[0-9a-fA-F]{64}", announced):
            if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), announced.lower()):
                raise SignatureError("XAmzContentSHA256Mismatch", "The body is not the one that was signed.")
        elif announced not in (UNSIGNED_PAYLOAD, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"):
            raise SignatureError("InvalidRequest", "x-amz-content-sha256 must be a SHA-256 in hexadecimal.")

    def _check_chunks(self, body: bytes, *, trailing: bool) -> None:
        """Check the chain of the chunks' signatures, and that of the trailing headers."""
        previous, position, size = self._signature.value, 0, -1
        while size != 0:
            line, position = _line(body, position)
            found = re.fullmatch(rb"([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})", line)
            if not found:
                raise _mismatch()
            size = int(found[1], 16)
            data = body[position : position + size]
            parts = (_EMPTY, hashlib.sha256(data).hexdigest())
            previous = self._check_link("PAYLOAD", previous, parts, found[2].decode())
            position += size + 2 if size else 0
        if trailing:
            *trailers, signed = [line for line in body[position:].split(b"\r\n") if line]
            name, _, value = signed.partition(b":")
            if name.strip().lower() != b"x-amz-trailer-signature":
                raise _mismatch()
            digest = hashlib.sha256(b"".join(line + b"\n" for line in trailers)).hexdigest()
            self._check_link("TRAILER", previous, (digest,), value.decode("latin-1").strip())

    def _check_link(self, kind: str, previous: str, parts: Sequence[str], claimed: str) -> str:
        scope = self._signer.credential_scope(self._request)
        lines = (f"AWS4-HMAC-SHA256-{kind}", self._signature.timestamp, scope, previous, *parts)
        expected = str(self._signer.signature("\n".join(lines), self._request))
        if not hmac.compare_digest(expected.encode(), claimed.encode()):
            raise _mismatch()
        return expected


def _line(body: bytes, position: int) -> tuple[bytes, int]:
    end = body.find(b"\r\n", position, position + 200)
    if end < 0:
        raise _mismatch()
    return body[position:end], end + 2


def _mismatch() -> SignatureError:
    return SignatureError(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
    )


def sign(url: str, key: str, secret: str, *, method: str = "GET", service: str, region: str) -> Any:
    """Return a request that is signed with an access key."""
    request = AWSRequest(method=method, url=url)
    SigV4Auth(Credentials(key, secret), service, region).add_auth(request)
    return request.prepare()
