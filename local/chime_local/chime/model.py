"""botocore's models of the two services: which operations there are and what their parameters may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

from chime_local.chime.errors import ChimeError

SERVICES = ("chime-sdk-messaging", "chime-sdk-identity")


@lru_cache
def service_model(service_name: str) -> ServiceModel:
    """Load the model of a service."""
    model: ServiceModel = botocore.session.get_session().get_service_model(service_name)
    return model


@lru_cache
def operation_model(service_name: str, operation: str) -> OperationModel:
    """Load the model of an operation."""
    return service_model(service_name).operation_model(operation)


@lru_cache
def _pattern(text: str) -> re.Pattern[str]:
    # Java writes the astral plane as \u10000-\u10FFFF, which Python reads as one character and a digit.
    return re.compile(text.replace(r"\u10000-\u10FFFF", "\U00010000-\U0010ffff"))


def validate(service_name: str, operation: str, parameters: dict[str, Any]) -> None:
    """Check parameters by the model, as the service does; raises ChimeError (400) that names parameter and rule."""
    shape = operation_model(service_name, operation).input_shape
    errors = list(_errors(shape, parameters, "")) if shape else []
    if errors:
        raise ChimeError("BadRequest", "; ".join(errors[:5]))


def _errors(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from _structure_errors(shape, value, where)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{where.strip()} must be a list"
            return
        yield from _range_errors(shape, len(value), f"{where.strip()} has {len(value)} items")
        for item in value:
            yield from _errors(shape.member, item, f"{where}item ")
    elif shape.type_name == "string":
        yield from _string_errors(shape, value, where)
    elif shape.type_name in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{where.strip()} must be a number"
        else:
            yield from _range_errors(shape, value, f"{where.strip()} is {value}")
    elif shape.type_name == "boolean" and not isinstance(value, bool):
        yield f"{where.strip()} must be true or false"


def _structure_errors(shape: StructureShape, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where or 'the body'} must be a map"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{where}{name} is required"
    for name, given in value.items():
        if name in shape.members and given is not None:
            yield from _errors(shape.members[name], given, f"{where}{name} ")


def _string_errors(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where.strip()} must be a string"
        return
    yield from _range_errors(shape, len(value), f"{where.strip()} has {len(value)} characters")
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(value):
        yield f"{where.strip()} must match {pattern[:80]}"
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{where.strip()} must be one of {', '.join(shape.enum)}"


def _range_errors(shape: Shape, size: int, seen: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if (minimum is not None and size < minimum) or (maximum is not None and size > maximum):
        yield f"{seen}, must have {minimum or 0}–{maximum if maximum is not None else 'any'}"
