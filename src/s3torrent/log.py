"""What the entries tell the log: one line of JSON an event, on stderr; nothing that breaks out of a line."""

from __future__ import annotations

import json
import logging
import unicodedata
from typing import Any

log = logging.getLogger("s3torrent")


def visible(text: str) -> str:
    """``text`` with what is neither to be seen nor a space as escapes (control, format, surrogate, private,
    unassigned): names come from strangers; a terminal obeys what it is sent, and a log ends its lines.
    """
    return "".join(
        char if char.isprintable() or unicodedata.category(char) == "Zs" else _escape(char) for char in text
    )


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def tell(level: int, event: str, /, **fields: Any) -> None:
    """No key or message can break out of its line."""
    log.log(level, "%s", json.dumps({"event": event, **fields}, default=str))
