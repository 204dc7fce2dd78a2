"""Makes every torrent in this folder: ``python tests/vectors/make.py`` (libtorrent 2.1.1, torf 4.3.1, Transmission 3.00).

``valid/`` holds what other tools made, with the command and the facts they state in ``valid.json``.
``invalid/`` holds one torrent for each way to break a rule, written by ``encode`` below and named
``RULE.WHAT.torrent``; tests/unit/metainfo/test_validate.py reads the rule off the name. This script imports
nothing of s3torrent, so that no vector agrees with us only because we made it.
"""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PIECE = 16384
ROOT = b"\x11" * 32
ONE = hashlib.sha1(b"\0").digest()

SINGLE = {"a.bin": 40_000}
FOLDER = {"a.txt": 5, "a/b": 40_000, "a/empty": 0, "z/é ü.bin": 16_384}


def encode(value: Any) -> bytes:
    """Bencoding, in the order given: a vector may want its keys unsorted."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, str):
        return encode(value.encode())
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    return b"d" + b"".join(encode(key) + encode(item) for key, item in value.items()) + b"e"


def content(path: str, length: int) -> bytes:
    """The bytes of a file of the vectors; they depend on its path."""
    seed = sum(path.encode())
    return bytes((seed + at * 7) % 251 for at in range(length))


# --- invalid -----------------------------------------------------------------------------------------------

V1: dict[str, Any] = {"info": {"length": 1, "name": "n", "piece length": PIECE, "pieces": ONE}}
V1_FILES: dict[str, Any] = {
    "info": {"files": [{"length": 1, "path": ["a"]}], "name": "n", "piece length": PIECE, "pieces": ONE}
}


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


LEAVES = [sha256(b"a" * PIECE), sha256(b"b" * PIECE)]
LAYER = b"".join(LEAVES)
LAYER_ROOT = sha256(LAYER)
V2: dict[str, Any] = {
    "info": {
        "file tree": {"n": {"": {"length": 2 * PIECE, "pieces root": LAYER_ROOT}}},
        "meta version": 2,
        "name": "n",
        "piece length": PIECE,
    },
    "piece layers": {LAYER_ROOT: LAYER},
}
HYBRID: dict[str, Any] = {
    "info": {
        "file tree": {
            "a": {"": {"length": 1, "pieces root": ROOT}},
            "b": {"": {"length": 2, "pieces root": ROOT}},
        },
        "files": [
            {"length": 1, "path": ["a"]},
            {"attr": "p", "length": PIECE - 1, "path": [".pad", "16383"]},
            {"length": 2, "path": ["b"]},
        ],
        "meta version": 2,
        "name": "n",
        "piece length": PIECE,
        "pieces": ONE + ONE,
    },
    "piece layers": {},
}

GONE = object()


def changed(base: dict[str, Any], *edits: tuple[str, Any]) -> bytes:
    """``base`` with the value at each "/"-separated path replaced, or taken away for GONE."""
    torrent = copy.deepcopy(base)
    for path, value in edits:
        node: Any = torrent
        *folders, last = path.split("|")
        for folder in folders:
            node = node[int(folder) if isinstance(node, list) else folder]
        if value is GONE:
            del node[last]
        elif isinstance(node, list):
            node[int(last)] = value
        else:
            node[last] = value
    return encode(_sorted(torrent))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    if isinstance(value, dict):
        raw = {key.encode() if isinstance(key, str) else key: _sorted(item) for key, item in value.items()}
        return dict(sorted(raw.items()))
    return value


def deep(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {"": {"length": 1, "pieces root": ROOT}}
    for _ in range(levels):
        node = {"d": node}
    return node


F0 = "info|files|0"
TREE = "info|file tree"
LEAF = "info|file tree|n|"
TWO_FILES = [{"length": 1, "path": ["a"]}, {"length": 1, "path": ["a"]}]

INVALID: dict[str, bytes] = {
    "bencode.key_order": encode({"info": {"piece length": 1, "name": "n"}}),
    "bencode.key_twice": b"d4:infod6:lengthi1e6:lengthi2eee",
    "bencode.leading_zero": b"d4:infod6:lengthi01eee",
    "bencode.minus_zero": b"d4:infod6:lengthi-0eee",
    "bencode.string_past_end": b"d4:infod4:name9:neee",
    "bencode.truncated": changed(V1)[:-1],
    "bencode.trailing": changed(V1) + b"\n",
    "bencode.deep_lists": b"d1:a" + b"l" * 200 + b"e" * 200 + b"e",
    "bencode.deep_tree": changed(V2, (TREE, deep(200))),
    "bencode.huge_integer": b"d4:infod6:lengthi" + b"9" * 5000 + b"eee",
    "bencode.integer_key": b"di1ei1ee",
    "bencode.not_bencoding": b"<html><body>404 Not Found</body></html>\n",
    "bencode.empty": b"",
    "metainfo.list": b"l4:infoe",
    "metainfo.string": b"4:info",
    "info.missing": b"d8:announce7:http://e",
    "info.string": b"d4:info1:xe",
    "version.neither": changed(V1, ("info|length", GONE), ("info|pieces", GONE)),
    "version.three": changed(V2, ("info|meta version", 3)),
    "version.string": changed(V2, ("info|meta version", "2")),
    "version.tree_without_number": changed(V2, ("info|meta version", GONE)),
    "version.number_without_tree": changed(V2, (TREE, GONE)),
    "name.missing": changed(V1, ("info|name", GONE)),
    "name.integer": changed(V1, ("info|name", 5)),
    "name.empty": changed(V1, ("info|name", "")),
    "name.dot": changed(V1, ("info|name", ".")),
    "name.parent": changed(V1, ("info|name", "..")),
    "name.slash": changed(V1, ("info|name", "../../etc/passwd")),
    "name.nul": changed(V1, ("info|name", "n\0.txt")),
    "piece_length.missing": changed(V1, ("info|piece length", GONE)),
    "piece_length.zero": changed(V1, ("info|piece length", 0)),
    "piece_length.negative": changed(V1, ("info|piece length", -16384)),
    "piece_length.string": changed(V1, ("info|piece length", "16384")),
    "piece_length.enormous": changed(V1, ("info|piece length", 1 << 40)),
    "piece_length.v2_no_power_of_two": changed(V2, ("info|piece length", 3 * PIECE)),
    "piece_length.v2_below_a_leaf": changed(V2, ("info|piece length", PIECE // 2)),
    "pieces.missing": changed(V1, ("info|pieces", GONE)),
    "pieces.list": changed(V1, ("info|pieces", [ONE])),
    "pieces.not_a_multiple_of_20": changed(V1, ("info|pieces", ONE[:19])),
    "length_or_files.both": changed(V1_FILES, ("info|length", 1)),
    "length_or_files.neither": changed(V1, ("info|length", GONE)),
    "announce.list": changed(V1, ("announce", ["http://tracker.example.org/"])),
    "announce_list.string": changed(V1, ("announce-list", "http://tracker.example.org/")),
    "announce_list.flat": changed(V1, ("announce-list", ["http://tracker.example.org/"])),
    "announce_list.integer_in_tier": changed(V1, ("announce-list", [[5]])),
    "url_list.integer": changed(V1, ("url-list", 5)),
    "url_list.list_of_lists": changed(V1, ("url-list", [["http://example.org/"]])),
    "length.negative": changed(V1, ("info|length", -1)),
    "length.string": changed(V1, ("info|length", "1")),
    "length.two_to_63": changed(V1, ("info|length", 1 << 63)),
    "files.empty": changed(V1_FILES, ("info|files", [])),
    "files.dict": changed(V1_FILES, ("info|files", {})),
    "files.item_a_string": changed(V1_FILES, (F0, "a")),
    "files.length_missing": changed(V1_FILES, (F0 + "|length", GONE)),
    "files.length_negative": changed(V1_FILES, (F0 + "|length", -1)),
    "files.length_two_to_63": changed(V1_FILES, (F0 + "|length", 1 << 63)),
    "files.path_missing": changed(V1_FILES, (F0 + "|path", GONE)),
    "files.path_a_string": changed(V1_FILES, (F0 + "|path", "a")),
    "files.path_of_integers": changed(V1_FILES, (F0 + "|path", [1])),
    "file_tree.list": changed(V2, (TREE, [])),
    "file_tree.empty": changed(V2, (TREE, {})),
    "file_tree.nameless_file": changed(V2, (TREE, {"": {"length": 1, "pieces root": ROOT}})),
    "file_tree.empty_folder": changed(V2, (TREE, {"n": {}})),
    "file_tree.string_node": changed(V2, (TREE, {"n": "x"})),
    "file_tree.file_and_folder": changed(V2, (TREE + "|n|m", {"": {"length": 0}})),
    "file_tree.leaf_an_integer": changed(V2, (LEAF, 5)),
    "piece_layers_type.list": changed(V2, ("piece layers", [])),
    "piece_layers_type.list_in_dict": changed(V2, ("piece layers", {LAYER_ROOT: [LAYER]})),
    "file_paths.empty": changed(V1_FILES, (F0 + "|path", [])),
    "file_paths.empty_component": changed(V1_FILES, (F0 + "|path", ["a", ""])),
    "file_paths.parent": changed(V1_FILES, (F0 + "|path", ["..", "a"])),
    "file_paths.dot": changed(V1_FILES, (F0 + "|path", [".", "a"])),
    "file_paths.absolute": changed(V1_FILES, (F0 + "|path", ["/etc/passwd"])),
    "file_paths.nul": changed(V1_FILES, (F0 + "|path", ["a\0b"])),
    "file_paths.deep": changed(V1_FILES, (F0 + "|path", ["d"] * 101)),
    "distinct_files.twice": changed(V1_FILES, ("info|files", TWO_FILES)),
    "distinct_files.file_and_folder": changed(
        V1_FILES, ("info|files", [{"length": 1, "path": ["a"]}, {"length": 0, "path": ["a", "b"]}])
    ),
    "tree_paths.parent": changed(V2, (TREE, {"..": {"n": V2["info"]["file tree"]["n"]}})),
    "tree_paths.slash": changed(V2, (TREE, {"a/b": V2["info"]["file tree"]["n"]})),
    "tree_lengths.missing": changed(V2, (LEAF + "|length", GONE)),
    "tree_lengths.negative": changed(V2, (LEAF + "|length", -1)),
    "tree_lengths.two_to_63": changed(V2, (LEAF + "|length", 1 << 63)),
    "content.v1_empty": changed(V1, ("info|length", 0), ("info|pieces", "")),
    "content.v2_empty": changed(V2, (LEAF, {"length": 0}), ("piece layers", {})),
    "content.sum_two_to_63": changed(
        V1_FILES,
        ("info|files", [{"length": (1 << 63) - 1, "path": ["a"]}, {"length": 1, "path": ["b"]}]),
    ),
    "piece_count.too_few": changed(V1, ("info|length", PIECE + 1)),
    "piece_count.too_many": changed(V1, ("info|pieces", ONE + ONE)),
    "piece_count.none": changed(V1, ("info|pieces", "")),
    "pieces_root.missing": changed(V2, (LEAF, {"length": 1}), ("piece layers", {})),
    "pieces_root.short": changed(V2, (LEAF + "|pieces root", ROOT[:31]), ("piece layers", {})),
    "pieces_root.of_an_empty_file": changed(V2, (TREE + "|o", {"": {"length": 0, "pieces root": ROOT}})),
    "hybrid_files.one_more": changed(HYBRID, (TREE + "|c", {"": {"length": 0}})),
    "hybrid_files.other_name": changed(HYBRID, ("info|files|2|path", ["c"])),
    "hybrid_files.other_length": changed(HYBRID, ("info|files|2|length", 3)),
    "hybrid_files.other_order": changed(
        HYBRID, ("info|files|0", {"length": 2, "path": ["b"]}), ("info|files|2", {"length": 1, "path": ["a"]})
    ),
    "hybrid_pads.short": changed(HYBRID, ("info|files|1|length", PIECE - 2)),
    "hybrid_pads.missing": changed(
        HYBRID,
        ("info|files", [{"length": 1, "path": ["a"]}, {"length": 2, "path": ["b"]}]),
        ("info|pieces", ONE),
    ),
    "piece_layers.missing": changed(V2, ("piece layers", {})),
    "piece_layers.no_key": changed(V2, ("piece layers", GONE)),
    "piece_layers.short": changed(V2, ("piece layers", {LAYER_ROOT: LAYER[:32]})),
    "piece_layers.cut_hash": changed(V2, ("piece layers", {LAYER_ROOT: LAYER[:-1]})),
    "piece_layers.unknown": changed(V2, ("piece layers", {LAYER_ROOT: LAYER, ROOT: LAYER})),
    "piece_layers.of_a_small_file": changed(V2, (LEAF + "|length", 5), ("piece layers", {LAYER_ROOT: LAYER})),
    "piece_layer_root.swapped": changed(V2, ("piece layers", {LAYER_ROOT: LAYER[32:] + LAYER[:32]})),
}

# --- valid -------------------------------------------------------------------------------------------------


def lay_out(root: Path, name: str, files: dict[str, int], *, single: bool) -> Path:
    for path, length in files.items():
        target = root / path if single else root / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content(path, length))
    return root / name


def by_libtorrent(root: Path, name: str, files: dict[str, int], version: str, *, single: bool) -> bytes:
    import libtorrent as lt

    flags = {"v1": lt.create_torrent.v1_only, "v2": lt.create_torrent.v2_only, "hybrid": 0}[version]
    entries = [
        lt.create_file_entry(path if single else f"{name}/{path}", length) for path, length in files.items()
    ]
    torrent = lt.create_torrent(entries, PIECE, flags | lt.create_torrent.no_attributes)
    torrent.set_creator("libtorrent 2.1.1")
    torrent.set_creation_date(1_700_000_000)
    lt.set_piece_hashes(torrent, str(root))
    return lt.bencode(torrent.generate())


def by_torf(source: Path) -> bytes:
    import torf

    torrent = torf.Torrent(
        path=source,
        piece_size=PIECE,
        trackers=[["http://one.example.org/announce"], ["udp://two.example.org:6969"]],
        webseeds=["http://seed.example.org/"],
        private=True,
        source="torf",
        comment="made by torf",
        creation_date=1_700_000_000,
    )
    torrent.generate(threads=1)
    return torrent.dump()


def by_transmission(source: Path, out: Path) -> bytes:
    command = [
        "transmission-create",
        "-s",
        "16",
        "-c",
        "ü",
        "-t",
        "http://t.example.org/a",
        "-o",
        out,
        source,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return out.read_bytes()


def facts(data: bytes, tool: str, command: str) -> dict[str, Any]:
    """What libtorrent reads in it: the judge's words, not ours."""
    import libtorrent as lt

    info = lt.load_torrent_buffer(data).ti
    layout = info.layout()
    real = [
        at for at in range(layout.num_files()) if not layout.file_flags(at) & lt.file_flags_t.flag_pad_file
    ]
    hashes = info.info_hashes()
    return {
        "tool": tool,
        "command": command,
        "name": info.name(),
        "infoHashV1": str(hashes.v1) if hashes.has_v1() else None,
        "infoHashV2": str(hashes.v2) if hashes.has_v2() else None,
        "pieceLength": info.piece_length(),
        "pieceCount": info.num_pieces(),
        "files": [[layout.file_path(at), layout.file_size(at)] for at in real],
    }


