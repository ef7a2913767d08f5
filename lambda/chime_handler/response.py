"""The response to CloudFormation: bounded in size, sent until it is taken, never with a secret in a log."""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from chime_handler.limits import MAX_PHYSICAL_ID_BYTES, MAX_RESPONSE_BYTES

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_REGION = r"(?:external-1|[a-z]{2,4}(?:-[a-z]+)+-[0-9]+)"
_S3 = re.compile(
    r"(?:[a-z0-9][a-z0-9.-]*\.)?"
    rf"s3(?:-fips)?(?:\.dualstack)?(?:[.-]{_REGION})?\.amazonaws\.(?:com|com\.cn|eu)"
)
"""The hosts of Amazon S3, to which a ResponseURL leads (AWS documents it as a pre-signed URL of S3).

Only a region may follow: other services have hosts under amazonaws.com whose first label a user chooses.
"""
_TIMEOUT_SECONDS = 5.0


def build_body(
    event: Mapping[str, object], status: str, physical_id: str, reason: str, data: Mapping[str, str]
) -> bytes:
    """Return a response of at most 4096 bytes; a Reason too long loses its end.

    What CloudFormation itself sent comes back as it is, and could alone take more: such a response is as short as
    it can be.
    """
    content: dict[str, object] = {
        "Status": status,
        "PhysicalResourceId": _bounded(physical_id, MAX_PHYSICAL_ID_BYTES) or "unknown",
        "StackId": event.get("StackId", ""),
        "RequestId": event.get("RequestId", ""),
        "LogicalResourceId": event.get("LogicalResourceId", ""),
        "NoEcho": False,
    }
    if status == "FAILED":
        return _with_reason(content, reason or "no reason is known")
    body = json.dumps({**content, "Data": dict(data)} if data else content).encode()
    if len(body) <= MAX_RESPONSE_BYTES:
        return body
    content["Status"] = "FAILED"
    return _with_reason(content, "The attributes do not fit into a response of 4096 bytes.")


def _with_reason(content: Mapping[str, object], reason: str) -> bytes:
    while True:
        body = json.dumps({**content, "Reason": reason}).encode()
        excess = len(body) - MAX_RESPONSE_BYTES
        if excess <= 0 or len(reason) <= 1:
            return body
        # One character takes twelve bytes at most as JSON, so this cuts too little rather than too much.
        reason = reason[: max(1, len(reason) - max(2, excess // 12))].rstrip("…")
        reason = (reason[:-1] if len(reason) > 1 else "") + "…"


def _bounded(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    # Reading the CA bundle takes 20 ms. A new bundle comes with a new execution environment.
    return ssl.create_default_context()


def is_trusted_url(url: object) -> bool:
    """Check whether a response may be sent there: to S3 over TLS, or to a local engine that serves this Lambda.

    A local engine is there where AWS_ENDPOINT_URL leads to this very machine.
    """
    if not isinstance(url, str) or any(ord(character) <= 32 for character in url):
        return False
    try:
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None or parts.port == 0:
            return False
    except ValueError:
        return False
    host = parts.hostname or ""
    if host in _LOOPBACK:
        return parts.scheme in ("http", "https") and _is_local_engine()
    return parts.scheme == "https" and parts.port in (None, 443) and _S3.fullmatch(host) is not None


def _is_local_engine() -> bool:
    try:
        return urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in _LOOPBACK
    except ValueError:
        return False


def put(url: str, body: bytes) -> int:
    """PUT a response once and return the HTTP status; raises OSError or HTTPException where none came."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=_tls())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        # The URL is signed for an empty content type.
        connection.request("PUT", path or "/", body=body, headers={"content-type": ""})
        return connection.getresponse().status
    finally:
        connection.close()


def deliver(
    url: str,
    body: bytes,
    *,
    tries: int,
    sleep: Callable[[float], None],
    log: Callable[[str], None],
    send: Callable[[str, bytes], int],
) -> bool:
    """Send a response until it is taken; gives up on a refusal that will not change."""
    for attempt in range(1, tries + 1):
        try:
            status = send(url, body)
            outcome = "ok" if 200 <= status < 300 else "refused"
        except (OSError, http.client.HTTPException, ValueError) as error:
            status, outcome = 0, type(error).__name__
        log(json.dumps({"operation": "respond", "outcome": outcome, "status": status, "try": attempt}))
        if outcome == "ok":
            return True
        if 400 <= status < 500 and status not in (408, 429):
            return False  # the URL has expired or is wrong: it will not do better
        if attempt < tries:
            sleep(min(0.5 * 2**attempt, 4.0))
    return False
