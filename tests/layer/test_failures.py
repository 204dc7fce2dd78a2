"""What goes wrong gives one clear line with its mend, a failing exit code, and no zip, not even half of one."""

import hashlib
import http.server
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from layer.building import LAYER, SCRIPT, SYSTEM_PATH, build, lock_name, skip_unless_possible

LOCK = lock_name("x86_64")
POOL = "pool/main/t/transmission/transmission-cli_1.0+x_amd64.deb"
BOGUS = b"no package at all"
TOOLS = [
    "apt-cache",
    "apt-config",
    "apt-get",
    "awk",
    "cat",
    "chmod",
    "chown",
    "cp",
    "cut",
    "df",
    "dirname",
    "dpkg-deb",
    "grep",
    "head",
    "id",
    "mkdir",
    "mktemp",
    "mv",
    "python3",
    "readelf",
    "readlink",
    "rm",
    "sed",
    "sha256sum",
    "sort",
    "tr",
    "wc",
]
PROGRESS = ("reading apt's", "fetching ", "packing ")


@pytest.fixture(autouse=True)
def _debian() -> None:
    release = Path("/etc/os-release")
    if not release.exists() or "\nID=debian\n" not in f"\n{release.read_text()}\n":
        pytest.skip("needs a Debian machine")
    for tool in TOOLS:
        if not shutil.which(tool, path=SYSTEM_PATH):
            pytest.skip(f"needs {tool}")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def env(scratch: Path, tmp_path: Path) -> dict[str, str]:
    """An apt whose only source is the folder tmp_path/mirror; a temporary folder that can be looked into."""
    return environment(tmp_path, scratch, f"file:{tmp_path}/mirror")


def environment(tmp_path: Path, scratch: Path, mirror: str) -> dict[str, str]:
    (tmp_path / "sources.list").write_text(f"deb {mirror} bookworm main\n" if mirror else "")
    config = f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\nDir::Etc::sourceparts "{tmp_path}/none";\nAcquire::Retries "0";\n'
    (tmp_path / "apt.conf").write_text(config)
    return {"PATH": SYSTEM_PATH, "APT_CONFIG": f"{tmp_path}/apt.conf", "TMPDIR": str(scratch)}


def pin(top: Path, sha256: str) -> None:
    (top / LOCK).write_text(f"# pinned\ntransmission-cli 1.0+x {sha256} {POOL}\n")


