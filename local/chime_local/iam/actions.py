"""Makes MiniStack authorize the action that it executes: one request, one service, one action.

MiniStack parses a request twice, to authorize it and to execute it, and not in the same way. A request that the two
could take for different actions is rejected (services of the Query protocol), or authorized for the action that its
handler executes (other services).
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from chime_local._error_responses import RefusedError, error_body
from chime_local.cloudformation._ministack import App, Iam

QUERY_SERVICES = frozenset({
    "autoscaling", "cloudformation", "documentdb", "ec2", "elasticache", "elasticloadbalancing", "iam",
    "monitoring", "rds", "ses", "sns", "sqs", "sts",
})  # fmt: skip
"""Services that take the action from a form or a query string, under MiniStack's names."""
MAX_INFLATED_BYTES = 16_777_216
"""DynamoDB's limit for a request (D), the largest of the services whose bodies may come compressed."""
_FORM = "application/x-www-form-urlencoded"
_JSON = re.compile(r"application/x-amz-json-1\.[01](?:; ?charset=utf-8)?", re.IGNORECASE)
_JSON_TARGETS = {"sqs": "AmazonSQS", "monitoring": "GraniteServiceVersion20100801"}
"""Query services that speak JSON as well (botocore's models); MiniStack accepts more, which no SDK sends."""
_CBOR_PATH = re.compile(r"/service/GraniteServiceVersion20100801/operation/(\w+)")
_LAMBDA_ACTIONS = {"InvokeWithResponseStream": "InvokeFunction"}
"""Operations whose permission has another name (D, Lambda's page of the Service Authorization Reference)."""

Headers = Mapping[str, str]
Parameters = Mapping[str, list[str]]


class Actions:
    """Patches the functions with which MiniStack determines the service and the action of a request."""

    def __init__(self, app: App, iam: Iam) -> None:
        self._app, self._iam = app, iam
        self._find_action, self._find_service = iam.action_of_request, app.detect_service
        self._merge, self._dispatch_one = app.routing_parameters, app.dispatch
        self._inflate_all = app.inflate

    def install(self) -> None:
        """Replace MiniStack's functions with the methods of this class."""
        self._iam.action_of_request = self._action
        self._iam.namespaces |= {"documentdb": "rds", "kinesisanalyticsv2": "kinesisanalytics"}
        self._iam.botocore_services |= {name: [name] for name in ("account", "lambda", "lambda-core")}
        self._app.detect_service = self._service
        self._app.routing_parameters = self._routing_parameters
        self._app.inflate = self._inflate
        self._app.dispatch = self._dispatch

    def _service(self, method: str, path: str, headers: Headers, query: Parameters) -> str:
        """Return the service that a request was signed for, also where the signature is in its URL."""
        scope = query.get("X-Amz-Credential")
        if scope and not headers.get("authorization"):
            headers = {**headers, "authorization": f"Credential={scope[0]},"}
        return str(self._find_service(method, path, headers, query))

    def _routing_parameters(
        self, method: str, path: str, headers: Headers, body: bytes, query: Parameters
    ) -> Parameters:
        """Return the parameters that route a request; a form counts only if the service takes forms."""
        if self._service(method, path, headers, query) not in QUERY_SERVICES:
            return query
        merged: Parameters = self._merge(method, path, headers, body, query)
        return merged

    @staticmethod
    def _rejection(service: str, headers: Headers, error: RefusedError) -> tuple[int, dict[str, str], bytes]:
        body, content_type, code = error_body(service, headers, error.code, str(error))
        return error.status, {"Content-Type": content_type, "x-amzn-errortype": code}, body

    async def _dispatch(  # noqa: PLR0917 - MiniStack's own signature
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Parameters, request_id: str
    ) -> Any:
        """Reject an ambiguous request, and dispatch any other."""
        service = ""
        try:
            service = self._service(
                method, path, headers, self._routing_parameters(method, path, headers, body, query)
            )
            if service != "s3":
                # Drops the encoding from the headers as well, so that nothing is inflated twice.
                body = self._inflate(body, headers)
                merged = self._routing_parameters(method, path, headers, body, query)
                service = self._service(method, path, headers, merged)
            if service in QUERY_SERVICES and not _is_rest(service, path):
                _check_query_request(service, path, headers, body, query)
        except RefusedError as error:
            return self._rejection(service, headers, error)
        return await self._dispatch_one(method, path, headers, body, query, request_id)

    def _inflate(self, body: bytes, headers: dict[str, str]) -> bytes:
        """Inflate a compressed body; raises RefusedError if it is too long."""
        if "gzip" in headers.get("content-encoding", "").lower():
            try:
                size = len(gzip.GzipFile(fileobj=io.BytesIO(body)).read(MAX_INFLATED_BYTES + 1))
            except (OSError, EOFError, zlib.error):
                raise RefusedError(400, "SerializationException", "The body cannot be inflated.") from None
            if size > MAX_INFLATED_BYTES:
                raise RefusedError(
                    413, "RequestEntityTooLarge", f"The inflated body has more than {MAX_INFLATED_BYTES} bytes."
                )
        inflated: bytes = self._inflate_all(body, headers)
        return inflated

    def _action(  # noqa: PLR0917 - MiniStack's own signature
        self, service: str, method: str, path: str, headers: Headers, body: bytes, query: Parameters
    ) -> str:
        """Return the action that the handler will execute, or `UnknownOperation`, which only a wildcard allows."""
        namespace = self._iam.namespaces.get(service, service)
        unknown = f"{namespace}:UnknownOperation"
        if service == "lambda" and "%" in path and "/tags/" not in path:
            return unknown  # encoded twice: its handler decodes once more, and may find another operation
        if match := _CBOR_PATH.fullmatch(path) if service == "monitoring" else None:
            return f"{namespace}:{_action_of_target(headers) or match[1]}"
        if service not in QUERY_SERVICES or _is_rest(service, path):
            query = {name: values for name, values in query.items() if name != "Action"}
            if not self._takes_target(service, headers):
                headers = _without(headers, "x-amz-target")
            headers = _without(headers, "content-type")
        action = str(self._find_action(service, method, path, headers, body, query) or unknown)
        prefix, _, name = action.partition(":")
        return f"{prefix}:{_LAMBDA_ACTIONS.get(name, name)}"

    def _takes_target(self, service: str, headers: Headers) -> bool:
        """Check whether X-Amz-Target has the one form in which the service takes its action from it."""
        prefixes: Iterable[str] = self._app.service_patterns.get(service, {}).get("target_prefixes", ())
        target = headers.get("x-amz-target", "")
        return any(re.fullmatch(rf"{re.escape(prefix.rstrip('.'))}\w*\.\w+", target) for prefix in prefixes)


