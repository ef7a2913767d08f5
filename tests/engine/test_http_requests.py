"""The REST-JSON protocol of the ASGI application: routes, parameters, responses and errors."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from chime_local.chime import ChimeError
from chime_local.chime.protocol import ChimeApp, _serialize, operation_of, read_body, scope_of
from helpers.harness import Harness

MESSAGING, IDENTITY = "chime-sdk-messaging", "chime-sdk-identity"
CHANNEL = "arn:aws:chime:us-east-1:000000000000:app-instance/a/channel/c"
QUOTED = b"arn%3Aaws%3Achime%3Aus-east-1%3A000000000000%3Aapp-instance%2Fa%2Fchannel%2Fc"


def signed(region: str, service: str = "chime") -> str:
    """Return an Authorization header as SigV4 writes it."""
    scope = f"Credential=AKIDEXAMPLE/20270115/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, Signature=0123"


@dataclass
class HttpResponse:
    """An HTTP response."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def parsed(self) -> Any:
        """Return the body's JSON."""
        return json.loads(self.body)


def send_request(
    harness: Harness,
    method: str,
    path: str,
    body: Any = None,
    query: str = "",
    *,
    region: str = "us-east-1",
    **headers: str,
) -> HttpResponse:
    """Send one request; return the response, which must be one start and one body message of ASGI."""
    sent: list[Mapping[str, Any]] = []
    written = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": written, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    all_headers = {"Host": "localhost", "Authorization": signed(region), **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": "/decoded/by/the/server",
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), text.encode()) for name, text in all_headers.items() if text],
    }
    asyncio.run(ChimeApp(harness.service)(scope, receive, send))
    start, end = sent
    assert (start["type"], end["type"]) == ("http.response.start", "http.response.body")
    return HttpResponse(start["status"], dict(start["headers"]), end["body"])


def quote(arn: str) -> str:
    """Return an ARN percent-encoded, as SDKs put it into a path."""
    return arn.replace(":", "%3A").replace("/", "%2F")


@pytest.fixture
def harness() -> Harness:
    """Return an app instance with an admin who is usable as bearer."""
    created = Harness()
    created.now += 100
    return created


def create_channel(harness: Harness) -> str:
    """Create a channel over HTTP and return its ARN, once it can be read."""
    body = {"AppInstanceArn": harness.app, "ChannelId": "c", "Name": "n", "ClientRequestToken": "token"}
    response = send_request(harness, "POST", "/channels", body, X_Amz_Chime_Bearer=harness.boss)
    harness.now += 100
    arn: str = response.parsed["ChannelArn"]
    return arn


# Region and service of the signature


@pytest.mark.parametrize(
    ("headers", "scope"),
    [
        ({"authorization": signed("eu-central-1")}, ("eu-central-1", "chime")),
        ({"authorization": signed("us-east-1", "sts")}, ("us-east-1", "sts")),
        ({"authorization": "Bearer Credential=x"}, None),
        ({"x-authorization": signed("us-east-1")}, None),
        ({}, None),
    ],
)
def test_scope_is_read_from_sigv4_credential(headers: dict[str, str], scope: tuple[str, str] | None) -> None:
    """Without a SigV4 Authorization header there is no scope."""
    assert scope_of(headers) == scope


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_request_is_served_by_the_region_of_its_signature(harness: Harness, region: str) -> None:
    """The regions share one port; an app instance exists in its own region only."""
    response = send_request(
        harness, "POST", "/app-instances", {"Name": "b", "ClientRequestToken": "tt"}, region=region
    )
    assert response.parsed["AppInstanceArn"].split(":")[3] == region
    names = [
        app_instance["Name"]
        for app_instance in send_request(harness, "GET", "/app-instances", region=region).parsed["AppInstances"]
    ]
    assert names == (["app", "b"] if region == "us-east-1" else ["b"])


def test_unsigned_request_is_served_by_us_east_1(harness: Harness) -> None:
    """An engine without IAM accepts unsigned requests, such as those of curl."""
    response = send_request(harness, "GET", "/app-instances", Authorization="")
    assert [app_instance["AppInstanceArn"] for app_instance in response.parsed["AppInstances"]] == [harness.app]


def test_request_for_a_region_without_endpoint_is_a_bad_request(harness: Harness) -> None:
    """The message names the two regions that have an endpoint."""
    response = send_request(harness, "GET", "/app-instances", region="eu-west-1")
    assert response.status == 400
    assert response.parsed["Message"] == "there is no endpoint in eu-west-1, only in us-east-1, eu-central-1"