def put_on_mirror(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mirror" / POOL
    file.parent.mkdir(parents=True)
    file.write_bytes(content)


def told(done: subprocess.CompletedProcess[str], top: Path, scratch: Path) -> str:
    """The one line it said, when it failed as it should: nothing left behind, an older zip untouched."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    *before, line = done.stderr.splitlines()
    assert all(other.startswith(PROGRESS) for other in before), done.stderr
    assert line.startswith("build-transmission-lambda-layer: ")
    assert list(scratch.iterdir()) == []
    folder = (top / LAYER).parent
    assert [file.name for file in folder.iterdir()] == [LAYER.name]
    assert (top / LAYER).read_bytes() == b"an older layer"
    return line


@pytest.fixture
def older(top: Path) -> Path:
    """A checkout with a layer of an earlier build."""
    (top / LAYER).parent.mkdir(parents=True)
    (top / LAYER).write_bytes(b"an older layer")
    return top


def test_a_package_with_another_checksum_is_refused(
    older: Path, scratch: Path, env: dict[str, str], tmp_path: Path
) -> None:
    pin(older, "0" * 64)
    put_on_mirror(tmp_path, BOGUS)
    line = told(build(older, env=env), older, scratch)
    assert (
        f"transmission-cli 1.0+x has sha256 {hashlib.sha256(BOGUS).hexdigest()}, pinned is {'0' * 64}" in line
    )
    assert LOCK in line


def test_a_changed_checksum_in_the_lock_is_refused(older: Path, scratch: Path) -> None:
    """With the real packages: one digit of one pin."""
    text = (older / LOCK).read_text()
    (pinned,) = [row for row in text.splitlines() if row.startswith("libssl3 ")]
    sha256 = pinned.split()[2]
    changed = sha256[:-1] + ("1" if sha256[-1] == "0" else "0")
    (older / LOCK).write_text(text.replace(sha256, changed))
    done = build(older, env={"PATH": SYSTEM_PATH, "TMPDIR": str(scratch)})
    skip_unless_possible(done)
    line = told(done, older, scratch)
    assert f"libssl3 {pinned.split()[1]} has sha256 {sha256}, pinned is {changed}" in line


def test_a_version_debian_has_replaced_asks_for_a_relock(
    older: Path, scratch: Path, env: dict[str, str], tmp_path: Path
) -> None:
    pin(older, "0" * 64)
    (tmp_path / "mirror").mkdir()
    line = told(build(older, env=env), older, scratch)
    assert "transmission-cli 1.0+x is no longer on the mirror" in line
    assert f"{SCRIPT} --arch x86_64 --relock" in line


def test_a_mirror_that_does_not_answer_is_named(older: Path, scratch: Path, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        env = environment(tmp_path, scratch, f"http://127.0.0.1:{closed.getsockname()[1]}/debian")
        line = told(build(older, env=env), older, scratch)
        assert "cannot fetch" in line
        assert f"127.0.0.1:{closed.getsockname()[1]}" in line
        assert "check the network and the machine's apt sources" in line


def test_a_download_that_breaks_off_is_not_blamed_on_the_pins(
    older: Path, scratch: Path, tmp_path: Path
) -> None:
    pin(older, hashlib.sha256(BOGUS).hexdigest())
    with http.server.HTTPServer(("127.0.0.1", 0), Truncating) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        env = environment(tmp_path, scratch, f"http://127.0.0.1:{server.server_port}/debian")
        line = told(build(older, env=env), older, scratch)
        server.shutdown()
    assert "cannot fetch transmission-cli 1.0+x: Failed to fetch http://127.0.0.1:" in line
    assert "check the network and the machine's apt sources" in line


class Truncating(http.server.BaseHTTPRequestHandler):
    """Promises more than it sends."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(bytes(5000))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def on_a_disk_of(
    older: Path, scratch: Path, env: dict[str, str]
) -> Callable[[int], subprocess.CompletedProcess[str]]:
    """Run the script with a temporary folder of so many MB."""

    def run(megabytes: int) -> subprocess.CompletedProcess[str]:
        mount = f"mount -t tmpfs -o size={megabytes}m,mode=755 tmpfs {scratch}"
        unshare = ["unshare", "--mount", "sh", "-c"]
        if subprocess.run([*unshare, mount], capture_output=True).returncode:
            pytest.skip("needs root and unshare --mount")
        command = [*unshare, f'{mount} && exec bash "$0"', str(older / SCRIPT)]
        return subprocess.run(command, env=env, capture_output=True, text=True)

    return run


Disk = Callable[[int], subprocess.CompletedProcess[str]]


def test_too_little_space_is_told_before_anything_is_fetched(
    older: Path, scratch: Path, on_a_disk_of: Disk
) -> None:
    line = told(on_a_disk_of(10), older, scratch)
    assert f"{scratch} has 10 MB free, 80 are needed: free some in {scratch}, or set TMPDIR" in line


def test_a_disk_that_fills_up_while_fetching_is_not_blamed_on_the_pins(
    older: Path, scratch: Path, tmp_path: Path, on_a_disk_of: Disk
) -> None:
    pin(older, "0" * 64)
    put_on_mirror(tmp_path, b"")
    os.truncate(tmp_path / "mirror" / POOL, 200_000_000)
    line = told(on_a_disk_of(90), older, scratch)
    assert "cannot fetch transmission-cli 1.0+x: " in line
    assert "No space left" in line
    assert line.endswith(f"free some in {scratch}, or set TMPDIR to another folder")