def _is_rest(service: str, path: str) -> bool:
    """Check whether a request belongs to the REST API of Amazon SES, which also has a Query API."""
    return service == "ses" and path.startswith("/v2/")


def _without(headers: Headers, name: str) -> Headers:
    return {key: value for key, value in headers.items() if key != name}


def _action_of_target(headers: Headers) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _check_query_request(service: str, path: str, headers: Headers, body: bytes, query: Parameters) -> None:
    """Check that a request names at most one action, where its service looks for it."""
    target, kind = headers.get("x-amz-target", ""), headers.get("content-type", "")
    cbor = service == "monitoring" and bool(_CBOR_PATH.fullmatch(path))
    if cbor or target:
        json_target = service in _JSON_TARGETS and re.fullmatch(rf"{_JSON_TARGETS[service]}\.\w+", target)
        as_json = json_target and not cbor and _JSON.fullmatch(kind)
        as_cbor = cbor and not target and kind in ("", "application/cbor")
        single = "Action" not in query and (as_json or as_cbor)
    elif body:
        single = "/operation/" not in path and "cbor" not in headers.get("smithy-protocol", "")
        single = single and kind.startswith(_FORM) and _is_single_form(body, query)
    else:
        single = "/operation/" not in path and all(len(values) == 1 for values in query.values())
    if not single:
        raise RefusedError(
            400, "InvalidAction", "The request must name exactly one action, where the service expects it."
        )


def _is_single_form(body: bytes, query: Parameters) -> bool:
    """Check that a body is a form with one action, with no parameter twice or in the query string as well."""
    # Some handlers take a body that begins with a brace or a byte order mark for JSON; SDKs encode such characters.
    if not body.isascii() or not body[:1].isalpha():
        return False
    form = parse_qs(body.decode("ascii"), keep_blank_values=True)
    single = all(len(values) == 1 for values in form.values()) and not set(form) & set(query)
    return single and "Action" not in query and bool(form.get("Action", [""])[0])
