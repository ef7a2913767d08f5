"""JSON that gives back what was put in."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chime_local.chime.state import Channel, Write
from chime_local.state.codec import Codec, CodecError, digest

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
keys = st.text() | st.integers() | st.tuples(st.text(), st.integers())
values = st.recursive(
    plain
    | st.binary()
    | st.binary(min_size=300, max_size=400)
    | st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0))
    | st.dates()
    | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(keys | st.just("$"), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


def round_trip(value: Any) -> Any:
    blobs: dict[str, bytes] = {}

    def keep(content: bytes) -> str:
        blobs[digest(content)] = content
        return digest(content)

    return Codec().read(Codec().write(value, keep), blobs.__getitem__)


@given(values)
def test_every_value_comes_back(value: Any) -> None:
    found = round_trip(value)
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        frozenset({"a"}),
        deque([1, 2]),
        OrderedDict(a=1),
        Counter("aab"),
        defaultdict(dict, a={"b": 1}),
        date(2026, 1, 2),
        datetime(2026, 1, 2, tzinfo=UTC),
        Decimal("1.10"),
        "\ud800",
        {"$": "blob", "sha256": "x"},
        Write(1.5, before=("a", "b"), reads=Counter(Describe=1)),
    ],
)
def test_every_class_comes_back(value: Any) -> None:
    found = round_trip(value)
    assert found == value
    assert type(found) is type(value)


def test_fields_that_are_not_arguments_come_back() -> None:
    channel = Channel("arn", "n", "RESTRICTED", "PRIVATE", "", "t", "u", 1.0, 2.0)
    channel.creation = Write(9.0)
    assert round_trip(channel) == channel


def test_other_classes_are_refused() -> None:
    with pytest.raises(CodecError, match="a object cannot be kept"):
        round_trip([object()])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"$":"os.system","items":["true"]}',
        b'{"$":"Channel","fields":{}}',
        b'{"$":"Write","fields":{"time":1,"other":2}}',
        b'{"$":"bytes","base64":"!"}',
        b'{"$":"datetime","text":"yesterday"}',
        b'{"$":"blob","sha256":"none"}',
        b'{"$":"dict","items":[1]}',
        b"[" * 100_000,
    ],
)
def test_what_it_did_not_write_is_refused(text: bytes) -> None:
    with pytest.raises(CodecError):
        Codec().read(text, dict[str, bytes]().__getitem__)