def test_a_disk_that_fills_up_while_unpacking_is_told_with_the_package(
    older: Path, scratch: Path, tmp_path: Path, on_a_disk_of: Disk
) -> None:
    (tmp_path / "tree/DEBIAN").mkdir(parents=True)
    control = (
        "Package: transmission-cli\nVersion: 1.0+x\nArchitecture: amd64\nMaintainer: x\nDescription: x\n"
    )
    (tmp_path / "tree/DEBIAN/control").write_text(control)
    (tmp_path / "tree/zeros").touch()
    os.truncate(tmp_path / "tree/zeros", 200_000_000)
    build_deb = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tmp_path / "tree", tmp_path / "big.deb"]
    subprocess.run(build_deb, check=True, capture_output=True)
    content = (tmp_path / "big.deb").read_bytes()
    pin(older, hashlib.sha256(content).hexdigest())
    put_on_mirror(tmp_path, content)
    line = told(on_a_disk_of(90), older, scratch)
    assert "transmission-cli 1.0+x: dpkg-deb failed: tar: ./zeros: " in line
    assert line.endswith("free some in the temporary folder, or set TMPDIR to another")


def test_a_temporary_folder_that_is_not_there_is_named(
    older: Path, scratch: Path, env: dict[str, str], tmp_path: Path
) -> None:
    line = told(build(older, env=env | {"TMPDIR": f"{tmp_path}/none"}), older, scratch)
    assert f"cannot make a temporary folder in {tmp_path}/none: set TMPDIR" in line


def test_a_relock_without_network_leaves_the_lock_as_it_was(
    older: Path, scratch: Path, tmp_path: Path
) -> None:
    before = (older / LOCK).read_bytes()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        env = environment(tmp_path, scratch, f"http://127.0.0.1:{closed.getsockname()[1]}/debian")
        line = told(build(older, "--relock", env=env), older, scratch)
    assert "apt cannot read its package lists" in line
    assert (older / LOCK).read_bytes() == before


def test_no_package_source_at_all_is_said(older: Path, scratch: Path, tmp_path: Path) -> None:
    line = told(build(older, env=environment(tmp_path, scratch, "")), older, scratch)
    assert "apt has no package sources: add a Debian mirror" in line


def test_a_file_that_is_no_package_is_said(
    older: Path, scratch: Path, env: dict[str, str], tmp_path: Path
) -> None:
    pin(older, hashlib.sha256(BOGUS).hexdigest())
    put_on_mirror(tmp_path, BOGUS)
    line = told(build(older, env=env), older, scratch)
    assert "transmission-cli 1.0+x: dpkg-deb failed: " in line
    assert "renew the pins with --relock" in line


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# only a comment\n",
        "<<<<<<< ours\n",
        f"zlib1g 1 {'0' * 64} pool/z.deb\n",
        "transmission-cli 1\n",
        f"transmission-cli 1.0+x {'0' * 64} {POOL}\nevil 1.0\n",
        f"transmission-cli 1.0+x {'0' * 64} {POOL}\n\n",
    ],
)
def test_a_lock_that_is_no_list_of_packages_is_refused(
    content: str, older: Path, scratch: Path, env: dict[str, str]
) -> None:
    (older / LOCK).write_text(content)
    line = told(build(older, env=env), older, scratch)
    assert f"{LOCK} is not a list of name, version, sha256 and path" in line


def test_a_missing_lock_is_said(older: Path, scratch: Path, env: dict[str, str]) -> None:
    (older / LOCK).unlink()
    line = told(build(older, env=env), older, scratch)
    assert f"{LOCK} not found: restore it from git, or make it with --relock" in line


