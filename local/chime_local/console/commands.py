"""A call in the languages of the AWS CLI, boto3 and the CDK."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from botocore import xform_name

from chime_local.console.cdk_code import write_call

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""A terminal acts on some of these before a shell sees a quote: Ctrl-C, the end of what is pasted."""
_LOADED = ("file://", "fileb://", "http://", "https://")
"""Where the AWS CLI takes a value from elsewhere."""


@dataclass(frozen=True)
class Command:
    """One call in three languages."""

    cli: str
    boto3: str
    cdk: str = ""
    """Empty where the call has no counterpart."""

    @property
    def languages(self) -> dict[str, str]:
        """Return the texts by the names of the languages."""
        named = {"AWS CLI": self.cli, "boto3": self.boto3, "CDK": self.cdk}
        return {name: text for name, text in named.items() if text}


def create_command(service: str, operation: str, parameters: Mapping[str, Any], region: str = "") -> Command:
    """Create the commands for a call; the environment that `chime-local` prints leads them to the engine."""
    loaded = {name: value for name, value in parameters.items() if str(value).startswith(_LOADED)}
    options = [_option(name, value) for name, value in parameters.items() if name not in loaded]
    options += [f"--cli-input-json {_quote(json.dumps(loaded))}"] if loaded else []
    at = [f"--region {_quote(region)}"] if region else []
    cli = " \\\n  ".join([f"aws {service} {xform_name(operation, '-')}", *options, *at])
    given = "".join(f"\n    {name}={_literal(value)}," for name, value in parameters.items())
    where = f", region_name={region!r}" if region else ""
    call = f"client.{xform_name(operation)}({given}{chr(10) if given else ''})"
    client = f"client = boto3.client({service!r}{where})"
    return Command(cli, f"{client}\n{call}", write_call(service, operation, parameters))


def _option(name: str, value: Any) -> str:
    flag = f"--{xform_name(name, '-')}"
    if isinstance(value, bool):
        return flag if value else flag.replace("--", "--no-", 1)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    # A value that begins with a dash would be taken for an option.
    return f"{flag}={_quote(text)}" if text.startswith("-") else f"{flag} {_quote(text)}"


def _quote(text: str) -> str:
    """Quote for a shell, with nothing in it that a terminal takes for a key."""
    if not _CONTROLS.search(text):
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{_CONTROLS.sub(_escape, escaped)}'"


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def _literal(value: Any) -> str:
    return pformat(value, width=100, sort_dicts=False).replace("\n", "\n    ")