# Operations


@pytest.mark.parametrize(
    ("method", "path", "query", "operation"),
    [
        ("GET", b"/channels/" + QUOTED, b"", (MESSAGING, "DescribeChannel", {"ChannelArn": CHANNEL})),
        ("DELETE", b"/channels/" + QUOTED, b"", (MESSAGING, "DeleteChannel", {"ChannelArn": CHANNEL})),
        ("GET", b"/channels/" + QUOTED + b"?a=b", b"", (MESSAGING, "DescribeChannel", {"ChannelArn": CHANNEL})),
        (
            "GET",
            b"/channels/" + QUOTED + b"/memberships",
            b"",
            (MESSAGING, "ListChannelMemberships", {"ChannelArn": CHANNEL}),
        ),
        (
            "POST",
            b"/channels/" + QUOTED + b"/memberships",
            b"operation=batch-create",
            (MESSAGING, "BatchCreateChannelMembership", {"ChannelArn": CHANNEL}),
        ),
        (
            "POST",
            b"/channels/" + QUOTED + b"/memberships",
            b"",
            (MESSAGING, "CreateChannelMembership", {"ChannelArn": CHANNEL}),
        ),
        (
            "POST",
            b"/channels/" + QUOTED,
            b"operation=channel-flow-callback",
            (MESSAGING, "ChannelFlowCallback", {"ChannelArn": CHANNEL}),
        ),
        (
            "GET",
            b"/channels/" + QUOTED,
            b"app-instance-user-arn=u&scope=app-instance-user-membership",
            (
                MESSAGING,
                "DescribeChannelMembershipForAppInstanceUser",
                {"ChannelArn": CHANNEL, "AppInstanceUserArn": "u"},
            ),
        ),
        (
            "PUT",
            b"/app-instance-users/a%20b",
            b"",
            (IDENTITY, "UpdateAppInstanceUser", {"AppInstanceUserArn": "a b"}),
        ),
        ("POST", b"/app-instances", b"", (IDENTITY, "CreateAppInstance", {})),
    ],
)
def test_method_path_and_query_determine_the_operation(
    method: str, path: bytes, query: bytes, operation: tuple[str, str, dict[str, str]]
) -> None:
    """The routes are those of AWS's service models."""
    assert operation_of(method, path, query, {}, b"") == operation


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("PATCH", "/channels", "PATCH /channels"),
        ("GET", "/channels/a/b/c", "GET /channels/a/b/c"),
        ("GET", "/" + "x" * 200, "GET /" + "x" * 79),
    ],
)
def test_unknown_route_is_not_found(harness: Harness, method: str, path: str, route: str) -> None:
    """The message contains method and path, cut to 80 characters."""
    response = send_request(harness, method, path)
    message = f"no operation of Amazon Chime SDK messaging is {route}"
    assert (response.status, response.parsed) == (404, {"Code": "NotFound", "Message": message})


def test_operation_parameter_distinguishes_operations_of_one_path() -> None:
    """TagResource and UntagResource differ by the value of this query parameter only."""
    body = b'{"ResourceARN": "r", "Tags": [{"Key": "k", "Value": "v"}]}'
    tag = operation_of("POST", b"/tags", b"operation=tag-resource", {}, body)
    untag = operation_of(
        "POST", b"/tags", b"operation=untag-resource", {}, b'{"ResourceARN": "r", "TagKeys": ["k"]}'
    )
    assert tag == (MESSAGING, "TagResource", {"ResourceARN": "r", "Tags": [{"Key": "k", "Value": "v"}]})
    assert untag == (MESSAGING, "UntagResource", {"ResourceARN": "r", "TagKeys": ["k"]})


# Parameters


def test_parameters_are_read_from_path_query_header_and_body() -> None:
    """Each parameter is read only from the location in the service model."""
    headers = {"x-amz-chime-bearer": "boss"}
    list_query = b"type=HIDDEN&max-results=7&next-token=9&channel-arn=other"
    listed = operation_of("GET", b"/channels/c/memberships", list_query, headers, b"")
    expected = {"ChannelArn": "c", "ChimeBearer": "boss", "Type": "HIDDEN", "MaxResults": 7, "NextToken": "9"}
    assert listed[2] == expected
    body = b'{"Name": "n", "ChimeBearer": "forged", "ChannelArn": "forged"}'
    updated = operation_of("PUT", b"/channels/c", b"Name=other", headers, body)
    assert updated[2] == {"ChannelArn": "c", "ChimeBearer": "boss", "Name": "n"}


