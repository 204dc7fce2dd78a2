"""Take the docs' pictures anew: ``python docs/pictures/make.py`` (``make pictures``).

``docs/images/made-from.json`` says what each was made from; a test tells when that has changed.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
IMAGES = HERE.parent / "images"
MADE_FROM = IMAGES / "made-from.json"
TITLE = "make demo: objects are uploaded to a bucket, and their torrents appear beside them"
SECONDS = 90
SOURCES = {
    "recording": ("docs/pictures/terminal.py", "docs/pictures/svg.py", "src/s3torrent/devstack/demo.py", "src/s3torrent/devstack/board.py"),
    "screenshots": (
        "docs/pictures/screenshots.py", "src/s3torrent/catalog/render.py", "src/s3torrent/catalog/text.py",
        "src/s3torrent/catalog/assets/*", "src/s3torrent/catalog/templates/*", "src/s3torrent/live/*",
    ),
}  # fmt: skip


def sources() -> dict[str, str]:
    """For each kind of picture a digest of the files that decide what is in it."""
    return {kind: _digest(patterns) for kind, patterns in SOURCES.items()}


def _digest(patterns: tuple[str, ...]) -> str:
    found = [path for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.is_file()]
    told = b"".join(hashlib.sha256(path.read_bytes()).digest() for path in found)
    return hashlib.sha256(told).hexdigest()


def recording() -> None:
    from svg import svg  # noqa: PLC0415 - the digests need no pyte
    from terminal import frames, record  # noqa: PLC0415

    written = record([sys.executable, "-m", "s3torrent.devstack.demo"], str(ROOT), SECONDS)
    (IMAGES / "demo.svg").write_text(svg(frames("make demo", written), TITLE))


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    recording()
    from screenshots import screenshots  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        screenshots(IMAGES, Path(scratch))
    MADE_FROM.write_text(json.dumps(sources(), indent=1) + "\n")


if __name__ == "__main__":
    main()
