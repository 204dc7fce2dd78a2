"""Plain values <-> DynamoDB's typed ones (S, N, BOOL, M), without the start-up cost of boto3.dynamodb.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def to_value(plain: Any) -> dict[str, Any]:
    """``"x" -> {"S": "x"}``; TypeError for what a status item never holds."""
    match plain:
        case bool():  # before int: a bool is one
            return {"BOOL": plain}
        case int():
            return {"N": str(plain)}
        case str():
            return {"S": plain}
        case Mapping():
            return {"M": {name: to_value(value) for name, value in plain.items() if value is not None}}
        case _:
            raise TypeError(
                f"a status item holds str, int, bool and mappings of them, not {type(plain).__name__}"
            )


def from_value(value: Mapping[str, Any]) -> Any:
    """The plain value; of a type that we never write, what the client gave (another program's attribute)."""
    kind: str
    content: Any
    kind, content = next(iter(value.items()), ("NULL", None))
    match kind:
        case "N":
            return _number(content)
        case "M":
            return from_attributes(content)
        case "L":
            return [from_value(element) for element in content]
        case "NULL":
            return None
        case _:
            return content


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def from_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: from_value(value) for name, value in attributes.items()}
