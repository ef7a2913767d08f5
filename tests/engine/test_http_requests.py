"""HTTP as SDKs write and read it, handed to the ASGI application itself: routes, parameters, answers, refusals."""

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
class Answered:
    """What came back over HTTP."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def parsed(self) -> Any:
        """Return the body's JSON."""
        return json.loads(self.body)


def ask(
    harness: Harness,
    method: str,
    path: str,
    body: Any = None,
    query: str = "",
    *,
    region: str = "us-east-1",
    **headers: str,
) -> Answered:
    """Send one request and return the answer, of which ASGI wants one start and one body."""
    sent: list[Mapping[str, Any]] = []
    written = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": written, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    named = {"Host": "localhost", "Authorization": signed(region), **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": "/decoded/by/the/server",
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), text.encode()) for name, text in named.items() if text],
    }
    asyncio.run(ChimeApp(harness.service)(scope, receive, send))
    start, end = sent
    assert (start["type"], end["type"]) == ("http.response.start", "http.response.body")
    return Answered(start["status"], dict(start["headers"]), end["body"])


def quote(arn: str) -> str:
    """Write an ARN as SDKs put it into a path."""
    return arn.replace(":", "%3A").replace("/", "%2F")


@pytest.fixture
def harness() -> Harness:
    """Return an app instance with an admin, where nothing is new."""
    made = Harness()
    made.now += 100
    return made


def channel(harness: Harness) -> str:
    """Create a channel over HTTP and return its ARN, once it can be read."""
    body = {"AppInstanceArn": harness.app, "ChannelId": "c", "Name": "n", "ClientRequestToken": "token"}
    made = ask(harness, "POST", "/channels", body, X_Amz_Chime_Bearer=harness.boss)
    harness.now += 100
    arn: str = made.parsed["ChannelArn"]
    return arn


# Which region and service a request is signed for


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
def test_scope_is_that_of_the_signature(headers: dict[str, str], scope: tuple[str, str] | None) -> None:
    """Region and service stand in the credential scope; what is not signed has none."""
    assert scope_of(headers) == scope


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_request_reaches_the_region_that_it_is_signed_for(harness: Harness, region: str) -> None:
    """One port serves both regions: what is made in one is not in the other."""
    made = ask(harness, "POST", "/app-instances", {"Name": "b", "ClientRequestToken": "tt"}, region=region)
    assert made.parsed["AppInstanceArn"].split(":")[3] == region
    names = [one["Name"] for one in ask(harness, "GET", "/app-instances", region=region).parsed["AppInstances"]]
    assert names == (["app", "b"] if region == "us-east-1" else ["b"])


def test_request_without_signature_is_for_us_east_1(harness: Harness) -> None:
    """An engine without IAM takes a plain request, of curl for one, as one for the service's main region."""
    answered = ask(harness, "GET", "/app-instances", Authorization="")
    assert [one["AppInstanceArn"] for one in answered.parsed["AppInstances"]] == [harness.app]


def test_request_for_a_region_without_endpoint_is_refused(harness: Harness) -> None:
    """AWS has endpoints in two regions; elsewhere the engine says so in words."""
    answered = ask(harness, "GET", "/app-instances", region="eu-west-1")
    assert answered.status == 400
    assert answered.parsed["Message"] == "there is no endpoint in eu-west-1, only in us-east-1, eu-central-1"


# Which operation a request is


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
def test_operation_is_that_of_method_path_and_query(
    method: str, path: bytes, query: bytes, operation: tuple[str, str, dict[str, str]]
) -> None:
    """Method, path and query say together which operation a request is, as AWS's models write them."""
    assert operation_of(method, path, query, {}, b"") == operation


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("PATCH", "/channels", "PATCH /channels"),
        ("GET", "/channels/a/b/c", "GET /channels/a/b/c"),
        ("GET", "/" + "x" * 200, "GET /" + "x" * 79),
    ],
)
def test_what_is_no_operation_is_not_found(harness: Harness, method: str, path: str, named: str) -> None:
    """A 404 says in words what was asked for, cut where it is long."""
    answered = ask(harness, method, path)
    message = f"no operation of Amazon Chime SDK messaging is {named}"
    assert (answered.status, answered.parsed) == (404, {"Code": "NotFound", "Message": message})


def test_operations_of_one_path_differ_by_their_query() -> None:
    """TagResource and UntagResource differ by the value of a query parameter alone."""
    body = b'{"ResourceARN": "r", "Tags": [{"Key": "k", "Value": "v"}]}'
    tag = operation_of("POST", b"/tags", b"operation=tag-resource", {}, body)
    untag = operation_of(
        "POST", b"/tags", b"operation=untag-resource", {}, b'{"ResourceARN": "r", "TagKeys": ["k"]}'
    )
    assert tag == (MESSAGING, "TagResource", {"ResourceARN": "r", "Tags": [{"Key": "k", "Value": "v"}]})
    assert untag == (MESSAGING, "UntagResource", {"ResourceARN": "r", "TagKeys": ["k"]})


