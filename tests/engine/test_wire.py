"""The engine's HTTP endpoint, called by boto3 and by raw and random requests."""

from __future__ import annotations

import asyncio
import http.client
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from chime_local.chime import ChimeService
from chime_local.chime.model import SERVICES, service_model
from chime_local.chime.protocol import ChimeApp
from chime_local.engine import Engine
from engine.app_instances import code_of


@pytest.fixture
def app(engine: Engine) -> dict[str, str]:
    """Return an app instance with an admin."""
    identity = engine.client("chime-sdk-identity")
    arn = identity.create_app_instance(Name="a", ClientRequestToken="tt")["AppInstanceArn"]
    boss = identity.create_app_instance_user(
        AppInstanceArn=arn, AppInstanceUserId="boss", Name="boss", ClientRequestToken="tt"
    )["AppInstanceUserArn"]
    identity.create_app_instance_admin(AppInstanceArn=arn, AppInstanceAdminArn=boss)
    return {"AppInstanceArn": arn, "ChimeBearer": boss}


def create(engine: Engine, app: dict[str, str], **changed: Any) -> str:
    """Create a channel and return its ARN."""
    request = {"Name": "n", "ClientRequestToken": "token", **changed}
    arn: str = engine.client("chime-sdk-messaging").create_channel(**app, **request)["ChannelArn"]
    return arn


def test_boto3_creates_describes_tags_and_deletes_a_channel(engine: Engine, app: dict[str, str]) -> None:
    """The first read misses the new channel, as on AWS."""
    messaging = engine.client("chime-sdk-messaging")
    arn = create(engine, app, ChannelId="a:b@c", Tags=[{"Key": "k", "Value": "v"}], Metadata="m")
    assert arn == f"{app['AppInstanceArn']}/channel/a:b@c"
    parameters = {"ChannelArn": arn, "ChimeBearer": app["ChimeBearer"]}
    assert code_of(messaging.describe_channel, **parameters) == "Forbidden", "the first read misses a new channel"
    channel = messaging.describe_channel(**parameters)["Channel"]
    assert (channel["Name"], channel["Metadata"], channel["CreatedBy"]["Name"]) == ("n", "m", "boss")
    assert messaging.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    messaging.untag_resource(ResourceARN=arn, TagKeys=["k"])
    assert messaging.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    assert messaging.delete_channel(**parameters)["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_invalid_parameters_sent_without_botocore_validation_are_refused(
    engine: Engine, app: dict[str, str]
) -> None:
    """The engine refuses a tag with an empty value, which botocore would not send."""
    client = boto3.client(
        "chime-sdk-messaging",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{engine.port}",
        aws_access_key_id="000000000000",
        aws_secret_access_key=engine.secret,
        config=Config(parameter_validation=False),
    )
    with pytest.raises(ClientError) as caught:
        client.create_channel(**app, Name="n", ClientRequestToken="token", Tags=[{"Key": "a", "Value": ""}])
    assert caught.value.response["Error"]["Code"] == "BadRequestException"


def test_operation_that_is_not_emulated_returns_501(engine: Engine, app: dict[str, str]) -> None:
    """The operation is in AWS's service model; SDKs do not retry a 501."""
    with pytest.raises(ClientError) as caught:
        engine.client("chime-sdk-messaging").search_channels(
            ChimeBearer=app["ChimeBearer"], Fields=[{"Key": "MEMBERS", "Values": ["x"], "Operator": "INCLUDES"}]
        )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_requests_with_another_host_are_forbidden(engine: Engine) -> None:
    """This applies to all paths and prevents DNS rebinding."""
    for path in ("/", "/_ministack/health", "/channels"):
        connection = http.client.HTTPConnection("127.0.0.1", engine.port)
        connection.request("GET", path, headers={"Host": "evil.example"})
        assert connection.getresponse().status == 403
        connection.close()


async def _answer(method: str, path: bytes, query: bytes, body: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    status = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    scope = {
        "type": "http",
        "method": method,
        "raw_path": path,
        "path": "/",
        "query_string": query,
        "headers": [(b"host", b"localhost"), (b"authorization", AUTHORIZATION), *headers],
    }
    await ChimeApp(ChimeService(clock=lambda: 0.0))(scope, receive, send)
    (only,) = status
    return int(only)


AUTHORIZATION = (
    b"AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/chime/aws4_request, SignedHeaders=host, Signature=b"
)
ROUTES = [
    (operation.http["method"], operation.http["requestUri"])
    for name in SERVICES
    for operation in map(service_model(name).operation_model, service_model(name).operation_names)
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ROUTES), st.binary(max_size=60), st.binary(max_size=40), JSON | st.binary(max_size=60))
def test_random_requests_never_return_500(route: tuple[str, str], label: bytes, bearer: bytes, body: Any) -> None:
    """The response is a 2xx, a 4xx or a 501 for any bytes."""
    import json
    import re
    from urllib.parse import quote

    method, uri = route
    path, _, query = re.sub(r"\{\w+\}", quote(label, safe="") or "x", uri).partition("?")
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [(b"x-amz-chime-bearer", bearer)]
    status = asyncio.run(_answer(method, path.encode(), query.encode(), written, headers))
    assert status < 500 or status == 501


def test_body_of_more_than_a_megabyte_returns_413() -> None:
    """The limit is 1,000,000 bytes."""
    assert asyncio.run(_answer("POST", b"/channels", b"", b"x" * 1_000_001, [])) == 413


@pytest.mark.parametrize("ends", [True, False], ids=["whole", "cut"])
def test_incomplete_body_creates_no_app_instance(*, ends: bool) -> None:
    """The bytes received before the connection ends may be a whole request already."""
    service = ChimeService(clock=lambda: 0.0)
    first = {
        "type": "http.request",
        "body": b'{"Name": "chat", "ClientRequestToken": "token"}',
        "more_body": True,
    }
    last = {"type": "http.request", "body": b" "} if ends else {"type": "http.disconnect"}
    messages, statuses = iter([first, last]), []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    scope = {"method": "POST", "raw_path": b"/app-instances", "path": "/app-instances", "headers": []}
    asyncio.run(ChimeApp(service)(scope, receive, send))
    assert (statuses[0], len(service.app_instances)) == ((201, 1) if ends else (400, 0))
