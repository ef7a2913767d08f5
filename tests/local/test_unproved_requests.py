"""Requests whose sender is not proved: they take little memory and time, however many or long they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as AccessKey

from chime_local._credentials import Credentials
from chime_local.chime import ChimeService
from chime_local.chime.protocol import ChimeApp
from chime_local.cloudformation._ministack import Iam
from chime_local.gateway import Gateway

RawHeaders = list[tuple[bytes, bytes]]
MILLION = b"x" * 1_000_000
FORGED = (
    f"AWS4-HMAC-SHA256 Credential=000000000000/{datetime.now(UTC):%Y%m%d}/us-east-1/lambda/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
)


class InProcessGateway:
    """The gateway alone, with a recorder instead of MiniStack."""

    def __init__(self) -> None:
        self.credentials = Credentials(Iam())
        self.delivered: list[bytes] = []
        self.served: list[bytes] = []
        self.app = Gateway(
            ChimeApp(ChimeService(clock=lambda: 0.0)),
            self._serve,
            credentials=self.credentials,
            deliver=lambda token, body: self.delivered.append(body),
        )

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.served.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def answer(
        self,
        headers: RawHeaders,
        receive: Callable[[], Any],
        *,
        method: str = "POST",
        path: str = "/",
        query: bytes = b"",
    ) -> int:
        """Send a request to the gateway; return the status of the response."""
        statuses: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        target = {"path": path, "raw_path": path.encode(), "query_string": query}
        await self.app({"type": "http", "method": method, "headers": headers, **target}, receive, send)
        return statuses[0]

    def signed(self, body: bytes) -> RawHeaders:
        """Return the headers of a request to Lambda that is signed, without a word of the body's hash."""
        request = AWSRequest("POST", "http://localhost/", {"Host": "localhost"}, body)
        SigV4Auth(AccessKey("000000000000", self.credentials.secret), "lambda", "us-east-1").add_auth(request)
        return [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]


def forged(**more: str) -> RawHeaders:
    """Return headers with the key that everybody knows and a signature that is made up."""
    headers = {"host": "localhost", "x-amz-date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}", "authorization": FORGED}
    return [(name.replace("_", "-").encode(), text.encode()) for name, text in {**headers, **more}.items()]


def body(count: int, part: bytes = MILLION, *, then: asyncio.Event | None = None) -> Callable[[], Any]:
    """Return what receives so many parts, turn about with all others; the end may wait for an event."""
    left = count

    async def receive() -> dict[str, Any]:
        nonlocal left
        await asyncio.sleep(0)
        left -= 1
        if left < 0 and then is not None:
            await then.wait()
        more = left > 0 or (left == 0 and then is not None)
        return {"type": "http.request", "body": part if left >= 0 else b"", "more_body": more}

    return receive


def test_flood_of_forged_bodies_holds_bounded_bytes() -> None:
    """Of six forged requests of 60 MB each at most 200 MB are kept; each gets a 4xx, and nothing is left."""
    gateway, seen = InProcessGateway(), []

    async def flood() -> list[int]:
        def watched() -> Callable[[], Any]:
            receive = body(60)

            async def receiving() -> Any:
                seen.append(gateway.app.unverified.size)
                return await receive()

            return receiving

        return await asyncio.gather(*(gateway.answer(forged(), watched()) for _ in range(6)))

    statuses = asyncio.run(flood())
    assert 150_000_000 < max(seen) <= 200_000_000
    assert set(statuses) == {403, 429}
    assert (gateway.app.unverified.size, gateway.served) == (0, [])


def test_long_body_of_the_right_sender_passes_whole() -> None:
    """A body that is longer than what is kept in memory comes through as it was sent."""
    gateway, text = InProcessGateway(), bytes(range(250)) * 4000

    async def send() -> int:
        return await gateway.answer(gateway.signed(text * 3), body(3, text))

    assert asyncio.run(send()) == 200
    assert gateway.served == [text * 3]


def test_short_request_passes_during_a_flood_of_long_ones() -> None:
    """When there is no room for more, the largest body goes, not the one that comes last."""
    gateway = InProcessGateway()

    async def flood() -> tuple[int, list[int]]:
        end = asyncio.Event()
        long = [asyncio.create_task(gateway.answer(forged(), body(count, then=end))) for count in (68, 67, 63)]
        for _ in range(100):
            await asyncio.sleep(0)
        assert gateway.app.unverified.size == 198_000_000
        short = await gateway.answer(gateway.signed(MILLION * 4), body(4))
        end.set()
        return short, await asyncio.gather(*long)

    assert asyncio.run(flood()) == (200, [429, 403, 403])
    assert gateway.served == [MILLION * 4]


def test_flood_of_answers_to_response_urls_holds_bounded_bytes() -> None:
    """What may come unsigned has no more room than what is forged; 203 bodies of a megabyte are too many."""
    gateway, path = InProcessGateway(), "/_ministack/cfn-response/00000000-0000-4000-8000-000000000000"

    async def flood() -> list[int]:
        end = asyncio.Event()
        bodies = (body(2, MILLION[:500_000], then=end) for _ in range(203))
        headers = [(b"host", b"localhost")]
        put = [asyncio.create_task(gateway.answer(headers, one, method="PUT", path=path)) for one in bodies]
        for _ in range(100):
            await asyncio.sleep(0)
        assert gateway.app.unverified.size == 200_000_000
        end.set()
        return await asyncio.gather(*put)

    statuses = asyncio.run(flood())
    assert (statuses.count(200), statuses.count(429)) == (200, 3)
    assert (gateway.app.unverified.size, len(gateway.delivered)) == (0, 200)


@pytest.mark.parametrize(
    "announced",
    ["0" * 64, "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"],
    ids=["hash", "none", "trailer"],
)
def test_forged_request_with_announced_hash_is_refused_before_its_body(announced: str) -> None:
    """Where a header says the body's hash, a wrong signature is refused with no byte of the body read."""
    gateway = InProcessGateway()
    events: list[Any] = []

    async def receive() -> dict[str, Any]:
        events.append("body")
        return {"type": "http.request", "body": MILLION, "more_body": False}

    async def send(message: Any) -> None:
        events.append(message.get("status", "answer"))

    headers = forged(
        x_amz_content_sha256=announced, authorization=FORGED.replace("host;", "host;x-amz-content-sha256;")
    )
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": headers,
    }
    asyncio.run(gateway.app(scope, receive, send))
    assert events[0] == 403


@pytest.mark.parametrize("kind", ["forged", "unsigned", "signed"])
def test_body_that_does_not_come_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends nothing more holds nothing for ever: after the time for a body the request is refused."""
    monkeypatch.setattr("chime_local._bodies.MAX_BODY_SECONDS", 0)
    gateway = InProcessGateway()

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def stall() -> int:
        if kind == "unsigned":
            return await gateway.answer(
                [(b"host", b"localhost")], receive, method="PUT", path="/_ministack/cfn-signal/x"
            )
        return await gateway.answer(forged() if kind == "forged" else gateway.signed(b"text"), receive)

    monkeypatch.setattr("chime_local._error_responses._MAX_DRAIN_SECONDS", 0)
    assert asyncio.run(stall()) == 400
    assert (gateway.app.unverified.size, gateway.served) == (0, [])


@pytest.mark.parametrize(("length", "status"), [(16_383, 403), (16_384, 414)])
def test_long_query_string_is_refused_unread(length: int, status: int) -> None:
    """A query string of 64 KB, as HTTP/2 lets it through, is not even taken apart."""
    assert asyncio.run(InProcessGateway().answer([(b"host", b"localhost")], body(1), query=b"&" * length)) == status
