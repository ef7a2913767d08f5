"""The wire: REST-JSON as botocore's models define it, from HTTP to `ChimeService.call` and back.

The router is written by hand: the models tell routes apart by query parameters (`?operation=…`) and match encoded
paths, as no router of a web framework does, and a new release of botocore brings its routes with it.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from chime_local.chime import ChimeError, ChimeService
from chime_local.chime.faults import AFTER, BEFORE
from chime_local.chime.model import SERVICES, operation_model, service_model

MAX_BODY_BYTES = 1_000_000
"""The longest body that is read."""
_SCOPE = re.compile(r"Credential=[^/,\s]+/\d+/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = Mapping[str, str]


@dataclass(frozen=True)
class _Route:
    service_name: str
    operation: str
    method: str
    path: re.Pattern[str]
    query: frozenset[tuple[str, str]]


@lru_cache
def _routes() -> tuple[_Route, ...]:
    """Read the routes from the models, those that name a query parameter first."""
    routes = []
    for service_name in SERVICES:
        for operation in service_model(service_name).operation_names:
            http = operation_model(service_name, operation).http
            path, _, query = http["requestUri"].partition("?")
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
            routes.append(
                _Route(
                    service_name,
                    operation,
                    http["method"],
                    re.compile(pattern),
                    frozenset(parse_qsl(query, keep_blank_values=True)),
                )
            )
    return tuple(sorted(routes, key=lambda route: -len(route.query)))


def scope_of(headers: Headers) -> tuple[str, str] | None:
    """Return region and service of a request's SigV4 credential scope."""
    found = _SCOPE.search(headers.get("authorization", ""))
    return (found["region"], found["service"]) if found else None


def operation_of(
    method: str, raw_path: bytes, query_string: bytes, headers: Headers, body: bytes
) -> tuple[str, str, dict[str, Any]]:
    """Return the service, operation and parameters of a request; raises ChimeError."""
    path = raw_path.decode("latin-1").partition("?")[0]
    query = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    for route in _routes():
        found = route.path.fullmatch(path) if route.method == method else None
        if found and route.query <= set(query):
            model = operation_model(route.service_name, route.operation)
            labels = {name: unquote(value) for name, value in found.groupdict().items()}
            return route.service_name, route.operation, _parameters(model, labels, query, headers, body)
    raise ChimeError("NotFound", f"no operation of Amazon Chime SDK messaging is {method} {path[:80]}")


def _parameters(
    model: OperationModel,
    labels: Mapping[str, str],
    query: list[tuple[str, str]],
    headers: Headers,
    body: bytes,
) -> dict[str, Any]:
    shape = model.input_shape
    parameters: dict[str, Any] = {}
    if shape is None:
        return parameters
    # A body belongs only to an operation that has a member in it.
    in_body = [name for name, member in shape.members.items() if "location" not in member.serialization]
    parsed = _parsed(body) if in_body and body.strip() else {}
    for name, member in shape.members.items():
        key = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                value: Any = labels.get(key)
            case "querystring":
                value = _typed(member, dict(query).get(key))
            case "header":
                value = headers.get(key.lower())
            case _:
                value = _known_members(member, parsed.get(key))
        if value is not None:
            parameters[name] = value
    return parameters


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise ChimeError("BadRequest", "the body is no JSON") from None
    if not isinstance(parsed, dict):
        raise ChimeError("BadRequest", "the body is no JSON object")
    return parsed


def _typed(member: Shape, text: str | None) -> Any:
    if text is None or member.type_name not in ("integer", "long", "timestamp"):
        return text
    if member.type_name == "timestamp":
        return text
    try:
        return int(text)
    except ValueError:
        raise ChimeError("BadRequest", f"{member.name} must be a number") from None


def _known_members(shape: Shape, value: Any) -> Any:
    """Return the members of a body that the model knows: services ignore the rest."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = shape.members.items()
        return {
            name: _known_members(member, value[name]) for name, member in members if value.get(name) is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_known_members(shape.member, item) for item in value]
    return value


class ChimeApp:
    """The emulated service as an ASGI application."""

    def __init__(self, service: ChimeService) -> None:
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever the bytes, the answer is well-formed."""
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        try:
            body = await read_body(receive)
            raw_path = scope.get("raw_path") or scope["path"].encode()
            query = scope.get("query_string", b"")
            service_name, operation, parameters = operation_of(scope["method"], raw_path, query, headers, body)
            region = (scope_of(headers) or ("us-east-1", ""))[0]
            fault = self.service.faults.take(operation)
            if fault:
                await asyncio.sleep(fault.milliseconds / 1000)
                fault.check(BEFORE)
            answer = self.service.call(operation, parameters, service_name=service_name, region=region)
            if fault:
                fault.check(AFTER)
            status = operation_model(service_name, operation).http.get("responseCode", 200)
            await respond(send, status, b"" if status == 204 else json.dumps(answer, default=_serialize).encode())
        except ChimeError as error:
            await respond_error(send, error)


def _serialize(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(type(value).__name__)


async def read_body(receive: Receive, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Read a whole body; refuses one that is too long as soon as it is."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message.get("type") == "http.disconnect":
            raise ChimeError("BadRequest", "the connection ended before the body did", 400)
        part = message.get("body", b"")
        size += len(part)
        if size > max_bytes:
            raise ChimeError("BadRequest", f"the body has more than {max_bytes} bytes", 413)
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


async def respond_error(send: Send, error: ChimeError) -> None:
    """Answer with an error, as the service writes it."""
    body = {"Code": error.code.removesuffix("Exception"), "Message": error.message}
    await respond(send, error.status, json.dumps(body).encode(), [(b"x-amzn-errortype", error.code.encode())])


async def respond(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send an answer."""
    common = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*common, *headers]})
    await send({"type": "http.response.body", "body": body})