def test_empty_query_parameter_is_passed_on() -> None:
    """It is empty text, and not a missing parameter."""
    result = operation_of("GET", b"/channels", b"app-instance-arn=a&privacy=", {}, b"")
    assert result[2] == {"AppInstanceArn": "a", "Privacy": ""}


def test_query_is_decoded_from_percent_encoded_utf_8() -> None:
    """A + is a blank."""
    result = operation_of("GET", b"/channels", b"app-instance-arn=%C3%A4+b", {}, b"")
    assert result[2] == {"AppInstanceArn": "ä b"}


def test_non_numeric_max_results_is_a_bad_request(harness: Harness) -> None:
    """The message names the parameter; timestamps in a query stay text."""
    response = send_request(harness, "GET", "/app-instances", query="max-results=ten")
    assert (response.status, response.parsed["Code"]) == (400, "BadRequest")
    assert response.parsed["Message"] == "MaxResults must be a number"
    query = b"not-before=2027-01-15T08%3A00%3A00Z&sort-order=ASCENDING"
    result = operation_of("GET", b"/channels/c/messages", query, {}, b"")
    assert result[2] == {"ChannelArn": "c", "NotBefore": "2027-01-15T08:00:00Z", "SortOrder": "ASCENDING"}


def test_unknown_members_and_nulls_are_ignored_at_any_depth() -> None:
    """This applies to members of maps and lists, too; the others are passed on unchanged."""
    body = {
        "Name": "n",
        "Unknown": 1,
        "Metadata": None,
        "Tags": [{"Key": "k", "Value": "v", "Unknown": 2}, {"Key": "l", "Value": None}],
        "ElasticChannelConfiguration": {"MaximumSubChannels": 5, "Unknown": [3]},
        "MemberArns": ["a", "b"],
    }
    result = operation_of("POST", b"/channels", b"", {}, json.dumps(body).encode())
    assert result[2] == {
        "Name": "n",
        "Tags": [{"Key": "k", "Value": "v"}, {"Key": "l"}],
        "ElasticChannelConfiguration": {"MaximumSubChannels": 5},
        "MemberArns": ["a", "b"],
    }


@pytest.mark.parametrize("value", ["text", 1, [1]])
def test_value_of_wrong_type_is_passed_on_to_validation(value: Any) -> None:
    """A value that should be a map is passed on unchanged, so that validation can name it."""
    body = json.dumps({"ElasticChannelConfiguration": value, "MemberArns": {"a": "b"}}).encode()
    result = operation_of("POST", b"/channels", b"", {}, body)
    assert result[2] == {"ElasticChannelConfiguration": value, "MemberArns": {"a": "b"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is no JSON"),
        (b"\xff", "the body is no JSON"),
        (b"[" * 100_000, "the body is no JSON"),
        (b"[]", "the body is no JSON object"),
        (b"null", "the body is no JSON object"),
    ],
    ids=["cut", "bytes", "deep", "list", "null"],
)
def test_body_that_is_no_json_object_is_a_bad_request(harness: Harness, body: bytes, message: str) -> None:
    """The message distinguishes invalid JSON from other JSON values."""
    response = send_request(harness, "POST", "/app-instances", body)
    assert (response.status, response.parsed) == (400, {"Code": "BadRequest", "Message": message})


def test_body_of_operation_without_body_is_ignored(harness: Harness) -> None:
    """A blank body is one without members."""
    assert send_request(harness, "GET", "/app-instances", b"no JSON").status == 200
    assert operation_of("POST", b"/app-instances", b"", {}, b" \n")[2] == {}
    response = send_request(harness, "GET", "/endpoints/messaging-session", b"no JSON")
    assert response.parsed["Endpoint"]["Url"].endswith(".us-east-1.invalid")


# Responses


