"""The answer to CloudFormation: bounded in size, sent until it is taken, never with a secret in a log."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

MOST_BYTES = 4096
_MOST_ID_BYTES = 1024
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_TIMEOUT = 5.0


def body(event: Mapping[str, object], status: str, physical_id: str, reason: str, data: Mapping[str, str]) -> bytes:
    """Write an answer of at most 4096 bytes; a Reason too long loses its end."""
    answer: dict[str, object] = {
        "Status": status,
        "PhysicalResourceId": _bounded(physical_id, _MOST_ID_BYTES) or "unknown",
        "StackId": event.get("StackId", ""),
        "RequestId": event.get("RequestId", ""),
        "LogicalResourceId": event.get("LogicalResourceId", ""),
        "NoEcho": False,
    }
    if data and status == "SUCCESS":
        answer["Data"] = dict(data)
    if status == "FAILED":
        answer["Reason"] = reason or "no reason is known"
    while len(written := json.dumps(answer).encode()) > MOST_BYTES and len(str(answer.get("Reason", ""))) > 1:
        text = str(answer["Reason"])
        excess = len(written) - MOST_BYTES
        # One character takes twelve bytes at most as JSON, so this cuts too little rather than too much.
        answer["Reason"] = text[: max(1, len(text) - max(2, excess // 12))].rstrip("…") + "…"
    return written


def _bounded(text: str, most: int) -> str:
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    # Reading the CA bundle takes 20 ms. A new bundle comes with a new execution environment.
    return ssl.create_default_context()


def is_sendable(url: object) -> bool:
    """Say whether an answer may be sent there: over TLS, or to this very machine (the local engine)."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return (
            bool(parts.hostname)
            and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))
            and parts.port != 0
        )
    except ValueError:
        return False


def put(url: str, written: bytes) -> int:
    """PUT an answer once and give the HTTP status; raises OSError or HTTPException where none came."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=_tls())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        # The URL is signed for an empty content type.
        connection.request("PUT", path or "/", body=written, headers={"content-type": ""})
        return connection.getresponse().status
    finally:
        connection.close()


def deliver(
    url: str,
    written: bytes,
    *,
    tries: int,
    sleep: Callable[[float], None],
    log: Callable[[str], None],
    send: Callable[[str, bytes], int],
) -> bool:
    """Send an answer until it is taken; gives up on a refusal that will not change."""
    for attempt in range(1, tries + 1):
        try:
            status = send(url, written)
            outcome = "ok" if 200 <= status < 300 else "refused"
        except (OSError, http.client.HTTPException, ValueError) as failed:
            status, outcome = 0, type(failed).__name__
        log(json.dumps({"operation": "answer", "outcome": outcome, "status": status, "try": attempt}))
        if outcome == "ok":
            return True
        if 400 <= status < 500 and status not in (408, 429):
            return False  # the URL has expired or is wrong: it will not do better
        if attempt < tries:
            sleep(min(0.5 * 2**attempt, 4.0))
    return False
