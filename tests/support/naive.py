"""A naive reference for v1 pieces and v2 trees, written from BEP 3 and 52 alone: whole content in memory."""

from hashlib import sha1, sha256

LEAF = 16384


def v1_pieces(stream: bytes, piece_length: int) -> bytes:
    return b"".join(
        sha1(stream[at : at + piece_length]).digest() for at in range(0, len(stream), piece_length)
    )


def tree_levels(data: bytes, piece_length: int) -> list[list[bytes]]:
    """All levels, leaves first. Padded with zero hashes to a power of two that holds every leaf."""
    leaves = [sha256(data[at : at + LEAF]).digest() for at in range(0, len(data), LEAF)]
    width = 1
    while width < len(leaves) or (len(data) > piece_length and width * LEAF < piece_length):
        width *= 2
    levels = [leaves + [bytes(32)] * (width - len(leaves))]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([sha256(below[i] + below[i + 1]).digest() for i in range(0, len(below), 2)])
    return levels


def v2_root_and_layer(data: bytes, piece_length: int) -> tuple[bytes | None, bytes]:
    """The pieces root, and the layer of piece hashes (empty for a file of at most one piece)."""
    if not data:
        return None, b""
    levels = tree_levels(data, piece_length)
    root = levels[-1][0]
    if len(data) <= piece_length:
        return root, b""
    layer = levels[(piece_length // LEAF).bit_length() - 1]
    return root, b"".join(layer[: -(-len(data) // piece_length)])


def padded_stream(files: list[bytes], piece_length: int, version: str) -> bytes:
    """The v1 stream: plain for v1; for hybrid with a pad after every unaligned file if there are several."""
    if version == "v1" or len(files) == 1:
        return b"".join(files)
    return b"".join(data + bytes(-len(data) % piece_length) for data in files)
