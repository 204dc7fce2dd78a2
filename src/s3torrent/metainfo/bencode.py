"""Bencoding (BEP 3), read strictly: one value has one encoding, and nothing else is accepted.

What is accepted re-encodes to the same bytes, so an info-hash can never depend on how lenient a reader is.
Reading is iterative and linear in the input; nesting, number of values and digits of an integer are bounded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from s3torrent.errors import BencodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH = 100
"""Containers inside containers; libtorrent refuses more."""
MAX_ITEMS = 3_000_000
"""Values in one document: bounds the memory that 64 MiB of ``de`` would otherwise cost."""

Span = tuple[int, int]

# Digits are counted here, so that no hostile integer reaches int(); 2**63 has 19 of them.
_TOKEN = re.compile(rb"(?P<length>0|[1-9]\d{0,9}):|i(?P<int>0|-?[1-9]\d{0,31})e|(?P<open>[dl])|(?P<end>e)")
_LENGTH, _INT, _OPEN = (_TOKEN.groupindex[name] for name in ("length", "int", "open"))
_NUMBER = re.compile(rb"i?(-?\d*)")


class _Open:
    """A list or dict being read, from the byte ``start`` on; of a dict the key that waits for its value, and
    the one before.
    """

    __slots__ = ("key", "last", "start", "value")

    def __init__(self, start: int, value: Any) -> None:
        self.start, self.value = start, value
        self.key: bytes | None = None
        self.last: bytes | None = None


def decode(data: bytes | memoryview, *, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS) -> Any:
    """The one value that ``data`` holds: int, bytes, list, or dict with bytes keys.

    Raises BencodeError with the offset of whatever is malformed, truncated, trailing or past a limit;
    no other exception, whatever the input.
    """
    return decode_spans(data, max_depth=max_depth, max_items=max_items)[0]


def decode_spans(  # noqa: C901, PLR0912 - a call for each value would take as long as all the rest
    data: bytes | memoryview, *, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS
) -> tuple[Any, dict[bytes, Span]]:
    """``decode``, and for each key of an outermost dict the span [start, end) of its value in ``data``."""
    data = bytes(data)
    spans: dict[bytes, Span] = {}
    outer: list[_Open] = []
    inner: _Open | None = None
    value: Any
    token_at = _TOKEN.match
    pos = items = 0
    while True:
        token = token_at(data, pos)
        if token is None:
            raise _malformed(data, pos)
        start, pos, kind = pos, token.end(), token.lastindex
        if kind == _LENGTH:
            end = pos + int(token[_LENGTH])
            if end > len(data):
                raise BencodeError(
                    f"a string of {end - pos:,} bytes, of which {len(data) - pos:,} are there", start
                )
            value, pos = data[pos:end], end
        elif kind == _INT:
            value = int(token[_INT])
        elif kind == _OPEN:
            if inner:
                outer.append(inner)
            if len(outer) >= max_depth:
                raise BencodeError(f"more than {max_depth} levels of nesting", start)
            inner = _Open(start, [] if token[_OPEN] == b"l" else {})
            continue
        else:
            if inner is None:
                raise BencodeError("an end marker with nothing open", start)
            if inner.key is not None:
                raise BencodeError(f"dict key {inner.key[:40]!r} without a value", start)
            value, start = inner.value, inner.start
            inner = outer.pop() if outer else None
        items += 1
        if items > max_items:
            raise BencodeError(f"more than {max_items:,} values", start)
        if inner is None:
            break
        if type(inner.value) is list:
            inner.value.append(value)
        elif inner.key is None:
            inner.key = _next_key(value, inner.last, start)
        else:
            inner.value[inner.key] = value
            if not outer:
                spans[inner.key] = (start, pos)
            inner.last, inner.key = inner.key, None
    if pos != len(data):
        raise BencodeError(f"{len(data) - pos:,} bytes after the end of the value", pos)
    return value, spans


def _next_key(key: Any, last: bytes | None, at: int) -> bytes:
    if type(key) is not bytes:
        raise BencodeError("a dict key that is not a string", at)
    if last is not None and key <= last:
        fault = "the same dict key twice" if key == last else "dict keys not sorted as raw bytes"
        raise BencodeError(f"{fault} ({key[:40]!r} after {last[:40]!r})", at)
    return key


def _malformed(data: bytes, pos: int) -> BencodeError:
    """Say why no token starts at ``pos``."""
    if pos == len(data):
        return BencodeError("the data ends where a value or an end marker should be", pos)
    first = data[pos : pos + 1]
    if first != b"i" and not first.isdigit():
        return BencodeError(f"{first!r} where a value should begin", pos)
    number = _NUMBER.match(data, pos)
    assert number is not None
    thing = "an integer" if first == b"i" else "a string length"
    digits = number[1].removeprefix(b"-")
    if digits.startswith(b"0") and number[1] != b"0":
        return BencodeError(f"{thing} with a leading zero, or minus zero", pos)
    if len(digits) > (32 if first == b"i" else 10):
        return BencodeError(f"{thing} of {len(digits):,} digits, more than any torrent needs", pos)
    if number.end() == len(data):
        return BencodeError(f"the data ends inside {thing}", pos)
    return BencodeError(f"{thing} broken off by {data[number.end() : number.end() + 1]!r}", pos)


class Encoded(bytes):
    """Bencoding: ``encode`` takes it as it is."""

    __slots__ = ()


def encode(value: Any) -> bytes:
    """The bencoding of int, bytes, str (as UTF-8), list, tuple, or dict with bytes or str keys.

    Raises TypeError for anything else, bool included, and ValueError for two keys that are the same bytes.
    """
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


def string(value: bytes) -> bytes:
    """The bencoding of a string."""
    return b"%d:%b" % (len(value), value)


def _write(value: Any, parts: list[bytes]) -> None:
    kind = type(value)
    if kind is bytes:
        parts += (b"%d:" % len(value), value)
    elif kind is int:
        parts.append(b"i%de" % value)
    elif kind is dict:
        parts.append(b"d")
        for key, item in _sorted(value):
            parts.append(string(key))
            _write(item, parts)
        parts.append(b"e")
    elif kind is list or kind is tuple:
        parts.append(b"l")
        for item in value:
            _write(item, parts)
        parts.append(b"e")
    else:
        _write_other(value, parts)


def _write_other(value: Any, parts: list[bytes]) -> None:
    """What is seldom written: text, and kinds of their own."""
    match value:
        case bool():
            raise TypeError("bencoding has no bool; write 0 or 1")
        case int():
            _write(int(value), parts)
        case Encoded():
            parts.append(value)
        case bytes():
            _write(bytes(value), parts)
        case str():
            _write(value.encode(), parts)
        case list() | tuple():
            _write(list(value), parts)
        case dict():
            _write(dict(value), parts)
        case _:
            raise TypeError(f"bencoding has no {type(value).__name__}")


def _sorted(mapping: Mapping[bytes | str, Any]) -> list[tuple[bytes, Any]]:
    if {*map(type, mapping)} == {bytes}:
        return sorted(mapping.items())  # type: ignore[arg-type]
    as_bytes = {key.encode() if isinstance(key, str) else key: item for key, item in mapping.items()}
    if not all(isinstance(key, bytes) for key in as_bytes):
        raise TypeError("bencoding has no dict key but a string")
    if len(as_bytes) != len(mapping):
        raise ValueError("the same dict key twice, once as bytes and once as text")
    return sorted(as_bytes.items())
