"""Calls of the emulated service in process, and what they are refused with."""

from __future__ import annotations

from typing import Any

from chime_local.chime import ChimeError
from helpers.harness import Harness


def code_of(harness: Harness, operation: str, **parameters: Any) -> str:
    """Return the code by which a call is refused, without its suffix; "" where it is not."""
    call = harness.identity if "AppInstance" in operation else harness.messaging
    try:
        call(operation, **parameters)
    except ChimeError as error:
        return error.code.removesuffix("Exception")
    return ""
