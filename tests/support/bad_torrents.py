"""Files that are no torrent, or a dangerous one; each breaks one thing of ``GOOD``, written by hand."""

from __future__ import annotations

from support.reference import content, info_dict

CONTENT = content(40_000)
INFO = info_dict(CONTENT, "good.bin", 16384)
GOOD = b"d8:announce22:http://tracker.example4:info%se" % INFO


def text(value: bytes) -> bytes:
    return b"%d:%s" % (len(value), value)


def with_info(info: bytes) -> bytes:
    return b"d4:info%se" % info


def with_files(*paths: tuple[bytes, ...]) -> bytes:
    """A torrent of several files of a byte each, under these paths."""
    files = b"".join(b"d6:lengthi1e4:pathl%see" % b"".join(map(text, path)) for path in paths)
    return with_info(b"d5:filesl%se4:name1:n12:piece lengthi16384e6:pieces20:%se" % (files, bytes(20)))


def with_name(name: bytes) -> bytes:
    return with_info(INFO.replace(b"4:name8:good.bin", b"4:name" + text(name)))


def with_tree(tree: bytes, rest: bytes = b"12:piece layersde") -> bytes:
    """A v2 torrent with this file tree."""
    return b"d4:infod9:file tree%s12:meta versioni2e4:name1:n12:piece lengthi16384ee%se" % (tree, rest)


CORRUPT: dict[str, bytes] = {
    "empty": b"",
    "text": b"this is not a torrent\n",
    "zeros": bytes(1000),
    "html": b"<!DOCTYPE html><html><body>403 Forbidden</body></html>",
    "number-only": b"i1e",
    "list-only": b"le",
    "no-info": b"de",
    "info-is-no-dict": b"d4:infoi1ee",
    "cut-short": GOOD[:-1],
    "cut-in-the-pieces": GOOD[:-30],
    "cut-in-half": GOOD[: len(GOOD) // 2],
    "bytes-behind": GOOD + b"\n",
    "one-bit-in-a-length": GOOD.replace(b"6:pieces60:", b"6:pieces61:"),
    "keys-out-of-order": b"d4:info%s8:announce22:http://tracker.examplee" % INFO,
    "key-twice": b"d4:info%s4:info%se" % (INFO, INFO),
    "leading-zero": GOOD.replace(b"i40000e", b"i040000e"),
    "minus-zero": GOOD.replace(b"i40000e", b"i-0e"),
    "key-is-a-number": b"di1e1:xe",
    "pieces-missing": GOOD.replace(b"6:pieces60:", b"6:piecez60:"),
    "pieces-not-of-20-bytes": GOOD.replace(text(INFO[-61:-1]), text(INFO[-61:-2])),
    "too-few-pieces": GOOD.replace(text(INFO[-61:-1]), text(INFO[-61:-21])),
    "too-many-pieces": GOOD.replace(b"i40000e", b"i16384e"),
    "negative-length": GOOD.replace(b"i40000e", b"i-40000e"),
    "no-piece-length": GOOD.replace(b"12:piece length", b"12:piece lengtz"),
    "piece-length-0": GOOD.replace(b"i16384e", b"i0e"),
    "piece-length-negative": GOOD.replace(b"i16384e", b"i-16384e"),
    "no-name": GOOD.replace(b"4:name", b"4:nane"),
    "meta-version-3": with_tree(b"d1:ad0:d6:lengthi1e11:pieces root32:%seee" % bytes(32)).replace(
        b"12:meta versioni2e", b"12:meta versioni3e"
    ),
    "v2-root-of-31-bytes": with_tree(b"d1:ad0:d6:lengthi1e11:pieces root31:%seee" % bytes(31)),
    "v2-without-layer": with_tree(b"d1:ad0:d6:lengthi40000e11:pieces root32:%seee" % bytes(32)),
    "v2-negative-length": with_tree(b"d1:ad0:d6:lengthi-1e11:pieces root32:%seee" % bytes(32)),
}

HOSTILE: dict[str, bytes] = {
    "string-longer-than-any-memory": b"d4:info99999999999999999999:",
    "string-of-2-gib": b"d4:info2147483647:",
    "number-of-a-million-digits": b"d4:infoi" + b"9" * 1_000_000 + b"ee",
    "lists-100000-deep": b"l" * 100_000 + b"e" * 100_000,
    "dicts-50000-deep": b"d1:a" * 50_000 + b"e" * 50_000,
    "piece-length-of-2-to-70": GOOD.replace(b"i16384e", b"i1180591620717411303424e"),
    "length-of-2-to-80": GOOD.replace(b"i40000e", b"i1208925819614629174706176e"),
    "name-empty": with_name(b""),
    "name-parent": with_name(b".."),
    "name-this": with_name(b"."),
    "name-absolute": with_name(b"/etc/passwd"),
    "name-climbs": with_name(b"../../etc/passwd"),
    "name-with-nul": with_name(b"a\0b"),
    "path-parent": with_files((b"..", b"etc", b"passwd")),
    "path-climbs-inside": with_files((b"a", b"..", b"..", b"b")),
    "path-slash-inside": with_files((b"../../etc/passwd",)),
    "path-absolute": with_files((b"/etc", b"passwd")),
    "path-empty": with_files(()),
    "path-part-empty": with_files((b"a", b"")),
    "path-twice": with_files((b"a",), (b"a",)),
    "file-and-folder": with_files((b"a",), (b"a", b"b")),
    "tree-parent": with_tree(b"d2:..d1:ad0:d6:lengthi1e11:pieces root32:%seeee" % bytes(32)),
    "tree-slash": with_tree(b"d3:a/bd0:d6:lengthi1e11:pieces root32:%seee" % bytes(32)),
    "tree-1000-deep": with_tree(b"d1:a" * 1000 + b"d0:d6:lengthi0eee" + b"e" * 1000),
}
