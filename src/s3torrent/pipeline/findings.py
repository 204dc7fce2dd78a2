"""What can be wrong between objects, their torrents and the status table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s3torrent.types import ObjectRef


class Kind(Enum):
    """The value is what people and scripts read."""

    MISSING = "missing"
    STALE = "stale"
    FOREIGN = "foreign"
    ORPHANED = "orphaned"
    UNREADABLE = "unreadable"
    STATUS = "status"
    DIFFERENT = "different"


MEANING = {
    Kind.MISSING: "an object without a torrent",
    Kind.STALE: "our torrent, of another content of the object",
    Kind.FOREIGN: "KEY.torrent is not ours: left as it is",
    Kind.ORPHANED: "our torrent of an object that is gone",
    Kind.UNREADABLE: "ours by its marks, but no valid torrent of that name and size",
    Kind.STATUS: "the status table tells another story",
    Kind.DIFFERENT: "the content has other hashes than the torrent",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at the object ``ref``; ``detail`` tells what was found. For the repair: whether all has to be
    made ``anew``, whatever is there, and whether the object is ``gone``.
    """

    kind: Kind
    ref: ObjectRef
    detail: str
    anew: bool = False
    gone: bool = False

    def as_dict(self) -> dict[str, Any]:
        """docs/json.md has the schema."""
        return {"kind": self.kind.value, "object": str(self.ref), "detail": self.detail}
