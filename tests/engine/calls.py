"""Error codes of calls of the emulated service in process."""

from __future__ import annotations

from typing import Any

from chime_local.chime import ChimeError
from helpers.harness import Harness


def code_of(harness: Harness, operation: str, **parameters: Any) -> str:
    """Return the error code of a call without its suffix, or "" on success."""
    call = harness.identity if "AppInstance" in operation else harness.messaging
    try:
        call(operation, **parameters)
    except ChimeError as error:
        return error.code.removesuffix("Exception")
    return ""
