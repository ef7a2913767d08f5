"""What a refused request is answered, in the error shape of its protocol, so that every SDK shows code and text."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Mapping
from xml.sax.saxutils import escape

from chime_local.chime.protocol import Receive, Send

_MAX_DRAINED_BYTES = 64_000_000
_MAX_DRAIN_SECONDS = 2.0
_XML_SERVICES = frozenset({"", "s3", "s3express", "s3-object-lambda", "s3-outposts", "route53", "cloudfront"})
_JSON_CODES = {
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "ExpiredToken": "ExpiredTokenException",
    "AccessDenied": "AccessDeniedException",
    "IncompleteSignature": "IncompleteSignatureException",
    "Throttling": "ThrottlingException",
}
"""What JSON services call what others call by their older names."""
_S3_CODES = {"MissingAuthenticationToken": "AccessDenied", "InvalidClientTokenId": "InvalidAccessKeyId"}


class RefusedError(Exception):
    """A request that goes no further; status, code and text are what the caller is answered."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def error_body(service: str, headers: Mapping[str, str], code: str, message: str) -> tuple[bytes, str, str]:
    """Return an error's body, content type and code, as the service that was called writes them."""
    content_type = headers.get("content-type", "")
    if "rpc-v2-cbor" in headers.get("smithy-protocol", ""):
        code = _JSON_CODES.get(code, code)
        text = b"".join(_cbor(part) for part in ("__type", code, "message", message))
        return b"\xa2" + text, "application/cbor", code
    if "x-amz-target" in headers or "json" in content_type or service == "chime":
        return _json(code, message)
    request_id = str(uuid.uuid4())
    if service in _XML_SERVICES:
        code = _S3_CODES.get(code, code)
        inner = f"<Code>{code}</Code><Message>{escape(message)}</Message><RequestId>{request_id}</RequestId>"
        return f"<Error>{inner}</Error>".encode(), "application/xml", code
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return _json(code, message)
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if service == "ec2":
        body = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        error = f"<Error><Type>Sender</Type>{inner}</Error>"
        body = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return body.encode(), "text/xml", code


def _json(code: str, message: str) -> tuple[bytes, str, str]:
    code = _JSON_CODES.get(code, code)
    body = {"__type": code, "Code": code, "message": message, "Message": message}
    return json.dumps(body).encode(), "application/json", code


def _cbor(text: str) -> bytes:
    written = text.encode()
    return b"\x79" + len(written).to_bytes(2, "big") + written


async def answer_error(
    send: Send, receive: Receive, service: str, headers: Mapping[str, str], error: RefusedError
) -> None:
    """Answer at once, and take for a while what is still sent, so that the sender comes to read the answer."""
    body, content_type, code = error_body(service, headers, error.code, str(error))
    answer_headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
        (b"x-amzn-errortype", code.encode()),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": answer_headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_MAX_DRAIN_SECONDS):
            await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    size, more = 0, True
    while more and size < _MAX_DRAINED_BYTES:
        message = await receive()
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
