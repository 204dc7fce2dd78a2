"""The embedded stack as a user meets it: it comes up, makes torrents, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from s3torrent.config import from_environment
from s3torrent.devstack import ministack as module
from s3torrent.devstack.ministack import HOST, MiniStack
from s3torrent.devstack.session import DevSession, dev_session
from s3torrent.errors import StackError
from s3torrent.metainfo.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0
HARD_KEY = "shows/é+ü & 100%.bin"


def _until(true: Callable[[], bool], what: str, log: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, f"not within {SECONDS:g} s: {what} {log()}"
        time.sleep(0.05)


def _group(leader: int) -> set[int]:
    """The living processes of the group."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if fields[0] != "Z" and int(fields[2]) == leader:
                found.add(int(folder.name))
    return found


def _leader(stack: MiniStack) -> int:
    assert stack._process
    return stack._process.pid


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.fixture(scope="module")
def session(_no_account: None) -> Iterator[DevSession]:
    with dev_session(port=0, environment={"TORRENT_SOURCE": "test"}) as session:
        yield session


class TestMiniStack:
    def test_two_at_once_take_different_ports(self) -> None:
        with MiniStack() as one, MiniStack() as two:
            assert one.port != two.port
            assert _answers(one.port)
            assert _answers(two.port)

    def test_a_port_that_was_asked_for_and_is_taken_is_an_error(self) -> None:
        with socket.socket() as other:
            other.bind((HOST, 0))
            other.listen()
            port = other.getsockname()[1]
            stack = MiniStack(port)
            with pytest.raises(StackError, match=f"port {port} on 127.0.0.1 is taken"):
                stack.start()
        assert stack.folder == Path()

    def test_after_the_end_no_process_no_port_and_no_file_remain(self) -> None:
        with MiniStack(0) as stack:
            leader, folder = _leader(stack), stack.folder
            assert folder.is_dir()
        assert not _group(leader)
        assert not _answers(stack.port)
        assert not folder.exists()
        stack.stop()

    def test_a_server_that_ends_at_once_is_an_error_with_the_end_of_its_log(self) -> None:
        with pytest.raises(StackError, match=r"did not come up on .*ValueError"):
            MiniStack(0, {"GATEWAY_PORT": "no-port"}).start()

    def test_a_server_that_does_not_answer_in_time_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "START_SECONDS", 0.0)
        stack = MiniStack(0)
        with pytest.raises(StackError, match="did not answer on"):
            stack.start()
        assert stack.folder == Path()

    def test_its_death_is_noticed(self) -> None:
        with MiniStack(0) as stack:
            stack.check()
            os.kill(_leader(stack), signal.SIGKILL)

            def dead() -> bool:
                try:
                    stack.check()
                except StackError as error:
                    return "MiniStack ended with status -9" in error.message
                return False

            _until(dead, "the death noticed")

    def test_without_ministack_the_error_says_how_to_install_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "find_spec", lambda _: None)
        with pytest.raises(StackError, match="MiniStack is not installed") as caught:
            MiniStack().start()
        assert caught.value.hint == "pip install 's3torrent[stack]'"

    def test_it_sees_nothing_of_our_account_and_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "https_proxy", "PERSIST_STATE"):
            monkeypatch.setenv(name, "secret")
        with MiniStack(0) as stack:
            environment = Path(f"/proc/{_leader(stack)}/environ").read_bytes()
        assert b"secret" not in environment
        assert b"AWS_ACCESS_KEY_ID=test\0" in environment

    def test_it_does_not_outlive_a_launcher_that_is_killed(self) -> None:
        program = (
            "import time; from s3torrent.devstack.ministack import MiniStack\n"
            "stack = MiniStack(0).start()\n"
            "print(stack._process.pid, stack.folder, flush=True); time.sleep(600)"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as launcher:
            assert launcher.stdout
            leader, folder = launcher.stdout.readline().split()
            assert _group(int(leader))
            launcher.kill()
        _until(lambda: not _group(int(leader)), "no process of the killed launcher")
        _until(lambda: not Path(folder).exists(), "its folder removed")


class TestDevSession:
    def test_an_upload_gets_its_torrent_with_a_web_seed_that_serves_it(self, session: DevSession) -> None:
        s3, bucket = session.clients.client("s3"), session.deployment.names.bucket
        content = bytes(range(256)) * 300
        s3.put_object(Bucket=bucket, Key=HARD_KEY, Body=content)

        def made() -> bool:
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=HARD_KEY + ".torrent")
            return bool(listed["KeyCount"])

        _until(made, "the torrent", log=lambda: session.stack.log[-2000:])
        torrent = parse(s3.get_object(Bucket=bucket, Key=HARD_KEY + ".torrent")["Body"].read())
        assert (torrent.name, torrent.size, torrent.source) == ("é+ü & 100%.bin", len(content), "test")
        [seed] = torrent.web_seeds
        assert seed == f"{session.stack.endpoint}/{bucket}/shows/%C3%A9%2B%C3%BC%20%26%20100%25.bin"
        with urllib.request.urlopen(seed, timeout=30) as answer:
            assert answer.read() == content

    def test_the_settings_of_a_catalogue_are_those_that_the_command_line_takes(self) -> None:
        place = "s3://s3torrent-demo/catalog/"
        with dev_session(port=0, environment={"TORRENT_CATALOG": place}) as session:
            settings = from_environment({**session.settings, "AWS_ENDPOINT_URL": session.stack.endpoint})
            assert settings.catalog
            assert str(settings.catalog.place) == place
            assert "export S3_BUCKET=s3torrent-demo\n" in session.usage("")

    def test_a_setting_that_the_function_refuses_is_told_at_once(self) -> None:
        with (
            pytest.raises(StackError, match="function s3torrent does not run: TORRENT_VERSION is 'v3'"),
            dev_session(port=0, environment={"TORRENT_VERSION": "v3"}),
        ):
            pass

    def test_the_function_runs_the_code_of_the_zip(self, session: DevSession) -> None:
        workers = [
            Path(f"/proc/{pid}/cwd").readlink()
            for pid in _group(_leader(session.stack)) - {_leader(session.stack)}
        ]
        assert workers
        assert [(folder / "s3torrent/lambda_handler.py").is_file() for folder in workers] == [True] * len(
            workers
        )
        assert not [folder for folder in workers if (folder / "s3torrent/cli").exists()]

    def test_the_usage_names_the_endpoint_the_credentials_and_the_bucket(self, session: DevSession) -> None:
        usage = session.usage("http://127.0.0.1:1/")
        assert "http://127.0.0.1:1/ shows the jobs" in usage
        assert f"export AWS_ENDPOINT_URL={session.stack.endpoint}\n" in usage
        assert "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1\n" in usage
        assert f"aws s3 cp FILE s3://{session.deployment.names.bucket}/\n" in usage


