"""The answer: its size, its form, where it may go."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chime_channel import _answer

EVENT = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}


@given(st.text(max_size=9000), st.text(max_size=3000))
def test_size(reason: str, physical_id: str) -> None:
    """Whatever the Reason and the id, an answer has at most 4096 bytes and an id of 1–1024 bytes."""
    written = _answer.body(EVENT, "FAILED", physical_id, reason, {})
    told = json.loads(written)
    assert len(written) <= 4096
    assert 1 <= len(told["PhysicalResourceId"].encode()) <= 1024
    assert told["Reason"]


def test_long_reason_keeps_its_beginning() -> None:
    """A Reason that is too long loses its end, where the least important stands."""
    told = json.loads(_answer.body(EVENT, "FAILED", "id", "CreateChannel: " + "x" * 9000, {}))
    assert told["Reason"].startswith("CreateChannel: xxx")
    assert told["Reason"].endswith("…")


@pytest.mark.parametrize(
    ("url", "sendable"),
    [
        ("https://bucket.s3.amazonaws.com/x?sig=1", True),
        ("http://127.0.0.1:4566/x", True),
        ("http://localhost:4566/x", True),
        ("http://example.com/x", False),
        ("ftp://127.0.0.1/x", False),
        ("https://", False),
        ("http://[", False),
        (None, False),
    ],
)
def test_sendable(url: object, *, sendable: bool) -> None:
    """Answers go over TLS, or in the clear to this very machine, and nowhere else."""
    assert _answer.is_sendable(url) is sendable


@pytest.mark.parametrize(
    ("statuses", "delivered", "left"),
    [([200], True, 0), ([503, 200], True, 0), ([403, 200], False, 1), ([500, 500, 500], False, 0)],
)
def test_status_is_checked(statuses: list[int], *, delivered: bool, left: int) -> None:
    """An answer counts as delivered only when it was taken; a refusal for good is not repeated."""
    lines: list[str] = []
    done = _answer.deliver(
        "https://secret/",
        b"{}",
        tries=3,
        sleep=lambda _: None,
        log=lines.append,
        send=lambda _url, _body: statuses.pop(0),
    )
    assert (done, len(statuses)) == (delivered, left)
    assert "secret" not in "".join(lines)
