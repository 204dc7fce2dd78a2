"""What the entries tell the log: one line of JSON an event, on stderr."""

from __future__ import annotations

import json
import logging
from typing import Any

log = logging.getLogger("s3torrent")


def tell(level: int, event: str, /, **fields: Any) -> None:
    """No key or message can break out of its line."""
    log.log(level, "%s", json.dumps({"event": event, **fields}, default=str))