class TestPrograms:
    """The demo and ``run_dev`` as processes of their own."""

    DEV = (
        "from s3torrent.devstack.session import run_dev; run_dev(0, say=lambda text: print(text, flush=True))"
    )

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_dev_stays_up_until_the_signal_and_then_leaves_nothing(self, number: signal.Signals) -> None:
        with subprocess.Popen([sys.executable, "-c", self.DEV], stdout=subprocess.PIPE, text=True) as dev:
            assert dev.stdout
            port = 0
            for line in dev.stdout:
                if "AWS_ENDPOINT_URL=" in line:
                    port = int(line.rpartition(":")[2])
                if "Ctrl-C" in line:
                    break
            assert _answers(port)
            dev.send_signal(number)
            dev.communicate(timeout=SECONDS)
        assert dev.returncode == 0
        assert not _answers(port)

    def test_the_demo_ends_well_and_shows_every_object(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "s3torrent.devstack.demo"],
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert (done.returncode, done.stderr) == (0, "")
        ended = [
            line.split() for line in done.stdout.splitlines() if line.startswith(("  COMPLETED", "  SKIPPED"))
        ]
        assert sorted((words[0], words[1]) for words in ended) == [
            ("COMPLETED", "hello.txt"),
            ("COMPLETED", "hello.txt"),
            ("COMPLETED", "recording.ts"),
            ("COMPLETED", "shows/é+ü"),
            ("SKIPPED", "empty.txt"),
        ]
        hashes = [words[-1] for words in ended if words[0] == "COMPLETED"]
        magnets = [line.strip() for line in done.stdout.splitlines() if line.startswith("  magnet:?")]
        assert sorted(magnet[20:60] for magnet in magnets) == sorted(hashes)
        assert len(set(hashes)) == 4
        assert "pieces good" in done.stdout
        pictured = (ROOT / "docs/images/demo.svg").read_text()  # its contents are always the same
        assert all(told in pictured for told in hashes), "make pictures"

    def test_the_demo_interrupted_says_so_and_stops_everything(self) -> None:
        command = [sys.executable, "-m", "s3torrent.devstack.demo"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
            assert demo.stdout
            port = 0
            while not port:
                line = demo.stdout.readline()
                assert line, "the demo ended before its stack was up"
                if "http://127.0.0.1:" in line:
                    port = int(line.partition("http://127.0.0.1:")[2].split()[0])
            demo.send_signal(signal.SIGINT)
            _, talk = demo.communicate(timeout=SECONDS)
        assert (demo.returncode, talk) == (130, "demo: interrupted; everything is stopped\n")
        assert not _answers(port)


def test_an_impatient_second_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    """What is being stopped is stopped whole, however often one presses Ctrl-C."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [Path(sys.executable).with_name("s3torrent"), "dev"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as dev:
        assert dev.stdout
        assert any("is up" in line for line in dev.stdout)
        for _ in range(3):
            dev.send_signal(signal.SIGINT)
            time.sleep(0.1)
        dev.stdout.close()
        assert dev.wait(30) == 0
    assert list(tmp_path.iterdir()) == []
