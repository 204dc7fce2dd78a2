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
_NUMBER = re.compile(rb"i?(-?\d*)")


class _List:
    """A list being read, from the byte ``start`` on."""

    __slots__ = ("start", "value")

    def __init__(self, start: int) -> None:
        self.start = start
        self.value: list[Any] = []

    def add(self, item: Any, _start: int, _end: int) -> None:
        self.value.append(item)

    def close(self, at: int) -> None:
        """A list may end after any item."""


class _Dict:
    """A dict being read; notes the byte span of each value where ``spans`` is given."""

    __slots__ = ("key", "last", "spans", "start", "value")

    def __init__(self, start: int, spans: dict[bytes, Span] | None) -> None:
        self.start = start
        self.value: dict[bytes, Any] = {}
        self.spans = spans
        self.key: bytes | None = None
        self.last: bytes | None = None

    def add(self, item: Any, start: int, end: int) -> None:
        if self.key is None:
            if not isinstance(item, bytes):
                raise BencodeError("a dict key that is not a string", start)
            if self.last is not None and item <= self.last:
                fault = (
                    "the same dict key twice" if item == self.last else "dict keys not sorted as raw bytes"
                )
                raise BencodeError(f"{fault} ({item[:40]!r} after {self.last[:40]!r})", start)
            self.key = item
            return
        self.value[self.key] = item
        if self.spans is not None:
            self.spans[self.key] = (start, end)
        self.last, self.key = self.key, None

    def close(self, at: int) -> None:
        if self.key is not None:
            raise BencodeError(f"dict key {self.key[:40]!r} without a value", at)


def decode(data: bytes | memoryview, *, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS) -> Any:
    """The one value that ``data`` holds: int, bytes, list, or dict with bytes keys.

    Raises BencodeError with the offset of whatever is malformed, truncated, trailing or past a limit;
    no other exception, whatever the input.
    """
    return decode_spans(data, max_depth=max_depth, max_items=max_items)[0]


def decode_spans(
    data: bytes | memoryview, *, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS
) -> tuple[Any, dict[bytes, Span]]:
    """``decode``, and for each key of an outermost dict the span [start, end) of its value in ``data``."""
    data = bytes(data)
    spans: dict[bytes, Span] = {}
    stack: list[_List | _Dict] = []
    value: Any
    pos = items = 0
    while True:
        token = _TOKEN.match(data, pos)
        if token is None:
            raise _malformed(data, pos)
        start, pos = pos, token.end()
        kind = token.lastgroup
        if kind == "open":
            if len(stack) >= max_depth:
                raise BencodeError(f"more than {max_depth} levels of nesting", start)
            stack.append(_List(start) if token[0] == b"l" else _Dict(start, None if stack else spans))
            continue
        if kind == "end":
            value, start = _close(stack, start)
        else:
            value, pos = _scalar(token, data)
        items += 1
        if items > max_items:
            raise BencodeError(f"more than {max_items:,} values", start)
        if not stack:
            break
        stack[-1].add(value, start, pos)
    if pos != len(data):
        raise BencodeError(f"{len(data) - pos:,} bytes after the end of the value", pos)
    return value, spans


def _scalar(token: re.Match[bytes], data: bytes) -> tuple[int | bytes, int]:
    """The integer or string that ``token`` is or announces, and where it ends."""
    if token.lastgroup == "int":
        return int(token["int"]), token.end()
    end = token.end() + int(token["length"])
    if end > len(data):
        raise BencodeError(
            f"a string of {int(token['length']):,} bytes, of which {len(data) - token.end():,} are there",
            token.start(),
        )
    return data[token.end() : end], end


def _close(stack: list[_List | _Dict], at: int) -> tuple[Any, int]:
    """The container that the end marker at ``at`` completes, and where it began."""
    if not stack:
        raise BencodeError("an end marker with nothing open", at)
    container = stack.pop()
    container.close(at)
    return container.value, container.start


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


def encode(value: Any) -> bytes:
    """The bencoding of int, bytes, str (as UTF-8), list, tuple, or dict with bytes or str keys.

    Raises TypeError for anything else, bool included, and ValueError for two keys that are the same bytes.
    """
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


def _write(value: Any, parts: list[bytes]) -> None:
    match value:
        case bool():
            raise TypeError("bencoding has no bool; write 0 or 1")
        case int():
            parts.append(b"i%de" % value)
        case bytes():
            parts += (b"%d:" % len(value), value)
        case str():
            _write(value.encode(), parts)
        case list() | tuple():
            parts.append(b"l")
            for item in value:
                _write(item, parts)
            parts.append(b"e")
        case dict():
            parts.append(b"d")
            for key, item in _sorted(value):
                _write(key, parts)
                _write(item, parts)
            parts.append(b"e")
        case _:
            raise TypeError(f"bencoding has no {type(value).__name__}")


def _sorted(mapping: Mapping[bytes | str, Any]) -> list[tuple[bytes, Any]]:
    as_bytes = {key.encode() if isinstance(key, str) else key: item for key, item in mapping.items()}
    if not all(isinstance(key, bytes) for key in as_bytes):
        raise TypeError("bencoding has no dict key but a string")
    if len(as_bytes) != len(mapping):
        raise ValueError("the same dict key twice, once as bytes and once as text")
    return sorted(as_bytes.items())
