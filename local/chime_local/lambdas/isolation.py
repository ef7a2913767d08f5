"""Lets Python Lambdas import what AWS's runtime has, and all of them see no more variables than there."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

from chime_local.cloudformation._ministack import Lambda

_INHERITED = (
    "PATH",
    "LD_LIBRARY_PATH",
    "NODE_PATH",
    "TMPDIR",
    "GATEWAY_PORT",
    "NO_PROXY",
    "no_proxy",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_EC2_METADATA_DISABLED",
)
"""Variables of the engine that Lambdas get."""
_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What AWS's Python runtime has."""


def install(lambdas: Lambda, scratch: Path) -> None:
    """Put this in place, with what it takes in a folder of the engine's."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environ = {**inherited, "LANG": "en_US.UTF-8", "TZ": ":UTC"}
    lambdas.environment = SimpleNamespace(**{**vars(os), "environ": environ})
    binary = _python(scratch)
    detect = lambdas.runtime_binary

    def detect_isolated(runtime: str) -> tuple[str, str]:
        found = detect(runtime)
        return (str(binary), found[1]) if found[0] == sys.executable else found

    lambdas.runtime_binary = detect_isolated


def _python(scratch: Path) -> Path:
    """Write a command that runs this Python with the packages of AWS's runtime alone."""
    packages = scratch / "python"
    packages.mkdir()
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.origin:
            origin = Path(spec.origin)
            source = origin.parent if spec.submodule_search_locations else origin
            (packages / source.name).symlink_to(source)
    binary = scratch / "python-lambda"
    binary.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec "{sys.executable}" -S "$@"\n')
    binary.chmod(0o700)
    return binary
