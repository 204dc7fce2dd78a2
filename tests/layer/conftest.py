"""The layer as its script builds it, in a checkout of its own, and packages fetched but never installed."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from layer.building import GONE, Build, build, build_or_skip, checkout, extract


@pytest.fixture(scope="session")
def product() -> bytes:
    """800,000 bytes, 25 pieces of 32 KiB; the chroot's /tmp/product."""
    return b"the quick brown fox " * 40_000


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Build]:
    """The layer of an architecture, built once for the session, by whichever worker of xdist is first.

    Where Debian has replaced a pinned version the newest ones are tested, so that only
    test_every_pinned_package_is_still_on_the_mirror is concerned.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "layers"
    shared.mkdir(exist_ok=True)

    def of(arch: str) -> Build:
        top, record = shared / arch, shared / f"{arch}.json"
        with (shared / f"{arch}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not record.exists():
                shutil.rmtree(top, ignore_errors=True)
                done = build(checkout(top), "--arch", arch)
                gone = GONE in done.stderr
                if done.returncode:
                    done = build_or_skip(top, "--arch", arch, *(["--relock"] if gone else []))
                record.write_text(json.dumps({"stdout": done.stdout, "gone": gone}))
        return Build(top, **json.loads(record.read_text()))

    return of


@pytest.fixture(params=["x86_64", "arm64"])
def arch(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def layer(arch: str, built: Callable[[str], Build]) -> Path:
    """The zip, for each architecture."""
    return built(arch).layer


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """A Debian package of this machine's architecture, unpacked and not installed."""
    if not shutil.which("apt-get"):
        pytest.skip("needs apt-get")
    root = tmp_path_factory.mktemp("apt")
    for folder in ("lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True)
    (root / "status").touch()
    own_cache = ["-o", f"Dir::Cache={root}/cache", "-o", "APT::Sandbox::User=root"]
    own_lists = ["-o", f"Dir::State={root}", "-o", f"Dir::State::status={root}/status"]

    def apt(*args: str, cwd: Path = root) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["apt-get", "-qq", *own_cache, *args], cwd=cwd, capture_output=True, text=True)

    def fetch(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            folder.mkdir()
            # The machine's own package lists may be missing or old; then lists of our own are read.
            if apt("download", name, cwd=folder).returncode:
                apt(*own_lists, "update")
                done = apt(*own_lists, "download", name, cwd=folder)
                if done.returncode:
                    folder.rmdir()
                    pytest.skip(f"apt-get download {name} failed: {done.stderr.strip()}")
            (deb,) = folder.glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
        return folder

    yield fetch
    shutil.rmtree(root)


@pytest.fixture
def chroot(
    tmp_path: Path, product: bytes, built: Callable[[str], Build], package: Callable[[str], Path]
) -> Path:
    """A root folder with nothing in it but the layer as /opt, a static shell, and /tmp/product."""
    if os.geteuid() != 0 or not shutil.which("chroot"):
        pytest.skip("needs root and chroot")
    if os.uname().machine != "x86_64":
        pytest.skip(f"the layer's machine is x86_64, this one is {os.uname().machine}")
    root = tmp_path / "root"
    extract(built("x86_64").layer, root / "opt")
    (root / "bin").mkdir()
    shutil.copy2(package("busybox-static") / "bin/busybox", root / "bin/sh")
    (root / "tmp").mkdir()
    (root / "tmp/product").write_bytes(product)
    return root
