"""Where an engine is and how it is reached; imports nothing that is slow, for the commands."""

from __future__ import annotations

import hashlib
import hmac
import os

HOST = "127.0.0.1"
ACCOUNT = "000000000000"
DROPPED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE")
"""Variables that would lead SDKs away from the engine."""


def environment(port: int, secret: str, region: str = "us-east-1") -> dict[str, str]:
    """Return the variables by which SDKs and the CDK CLI reach the engine, and nothing else."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ENDPOINT_URL_S3": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": region,
        **{name: _with_host(os.environ.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
    }


def with_environment(variables: dict[str, str]) -> dict[str, str]:
    """Return the environment of this process with those variables that lead to an engine."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    return {**kept, **variables}


def console_token(secret: str) -> str:
    """Derive the token of an engine's console from its secret, which the token does not give away."""
    return hmac.new(secret.encode(), b"console", hashlib.sha256).hexdigest()


def console_url(port: int, token: str) -> str:
    """Return the address of an engine's console, with its token."""
    return f"http://{HOST}:{port}/_chime/?token={token}"


def _with_host(no_proxy: str) -> str:
    """Add the engine's host to those that are reached without a proxy."""
    hosts = [host for host in no_proxy.split(",") if host and host != HOST]
    return ",".join((HOST, *hosts))
