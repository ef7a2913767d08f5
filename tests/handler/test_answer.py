"""The answer: its size, its form, where it may go."""

from __future__ import annotations

import http.client
import http.server
import json
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from chime_handler import response

EVENT = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}


@given(st.text(max_size=9000), st.text(max_size=3000))
def test_size(reason: str, physical_id: str) -> None:
    """Whatever the Reason and the id, an answer has at most 4096 bytes and an id of 1–1024 bytes."""
    written = response.build_body(EVENT, "FAILED", physical_id, reason, {})
    body = json.loads(written)
    assert len(written) <= 4096
    assert 1 <= len(body["PhysicalResourceId"].encode()) <= 1024
    assert body["Reason"]


@pytest.mark.parametrize(
    ("status", "data", "answered"),
    [
        ("SUCCESS", {}, {"Status": "SUCCESS"}),
        ("SUCCESS", {"a": "x"}, {"Status": "SUCCESS", "Data": {"a": "x"}}),
        (
            "SUCCESS",
            {"a": "x" * 4096},
            {"Status": "FAILED", "Reason": "The attributes do not fit into a response of 4096 bytes."},
        ),
        ("FAILED", {"a": "x"}, {"Status": "FAILED", "Reason": "no reason is known"}),
    ],
    ids=["no attributes", "attributes", "too many", "no reason"],
)
def test_answer_holds_attributes_or_why_there_are_none(
    status: str, data: dict[str, str], answered: dict[str, object]
) -> None:
    """A success has the attributes whole, or is none; a failure has the Reason that CloudFormation requires."""
    body = json.loads(response.build_body(EVENT, status, "id", "", data))
    assert body == {**EVENT, "PhysicalResourceId": "id", "NoEcho": False, **answered}


@pytest.mark.parametrize("excess", [*range(1, 40), 1000, 9000])
def test_long_reason_keeps_as_much_as_fits(excess: int) -> None:
    """A Reason that is too long, by whatever, is cut to an answer that has room for one more character at most."""
    alone = len(response.build_body(EVENT, "FAILED", "id", "x", {})) - 1
    written = response.build_body(EVENT, "FAILED", "id", "x" * (4096 - alone + excess), {})
    assert 4095 <= len(written) <= 4096


def test_long_reason_keeps_its_beginning() -> None:
    """A Reason that is too long loses its end, where the least important stands."""
    body = json.loads(response.build_body(EVENT, "FAILED", "id", "CreateChannel: " + "x" * 9000, {}))
    assert body["Reason"].startswith("CreateChannel: xxx")
    assert body["Reason"].endswith("…")


@pytest.mark.parametrize(
    ("url", "sendable"),
    [
        ("https://bucket.s3.amazonaws.com/x?sig=1", True),
        ("https://bucket.s3.amazonaws.com:443/x?sig=1", True),
        ("https://cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com/x", True),
        ("https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/x", True),
        ("https://s3-us-west-2.amazonaws.com/bucket/x", True),
        ("https://s3.dualstack.eu-central-1.amazonaws.com/bucket/x", True),
        ("https://bucket.s3-external-1.amazonaws.com/x", True),
        ("https://bucket.s3.cn-north-1.amazonaws.com.cn/x", True),
        ("https://bucket.s3.us-gov-west-1.amazonaws.com/x", True),
        ("https://BUCKET.S3.amazonaws.com/x", True),
        ("http://bucket.s3.amazonaws.com/x", False),
        ("https://user@bucket.s3.amazonaws.com/x", False),
        ("https://:pass@bucket.s3.amazonaws.com/x", False),
        ("https://@bucket.s3.amazonaws.com/x", False),
        ("https://evil.example\\@bucket.s3.amazonaws.com/x", False),
        ("https://bucket.s3.amazonaws.com@evil.example/x", False),
        ("https://bucket.s3.amazonaws.com:8443/x", False),
        ("https://bucket.s3.amazonaws.com:0/x", False),
        ("https://bucket.s3.amazonaws.com:port/x", False),
        ("https://bucket.s3.amazonaws.com:99999/x", False),
        ("https://bucket.s3.amazonaws.com./x", False),
        ("https://s3.amazonaws.com.evil.com/x", False),
        ("https://bucket.s3.amazonaws.com.evil.com/x", False),
        ("https://evils3.amazonaws.com/x", False),
        ("https://s3evil.amazonaws.com/x", False),
        ("https://s3.amazonaws.com-evil.com/x", False),
        ("https://s3-amazonaws.com/x", False),
        ("https://s3.evil-amazonaws.com/x", False),
        ("https://amazonaws.com/x", False),
        ("https://s3-1234567890.us-east-1.elb.amazonaws.com/x", False),
        ("https://s3.abcdefghij.execute-api.us-east-1.amazonaws.com/x", False),
        ("https://evil.example/s3.amazonaws.com", False),
        ("https://evil.example?.s3.amazonaws.com/x", False),
        ("https://evil.example#.s3.amazonaws.com/x", False),
        ("https://169.254.169.254/x", False),
        ("https://example.com/x", False),
        ("http://example.com/x", False),
        ("ftp://bucket.s3.amazonaws.com/x", False),
        ("//bucket.s3.amazonaws.com/x", False),
        ("https://bucket.s3.amazonaws.com/x\r\nHost: evil", False),
        (" https://bucket.s3.amazonaws.com/x", False),
        ("https://", False),
        ("http://[", False),
        ("", False),
        (b"https://bucket.s3.amazonaws.com/x", False),
        (None, False),
    ],
)
def test_answers_go_to_s3_over_tls_only(url: object, *, sendable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On AWS an answer goes to a host of Amazon S3 over https, without user info, and nowhere else."""
    for endpoint in (None, "https://chime.example.com", "http://[", "http://127.0.0.1:4566"):
        if endpoint is None:
            monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        else:
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert response.is_trusted_url(url) is sendable


LOOPBACK = ("127.0.0.1:4566", "localhost:4566", "[::1]:4566", "127.0.0.1", "localhost")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", LOOPBACK)
def test_answers_go_to_this_machine_only_where_an_engine_serves(
    host: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer goes to this very machine only where AWS_ENDPOINT_URL leads there as well."""
    url = f"{scheme}://{host}/x"
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert not response.is_trusted_url(url)
    for elsewhere in ("", "https://example.com", "http://[", "127.0.0.1:4566", "https://localhost.evil.example"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", elsewhere)
        assert not response.is_trusted_url(url)
    for engine in LOOPBACK:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{engine}")
        assert response.is_trusted_url(url)
        assert not response.is_trusted_url(f"{scheme}://user@{host}/x")
        assert not response.is_trusted_url(f"ftp://{host}/x")


class Server(http.server.BaseHTTPRequestHandler):
    """Takes any answer."""

    def do_PUT(self) -> None:
        """Take it."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.mark.parametrize(("name", "trusted"), [("localhost", True), ("localhost", False), ("evil.example", True)])
def test_answer_goes_only_to_a_host_that_proves_to_be_it(
    name: str, *, trusted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A certificate of nobody trusted, or of another host, ends the connection before the answer is sent."""
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    response._tls.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"https://localhost:{server.server_port}/x"
        if trusted and name == "localhost":
            assert response.put(url, b"{}") == 200
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                response.put(url, b"{}")
        thread.join()
    response._tls.cache_clear()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 499])
