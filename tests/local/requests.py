"""HTTP requests without an SDK, and boto3 clients with given credentials."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from chime_local.engine import Engine


def answer(
    engine: Engine, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Send a request with exactly these headers; return status, headers and body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def client(engine: Engine, service: str, key: str, secret: str, token: str | None = None) -> Any:
    """Return a boto3 client with these credentials."""
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{engine.port}",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
