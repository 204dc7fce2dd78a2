"""The layer's programs run where there is nothing else, and beside libraries that would kill them."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from layer.building import Build, extract
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse

CREATE = "transmission-create -s 32 -t http://tracker.example/announce -o /tmp/product.torrent /tmp/product"
SONAMES = [
    "libc.so.6",
    "libcrypto.so.3",
    "libssl.so.3",
    "libz.so.1",
    "libcurl.so.4",
    "libgcc_s.so.1",
    "evil.so",
]


def sh(root: Path, command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """``command`` in the static shell of ``root``, with ``env``, set inside it, and nothing else."""
    exports = "".join(f"export {name}={shlex.quote(value)}; " for name, value in env.items())
    return subprocess.run(
        [shutil.which("chroot"), root, "/bin/sh", "-c", exports + command],
        env={},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def v1_by_system(product: bytes, tmp_path: Path) -> str:
    """The v1 info-hash of the product from this machine's own transmission-create."""
    if not shutil.which("transmission-create"):
        pytest.skip("needs transmission-create")
    folder = tmp_path / "system"
    folder.mkdir()
    (folder / "product").write_bytes(product)
    command = ["transmission-create", "-s", "32", "-o", folder / "out.torrent", folder / "product"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return infohash.v1_hex(parse((folder / "out.torrent").read_bytes()))


def test_the_wrapper_makes_a_torrent_with_an_empty_environment_in_an_empty_root(
    chroot: Path, product: bytes
) -> None:
    done = sh(chroot, f"/opt/bin/{CREATE}")
    assert done.returncode == 0, done.stderr
    metainfo = parse((chroot / "tmp/product.torrent").read_bytes())
    assert (metainfo.name, metainfo.size, metainfo.piece_length) == ("product", len(product), 32 * 1024)
    assert metainfo.trackers == [["http://tracker.example/announce"]]


def test_the_wrapper_is_found_on_PATH(chroot: Path) -> None:
    done = sh(chroot, CREATE, PATH="/opt/bin")
    assert done.returncode == 0, done.stderr
    assert (chroot / "tmp/product.torrent").exists()


def test_the_wrapper_works_from_another_folder_than_opt(chroot: Path) -> None:
    """An embedded stack has no /opt; it keeps the layer's folder elsewhere."""
    (chroot / "opt").rename(chroot / "a layer")
    done = sh(chroot, f"'/a layer'/bin/{CREATE}")
    assert done.returncode == 0, done.stderr
    assert (chroot / "tmp/product.torrent").exists()


def test_a_link_to_the_wrapper_works_from_anywhere(chroot: Path) -> None:
    (chroot / "bin/transmission-create").symlink_to("/opt/bin/transmission-create")
    done = sh(chroot, f"/bin/{CREATE}")
    assert done.returncode == 0, done.stderr
    assert (chroot / "tmp/product.torrent").exists()


def test_the_wrapper_passes_on_arguments_with_blanks_and_the_exit_code(chroot: Path) -> None:
    (chroot / "tmp/product").rename(chroot / "tmp/a product")
    done = sh(chroot, "/opt/bin/transmission-create -o '/tmp/a torrent' '/tmp/a product'")
    assert done.returncode == 0, done.stderr
    assert parse((chroot / "tmp/a torrent").read_bytes()).name == "a product"
    assert sh(chroot, "/opt/bin/transmission-show /tmp/none").returncode != 0


@pytest.fixture
def hostile(chroot: Path) -> Path:
    """Broken libraries under the names of the layer's own."""
    (chroot / "hostile").mkdir()
    for soname in SONAMES:
        (chroot / "hostile" / soname).write_bytes(b"\x7fELF, but no library\n")
    (chroot / "hostile/openssl.cnf").write_text("openssl_conf = nowhere\n[nowhere\n")
    return chroot


def test_the_hostile_libraries_kill_the_program_without_the_wrapper(hostile: Path) -> None:
    """So that the next test shows something."""
    unwrapped = "/opt/transmission/lib/ld-linux-x86-64.so.2 /opt/transmission/bin/transmission-create"
    done = sh(hostile, f"{unwrapped} /tmp/product", LD_LIBRARY_PATH="/hostile:/opt/transmission/lib")
    assert done.returncode != 0
    assert "/hostile/" in done.stderr


def test_hostile_loader_settings_do_not_reach_the_program(hostile: Path, product: bytes) -> None:
    done = sh(
        hostile,
        f"/opt/bin/{CREATE}",
        LD_LIBRARY_PATH="/hostile:/var/lang/lib:/opt/lib",
        LD_PRELOAD="/hostile/evil.so",
        LD_AUDIT="/hostile/evil.so",
        GLIBC_TUNABLES="glibc.malloc.check=3",
        OPENSSL_CONF="/hostile/openssl.cnf",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert parse((hostile / "tmp/product.torrent").read_bytes()).size == len(product)


def test_show_and_edit_are_in_the_layer_and_run(chroot: Path) -> None:
    sh(chroot, f"/opt/bin/{CREATE}")
    edited = sh(chroot, "/opt/bin/transmission-edit -a http://second.example/announce /tmp/product.torrent")
    assert edited.returncode == 0, edited.stderr
    shown = sh(chroot, "/opt/bin/transmission-show /tmp/product.torrent")
    metainfo = parse((chroot / "tmp/product.torrent").read_bytes())
    assert f"Hash: {infohash.v1_hex(metainfo)}" in shown.stdout
    assert "http://second.example/announce" in shown.stdout


def test_the_info_hash_is_that_of_this_machines_transmission_create(chroot: Path, v1_by_system: str) -> None:
    done = sh(chroot, f"/opt/bin/{CREATE}")
    assert done.returncode == 0, done.stderr
    assert infohash.v1_hex(parse((chroot / "tmp/product.torrent").read_bytes())) == v1_by_system


def test_the_arm64_program_makes_the_same_torrent_under_qemu(
    built: Callable[[str], Build],
    package: Callable[[str], Path],
    product: bytes,
    v1_by_system: str,
    tmp_path: Path,
) -> None:
    """Through the wrapper itself, with the emulator put before what it executes."""
    opt = extract(built("arm64").layer, tmp_path / "opt")
    qemu = package("qemu-user-static") / "usr/bin/qemu-aarch64-static"
    wrapper = opt / "bin/transmission-create"
    assert wrapper.read_text().count("exec ") == 1
    wrapper.write_text(wrapper.read_text().replace("exec ", f"exec {qemu} "))
    (tmp_path / "product").write_bytes(product)
    command = [wrapper, "-s", "32", "-o", tmp_path / "arm.torrent", tmp_path / "product"]
    done = subprocess.run(command, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert infohash.v1_hex(parse((tmp_path / "arm.torrent").read_bytes())) == v1_by_system


def test_every_library_is_of_the_layers_architecture(layer: Path, arch: str, tmp_path: Path) -> None:
    opt = extract(layer, tmp_path / "opt")
    machine = {"x86_64": 62, "arm64": 183}[arch]  # EM_X86_64, EM_AARCH64
    binaries = [*(opt / "transmission/lib").iterdir(), *(opt / "transmission/bin").iterdir()]
    assert {int.from_bytes(binary.read_bytes()[18:20], "little") for binary in binaries} == {machine}
    manifest = json.loads((opt / "transmission/manifest.json").read_text())
    assert manifest["architecture"] == arch
    assert all(os.access(opt / program, os.X_OK) for program in manifest["programs"])
