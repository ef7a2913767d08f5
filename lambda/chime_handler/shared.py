"""What the types of resources have in common when they check their properties."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Mapping

from chime_handler.errors import RequestRejectedError
from chime_handler.request import Request

CLOUDFORMATION_PROPERTIES = ("ServiceToken", "ServiceTimeout")


def shown(value: object) -> str:
    """Return a wrong value as a message shows it: not longer than a line, however deep or long it is."""
    return reprlib.repr(value) if not isinstance(value, str) else f"{value[:100]!r}"


def text(properties: Mapping[str, object], name: str) -> str:
    """Return a property that is a string; an empty one where it is anything else, so that no Delete fails of it."""
    value = properties.get(name)
    return value if isinstance(value, str) else ""


def refuse(request: Request, known: Collection[str], errors: list[str]) -> None:
    """Raise Refused with all errors, those of unknown properties included; return where there are none."""
    unknown = sorted(set(request.properties) - {*CLOUDFORMATION_PROPERTIES, *known}, key=str)
    found = [*errors, *(f"{shown(name)}: is no property of {request.resource_type}" for name in unknown)]
    if found:
        raise RequestRejectedError(
            "Properties of this resource break rules, and nothing was changed: " + "; ".join(found)
        )