def test_refusal_of_an_answer_for_good_is_not_repeated(status: int) -> None:
    """A URL that has expired, or is wrong, is tried once."""
    assert tries_at([status] * 9) == (False, 1, [])


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 301, 307, 199])
def test_answer_that_may_be_taken_later_is_sent_again(status: int) -> None:
    """What may pass is waited out, with growing pauses, six times at most."""
    assert tries_at([status] * 5 + [200]) == (True, 6, [1.0, 2.0, 4.0, 4.0, 4.0])
    assert tries_at([status] * 9) == (False, 6, [1.0, 2.0, 4.0, 4.0, 4.0])


@pytest.mark.parametrize("status", [200, 204, 299])
def test_answer_that_was_taken_is_sent_once(status: int) -> None:
    """Every status of success counts."""
    assert tries_at([status]) == (True, 1, [])


@pytest.mark.parametrize(
    "error", [ConnectionResetError(), TimeoutError(), http.client.BadStatusLine("x"), ssl.SSLError(), ValueError()]
)
def test_connection_that_fails_is_tried_again(error: Exception) -> None:
    """No answer at all is no refusal."""
    assert tries_at([error, 200]) == (True, 2, [1.0])


def tries_at(results: list[Any]) -> tuple[bool, int, list[float]]:
    """Deliver to what answers so; return whether it was taken, how often it was sent, and the pauses."""
    sent: list[bytes] = []
    pauses: list[float] = []

    def send(_url: str, written: bytes) -> int:
        sent.append(written)
        result = results[len(sent) - 1]
        if isinstance(result, Exception):
            raise result
        return int(result)

    done = response.deliver("https://x/", b"{}", tries=6, sleep=pauses.append, log=lambda _: None, send=send)
    return done, len(sent), pauses


@pytest.mark.parametrize(
    ("statuses", "delivered", "left"),
    [([200], True, 0), ([503, 200], True, 0), ([403, 200], False, 1), ([500, 500, 500], False, 0)],
)
def test_status_is_checked(statuses: list[int], *, delivered: bool, left: int) -> None:
    """An answer counts as delivered only when it was taken; a refusal for good is not repeated."""
    lines: list[str] = []
    waiting = list(statuses)
    done = response.deliver(
        "https://secret/",
        b"{}",
        tries=3,
        sleep=lambda _: None,
        log=lines.append,
        send=lambda _url, _body: waiting.pop(0),
    )
    assert (done, len(waiting)) == (delivered, left)
    assert "secret" not in "".join(lines)


@pytest.mark.parametrize(
    ("result", "outcome", "status"),
    [(200, "ok", 200), (403, "refused", 403), (TimeoutError("https://secret/"), "TimeoutError", 0)],
    ids=["taken", "refused", "no answer"],
)
def test_log_line_of_an_answer_says_what_became_of_it(result: int | Exception, outcome: str, status: int) -> None:
    """Who looks for a stack that waits finds how the answer was received; without one the status is 0."""
    lines: list[str] = []

    def send(_url: str, _body: bytes) -> int:
        if isinstance(result, Exception):
            raise result
        return result

    response.deliver("https://secret/", b"{}", tries=1, sleep=lambda _: None, log=lines.append, send=send)
    assert [json.loads(line) for line in lines] == [
        {"operation": "respond", "outcome": outcome, "status": status, "try": 1}
    ]