# Where its parameters are


def test_parameters_are_read_from_path_query_header_and_body() -> None:
    """Each member is read from where the model puts it, and from nowhere else."""
    here = {"x-amz-chime-bearer": "boss"}
    list_query = b"type=HIDDEN&max-results=7&next-token=9&channel-arn=other"
    listed = operation_of("GET", b"/channels/c/memberships", list_query, here, b"")
    expected = {"ChannelArn": "c", "ChimeBearer": "boss", "Type": "HIDDEN", "MaxResults": 7, "NextToken": "9"}
    assert listed[2] == expected
    body = b'{"Name": "n", "ChimeBearer": "forged", "ChannelArn": "forged"}'
    updated = operation_of("PUT", b"/channels/c", b"Name=other", here, body)
    assert updated[2] == {"ChannelArn": "c", "ChimeBearer": "boss", "Name": "n"}


def test_empty_query_parameter_is_one() -> None:
    """A parameter that is there but empty is what the caller wrote, not left out."""
    found = operation_of("GET", b"/channels", b"app-instance-arn=a&privacy=", {}, b"")
    assert found[2] == {"AppInstanceArn": "a", "Privacy": ""}


def test_query_of_characters_beyond_ascii_is_read_as_sent() -> None:
    """Percent-encoded UTF-8 in a query is text again."""
    found = operation_of("GET", b"/channels", b"app-instance-arn=%C3%A4+b", {}, b"")
    assert found[2] == {"AppInstanceArn": "ä b"}


def test_number_in_a_query_must_be_one(harness: Harness) -> None:
    """MaxResults=ten is refused by its name; dates stay as they were written."""
    answered = ask(harness, "GET", "/app-instances", query="max-results=ten")
    assert (answered.status, answered.parsed["Code"]) == (400, "BadRequest")
    assert answered.parsed["Message"] == "MaxResults must be a number"
    query = b"not-before=2027-01-15T08%3A00%3A00Z&sort-order=ASCENDING"
    found = operation_of("GET", b"/channels/c/messages", query, {}, b"")
    assert found[2] == {"ChannelArn": "c", "NotBefore": "2027-01-15T08:00:00Z", "SortOrder": "ASCENDING"}


def test_what_the_model_does_not_know_is_ignored_at_any_depth() -> None:
    """Unknown members and nulls are left out, also of what is nested in maps and lists; known ones stay as sent."""
    body = {
        "Name": "n",
        "Unknown": 1,
        "Metadata": None,
        "Tags": [{"Key": "k", "Value": "v", "Unknown": 2}, {"Key": "l", "Value": None}],
        "ElasticChannelConfiguration": {"MaximumSubChannels": 5, "Unknown": [3]},
        "MemberArns": ["a", "b"],
    }
    found = operation_of("POST", b"/channels", b"", {}, json.dumps(body).encode())
    assert found[2] == {
        "Name": "n",
        "Tags": [{"Key": "k", "Value": "v"}, {"Key": "l"}],
        "ElasticChannelConfiguration": {"MaximumSubChannels": 5},
        "MemberArns": ["a", "b"],
    }


@pytest.mark.parametrize("wrong", ["text", 1, [1]])
def test_value_of_the_wrong_kind_is_kept_for_validation(wrong: Any) -> None:
    """What is no map where the model has one is passed on, so that validation can name it."""
    body = json.dumps({"ElasticChannelConfiguration": wrong, "MemberArns": {"a": "b"}}).encode()
    found = operation_of("POST", b"/channels", b"", {}, body)
    assert found[2] == {"ElasticChannelConfiguration": wrong, "MemberArns": {"a": "b"}}


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
def test_body_that_is_no_object_is_refused(harness: Harness, body: bytes, message: str) -> None:
    """Whatever is no JSON object is a 400 that says so."""
    answered = ask(harness, "POST", "/app-instances", body)
    assert (answered.status, answered.parsed) == (400, {"Code": "BadRequest", "Message": message})


def test_body_of_an_operation_that_has_none_is_not_looked_at(harness: Harness) -> None:
    """A GET with whatever body is answered; blanks are a body without members."""
    assert ask(harness, "GET", "/app-instances", b"no JSON").status == 200
    assert operation_of("POST", b"/app-instances", b"", {}, b" \n")[2] == {}
    answered = ask(harness, "GET", "/endpoints/messaging-session", b"no JSON")
    assert answered.parsed["Endpoint"]["Url"].endswith(".us-east-1.invalid")


# What comes back


