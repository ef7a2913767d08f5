"""What somebody tries who must not: pages of the same port, values that break pages, sheer numbers."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from starlette.requests import Request
from starlette.testclient import TestClient

from chime_local.chime.protocol import operation_of
from chime_local.cloudformation import replay
from chime_local.cloudformation.custom_resources import parse_answer
from chime_local.cloudformation.replay import ReplayError, Replays
from chime_local.console import api
from chime_local.console.api import Api
from chime_local.console.app import create_console
from chime_local.console.commands import create_command
from chime_local.engine import Engine, EngineError
from chime_local.lambdas.deliveries import Deliveries
from chime_local.recording import Recorder, Rolling
from local.chime_console import Console
from local.scripted_stack import ASSUMED, FAILED, ScriptedStack
from local.test_console import BASE, STACK, TOKEN, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def client(stage: Stage) -> TestClient:
    """Return a browser that has been let in."""
    browser = TestClient(create_console(stage.engine, TOKEN), base_url=BASE, follow_redirects=False)
    assert browser.get(f"/_chime/?token={TOKEN}").status_code == 303
    browser.headers["X-Chime-Console"] = "1"
    return browser


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("read_misses=0") as running:
        yield running


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Get an address as it is; return status, headers with lower-case names, and body."""
    request = urllib.request.Request(url, headers={key.replace("_", "-"): value for key, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, {key.lower(): value for key, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, {key.lower(): value for key, value in refused.headers.items()}, refused.read()


def presigned(engine: Engine, key: str, content: bytes, kind: str) -> str:
    """Put an object into a bucket; return the address under which everybody may see it."""
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{engine.port}",
        region_name="us-east-1",
        aws_access_key_id="000000000000",
        aws_secret_access_key=engine.secret,
        config=Config(signature_version="s3v4"),
    )
    s3.create_bucket(Bucket="pages")
    s3.put_object(Bucket="pages", Key=key, Body=content, ContentType=kind)
    return str(s3.generate_presigned_url("get_object", Params={"Bucket": "pages", "Key": key}))


# Pages of the same port


def test_page_in_a_bucket_has_an_origin_of_its_own(engine: Engine) -> None:
    url = presigned(engine, "page.html", b"<script>fetch('/_chime/api/reset')</script>", "text/html")
    status, headers, body = get(url, Sec_Fetch_Site="none", Sec_Fetch_Dest="document")
    assert (status, headers["content-type"], body[:8]) == (200, "text/html", b"<script>")
    policy = headers["content-security-policy"].split()
    assert policy[0] == "sandbox"
    assert "allow-same-origin" not in policy


def test_page_of_the_console_loads_no_script_from_a_bucket(engine: Engine) -> None:
    url = presigned(engine, "script.js", b"alert(1)", "text/javascript")
    assert get(url, Sec_Fetch_Site="same-origin", Sec_Fetch_Dest="script")[0] == 403


def test_what_such_a_page_sends_is_refused(engine: Engine) -> None:
    console = Console(engine)
    cookie = f"chime_console_{engine.port}={console.token}"
    for site in ("cross-site", "same-origin"):
        status, _, body = console.send("api/status", Cookie=cookie, Origin="null", Sec_Fetch_Site=site)
        assert (status, b"takes no requests from other pages" in body) == (403, True)
    assert console.send("api/status", Cookie=cookie)[0] == 200


@pytest.mark.parametrize("cookies", ["{0}=x; {0}={1}", "{0}={1}; {0}=x", "{0}={1}; {0}="])
def test_cookie_of_another_port_locks_nobody_out(client: TestClient, cookies: str) -> None:
    client.cookies.clear()
    cookie = cookies.format("chime_console_4566", TOKEN)
    assert client.get("/_chime/", headers={"Cookie": cookie}).status_code == 200
    assert client.get("/_chime/", headers={"Cookie": cookie.replace(TOKEN, "y")}).status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("[::1]:{port}", 200),
        ("localhost.:{port}", 403),
        ("0.0.0.0:{port}", 403),
        ("127.1:{port}", 403),
        ("2130706433:{port}", 403),
        ("user@127.0.0.1:{port}", 403),
        ("127.0.0.1:80@evil.example", 403),
        ("127.0.0.1, evil.example", 403),
        ("x.localhost:{port}", 403),
        ("127.0.0.1\r\nHost: evil.example", 400),
        ("evil.example\r\nHost: 127.0.0.1", 400),
        ("evil.example\r\nX-Forwarded-Host: 127.0.0.1", 403),
        ("", 403),
    ],
)
def test_host_is_taken_literally(engine: Engine, host: str, status: int) -> None:
    assert (
        status_of(engine, f"GET /_chime/api/status HTTP/1.1\r\nHost: {host.format(port=engine.port)}\r\n") == status
    )


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/_chime/api/status",
        "//_chime/api/status",
        "/_CHIME/api/status",
        "/x/../_chime/api/status",
        "/_chime;/api/status",
        "*",
    ],
)
def test_other_ways_to_write_the_path_lead_elsewhere(engine: Engine, target: str) -> None:
    assert status_of(engine, f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n") == 403


@pytest.mark.parametrize(
    "target",
    ["/_chime/../_ministack/reset", "/_chime/%2e%2e/_ministack/reset", "/_chime/static/..%2f..%2faccess.py"],
)
def test_no_path_leads_out_of_the_console(engine: Engine, target: str) -> None:
    assert status_of(engine, f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n") == 404


def status_of(engine: Engine, head: str) -> int:
    """Send a request with the token, as it is written; return the status."""
    head += f"Authorization: Bearer {Console(engine).token}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", engine.port), timeout=10) as connection:
        connection.sendall(head.encode())
        return int(connection.makefile("rb").readline().split()[1])


