"""What a web page, a stranger or a careless client sends: refused at once, nothing executed, service goes on."""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import botocore.auth
import h2.config
import h2.connection
import h2.events
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from chime_local._scratch import scratch_folder
from chime_local.engine import Engine
from local.processes import alive, environment
from local.requests import answer, client
from local.scripted_stack import ASSUMED, function

ROOT_KEY = "000000000000"
PAGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
FORGED = (
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={datetime.now(UTC):%Y%m%dT%H%M%SZ}&X-Amz-Expires=600"
    f"&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}&X-Amz-Credential={ROOT_KEY}/{datetime.now(UTC):%Y%m%d}"
    "/us-east-1"
)
"""What a page can write into a URL: credentials whose id everybody knows, and a signature that is made up."""


def signed(
    engine: Engine,
    method: str,
    path: str,
    service: str = "sqs",
    *,
    secret: str | None = None,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the headers with which a request is signed."""
    url = f"http://127.0.0.1:{engine.port}{path}"
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(ROOT_KEY, secret or engine.secret), service, "us-east-1").add_auth(request)
    return {"Host": urlsplit(url).netloc, **dict(request.headers.items())}


def code_of(call: Callable[[], Any]) -> str:
    """Return the code of the error with which a call is answered."""
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def untouched(engine: Engine) -> Iterator[Engine]:
    """Let the test attack, and see that it made nothing and that the engine still serves."""

    def seen() -> tuple[Any, ...]:
        iam = engine.client("iam")
        return (
            [one["FunctionName"] for one in engine.client("lambda").list_functions()["Functions"]],
            [one["UserName"] for one in iam.list_users()["Users"]],
            [one["RoleName"] for one in iam.list_roles()["Roles"]],
            engine.client("sqs").list_queues().get("QueueUrls", []),
            engine.client("chime-sdk-identity").list_app_instances()["AppInstances"],
        )

    before = seen()
    yield engine
    assert seen() == before


MARK = "import os, pathlib\ndef handler(event, context):\n    pathlib.Path(os.environ['MARKER']).touch()\n"


def attack(marker: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the URLs and bodies that make a Lambda that leaves a mark on this machine, and invoke it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", MARK)
    create = {
        "FunctionName": "evil",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/evil",
        "Code": {"ZipFile": base64.b64encode(packed.getvalue()).decode()},
        "Environment": {"Variables": {"MARKER": str(marker)}},
    }
    role = {"Action": "CreateRole", "RoleName": "evil", "AssumeRolePolicyDocument": json.dumps(ASSUMED)}
    return [
        (f"/?{urlencode(role)}&{FORGED}/iam/aws4_request", {}),
        (f"/2015-03-31/functions?{FORGED}/lambda/aws4_request", create),
        (f"/2015-03-31/functions/evil/invocations?{FORGED}/lambda/aws4_request", {}),
    ]


@pytest.mark.parametrize("headers", [PAGE, {}], ids=["page", "process"])
def test_simple_posts_make_and_invoke_no_lambda(untouched: Engine, tmp_path: Path, headers: dict[str, str]) -> None:
    """Three POSTs as a page sends them without a preflight make no role and no Lambda, and invoke none."""
    statuses = [
        answer(untouched, "POST", path, {**headers, "Content-Type": "text/plain"}, json.dumps(body).encode())[0]
        for path, body in attack(tmp_path / "marker")
    ]
    assert not (tmp_path / "marker").exists()
    assert statuses == [403] * 3


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}, {}])
@pytest.mark.parametrize("action", ["CreateUser&UserName=evil", "CreateQueue&QueueName=evil"])
def test_image_of_a_page_executes_nothing(untouched: Engine, headers: dict[str, str], action: str) -> None:
    """A GET as an <img> sends it, with credentials in its query string, is refused."""
    service = "iam" if "User" in action else "sqs"
    for key in (ROOT_KEY, "test", "x"):
        credentials = f"{FORGED}/{service}/aws4_request".replace(ROOT_KEY, key)
        for query in (credentials, credentials.partition("&")[2], f"AWSAccessKeyId={key}", ""):
            assert answer(untouched, "GET", f"/?Action={action}&{query}", headers)[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_form_of_a_page_executes_nothing(untouched: Engine, site: str) -> None:
    """A form that is posted by a page is refused."""
    headers = {"Origin": "null", "Sec-Fetch-Site": site, "Content-Type": "application/x-www-form-urlencoded"}
    body = f"Action=CreateUser&UserName=evil&{FORGED}/iam/aws4_request".encode()
    assert answer(untouched, "POST", "/", headers, body)[0] == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
def test_page_is_refused_even_with_a_valid_signature(engine: Engine, headers: dict[str, str], status: int) -> None:
    """What a page sends is refused, whatever it holds."""
    path = "/?Action=ListQueues"
    assert answer(engine, "GET", path, {**signed(engine, "GET", path), **headers})[0] == status


def test_preflight_is_refused_without_cors(engine: Engine) -> None:
    """A preflight gets no word of what pages may do."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for headers in ({**PAGE, **asked}, asked, {}):
        status, given, _ = answer(engine, "OPTIONS", "/", headers)
        assert status == 403
        assert not [name for name in given if name.startswith("access-control-")]


def test_no_answer_lets_a_page_read_it(engine: Engine) -> None:
    """MiniStack's Access-Control-Allow-Origin never leaves the engine."""
    path = "/?Action=ListQueues"
    status, given, _ = answer(engine, "GET", path, signed(engine, "GET", path))
    assert status == 200
    assert not [name for name in given if name.startswith("access-control-")]


def handshake(engine: Engine, headers: Mapping[str, str], path: str = "/_aws/execute-api/x/prod") -> bytes:
    """Ask for a WebSocket; return the first line of the answer."""
    upgrade = {
        "Host": f"127.0.0.1:{engine.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in upgrade.items())
    with socket.create_connection(("127.0.0.1", engine.port), 20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        return connection.recv(4096).partition(b"\r\n")[0]


@pytest.mark.parametrize("headers", [{}, {"Host": "evil.example"}, PAGE], ids=["unsigned", "host", "page"])
def test_untrusted_websocket_is_refused_before_it_opens(engine: Engine, headers: dict[str, str]) -> None:
    """A WebSocket that is not signed, under a foreign host or of a page gets 403 before it is accepted."""
    assert handshake(engine, headers).startswith(b"HTTP/1.1 403")
    assert handshake(engine, {**signed(engine, "GET", "/x", "execute-api"), **PAGE}, "/x").startswith(
        b"HTTP/1.1 403"
    )


CODES = {
    "sts": ("get_caller_identity", "MissingAuthenticationToken", "SignatureDoesNotMatch", "InvalidClientTokenId"),
    "ec2": ("describe_vpcs", "MissingAuthenticationToken", "SignatureDoesNotMatch", "InvalidClientTokenId"),
    "s3": ("list_buckets", "AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId"),
    "lambda": (
        "list_functions",
        "MissingAuthenticationTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    ),
    "dynamodb": (
        "list_tables",
        "MissingAuthenticationTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    ),
    "cloudwatch": (
        "list_metrics",
        "MissingAuthenticationTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    ),
    "chime-sdk-identity": (
        "list_app_instances",
        "MissingAuthenticationTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    ),
}


@pytest.mark.parametrize("service", CODES)
def test_wrong_secret_is_refused_in_the_protocols_shape(engine: Engine, service: str) -> None:
    """Every SDK shows the code that AWS uses, and what to do."""
    operation, _, mismatch, unknown = CODES[service]
    wrong = client(engine, service, ROOT_KEY, "local")
    with pytest.raises(ClientError, match="use the environment that it printed when it started"):
        getattr(wrong, operation)()
    assert code_of(getattr(wrong, operation)) == mismatch
    for key in ("test", "AKIAIOSFODNN7EXAMPLE"):
        assert code_of(getattr(client(engine, service, key, engine.secret), operation)) == unknown


@pytest.mark.parametrize("path", ["/", "/channels", "/bucket/key", "/app-instances", "/2015-03-31/functions"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
def test_unsigned_request_is_refused(untouched: Engine, method: str, path: str) -> None:
    """Nothing unsigned comes through, whatever it asks for."""
    status, headers, _ = answer(untouched, method, path)
    assert status == 403
    assert headers["x-amzn-errortype"] in ("AccessDenied", "MissingAuthenticationTokenException")


def test_another_engines_secret_is_refused(engine: Engine) -> None:
    """Each engine makes a secret of its own."""
    with Engine() as other:
        assert other.secret != engine.secret
        assert code_of(client(engine, "sts", ROOT_KEY, other.secret).get_caller_identity) == "SignatureDoesNotMatch"


def test_replayed_request_is_refused_outside_the_skew(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that was signed more than fifteen minutes ago, or will be, is refused."""
    for minutes in (-16, 16):
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda moment=moment: moment)
        assert code_of(engine.client("sts").get_caller_identity) == "RequestTimeTooSkewed"


def test_changed_request_is_refused(untouched: Engine) -> None:
    """A signature is good for one method, path, query, body and set of headers."""
    body, form = b"Action=ListQueues", {"Content-Type": "application/x-www-form-urlencoded"}
    headers = signed(untouched, "POST", "/?a=1", body=body, headers=form)
    assert answer(untouched, "POST", "/?a=1", headers, body)[0] == 200
    assert answer(untouched, "POST", "/?a=1", headers, b"Action=CreateQueue&QueueName=evil")[0] == 403
    assert answer(untouched, "PUT", "/?a=1", headers, body)[0] == 403
    assert answer(untouched, "POST", "/?a=2", headers, body)[0] == 403
    assert answer(untouched, "POST", "/b?a=1", headers, body)[0] == 403
    assert answer(untouched, "POST", "/?a=1", {**headers, "X-Amz-Target": "AmazonSQS.CreateQueue"}, body)[0] == 403


def presigned(engine: Engine, operation: str, seconds: int = 60, /, **parameters: Any) -> str:
    """Return the path of a presigned URL of S3."""
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    s3 = boto3.client("s3", "us-east-1", endpoint_url=f"http://127.0.0.1:{engine.port}", config=config,
                      aws_access_key_id=ROOT_KEY, aws_secret_access_key=engine.secret)  # fmt: skip
    url = urlsplit(s3.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds))
    return f"{url.path}?{url.query}"


def test_presigned_urls_work_until_they_expire(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A presigned URL writes and reads its object, no other, and not after its time."""
    engine.client("s3").create_bucket(Bucket="presigned")
    named = {"Bucket": "presigned", "Key": "a key+ü"}
    headers = {"Host": f"127.0.0.1:{engine.port}"}
    assert answer(engine, "PUT", presigned(engine, "put_object", **named), headers, b"text")[0] == 200
    path = presigned(engine, "get_object", **named)
    assert answer(engine, "GET", path, headers)[2] == b"text"
    assert answer(engine, "GET", path.replace("presigned/", "presigned/other"), headers)[0] == 403
    assert answer(engine, "DELETE", path, headers)[0] == 403
    moment = datetime.now(UTC) - timedelta(minutes=2)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    status, _, body = answer(engine, "GET", presigned(engine, "get_object", **named), headers)
    assert (status, b"expired" in body) == (403, True)


def test_signature_version_2_is_refused_with_a_cure(engine: Engine) -> None:
    """The answer to the presigned URLs of S3 that boto3 makes by default names what to set."""
    url = engine.client("s3").generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    parts = urlsplit(url)
    status, _, body = answer(engine, "GET", f"{parts.path}?{parts.query}", {"Host": parts.netloc})
    assert (status, b"signature_version='s3v4'" in body) == (403, True)


def test_large_refused_upload_shows_why(engine: Engine) -> None:
    """Who still sends when it is refused comes to read why."""
    s3 = client(engine, "s3", ROOT_KEY, "wrong")
    assert code_of(lambda: s3.put_object(Bucket="b", Key="k", Body=b"x" * 20_000_000)) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_uploads_of_sdks_pass(engine: Engine, algorithm: str) -> None:
    """Bodies, streams and parts as boto3 sends them are verified and stored."""
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="uploads")
    s3.put_object(Bucket="uploads", Key="a/ b", Body=b"text", ChecksumAlgorithm=algorithm)
    assert s3.get_object(Bucket="uploads", Key="a/ b")["Body"].read() == b"text"
    part = {"Bucket": "uploads", "Key": "parts"}
    part["UploadId"] = s3.create_multipart_upload(**part, ChecksumAlgorithm=algorithm)["UploadId"]
    done = s3.upload_part(**part, PartNumber=1, Body=b"part", ChecksumAlgorithm=algorithm)
    parts = [{"PartNumber": 1, "ETag": done["ETag"], f"Checksum{algorithm}": done[f"Checksum{algorithm}"]}]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="uploads", Key="parts")["Body"].read() == b"part"


def test_unsigned_trailers_pass_and_their_checksum_counts(engine: Engine) -> None:
    """A stream that its checksum follows, as SDKs of JavaScript send it, is stored if the checksum is right."""
    engine.client("s3").create_bucket(Bucket="trailers")
    for text, expected in ((b"text", 200), (b"next", 400)):
        checksum = base64.b64encode(zlib.crc32(text).to_bytes(4, "big"))
        body = b"4\r\ntext\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % checksum
        given = {
            "X-Amz-Trailer": "x-amz-checksum-crc32",
            "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": "4",
        }
        path = "/trailers/key"
        request = AWSRequest("PUT", f"http://127.0.0.1:{engine.port}{path}", given)
        request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
        S3SigV4Auth(Credentials(ROOT_KEY, engine.secret), "s3", "us-east-1").add_auth(request)
        headers = {"Host": f"127.0.0.1:{engine.port}", **dict(request.headers.items())}
        assert answer(engine, "PUT", path, headers, body)[0] == expected


def resident(engine: Engine) -> int:
    """Return the memory that an engine occupies at most since its start, in kilobytes."""
    assert engine._process is not None
    status = Path(f"/proc/{engine._process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def endless(engine: Engine, headers: Mapping[str, str], path: str = "/") -> tuple[bytes, int]:
    """Send a body without end; return the first line of the answer, and how much was sent until the end."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    chunk, sent = b"10000\r\n" + b"x" * 65_536 + b"\r\n", 0
    with socket.create_connection(("127.0.0.1", engine.port), 20) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{lines}\r\n".encode())
        connection.setblocking(True)
        with contextlib.suppress(ConnectionError):
            while sent < 2_000_000_000:
                connection.sendall(chunk)
                sent += len(chunk)
        return connection.recv(4096).partition(b"\r\n")[0], sent


def test_endless_body_is_refused_at_once() -> None:
    """A chunked body without end is refused, signed or not, and takes no memory."""
    with Engine() as engine:
        engine.client("chime-sdk-identity").list_app_instances()
        before = resident(engine)
        host = {"Host": f"127.0.0.1:{engine.port}"}
        open_ended = {"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
        chime = signed(engine, "POST", "/", "chime", headers=open_ended)
        forged = {**signed(engine, "POST", "/", "s3", secret="wrong")}
        for headers, status in ((host, b"403"), (forged, b"403"), (chime, b"413")):
            line, sent = endless(engine, headers)
            assert line.split()[1] == status
            assert sent < 200_000_000
        unannounced = signed(engine, "POST", "/", secret="wrong")
        line, sent = endless(engine, unannounced)
        assert (line.split()[1], sent < 200_000_000) == (b"413", True)
        assert resident(engine) - before < 20_000
        assert engine.client("sts").get_caller_identity()["Account"] == ROOT_KEY


def test_announced_long_body_is_refused_before_it_is_sent(engine: Engine) -> None:
    """A body that is announced as too long is a 413 before its first byte."""
    for service, length in (("chime", 1_000_001), ("s3", 256_000_001), ("lambda", 70_167_212)):
        sent = {"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"} if service == "chime" else {}
        headers = {**signed(engine, "POST", "/", service, headers=sent), "Content-Length": str(length)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection(("127.0.0.1", engine.port), 20) as connection:
            connection.sendall(f"POST / HTTP/1.1\r\n{lines}\r\n".encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "lines",
    [
        b"".join(b"x-%d: y\r\n" % number for number in range(10_000)),
        b"x: " + b"y" * 50_000 + b"\r\n",
        b"x: " + b"y" * 1_000_000 + b"\r\n",
        b"x: y\r\n" * 10_000,
    ],
    ids=["10,000 headers", "long header", "endless header", "repeated header"],
)
def test_too_many_or_long_headers_are_refused(engine: Engine, lines: bytes) -> None:
    """Ten thousand headers, or one without end, get a 4xx."""
    with socket.create_connection(("127.0.0.1", engine.port), 20) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 4")
    assert engine.client("sts").get_caller_identity()["Account"] == ROOT_KEY


@pytest.mark.parametrize("path", [b"/_mini\tstack/health", b"/a b", b"/?a=\tb", b"/\x7f"])
def test_path_with_unencoded_characters_is_refused_over_http_2(engine: Engine, path: bytes) -> None:
    """Whoever reads such a path might read another one."""
    state = h2.config.H2Configuration(
        client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
    )
    connection = h2.connection.H2Connection(state)
    connection.initiate_connection()
    names = {b":method": b"GET", b":scheme": b"http", b":authority": b"localhost", b":path": path}
    connection.send_headers(1, list(names.items()), end_stream=True)
    with socket.create_connection(("127.0.0.1", engine.port), 20) as sent:
        sent.sendall(connection.data_to_send())
        status = ""
        while not status and (received := sent.recv(65_536)):
            for event in connection.receive_data(received):
                if isinstance(event, h2.events.ResponseReceived):
                    status = str(dict(event.headers))
    assert "400" in status


ADMIN = [
    ("POST", "/_ministack/reset"),
    ("POST", "/_ministack/config"),
    ("GET", "/_ministack/health"),
    ("GET", "/_ministack/ready"),
    ("GET", "/_ministack/lambda-code/f"),
    ("GET", "/_ministack/sns/sms-messages"),
    ("GET", "/_ministack/ses/messages"),
    ("GET", "/_localstack/health"),
    ("GET", "/_localstack/init"),
    ("GET", "/health"),
    ("GET", "/latest/meta-data/iam/security-credentials/"),
    ("GET", "/v2/"),
    ("GET", "/oauth2/authorize"),
    ("GET", "/_ministack/cfn-response/x"),
    ("POST", "/_ministack/cfn-signal/x"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN)
def test_admin_paths_are_closed_unless_signed(untouched: Engine, method: str, path: str) -> None:
    """MiniStack's own paths, and what AWS would serve in private networks, answer nobody who has not signed."""
    assert answer(untouched, method, path, {}, b"{}")[0] == 403


def session(engine: Engine, statements: list[dict[str, Any]] | None = None) -> tuple[str, str, str]:
    """Make a role, and return credentials of a session of it."""
    iam, name = engine.client("iam"), f"role-{os.urandom(4).hex()}"
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT_KEY}, "Action": "sts:AssumeRole"}
    policy = {"Version": "2012-10-17", "Statement": [trust]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))["Role"]["Arn"]
    if statements:
        allowed = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=allowed)
    given = engine.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]


def test_issued_credentials_pass_with_their_own_secret_and_token(engine: Engine) -> None:
    """Sessions of roles, root and users, and users' access keys are verified; IAM evaluates their policies."""
    key, secret, token = session(engine)
    identity = client(engine, "sts", key, secret, token).get_caller_identity()
    assert ":assumed-role/role-" in identity["Arn"]
    assert code_of(client(engine, "iam", key, secret, token).list_users) == "AccessDenied"
    assert code_of(client(engine, "sts", key, "wrong", token).get_caller_identity) == "SignatureDoesNotMatch"
    for wrong in (None, "wrong"):
        assert code_of(client(engine, "sts", key, secret, wrong).get_caller_identity) == "InvalidClientTokenId"
    given = engine.client("sts").get_session_token()["Credentials"]
    root = client(engine, "sts", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert root.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"


def test_access_key_is_good_until_it_is_deleted(engine: Engine) -> None:
    """A user's access key is verified while it is active, and unknown afterwards."""
    iam = engine.client("iam")
    iam.create_user(UserName="ann")
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    sts = client(engine, "sts", made["AccessKeyId"], made["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"].endswith(":user/ann")
    wrong = client(engine, "sts", made["AccessKeyId"], engine.secret)
    assert code_of(wrong.get_caller_identity) == "SignatureDoesNotMatch"
    iam.update_access_key(UserName="ann", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    assert code_of(sts.get_caller_identity) == "InvalidClientTokenId"
    iam.delete_access_key(UserName="ann", AccessKeyId=made["AccessKeyId"])
    assert code_of(sts.get_caller_identity) == "InvalidClientTokenId"
    iam.delete_user(UserName="ann")


def test_root_of_another_account_has_the_engines_secret(engine: Engine) -> None:
    """An account's id is the key of its root user, so that work across accounts can be tried."""
    assert client(engine, "sts", "111122223333", engine.secret).get_caller_identity()["Account"] == "111122223333"
    assert code_of(client(engine, "sts", "111122223333", "x").get_caller_identity) == "SignatureDoesNotMatch"


def test_role_may_not_use_admin_paths(engine: Engine) -> None:
    """Resetting the engine is for its own credentials only."""
    key, secret, token = session(engine, [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
    request = AWSRequest("POST", f"http://127.0.0.1:{engine.port}/_ministack/reset")
    SigV4Auth(Credentials(key, secret, token), "execute-api", "us-east-1").add_auth(request)
    headers = {"Host": f"127.0.0.1:{engine.port}", **dict(request.headers.items())}
    assert answer(engine, "POST", "/_ministack/reset", headers)[0] == 403
    assert client(engine, "sts", key, secret, token).get_caller_identity()["Account"] == ROOT_KEY


def test_reset_forgets_channels_and_stacks() -> None:
    """A signed reset forgets MiniStack's resources and those of Chime, tags included; the engine serves on."""
    with Engine() as engine:
        identity, messaging = engine.client("chime-sdk-identity"), engine.client("chime-sdk-messaging")
        tags = [{"Key": "a", "Value": "b"}]
        arn = identity.create_app_instance(Name="n", ClientRequestToken="token", Tags=tags)["AppInstanceArn"]
        handle = {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}
        engine.deploy_template(handle, "S")
        engine.client("sqs").create_queue(QueueName="q")
        engine.reset()
        assert identity.list_app_instances()["AppInstances"] == []
        with pytest.raises(ClientError):
            identity.describe_app_instance(AppInstanceArn=arn)
        with contextlib.suppress(ClientError):
            assert messaging.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
        assert engine.client("cloudformation").describe_stacks()["Stacks"] == []
        assert engine.client("sqs").list_queues().get("QueueUrls", []) == []
        engine.deploy_template(handle, "S")


PYTHON = """
import os
def handler(event, context):
    return dict(os.environ)
"""
NODE = "exports.handler = async () => ({...process.env});"
ALLOWED = {
    "GATEWAY_PORT", "LAMBDA_TASK_ROOT", "LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "MINE", "NO_PROXY", "PATH", "PWD",
    "PYTHONPATH", "SHLVL", "TMPDIR", "TZ", "_", "_LAMBDA_FUNCTION_ARN", "_LAMBDA_TIMEOUT", "_X_AMZN_TRACE_ID",
    "no_proxy", "NODE_PATH", "_MINISTACK_INVOKE_DEPTH", "OLDPWD",
}  # fmt: skip


@pytest.mark.parametrize("auth", [True, False], ids=["auth", "no-auth"])
@pytest.mark.parametrize(("runtime", "code"), [("python3.13", PYTHON), ("nodejs22.x", NODE)])
def test_lambda_sees_no_variable_of_the_shell(
    runtime: str, code: str, auth: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Lambda has the variables of AWS's runtime, its own, and its role's credentials, which are verified."""
    for name in ("GITHUB_TOKEN", "LOG_LEVEL", "NODE_OPTIONS", "LAMBDA_STRICT", "MINISTACK_ACCOUNT_ID"):
        monkeypatch.setenv(name, "")
    with Engine(auth=auth) as engine:
        declared = function("Function", code)
        properties = declared["Function"]["Properties"]
        properties |= {"Runtime": runtime, "Environment": {"Variables": {"MINE": "yes"}}}
        outputs = engine.deploy_template(
            {"Resources": declared, "Outputs": {"Name": {"Value": {"Ref": "Function"}}}}, "S"
        )
        invoked = engine.client("lambda").invoke(FunctionName=outputs["Name"])
        environ = json.load(invoked["Payload"])
        assert {name for name in environ if not name.startswith("AWS_")} <= ALLOWED
        assert environ["MINE"] == "yes"
        assert engine.secret not in environ.values()
        key, secret = environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
        sts = client(engine, "sts", key, secret, environ["AWS_SESSION_TOKEN"])
        assert ":assumed-role/" in sts.get_caller_identity()["Arn"]
        if auth:
            iam = client(engine, "iam", key, secret, environ["AWS_SESSION_TOKEN"])
            assert code_of(iam.list_users) == "AccessDenied"


LOOK = """
import os, pathlib
def handler(event, context):
    found, number = [], os.getpid()
    while number > 1 and b"chime_local" in pathlib.Path(f"/proc/{number}/cmdline").read_bytes() or not found:
        found.append(pathlib.Path(f"/proc/{number}/environ").read_text(errors="replace"))
        number = int(pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
    return "\\n".join(found)
"""


def test_lambda_reads_no_variable_of_the_shell_in_the_engines_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What /proc shows of the engine, which is a Lambda's parent, has nothing of the shell either."""
    monkeypatch.setenv("GITHUB_TOKEN", "hush-hush")
    with Engine() as engine:
        outputs = engine.deploy_template(
            {"Resources": function("Function", LOOK), "Outputs": {"Name": {"Value": {"Ref": "Function"}}}}, "S"
        )
        seen = engine.client("lambda").invoke(FunctionName=outputs["Name"])["Payload"].read()
        assert (b"PATH=" in seen, b"hush-hush" in seen) == (True, False)
        assert engine._process is not None
        started_with = Path(f"/proc/{engine._process.pid}/environ").read_bytes()
        assert (b"PATH=" in started_with, b"hush-hush" in started_with) == (True, False)


def test_command_keeps_no_variable_of_the_shell(tmp_path: Path) -> None:
    """`chime-local` itself begins anew without the shell's variables; its announcement is as before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "chime_local", "serve", "--until-input-ends"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(tmp_path, GITHUB_TOKEN="hush-hush"),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline().startswith(b"unset AWS_PROFILE")
        started_with = Path(f"/proc/{process.pid}/environ").read_bytes()
        process.stdin.close()
        process.wait(20)
    assert (b"PATH=" in started_with, b"hush-hush" in started_with) == (True, False)


def test_calls_of_a_node_lambda_are_verified(engine: Engine) -> None:
    """A Lambda on Node reaches the engine with its role's credentials."""
    code = """const {DynamoDBClient, ListTablesCommand} = require("@aws-sdk/client-dynamodb");
    exports.handler = () => new DynamoDBClient({}).send(new ListTablesCommand({}));"""
    may = {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}
    declared = function("Function", code, (may,))
    declared["Function"]["Properties"]["Runtime"] = "nodejs22.x"
    outputs = {"Name": {"Value": {"Ref": "Function"}}}
    name = engine.deploy_template({"Resources": declared, "Outputs": outputs}, "Node")["Name"]
    assert json.load(engine.client("lambda").invoke(FunctionName=name)["Payload"]) == {"TableNames": []}
    engine.delete("Node")


BOOTSTRAP = f"""#!{sys.executable}
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    event.read()
    path = f"/2018-06-01/runtime/invocation/{{event.headers['Lambda-Runtime-Aws-Request-Id']}}/response"
    api.request("POST", path, '"' + os.environ["AWS_LAMBDA_RUNTIME_API"] + '"')
    api.getresponse().read()
"""


REACHED = [
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-origin", "Host": "evil.example"},
    {"Host": "evil.example"},
]
"""What a page sends by fetch, as an image and, two times, under a name that it has bound to this machine."""


def test_page_reaches_no_runtime_api(engine: Engine) -> None:
    """A page neither takes nor answers events of a Lambda with a runtime of its own, which goes on."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        archive.writestr(bootstrap, BOOTSTRAP)
    lambdas, iam = engine.client("lambda"), engine.client("iam")
    role = iam.create_role(RoleName="own", AssumeRolePolicyDocument=json.dumps(ASSUMED))["Role"]["Arn"]
    code = {"ZipFile": packed.getvalue()}
    lambdas.create_function(
        FunctionName="own", Runtime="provided.al2023", Handler="x", Role=role, Timeout=20, Code=code
    )
    api = json.load(lambdas.invoke(FunctionName="own")["Payload"])
    for headers in REACHED:
        for method, path in (("GET", "invocation/next"), ("POST", "init/error"), ("POST", "invocation/x/response")):
            connection = http.client.HTTPConnection(api, timeout=20)
            with contextlib.closing(connection):
                connection.request(method, f"/2018-06-01/runtime/{path}", headers={"Host": api, **headers})
                assert connection.getresponse().status == 403
    assert json.load(lambdas.invoke(FunctionName="own")["Payload"]) == api
    lambdas.delete_function(FunctionName="own")
    iam.delete_role(RoleName="own")


def test_code_url_of_a_lambda_is_presigned(engine: Engine) -> None:
    """GetFunction answers a URL that gives the code, and to nobody who has changed it."""
    declared = {"Resources": function("Function"), "Outputs": {"Name": {"Value": {"Ref": "Function"}}}}
    name = engine.deploy_template(declared, "CodeUrl")["Name"]
    url = engine.client("lambda").get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(url) as got:
        assert got.read().startswith(b"PK")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url[:-1] + ("0" if url[-1] != "0" else "1"))
    engine.delete("CodeUrl")


def test_answers_to_a_response_url_are_bounded(engine: Engine) -> None:
    """What is PUT to a ResponseURL needs no signature, and is read no further than a megabyte."""
    path = "/_ministack/cfn-response/00000000-0000-4000-8000-000000000000"
    assert answer(engine, "PUT", path, {}, b"{}")[0] == 200
    assert answer(engine, "PUT", path, {}, b"x" * 1_000_001)[0] == 413
    assert answer(engine, "PUT", path, PAGE, b"{}")[0] == 403


def folders(parent: Path) -> set[str]:
    """Return the folders for temporary files of engines."""
    return {folder.name for folder in parent.glob("chime-local-*")}


def test_folders_of_a_killed_engine_are_removed_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start removes what a killed engine left, and nothing of an engine that lives or of anybody else."""
    (tmp_path / "chime-local-of-mine").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Engine() as living:
        kept = folders(tmp_path)
        script = (
            "import os\nfrom chime_local.engine import Engine\n"
            "engine = Engine().__enter__()\nos.killpg(engine._process.pid, 9)\nengine._process.wait()"
        )
        subprocess.run([sys.executable, "-c", script], env=environment(tmp_path), check=True)
        assert len(folders(tmp_path) - kept) == 1
        with Engine():
            assert len(folders(tmp_path) - kept) == 1
        assert folders(tmp_path) == kept
        assert living.client("sts").get_caller_identity()["Account"] == ROOT_KEY
    assert folders(tmp_path) == {"chime-local-of-mine"}
    assert not [line for line in alive(tmp_path) if "chime_local" in line]


def test_folder_that_was_never_locked_is_removed_when_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process killed before it locked its folder leaves one that goes later; a fresh one may be locked soon."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, seconds in (("old", 61), ("fresh", 1)):
        (tmp_path / f"chime-local-new-{name}").mkdir()
        made = datetime.now(UTC).timestamp() - seconds
        os.utime(tmp_path / f"chime-local-new-{name}", (made, made))
    with scratch_folder():
        pass
    assert [folder.name for folder in tmp_path.iterdir()] == ["chime-local-new-fresh"]
