"""The zip: what is in it, where, under which licence, and the same bytes each time."""

import hashlib
import json
import re
import shlex
import stat
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import botocore.session
import pytest

from layer.building import (
    LAYER,
    REPOSITORY,
    SCRIPT,
    SYSTEM_PATH,
    Build,
    build_or_skip,
    checkout,
    lock_name,
    skip_unless_possible,
)


def lock_of(top: Path, arch: str) -> dict[str, list[str]]:
    """Package -> version, sha256, path."""
    lines = (top / lock_name(arch)).read_text().splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if not line.startswith("#")}


def test_nothing_lies_where_lambda_looks_for_libraries(layer: Path) -> None:
    """Lambda puts /opt/lib on LD_LIBRARY_PATH: a second libc there kills the runtime itself."""
    names = zipfile.ZipFile(layer).namelist()
    assert {name.split("/")[0] for name in names} == {"bin", "transmission"}
    assert {"bin/transmission-create", "transmission/lib/libc.so.6"} <= set(names)


def test_the_size_is_that_of_the_closure_and_no_more(layer: Path) -> None:
    assert 8_000_000 < layer.stat().st_size < 9_500_000


def test_names_are_sorted_dates_and_modes_fixed(layer: Path) -> None:
    entries = zipfile.ZipFile(layer).infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(set(names))
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert all(stat.S_ISREG(entry.external_attr >> 16) for entry in entries)
    runnable = {entry.filename for entry in entries if stat.S_IMODE(entry.external_attr >> 16) == 0o755}
    assert all("bin/" in name or "/ld-linux-" in name for name in runnable)
    assert {stat.S_IMODE(e.external_attr >> 16) for e in entries if e.filename not in runnable} == {0o644}


def test_two_builds_give_the_same_bytes(layer: Path, arch: str, built: Callable[[str], Build]) -> None:
    """In another folder, under another umask, with another time zone and Python's own hash seed."""
    with tempfile.TemporaryDirectory() as folder:
        top = checkout(Path(folder) / "again")
        lock = built(arch).top / lock_name(arch)
        (top / lock_name(arch)).write_bytes(lock.read_bytes())
        env = {"PATH": SYSTEM_PATH, "TZ": "Asia/Kathmandu"}
        done = build_or_skip(top, "--arch", arch, umask=0o077, cwd=folder, env=env)
        assert (top / LAYER).read_bytes() == layer.read_bytes()
        # From the folder in which it was run the command finds it, too.
        assert (Path(folder) / shlex.split(done.stdout)[-1].removeprefix("fileb://")).samefile(top / LAYER)


def test_it_works_through_a_link_and_its_output_may_begin_with_a_dash(
    built: Callable[[str], Build], tmp_path: Path
) -> None:
    standing = built("x86_64")
    (tmp_path / "build").symlink_to(standing.top / SCRIPT)
    done = subprocess.run(
        [tmp_path / "build", "--output", "-n.zip"], cwd=tmp_path, capture_output=True, text=True
    )
    skip_unless_possible(done)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "-n.zip").read_bytes() == standing.layer.read_bytes()
    assert shlex.split(done.stdout)[-1] == "fileb://-n.zip"
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("wrote ")]
    assert told.endswith(f", sha256 {hashlib.sha256(standing.layer.read_bytes()).hexdigest()}")


def test_the_manifest_tells_of_every_file_its_package_version_licence_and_source(
    layer: Path, arch: str, built: Callable[[str], Build]
) -> None:
    archive = zipfile.ZipFile(layer)
    manifest = json.loads(archive.read("transmission/manifest.json"))
    assert manifest["architecture"] == arch
    assert manifest["builtBy"] == str(SCRIPT)
    pinned = lock_of(built(arch).top, arch)
    told: list[str] = []
    for package in manifest["packages"]:
        assert [package["version"], package["sha256"], package["path"]] == pinned[package["name"]]
        assert package["licence"]
        assert "see the" not in package["licence"], package["name"]
        assert package["source"]
        assert package["sourceVersion"]
        assert len(archive.read(f"transmission/copyright/{package['name']}")) > 200
        told += package["files"]
    binaries = [n for n in archive.namelist() if re.match(r"transmission/(bin|lib)/", n)]
    assert sorted(told) == sorted(binaries)


def test_the_licence_of_the_program_itself_is_the_gpl(layer: Path) -> None:
    archive = zipfile.ZipFile(layer)
    packages = json.loads(archive.read("transmission/manifest.json"))["packages"]
    (program,) = [p for p in packages if p["name"] == "transmission-cli"]
    assert program["licence"].startswith("GPL-2+")
    assert b"GNU GPLv2" in archive.read("transmission/copyright/transmission-cli")


def test_both_architectures_are_pinned_to_the_same_versions_of_transmission() -> None:
    x86, arm = lock_of(REPOSITORY, "x86_64"), lock_of(REPOSITORY, "arm64")
    assert x86["transmission-cli"][0].split("+b")[0] == arm["transmission-cli"][0].split("+b")[0]
    assert x86["transmission-cli"][1] != arm["transmission-cli"][1]


def test_every_pinned_package_is_still_on_the_mirror(arch: str, built: Callable[[str], Build]) -> None:
    """Debian removes what an update replaces; then the pins want renewing, and that is no fault of the code."""
    if built(arch).gone:
        pytest.skip(f"Debian has replaced a pinned package: {SCRIPT} --arch {arch} --relock")
    assert (built(arch).top / lock_name(arch)).read_bytes() == (REPOSITORY / lock_name(arch)).read_bytes()


def test_the_command_it_prints_publishes_the_layer_for_every_python_that_lambda_knows(
    arch: str, built: Callable[[str], Build]
) -> None:
    words = shlex.split(built(arch).stdout)
    assert words[:5] == ["aws", "lambda", "publish-layer-version", "--layer-name", "transmission-tools"]
    assert words[5:8] == [
        "--description",
        "Lambda layer with transmission-cli tools",
        "--compatible-runtimes",
    ]
    assert words[-4:] == ["--compatible-architectures", arch, "--zip-file", f"fileb://{LAYER}"]
    model = botocore.session.get_session().get_service_model("lambda")
    pythons = [name for name in model.shape_for("Runtime").enum if name.startswith("python3.")]
    known = {name for name in pythons if int(name.split(".")[1]) >= 8}
    assert set(words[8:-4]) == known
    assert len(known) <= model.shape_for("CompatibleRuntimes").metadata["max"]