# Values that break pages


def statuses(client: TestClient, stage: Stage) -> set[int]:
    """Return the statuses of what shows requests, calls, operations, channels and messages."""
    operation = stage.recorder.operations()[0].id
    paths = ["", "calls", "requests/r1", f"operations/{operation}", f"messages?channel={stage.channel}"]
    paths += [f"api/{path}" for path in ("deploys", "calls", "requests/r1", f"channels/{stage.channel}/messages")]
    return {client.get(f"/_chime/{path}").status_code for path in paths}


def test_half_a_surrogate_pair_breaks_no_page(stage: Stage, client: TestClient) -> None:
    stage.record(ResourceProperties={"Name": "\ud800"})
    sent = client.post(
        f"/_chime/api/channels/{stage.channel}/messages",
        content=json.dumps({"bearer": stage.user("bob"), "content": "a\ud800z"}),
    )
    assert sent.status_code == 200
    stage.recorder.add_answer("r1", b'{"Status": "FAILED", "Reason": "\\ud800"}')
    event = {"StackId": STACK, "StackName": "S", "LogicalResourceId": "L", "ResourceType": "T"}
    stage.recorder.add_event({**event, "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "\ud800"})
    assert statuses(client, stage) == {200}
    assert "a?z" in client.get(f"/_chime/messages?channel={stage.channel}").text
    listed = client.get(f"/_chime/api/channels/{stage.channel}/messages").content
    assert json.loads(listed)["messages"][0]["Content"] == "a\ud800z"


@pytest.mark.parametrize(("sent", "shown"), [("NaN", "NaN"), ("[Infinity]", ["Infinity"]), ("-1e999", "-Infinity")])
def test_numbers_that_json_has_not_break_no_page(
    stage: Stage, client: TestClient, sent: str, shown: object
) -> None:
    stage.record()
    begin(stage.recorder, f'{{"Name": {sent}}}')
    stage.recorder.add_answer("r1", f'{{"Data": {sent}}}'.encode())
    assert statuses(client, stage) == {200}
    assert client.get("/_chime/api/calls").json()["calls"][0]["parameters"] == {"Name": shown}


@pytest.mark.parametrize("depth", [60, 400, 900, 3000, 100_000])
def test_deep_json_breaks_no_page(stage: Stage, client: TestClient, depth: int) -> None:
    stage.record()
    deep = "[" * depth + "]" * depth
    if depth < 950:
        begin(stage.recorder, f'{{"Metadata": {deep}}}')
        (kept,) = stage.recorder.calls()[0].parameters.values()
        assert kept == "more than 50 levels deep, not kept"
    stage.recorder.add_answer("r1", f'{{"Data": {deep}}}'.encode())
    found = stage.recorder.request("r1")
    assert found is not None
    assert (found.answers[-1].bytes, found.answers[-1].body) == (len(deep) + 10, {})
    assert statuses(client, stage) == {200}


def begin(recorder: Recorder, body: str) -> None:
    service, operation, parameters = operation_of("POST", b"/channels", b"", {}, body.encode())
    recorder.begin_call(service, operation, parameters, region="us-east-1", access_key="k")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[" * 4000, "it is no JSON"),
        ('{"Status": "SUCCESS", "PhysicalResourceId": "\\ud800"}', "StackId"),
    ],
)
def test_answer_that_cannot_be_read_is_a_failure(body: str, reason: str) -> None:
    event = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
    answer = parse_answer(event, body.encode())
    assert (answer["Status"], reason in answer["Reason"]) == ("FAILED", True)


def test_stack_hears_of_a_deep_answer_at_once(engine: Engine) -> None:
    scripted, began = ScriptedStack(engine, "Deep"), time.monotonic()
    with pytest.raises(EngineError, match="Response object is too long: 50000 bytes"):
        scripted.deploy(OnCreate=[{"Text": "[" * 50_000}, FAILED])
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ("\x03rm -rf /\n", "--content $'\\x03rm -rf /\n'"),
        ("it's\x1b[201~\\", "--content $'it\\'s\\x1b[201~\\\\'"),
        ("file:///etc/passwd", '--cli-input-json \'{"Content": "file:///etc/passwd"}\''),
        ("https://a.example/", '--cli-input-json \'{"Content": "https://a.example/"}\''),
        ("two\n\tlines", "--content 'two\n\tlines'"),
    ],
)
def test_copied_command_says_the_value_and_nothing_else(value: str, option: str) -> None:
    command = create_command("chime-sdk-messaging", "SendChannelMessage", {"Content": value})
    assert command.cli == f"aws chime-sdk-messaging send-channel-message \\\n  {option}"
    shell = ["bash", "-c", 'aws() { printf %s "$4"; }; ' + command.cli]
    said = subprocess.run(shell, capture_output=True, check=True, text=True).stdout
    assert said == (value if option.startswith("--content") else json.dumps({"Content": value}))


