"""A JSON object being read: every field is asked for by name and type, every fault says where it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from s3torrent.errors import EventError

if TYPE_CHECKING:
    from collections.abc import Mapping

_JSON_TYPES: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}
_SHOWN_TEXT = 40
_SHOWN_KEYS = 8


class Payload:
    """The JSON object at ``place`` ("event.Records[0].s3"). Its methods raise nothing but EventError.

    Every text they return can be written as UTF-8: JSON can spell lone surrogates, S3 cannot store them.
    """

    __slots__ = ("_fields", "place")

    def __init__(self, value: object, place: str = "event") -> None:
        if not isinstance(value, dict):
            raise EventError(f"{place}: found {_type(value)}, expected an object")
        self._fields: Mapping[object, object] = value
        self.place = place

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def get(self, name: str) -> object:
        return self._fields.get(name)

    def names(self) -> list[str]:
        return [str(name) for name in self._fields]

    def text(self, name: str) -> str:
        """A string of at least one character."""
        value = self.optional_text(name)
        if value is None:
            raise self._fault(name, "a string of at least one character")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string; None where the field is absent, null or empty: all three are how AWS says nothing."""
        value = self._fields.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._fault(name, "a string")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise self.fault(name, "found text with a lone surrogate, expected UTF-8") from error
        return value

    def optional_size(self, name: str) -> int | None:
        """A number of bytes; None where the field is absent or null."""
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._fault(name, "a whole number of bytes")
        return value

    def child(self, name: str) -> Payload:
        if name not in self._fields:
            raise self._fault(name, "an object")
        return Payload(self._fields[name], f"{self.place}.{name}")

    def children(self, name: str) -> list[Payload]:
        """An array of at least one object."""
        value = self._fields.get(name)
        if not isinstance(value, list) or not value:
            raise self._fault(name, "an array of at least one object")
        return [Payload(item, f"{self.place}.{name}[{index}]") for index, item in enumerate(value)]

    def embedded(self, name: str) -> Payload:
        """The JSON object that field ``name`` holds as text: the body of an SQS message, an SNS Message."""
        text = self.text(name)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self.fault(
                name, f"found {len(text)} characters that are not JSON, expected an object"
            ) from error
        return Payload(value, f"{self.place}.{name}")

    def fault(self, name: str, what: str) -> EventError:
        return EventError(f"{self.place}.{name}: {what}")

    def _fault(self, name: str, expected: str) -> EventError:
        found = _type(self._fields[name]) if name in self._fields else "nothing"
        return self.fault(name, f"found {found}, expected {expected}")


def shown(text: str) -> str:
    """Foreign text for a message: quoted, control characters escaped, cut short."""
    return repr(text if len(text) <= _SHOWN_TEXT else text[:_SHOWN_TEXT] + "…")


def shown_names(payload: Payload) -> str:
    """The field names of an object for a message; never the values, which may be secret."""
    names = payload.names()
    if not names:
        return "no fields"
    more = f" and {len(names) - _SHOWN_KEYS} more" if len(names) > _SHOWN_KEYS else ""
    return "fields " + ", ".join(map(shown, names[:_SHOWN_KEYS])) + more


def _type(value: object) -> str:
    if value == "":
        return "an empty string"
    if value == []:
        return "an empty array"
    return _JSON_TYPES.get(type(value), type(value).__name__)
