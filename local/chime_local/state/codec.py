"""JSON that gives back what was put in: tuples, bytes, times and the classes of both services.

It is never a pickle: whoever brings a file must not be able to have code run (docs/adr/0018).
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import json
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from chime_local.chime.state import AppInstance, Channel, Write
from chime_local.cloudformation.custom_resources import Failure

_KIND = "$"
_PLAIN = (str, int, float, bool, type(None))
_MAX_INLINE_BYTES = 256
"""Longer ones are files of their own, which do not have to be written again."""
_SEQUENCES: Mapping[str, type[Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}
_TABLES: Mapping[str, Callable[[dict[Any, Any]], Any]] = {
    "dict": dict,
    "OrderedDict": OrderedDict,
    "Counter": Counter,
    "defaultdict": partial(defaultdict, dict),
}
_TABLE_TYPES = {one.__name__: one for one in (OrderedDict, Counter, defaultdict)}
_TEXTS: Mapping[str, tuple[type[Any], Callable[[str], Any]]] = {
    "datetime": (datetime, datetime.fromisoformat),
    "date": (date, date.fromisoformat),
    "Decimal": (Decimal, Decimal),
}
_TEXT_TYPES = {name: cls for name, (cls, _) in _TEXTS.items()}
_RECORDS: Mapping[str, type[Any]] = {one.__name__: one for one in (AppInstance, Channel, Write, Failure)}


class CodecError(ValueError):
    """A value that cannot be kept, or JSON that this did not write."""


def digest(content: bytes) -> str:
    """Return the name under which bytes are kept."""
    return hashlib.sha256(content).hexdigest()


class Codec:
    """Writes values as JSON, and reads them."""

    def __init__(self, scoped_types: Iterable[type[Any]] = ()) -> None:
        self._scoped = {one.__name__: one for one in scoped_types}
        self._names = {
            cls: name
            for kinds in (_SEQUENCES, _TABLE_TYPES, _RECORDS, _TEXT_TYPES, self._scoped)
            for name, cls in kinds.items()
        }

    def write(self, value: Any, keep: Callable[[bytes], str]) -> bytes:
        """Write a value; `keep` stores long bytes and returns their digest. Raises CodecError."""
        return json.dumps(self._encode(value, keep), separators=(",", ":")).encode()

    def read(self, content: bytes, find: Callable[[str], bytes]) -> Any:
        """Read a value; `find` returns the bytes of a digest. Raises CodecError."""
        try:
            return self._decode(json.loads(content), find)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as wrong:
            raise CodecError(f"it cannot be read ({wrong})") from wrong

    def _encode(self, value: Any, keep: Callable[[bytes], str]) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is list:
            return [self._encode(one, keep) for one in value]
        if kind is dict and _KIND not in value and all(type(key) is str for key in value):
            return {key: self._encode(one, keep) for key, one in value.items()}
        if kind in (bytes, bytearray):
            if len(value) > _MAX_INLINE_BYTES:
                return {_KIND: "blob", "sha256": keep(bytes(value))}
            return {_KIND: "bytes", "base64": base64.b64encode(value).decode()}
        return self._encode_object(value, keep)

    def _encode_object(self, value: Any, keep: Callable[[bytes], str]) -> Any:
        name = "dict" if type(value) is dict else self._names.get(type(value))
        if name == "defaultdict" and value.default_factory is not dict:
            name = None
        if name in _TEXTS:
            return {_KIND: name, "text": str(value) if name == "Decimal" else value.isoformat()}
        if name is None:
            raise CodecError(f"a {type(value).__name__} cannot be kept")
        if name in _SEQUENCES:
            return {_KIND: name, "items": [self._encode(one, keep) for one in value]}
        if name in _RECORDS:
            fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
            return {_KIND: name, "fields": self._encode(fields, keep)}
        items = value._data if name in self._scoped else value
        return {_KIND: name, "items": [self._encode([key, one], keep) for key, one in items.items()]}

    def _decode(self, value: Any, find: Callable[[str], bytes]) -> Any:
        if isinstance(value, list):
            return [self._decode(one, find) for one in value]
        if not isinstance(value, dict):
            return value
        if _KIND not in value:
            return {key: self._decode(one, find) for key, one in value.items()}
        return self._decode_object(value[_KIND], value, find)

    def _decode_object(self, name: str, value: dict[str, Any], find: Callable[[str], bytes]) -> Any:
        if name == "blob":
            return find(value["sha256"])
        if name == "bytes":
            return _unbase64(value["base64"])
        if name in _TEXTS:
            return _TEXTS[name][1](value["text"])
        if name in _RECORDS:
            return _build(_RECORDS[name], self._decode(value["fields"], find))
        items = self._decode(value["items"], find)
        if name in _SEQUENCES or name in _TABLES:
            return _SEQUENCES[name](items) if name in _SEQUENCES else _TABLES[name](dict(items))
        made = self._scoped[name]()
        made._data.update(dict(items))
        return made


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise CodecError(str(wrong)) from None


def _build(cls: type[Any], fields: dict[str, Any]) -> Any:
    """Build a record; one that an earlier release wrote lacks fields that came later, which have defaults."""
    given = {one.name for one in dataclasses.fields(cls) if one.init}
    made = cls(**{name: value for name, value in fields.items() if name in given})
    for name in fields.keys() - given:
        if name not in {one.name for one in dataclasses.fields(cls)}:
            raise CodecError(f"{cls.__name__} has no {name}")
        setattr(made, name, fields[name])
    return made