def make_valid() -> None:
    made: dict[str, tuple[bytes, str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lay_out(root, "a.bin", SINGLE, single=True)
        lay_out(root, "dir", FOLDER, single=False)
        lay_out(root, "one", {"x": 20_000}, single=False)
        lay_out(root, "plain", {"a": 40_000, "b/c": 5}, single=False)
        for version in ("v1", "v2", "hybrid"):
            for name, files in (
                ("a.bin", SINGLE),
                ("plain", {"a": 40_000, "b/c": 5}),
                ("one", {"x": 20_000}),
            ):
                data = by_libtorrent(root, name, files, version, single=files is SINGLE)
                kind = {"a.bin": "single", "plain": "folder", "one": "folder_of_one"}[name]
                made[f"{version}_{kind}"] = (
                    data,
                    "libtorrent 2.1.1",
                    f"by_libtorrent({name!r}, {version!r})",
                )
        made["v1_torf"] = (by_torf(root / "dir"), "torf 4.3.1", "by_torf('dir')")
        made["v1_transmission"] = (
            by_transmission(root / "a.bin", root / "out"),
            "transmission-create 3.00",
            "transmission-create -s 16 -c ü -t http://t.example.org/a -o OUT a.bin",
        )
    (HERE / "valid").mkdir(exist_ok=True)
    table = {}
    for name, (data, tool, command) in made.items():
        (HERE / "valid" / f"{name}.torrent").write_bytes(data)
        table[name] = facts(data, tool, command)
    (HERE / "valid.json").write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")


def make_invalid() -> None:
    (HERE / "invalid").mkdir(exist_ok=True)
    for name, data in INVALID.items():
        (HERE / "invalid" / f"{name}.torrent").write_bytes(data)


if __name__ == "__main__":
    make_invalid()
    if "--invalid-only" not in sys.argv:
        make_valid()
