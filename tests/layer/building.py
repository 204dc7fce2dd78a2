"""Running the layer's script in a checkout of its own, and laying its zip out as Lambda does."""

import shutil
import stat
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SCRIPT = Path("util/build-transmission-lambda-layer.sh")
LAYER = Path("terraform/backend/lambda/transmission_tools_layer.zip")
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
GONE = "no longer on the mirror"


@dataclass(frozen=True)
class Build:
    """A checkout in which the layer was built, what that printed, and whether its pins had to be renewed."""

    top: Path
    stdout: str
    gone: bool

    @property
    def layer(self) -> Path:
        return self.top / LAYER


def lock_name(arch: str) -> str:
    return f"util/transmission-layer/packages.{arch}.lock"


def checkout(into: Path) -> Path:
    """What the script needs of the repository, where a test may change it."""
    shutil.copytree(
        REPOSITORY / "util/transmission-layer",
        into / "util/transmission-layer",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy2(REPOSITORY / SCRIPT, into / SCRIPT)
    return into


def build(top: Path, *args: str, **options) -> subprocess.CompletedProcess[str]:
    """The script of the checkout ``top``, run in that folder unless told another."""
    options.setdefault("cwd", top)
    return subprocess.run(
        [shutil.which("bash"), top / SCRIPT, *args],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        **options,
    )


def skip_unless_possible(done: subprocess.CompletedProcess[str]) -> None:
    """Skip where the machine cannot (no Debian, no network, no tool), or Debian has replaced what is pinned."""
    for reason in ("a Debian machine", "check the network", " not found: install", GONE):
        if done.returncode and reason in done.stderr:
            pytest.skip(done.stderr.strip().splitlines()[-1])


def build_or_skip(top: Path, *args: str, **options) -> subprocess.CompletedProcess[str]:
    done = build(top, *args, **options)
    skip_unless_possible(done)
    assert done.returncode == 0, done.stderr
    return done


def extract(layer: Path, into: Path) -> Path:
    """As Lambda lays it out: the files with their modes."""
    with zipfile.ZipFile(layer) as archive:
        for entry in archive.infolist():
            archive.extract(entry, into)
            (into / entry.filename).chmod(stat.S_IMODE(entry.external_attr >> 16))
    return into
