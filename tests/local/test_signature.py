"""Signatures: the examples of AWS's documentation, and what must not pass for one."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chime_local._credentials import Credentials
from chime_local._signature import Signature, SignatureError, Verification, check_time, read_signature
from chime_local.chime import ChimeService
from chime_local.chime.protocol import ChimeApp
from chime_local.cloudformation._ministack import Iam
from chime_local.gateway import Gateway
from chime_local.iam.gate import IamGate

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SCOPE = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
MADE = datetime(2013, 5, 24, tzinfo=UTC)
RawHeaders = list[tuple[bytes, bytes]]


def raw(signed: str, value: str, **headers: str) -> RawHeaders:
    """Write the headers of a request that is signed like the documentation's examples."""
    authorization = f"AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders={signed},Signature={value}"
    given = {"x-amz-date": "20130524T000000Z", **headers, "authorization": authorization}
    return [(name.replace("_", "-").encode(), text.encode()) for name, text in given.items()]


def verify(headers: RawHeaders, path: str, body: bytes = b"", method: str = "PUT", query: str = "") -> Signature:
    """Verify a request as the engine does, at the time of the documentation's examples."""
    signature = read_signature(headers, query)
    check_time(signature, MADE)
    verification = Verification(signature, SECRET)
    verification.check_headers(method, path, query, headers, signature.payload or hashlib.sha256(body).hexdigest())
    if signature.payload is not None:
        verification.check_body(body)
    return signature


def chunked(trailer: bytes, *signatures: str) -> bytes:
    """Write 66,560 letters as the documentation's chunked examples do."""
    chunks = zip((b"a" * 65_536, b"a" * 1024, b""), signatures, strict=True)
    parts = [
        b"%x;chunk-signature=%s\r\n%s%s" % (len(data), signature.encode(), data, b"\r\n" if data else b"")
        for data, signature in chunks
    ]
    return b"".join(parts) + trailer


def chunked_example() -> tuple[RawHeaders, bytes]:
    """Return the example of "Signature calculations … transferring payload in multiple chunks"."""
    headers = raw(
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
        "x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        host="s3.amazonaws.com",
        x_amz_storage_class="REDUCED_REDUNDANCY",
        x_amz_content_sha256="STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        content_encoding="aws-chunked",
        x_amz_decoded_content_length="66560",
        content_length="66824",
    )
    body = chunked(
        b"\r\n",
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    )
    return headers, body


def trailing_example() -> tuple[RawHeaders, bytes]:
    """Return the example of "Signature calculations for trailing headers"."""
    headers = raw(
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;"
        "x-amz-trailer",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        host="s3.amazonaws.com",
        x_amz_storage_class="REDUCED_REDUNDANCY",
        x_amz_content_sha256="STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        content_encoding="aws-chunked",
        x_amz_decoded_content_length="66560",
        x_amz_trailer="x-amz-checksum-crc32c",
    )
    trailer = (
        b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
        b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
    )
    body = chunked(
        trailer,
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    )
    return headers, body


