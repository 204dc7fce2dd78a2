"""Directories of every kind a torrent may be made of: path -> size."""

from pathlib import Path

PIECE = 32768

TREES: dict[str, dict[str, int]] = {
    "tiny": {"a": 1, "b": 2},
    "one file": {"only.bin": 100_000},
    "one aligned file": {"only.bin": 2 * PIECE},
    "nested": {"a/b/c/d.bin": 70_000, "a/b/e.bin": PIECE, "z.txt": 5, "a.txt": PIECE + 1},
    "an empty file among them": {"a": 1000, "empty": 0, "z": PIECE * 2 + 1},
    "an empty file last": {"a": 1000, "z-empty": 0},
    "an empty file first": {"0-empty": 0, "a": PIECE, "b": 7},
    "edges": {f"{size:06}": size for size in (1, 16383, 16384, 16385, PIECE - 1, PIECE, PIECE + 1)},
    "unicode": {"日本/é+ü & 100%.bin": 50_000, "Ω": 3, "Z": 4, "ä": 40_000},
    "order": {"a.b": 10, "a/b": 20, "a-": 30, "a/a": 40},
    "all empty": {"a": 0, "b/c": 0},
}


def write_tree(root: Path, tree: dict[str, int]) -> Path:
    for seed, (path, size) in enumerate(tree.items()):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes((i * 41 + i // 197 + seed) & 0xFF for i in range(size)))
    return root
