"""--relock: new pins from apt's own signed lists, kept only when the layer could be built of them."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from layer.building import SYSTEM_PATH, Build, build_or_skip, checkout, lock_name

NOBODY = 65534


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """A folder of a user who may write nothing of the machine's, with a checkout in it."""
    if os.geteuid() != 0 or not shutil.which("python3", path=SYSTEM_PATH):
        pytest.skip("needs root, to become a user who has no rights, and the system's own python3")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (checkout(folder / "checkout") / lock_name("x86_64")).unlink()
        (folder / "tmp").mkdir()
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        yield folder


def test_relock_writes_pins_that_build_the_same_zip_and_needs_neither_root_nor_the_machines_apt(
    nobodys: Path, built: Callable[[str], Build]
) -> None:
    top, zipped = nobodys / "checkout", nobodys / "of nobody" / "layer.zip"
    env = {"PATH": SYSTEM_PATH, "TMPDIR": str(nobodys / "tmp")}
    as_nobody = {"env": env, "user": NOBODY, "group": NOBODY, "extra_groups": []}
    done = build_or_skip(top, "--relock", "--output", str(zipped), **as_nobody)
    assert shlex.split(done.stdout)[-1] == f"fileb://{zipped}"
    assert zipped.stat().st_uid == NOBODY
    assert list((nobodys / "tmp").iterdir()) == []
    lock = top / lock_name("x86_64")
    rows = [row.split() for row in lock.read_text().splitlines() if not row.startswith("#")]
    assert {"transmission-cli", "libc6"} <= {name for name, *_ in rows}
    assert all(len(row) == 4 and row[3].startswith("pool/") for row in rows)
    standing = built("x86_64")
    if lock.read_bytes() != (standing.top / lock_name("x86_64")).read_bytes():  # Debian has moved on
        standing = Build(top, build_or_skip(top).stdout, gone=False)
    assert zipped.read_bytes() == standing.layer.read_bytes()
