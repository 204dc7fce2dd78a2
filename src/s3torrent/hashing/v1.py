"""SHA-1 pieces of a stream (BEP 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.hashing.kernel import piece_digests, sha1_stream
from s3torrent.hashing.lanes import ALONE

if TYPE_CHECKING:
    from s3torrent.hashing.lanes import Lanes


class PieceHasher:
    """Feed bytes in any chunking; ``digests()`` ends it. Holds one SHA-1 state and 20 bytes a piece.

    Whole pieces in one chunk are hashed side by side; the others beside those of other streams, in ``lanes``.
    """

    def __init__(self, piece_length: int, lanes: Lanes = ALONE) -> None:
        self._piece_length = piece_length
        self._lanes = lanes
        self._digests = bytearray()
        self._open = sha1_stream()
        self._filled = 0

    def update(self, data: memoryview) -> None:
        while data:
            whole = len(data) - len(data) % self._piece_length
            if not self._filled and whole:
                self._digests += piece_digests(data[:whole], self._piece_length)
                data = data[whole:]
                continue
            head = data[: self._piece_length - self._filled]
            self._lanes.update(self._open, head)
            self._filled += len(head)
            data = data[len(head) :]
            if self._filled == self._piece_length:
                self._close()

    def digests(self) -> bytes:
        if self._filled:
            self._close()
        return bytes(self._digests)

    def _close(self) -> None:
        self._digests += self._open.digest()
        self._open = sha1_stream()
        self._filled = 0
