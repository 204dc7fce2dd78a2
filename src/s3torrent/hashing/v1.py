"""SHA-1 pieces of a stream (BEP 3)."""

from __future__ import annotations

from hashlib import sha1

from s3torrent.hashing.kernel import piece_digests


class PieceHasher:
    """Feed bytes in any chunking; ``digests()`` ends it. Holds one SHA-1 state and 20 bytes a piece."""

    def __init__(self, piece_length: int) -> None:
        self._piece_length = piece_length
        self._digests = bytearray()
        self._open = sha1(usedforsecurity=False)
        self._filled = 0

    def update(self, data: memoryview) -> None:
        while data:
            whole = len(data) - len(data) % self._piece_length
            if not self._filled and whole:
                self._digests += piece_digests(data[:whole], self._piece_length)
                data = data[whole:]
                continue
            head = data[: self._piece_length - self._filled]
            self._open.update(head)
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
        self._open = sha1(usedforsecurity=False)
        self._filled = 0