# Numbers


def test_streams_leave_connections_to_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_STREAMS", 2)
    events = Api(stage.engine)

    async def listen() -> list[int]:
        async def ask(method: str = "GET") -> Any:
            return await events.events(
                Request({"type": "http", "method": method, "query_string": b"", "headers": []})
            )

        first, second = await ask(), await ask()
        for one in (first, second):
            await anext(one.body_iterator)
        seen = [(await ask()).status_code, (await ask("HEAD")).status_code]
        await first.body_iterator.aclose()
        seen.append((await ask()).status_code)
        await second.body_iterator.aclose()
        return seen

    assert asyncio.run(listen()) == [503, 200, 200]


def test_head_of_the_stream_ends(engine: Engine) -> None:
    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {Console(engine).token}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", engine.port), timeout=5) as connection:
        lines = connection.makefile("rb")
        for method in ("HEAD /_chime/api/events", "HEAD /_chime/"):
            connection.sendall(f"{method} HTTP/1.1\r\n{head}".encode())
            assert lines.readline() == b"HTTP/1.1 200 OK\r\n"
            while lines.readline() != b"\r\n":
                pass


def test_replays_at_once_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MAX_RUNNING", 3)
    goes_on, recorder = threading.Event(), Recorder()
    lambdas: Any = SimpleNamespace(
        set_account=lambda _: None,
        set_region=lambda _: None,
        find_function=lambda _: ({}, {}, None),
        with_config=lambda _record, config: config,
        invoke=lambda *_: goes_on.wait(10) and {},
    )
    ministack: Any = SimpleNamespace(response_url=lambda token: f"http://127.0.0.1/_ministack/cfn-response/{token}")
    replays = Replays(ministack, lambdas, Deliveries(recorder))
    event = {"RequestType": "Create", "RequestId": "r", "StackId": "s", "LogicalResourceId": "l"}
    recorder.begin_request({**event, "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:f"}, "S")
    replays.replay("r", 2)
    with pytest.raises(ReplayError, match="Delivered once only: 3 replays are running already"):
        replays.replay("r", 2)
    with pytest.raises(ReplayError, match=r"^3 replays are running"):
        replays.replay("r")
    goes_on.set()
    deadline = time.monotonic() + 10
    found = recorder.request("r")
    assert found is not None
    while not all(one.ended for one in found.deliveries) or len(found.deliveries) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.05)
    replays.replay("r", 2)