def test_create_returns_201_with_json_and_request_id(harness: Harness) -> None:
    """Each response has type and length of its body and its own request id."""
    first = send_request(harness, "POST", "/app-instances", {"Name": "b", "ClientRequestToken": "tt"})
    second = send_request(harness, "GET", "/app-instances")
    assert (first.status, second.status) == (201, 200)
    assert set(first.parsed) == {"AppInstanceArn"}
    for response in (first, second):
        assert response.headers[b"content-type"] == b"application/json"
        assert response.headers[b"content-length"] == str(len(response.body)).encode()
        assert re.fullmatch(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", response.headers[b"x-amzn-requestid"])
    assert set(first.headers) == {b"content-type", b"content-length", b"x-amzn-requestid"}
    assert first.headers[b"x-amzn-requestid"] != second.headers[b"x-amzn-requestid"]


def test_delete_returns_204_without_body(harness: Harness) -> None:
    """A client would read bytes of a body as the start of the next response."""
    response = send_request(
        harness, "DELETE", f"/channels/{quote(create_channel(harness))}", X_Amz_Chime_Bearer=harness.boss
    )
    assert (response.status, response.body, response.headers[b"content-length"]) == (204, b"", b"0")
    assert harness.service.channels() == []


def test_timestamps_are_returned_as_epoch_seconds(harness: Harness) -> None:
    """REST-JSON writes timestamps as seconds since 1970."""
    response = send_request(
        harness, "GET", f"/channels/{quote(create_channel(harness))}", X_Amz_Chime_Bearer=harness.boss
    )
    assert response.status == 200
    assert response.parsed["Channel"]["CreatedTimestamp"] == 1_800_000_100.0
    assert response.parsed["Channel"]["CreatedBy"] == {"Arn": harness.boss, "Name": "boss"}


def test_serializing_other_types_than_datetime_raises_type_error() -> None:
    """Such a response is a bug of the engine; the error names the type."""
    assert _serialize(datetime(2027, 1, 15, 8, 0, tzinfo=UTC)) == 1_800_000_000.0
    with pytest.raises(TypeError, match=r"^set$"):
        _serialize({1})


def test_error_response_has_code_in_header_and_body(harness: Harness) -> None:
    """SDKs read the header, where the code ends in Exception; the body has it without, and the message."""
    response = send_request(harness, "GET", f"/app-instances/{quote(harness.app)}x")
    message = f"The app instance {harness.app}x is not there or not yours."
    assert (response.status, response.parsed) == (403, {"Code": "Forbidden", "Message": message})
    assert response.headers[b"x-amzn-errortype"] == b"ForbiddenException"
    assert response.headers[b"content-type"] == b"application/json"
    assert response.headers[b"content-length"] == str(len(response.body)).encode()


def test_operation_that_is_not_emulated_returns_501_with_its_name(harness: Harness) -> None:
    """The operation is in AWS's service model, but not in the engine."""
    response = send_request(
        harness, "GET", f"/channels/{quote(CHANNEL)}/subchannels", X_Amz_Chime_Bearer=harness.boss
    )
    message = "ListSubChannels is not emulated by the local engine."
    assert (response.status, response.parsed) == (501, {"Code": "NotImplemented", "Message": message})


def test_decoded_path_is_used_without_raw_path(harness: Harness) -> None:
    """ASGI allows servers to omit raw_path and query_string."""
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Mapping[str, Any]) -> None:
        statuses.append(message.get("status"))

    scope = {"method": "GET", "path": "/app-instances", "headers": []}
    asyncio.run(ChimeApp(harness.service)(scope, receive, send))
    assert statuses == [200, None]


# Bodies in parts


def read(messages: Iterable[dict[str, Any]], **options: int) -> bytes:
    """Read a body from messages; reading more messages than there are fails."""
    parts = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(parts, {"type": "asked too often", "body": b"!" * 99})

    return asyncio.run(read_body(receive, **options))


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    """Return an ASGI message with a part of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def test_body_is_read_until_more_body_is_false_or_missing() -> None:
    """The parts are joined in order."""
    assert read([part(b"ab", more=True), part(b"", more=True), {"type": "http.request", "body": b"cd"}]) == b"abcd"
    assert read([{"type": "http.request"}]) == b""
    assert read([{"body": b"x"}]) == b"x"


def test_body_over_the_limit_is_a_413() -> None:
    """A body of exactly the limit is read; the error comes before the rest is read."""
    assert read([part(b"abc", more=True), part(b"de", more=False)], max_bytes=5) == b"abcde"
    with pytest.raises(ChimeError) as caught:
        read([part(b"abc", more=True), part(b"def", more=True)], max_bytes=5)
    assert (caught.value.code, caught.value.status) == ("BadRequestException", 413)
    assert caught.value.message == "the body has more than 5 bytes"


def test_incomplete_body_is_a_bad_request() -> None:
    """The connection ended before the last part."""
    with pytest.raises(ChimeError) as caught:
        read([part(b"{}", more=True), {"type": "http.disconnect"}])
    assert (caught.value.code, caught.value.status) == ("BadRequestException", 400)
    assert caught.value.message == "the connection ended before the body did"