def test_documented_header_signature_is_verified() -> None:
    """The documentation's example of PUT Object passes."""
    headers = raw(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        host="examplebucket.s3.amazonaws.com",
        date="Fri, 24 May 2013 00:00:00 GMT",
        x_amz_storage_class="REDUCED_REDUNDANCY",
        x_amz_content_sha256="44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    )
    assert verify(headers, "/test%24file.text", b"Welcome to Amazon S3.").key == "AKIAIOSFODNN7EXAMPLE"
    with pytest.raises(SignatureError, match="not the one that was signed"):
        verify(headers, "/test%24file.text", b"Welcome to Amazon S4.")


def test_documented_presigned_url_is_verified_until_it_expires() -> None:
    """The documentation's example of a presigned URL passes, for as long as it is valid."""
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={SCOPE.replace('/', '%2F')}&X-Amz-Date=20130524T000000Z"
        "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    signature = verify([(b"host", b"examplebucket.s3.amazonaws.com")], "/test.txt", method="GET", query=query)
    check_time(signature, MADE + timedelta(days=1))
    with pytest.raises(SignatureError, match="expired"):
        check_time(signature, MADE + timedelta(days=1, seconds=1))


@pytest.mark.parametrize("example", [chunked_example, trailing_example])
def test_documented_chunks_are_verified(example: Any) -> None:
    """Each chunk of the documentation's examples is verified, and so are the trailing headers."""
    headers, body = example()
    verify(headers, "/examplebucket/chunkObject.txt", body)
    for forged in (body.replace(b"aaa\r\n", b"aab\r\n"), body[:-300], body.replace(b"sOO8", b"sOO9"), b""):
        if forged != body:
            with pytest.raises(SignatureError):
                verify(headers, "/examplebucket/chunkObject.txt", forged)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_signature_outside_the_clock_skew_is_refused(minutes: int) -> None:
    """A signature is good for fifteen minutes before and after it was made."""
    headers, _ = chunked_example()
    signature = read_signature(headers, "")
    check_time(signature, MADE + timedelta(minutes=14 if minutes > 0 else -14))
    with pytest.raises(SignatureError) as caught:
        check_time(signature, MADE + timedelta(minutes=minutes))
    assert caught.value.code == "RequestTimeTooSkewed"


AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature={'0' * 64}"
PRESIGNED = (
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={SCOPE}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60"
    f"&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}"
)
MALFORMED: dict[str, tuple[dict[str, str], str, str]] = {
    "unsigned": ({}, "", "MissingAuthenticationToken"),
    "two credentials": (
        {"authorization": AUTHORIZATION.replace(" Cred", " XCredential=1/2/3/4/5, Cred")},
        "",
        "Incomplete",
    ),
    "header and query": ({"authorization": AUTHORIZATION}, PRESIGNED, "Incomplete"),
    "credential twice": ({}, f"{PRESIGNED}&x-amz-credential=000000000000/a", "Incomplete"),
    "signature version 2": ({}, "AWSAccessKeyId=x&Signature=y&Expires=1", "InvalidRequest"),
    "signature version 2 header": ({"authorization": "AWS x:y"}, "", "Incomplete"),
    "SigV4A": ({"authorization": AUTHORIZATION.replace("HMAC", "ECDSA-P256")}, "", "Incomplete"),
    "no date": ({"authorization": AUTHORIZATION}, "", "SignatureDoesNotMatch"),
    "unsigned header": (
        {"authorization": AUTHORIZATION, "x-amz-date": "20130524T000000Z"},
        "",
        "AccessDenied",
    ),
    "a week and more": ({}, PRESIGNED.replace("Expires=60", "Expires=604801"), "Incomplete"),
    "for ever": ({}, PRESIGNED.replace("&X-Amz-Expires=60", ""), "Incomplete"),
    "bearer": ({"authorization": "Bearer x"}, "", "Incomplete"),
}


@pytest.mark.parametrize(
    "query",
    [
        PRESIGNED.replace("0" * 64, "%C3%A9"),
        PRESIGNED.replace("0" * 64, "%FF"),
        PRESIGNED.replace("20130524T000000Z", "99991231T235959Z").replace("20130524", "99991231"),
        PRESIGNED.replace("20130524", "00010101"),
    ],
    ids=["letters beyond ASCII", "no text", "last second of all", "first day of all"],
)
def test_odd_presigned_url_is_refused_and_breaks_nothing(query: str) -> None:
    """What no signer writes is refused like any other wrong signature."""
    with pytest.raises(SignatureError):
        verify([(b"host", b"localhost")], "/", method="GET", query=query)


@pytest.mark.parametrize("case", MALFORMED)
def test_ambiguous_or_incomplete_signature_is_refused(case: str) -> None:
    """What another reader could take for another caller's signature is refused."""
    headers, query, code = MALFORMED[case]
    fields = [(b"host", b"localhost"), *((name.encode(), text.encode()) for name, text in headers.items())]
    with pytest.raises(SignatureError) as caught:
        read_signature(fields, query)
    assert caught.value.code.startswith(code)


def test_repeated_authorization_is_refused() -> None:
    """Of two Authorization headers one reader takes the first, another the last."""
    with pytest.raises(SignatureError, match="more than once"):
        read_signature([(b"host", b"localhost"), *[(b"authorization", AUTHORIZATION.encode())] * 2], "")


async def refused(gateway: Gateway, headers: RawHeaders) -> int:
    """Send a request without a body to the door alone; return the status."""
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": headers,
    }
    await gateway(scope, receive, send)
    return int(statuses[0])


def test_unsigned_requests_grow_no_memory() -> None:
    """However many requests are refused, nothing of them is kept."""
    service, iam = ChimeService(clock=lambda: 0.0), Iam()
    gateway = Gateway(ChimeApp(service), None, credentials=Credentials(iam), gate=IamGate(service, iam))

    async def flood(count: int) -> set[int]:
        unsigned = [await refused(gateway, [(b"host", b"localhost"), (b"x-n", b"%d" % n)]) for n in range(count)]
        forged = [
            await refused(gateway, [*raw("host;x-amz-date", f"{n:064x}", host="localhost")]) for n in range(count)
        ]
        return {*unsigned, *forged}

    assert asyncio.run(flood(100)) == {403}
    tracemalloc.start()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    assert asyncio.run(flood(2000)) == {403}
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 50_000