def test_a_library_no_pinned_package_has_is_named(older: Path, scratch: Path) -> None:
    lines = (older / LOCK).read_text().splitlines(keepends=True)
    (older / LOCK).write_text("".join(line for line in lines if not line.startswith("zlib1g ")))
    done = build(older, env={"PATH": SYSTEM_PATH, "TMPDIR": str(scratch)})
    skip_unless_possible(done)
    line = told(done, older, scratch)
    assert "libz.so.1, needed by" in line
    assert "renew the pins with --relock" in line


@pytest.mark.parametrize(
    "tool", ["apt-get", "apt-config", "awk", "dpkg-deb", "readelf", "python3", "sha256sum"]
)
def test_a_missing_tool_is_named_with_the_package_that_has_it(
    tool: str, older: Path, scratch: Path, env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "path"
    path.mkdir()
    for other in TOOLS:
        if other != tool:
            (path / other).symlink_to(shutil.which(other, path=SYSTEM_PATH))
    line = told(build(older, env=env | {"PATH": str(path)}), older, scratch)
    assert f"{tool} not found" in line
    assert "a Debian machine" in line if tool == "apt-get" else "apt-get install" in line


def test_a_machine_with_another_distribution_is_told_so(
    older: Path, scratch: Path, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "os-release").write_text('NAME="Fedora Linux"\nID=fedora\nVERSION_ID=44\n')
    bind = f"mount --bind {tmp_path}/os-release /etc/os-release"
    unshare = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    if subprocess.run([*unshare, bind], capture_output=True).returncode:
        pytest.skip("needs unshare --mount")
    command = [*unshare, f'{bind} && exec bash "$0"', str(older / SCRIPT)]
    line = told(subprocess.run(command, env=env, capture_output=True, text=True), older, scratch)
    assert "this machine runs fedora" in line
    assert "run this on a Debian machine" in line


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["--arch", "mips"], "--arch is 'mips'; expected x86_64 or arm64"),
        (["--arch"], "--arch needs"),
        (["--output"], "--output needs a file name"),
        (["--output", ""], "--output needs a file name"),
        (["--output="], "--output needs a file name"),
        (["--fast"], "unknown argument: --fast"),
    ],
)
def test_a_wrong_argument_is_named_and_the_usage_shown(top: Path, args: list[str], reason: str) -> None:
    done = build(top, *args)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "usage: " in done.stderr
    assert done.stdout == ""


def test_help_goes_to_stdout(top: Path) -> None:
    done = build(top, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--relock" in done.stdout


def test_an_output_that_cannot_be_written_is_told_before_anything_is_fetched(
    older: Path, scratch: Path, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    line = told(build(older, "--output", f"{tmp_path}/file/layer.zip", env=env), older, scratch)
    assert f"cannot write {tmp_path}/file/layer.zip" in line


def test_an_output_that_cannot_be_named_so_is_not_blamed_on_the_space(older: Path, scratch: Path) -> None:
    """Found out only at the end: the name is short enough, that of its half is not."""
    name = "n" * 250
    done = build(older, "--output", name, env={"PATH": SYSTEM_PATH, "TMPDIR": str(scratch)})
    skip_unless_possible(done)
    line = told(done, older, scratch)
    assert "File name too long" in line
    assert "name another with --output" in line
    assert "free" not in line


def test_an_interrupted_build_leaves_nothing(older: Path, scratch: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = environment(tmp_path, scratch, f"http://127.0.0.1:{silent.getsockname()[1]}/debian")
        pin(older, "0" * 64)
        command = ["bash", str(older / SCRIPT)]
        with subprocess.Popen(
            command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as run:
            silent.settimeout(60)
            silent.accept()[0].close()  # it is fetching
            os.killpg(run.pid, signal.SIGINT)
            run.communicate(timeout=60)
    assert run.returncode == 130
    assert list(scratch.iterdir()) == []
    assert [file.name for file in (older / LAYER).parent.iterdir()] == [LAYER.name]