def test_answers_count_among_what_is_kept() -> None:
    rolling: Rolling[str] = Rolling(10, max_bytes=100)
    rolling.add("a", "first", 40)
    rolling.add("b", "second", 40)
    assert rolling.grow("gone", 1000) == []
    assert rolling.grow("b", 15) == []
    assert rolling.grow("b", 15) == ["first"]
    assert (len(rolling), rolling.dropped) == (1, 1)
    assert rolling.add("c", "third", 30) == []
    recorder = Recorder()
    recorder.begin_request({"RequestId": "r", "StackId": "s"}, "S")
    recorder.add_answer("r", json.dumps({"Reason": "x" * 900_000, "PhysicalResourceId": "y" * 99_000}).encode())
    found = recorder.request("r")
    assert found is not None
    assert [(len(one.reason), len(one.physical_id), one.body) for one in found.answers] == [(4096, 4096, {})]


# Secrets


def test_what_is_secret_in_an_answer_is_not_kept(stage: Stage) -> None:
    stage.record()
    for flag in (True, "true"):
        stage.recorder.add_answer("r1", json.dumps({"NoEcho": flag, "Data": {"Password": "hush"}}).encode())
    stage.recorder.add_answer("r1", b'{"NoEcho": false, "Data": {"Name": "seen"}}')
    found = stage.recorder.request("r1")
    assert found is not None
    assert [one.body["Data"] for one in found.answers[1:]] == ["not kept: NoEcho"] * 2 + [{"Name": "seen"}]


def test_response_url_in_an_error_is_not_kept(stage: Stage) -> None:
    stage.record()
    url = "HTTPError at http://127.0.0.1:1/_ministack/cfn-response/0a1b-2c3d: refused"
    delivery = stage.recorder.begin_delivery("r1", "Root=9")
    stage.recorder.end_delivery(delivery, url)
    stage.recorder.add_answer("r1", json.dumps({"Status": "FAILED", "Reason": url}).encode())
    found = stage.recorder.request("r1")
    assert found is not None
    assert {delivery.error, found.answers[-1].reason} == {url.replace("0a1b-2c3d", "…")}


LEAKING = """
import json, os, urllib.error, urllib.request

def handler(event, context):
    base = os.environ["AWS_ENDPOINT_URL"] + "/_chime/"
    keys = [os.environ[name] for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")]
    seen = []
    for headers in [{}] + [{"Authorization": "Bearer " + key} for key in keys]:
        for path in ("", "api/status", "?token=" + keys[0]):
            try:
                seen.append(urllib.request.urlopen(urllib.request.Request(base + path, headers=headers)).status)
            except urllib.error.HTTPError as refused:
                seen.append(refused.code)
    return {"seen": seen, "environ": dict(os.environ)}
"""


def test_lambda_has_no_way_into_the_console(engine: Engine) -> None:
    lambdas, iam = engine.client("lambda"), engine.client("iam")
    role = iam.create_role(RoleName="curious", AssumeRolePolicyDocument=json.dumps(ASSUMED))["Role"]["Arn"]
    lambdas.create_function(
        FunctionName="curious", Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": packed()}
    )
    found = json.load(lambdas.invoke(FunctionName="curious")["Payload"])
    assert found["seen"] == [403] * 12
    assert Console(engine).token not in json.dumps(found)
    assert engine.secret not in json.dumps(found)


def packed() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", LEAKING)
    return content.getvalue()