def test_creation_is_answered_with_201_and_json(harness: Harness) -> None:
    """An answer has the status of the model, tells its type and length, and has an id of its own."""
    first = ask(harness, "POST", "/app-instances", {"Name": "b", "ClientRequestToken": "tt"})
    second = ask(harness, "GET", "/app-instances")
    assert (first.status, second.status) == (201, 200)
    assert set(first.parsed) == {"AppInstanceArn"}
    for one in (first, second):
        assert one.headers[b"content-type"] == b"application/json"
        assert one.headers[b"content-length"] == str(len(one.body)).encode()
        assert re.fullmatch(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one.headers[b"x-amzn-requestid"])
    assert set(first.headers) == {b"content-type", b"content-length", b"x-amzn-requestid"}
    assert first.headers[b"x-amzn-requestid"] != second.headers[b"x-amzn-requestid"]


def test_deletion_is_answered_with_204_and_nothing(harness: Harness) -> None:
    """A 204 has no body: a byte of it would be read as the beginning of the next answer."""
    answered = ask(harness, "DELETE", f"/channels/{quote(channel(harness))}", X_Amz_Chime_Bearer=harness.boss)
    assert (answered.status, answered.body, answered.headers[b"content-length"]) == (204, b"", b"0")
    assert harness.service.channels() == []


def test_times_are_answered_as_seconds(harness: Harness) -> None:
    """Times are seconds since 1970, as REST-JSON writes them."""
    answered = ask(harness, "GET", f"/channels/{quote(channel(harness))}", X_Amz_Chime_Bearer=harness.boss)
    assert answered.status == 200
    assert answered.parsed["Channel"]["CreatedTimestamp"] == 1_800_000_100.0
    assert answered.parsed["Channel"]["CreatedBy"] == {"Arn": harness.boss, "Name": "boss"}


def test_only_times_are_written_specially() -> None:
    """What JSON cannot hold is a mistake of the engine that names the type, not an answer."""
    assert _serialize(datetime(2027, 1, 15, 8, 0, tzinfo=UTC)) == 1_800_000_000.0
    with pytest.raises(TypeError, match=r"^set$"):
        _serialize({1})


def test_refusal_names_its_code_in_header_and_body(harness: Harness) -> None:
    """The code stands in the header that SDKs read, with its suffix, and in the body without; then the reason."""
    answered = ask(harness, "GET", f"/app-instances/{quote(harness.app)}x")
    message = f"The app instance {harness.app}x is not there or not yours."
    assert (answered.status, answered.parsed) == (403, {"Code": "Forbidden", "Message": message})
    assert answered.headers[b"x-amzn-errortype"] == b"ForbiddenException"
    assert answered.headers[b"content-type"] == b"application/json"
    assert answered.headers[b"content-length"] == str(len(answered.body)).encode()


def test_operation_that_is_not_emulated_is_named(harness: Harness) -> None:
    """An operation that AWS has and the engine has not is a 501 by its name."""
    answered = ask(harness, "GET", f"/channels/{quote(CHANNEL)}/subchannels", X_Amz_Chime_Bearer=harness.boss)
    message = "ListSubChannels is not emulated by the local engine."
    assert (answered.status, answered.parsed) == (501, {"Code": "NotImplemented", "Message": message})


def test_path_is_the_decoded_one_where_the_server_hands_out_no_other(harness: Harness) -> None:
    """A server may leave out the raw path and the query, as ASGI allows."""
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Mapping[str, Any]) -> None:
        statuses.append(message.get("status"))

    scope = {"method": "GET", "path": "/app-instances", "headers": []}
    asyncio.run(ChimeApp(harness.service)(scope, receive, send))
    assert statuses == [200, None]


# Bodies in parts


def read(messages: Iterable[dict[str, Any]], **more: int) -> bytes:
    """Read a body that comes in parts; asking for more than there are fails."""
    parts = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(parts, {"type": "asked too often", "body": b"!" * 99})

    return asyncio.run(read_body(receive, **more))


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    """Return a message of ASGI that brings a part of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def test_body_is_read_until_its_last_part() -> None:
    """Parts are put together in order; the one that says nothing of more is the last."""
    assert read([part(b"ab", more=True), part(b"", more=True), {"type": "http.request", "body": b"cd"}]) == b"abcd"
    assert read([{"type": "http.request"}]) == b""
    assert read([{"body": b"x"}]) == b"x"


def test_body_may_be_as_long_as_the_limit() -> None:
    """The last byte that is allowed is read; one more is refused, by the length, before the rest is asked for."""
    assert read([part(b"abc", more=True), part(b"de", more=False)], max_bytes=5) == b"abcde"
    with pytest.raises(ChimeError) as refused:
        read([part(b"abc", more=True), part(b"def", more=True)], max_bytes=5)
    assert (refused.value.code, refused.value.status) == ("BadRequestException", 413)
    assert refused.value.message == "the body has more than 5 bytes"


def test_body_that_is_cut_is_refused() -> None:
    """A connection that ends early is a 400, whatever has come by then."""
    with pytest.raises(ChimeError) as refused:
        read([part(b"{}", more=True), {"type": "http.disconnect"}])
    assert (refused.value.code, refused.value.status) == ("BadRequestException", 400)
    assert refused.value.message == "the connection ended before the body did"
