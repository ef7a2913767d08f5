"""Clients of the AWS APIs of a running server, for the commands."""

from __future__ import annotations

from typing import Any

import boto3

from chime_local.environment import ACCOUNT
from chime_local.running_server import RunningServer


def create_client(server: RunningServer, service: str, region: str | None = None) -> Any:
    """Return a boto3 client with all rights, in the server's region unless another one is given."""
    return boto3.client(
        service,
        region_name=region or server.region,
        endpoint_url=server.url,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=server.secret,
    )
