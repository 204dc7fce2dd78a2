"""What a v1 single-file torrent must be, written from BEP 3 alone: nothing of the package is used."""

from __future__ import annotations

from hashlib import sha1, shake_128

from support.naive import v1_pieces


def content(size: int, seed: str = "") -> bytes:
    """``size`` bytes, the same at every run, another stream for another ``seed``."""
    return shake_128(f"s3torrent test {seed}".encode()).digest(size)


def info_dict(data: bytes, key: str, piece_length: int) -> bytes:
    """The bencoded info dict of an object: its name is what follows the last ``/`` of the key."""
    name = key.rpartition("/")[2].encode()
    pieces = v1_pieces(data, piece_length)
    return b"d6:lengthi%de4:name%d:%s12:piece lengthi%de6:pieces%d:%se" % (
        len(data),
        len(name),
        name,
        piece_length,
        len(pieces),
        pieces,
    )


def info_hash(data: bytes, key: str, piece_length: int) -> str:
    return sha1(info_dict(data, key, piece_length)).hexdigest()
