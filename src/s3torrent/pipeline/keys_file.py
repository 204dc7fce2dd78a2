"""A file of keys, one a line: UTF-8, as they are, nothing encoded."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from s3torrent.errors import UsageError
from s3torrent.pipeline.content import MAX_KEY_BYTES
from s3torrent.pipeline.lookup import Named
from s3torrent.pipeline.position import Position
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"


class KeysFile:
    """Objects of ``bucket``. ``total`` are the bytes of ``stream``, None where nobody knows; ``read`` those
    that are behind us. Memory: a line.
    """

    def __init__(self, stream: IO[bytes], name: str, bucket: str, total: int | None) -> None:
        self._stream, self.name, self.bucket = stream, name, bucket
        self.total, self.read = total, 0

    def named(self, after: str = "") -> Iterator[Named]:
        """The key of each line that is not empty, behind the marker ``after``.

        Raises UsageError that names the line which is no key, and where ``after`` is not of this file.
        """
        for number, key in Position.parse(after).behind(self._lines(), self.name):
            if key:
                yield Named(ObjectRef(self.bucket, key), None, str(Position(0, number, key)))

    def _lines(self) -> Iterator[tuple[int, str, str]]:
        number = 0
        while line := self._stream.readline(MAX_KEY_BYTES + len(BOM) + 3):
            number += 1
            self.read += len(line)
            body = (line.removeprefix(BOM) if number == 1 else line).removesuffix(b"\n").removesuffix(b"\r")
            key = self._key(body, number)
            yield number, key, key

    def _key(self, body: bytes, number: int) -> str:
        place = f"{self.name}, line {number:,}"
        if len(body) > MAX_KEY_BYTES:
            raise UsageError(
                f"{place} is longer than {MAX_KEY_BYTES:,} bytes; expected a key", hint="write one key a line"
            )
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise UsageError(f"{place} is not UTF-8: {body[:100]!r}", hint="write one key a line") from None
