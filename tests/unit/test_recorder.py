"""The recorder over the memory twins, with stand-ins for yt-dlp, ffmpeg and ffprobe: every way it can end."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent import recorder, recording, wiring
from s3torrent.errors import BadName, ConfigError, EndpointUnreachable, UsageError
from s3torrent.hashing.part import hash_part
from s3torrent.pipeline.journal import Journal
from s3torrent.recorder_config import RECORDER_VARIABLES, recorder_from_environment
from s3torrent.store.failing import Fault
from s3torrent.types import ObjectRef
from support.uploading import PART, World

if TYPE_CHECKING:
    from s3torrent.pipeline.upload import Uploader

ROOT = Path(__file__).resolve().parents[2]
URL = "http://me:hunter2@source.example/live?token=abc"
MATROSKA = b"\x1a\x45\xdf\xa3 recorded"
REF = ObjectRef("bucket", "shows/show.mkv")
JOB = "job-7"
ENVIRONMENT = {"S3_BUCKET": "bucket", "S3_KEY": "shows", "DDB_TABLE": "table", "JOB_ID": JOB}

PROBE = """import json, sys
body = open(sys.argv[-1].removeprefix("file:"), "rb").read() if "file:" in sys.argv[-1] else b"x"
streams = [] if body.startswith(b"junk") else [{"codec_type": "video", "codec_name": "h264"}]
print(json.dumps({"streams": streams}))
"""
REMUX = """import sys
sources = [a.removeprefix("file:") for a, b in zip(sys.argv[1:], sys.argv) if b == "-i"]
body = b"\\x1a\\x45\\xdf\\xa3 joined " + b"".join(open(source, "rb").read() for source in sources)
if sys.argv[-1] == "pipe:1":
    sys.stdout.buffer.write(body)
else:
    open(sys.argv[-1].removeprefix("file:"), "wb").write(body)
"""
"""ffmpeg joining files."""


@dataclass
class Container:
    """A world with a recorder in it, and a folder of programs that are all it finds."""

    world: World
    folder: Path
    stop: threading.Event
    environment: dict[str, str]
    faults: tuple[Fault, ...] = ()

    def program(self, name: str, code: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!{sys.executable}\n{code}")
        path.chmod(0o755)

    def downloads(self, code: str) -> None:
        """What yt-dlp does, in its folder."""
        self.program("yt-dlp", f"import sys, os\n{code}")

    def run(self, *arguments: str, **environment: str) -> int:
        return recorder.main(
            list(arguments or (URL, str(self.outfile))), self.environment | environment, self.stop
        )

    def uploader(self, _settings: Any = None) -> Uploader:
        return self.world.uploader(*self.faults)

    @property
    def outfile(self) -> Path:
        return self.folder / "out" / "show.mkv"

    @property
    def working(self) -> Path:
        return self.outfile.with_name("show.mkv.recording")

    @property
    def item(self) -> dict[str, Any]:
        item = self.world.status.get(JOB)
        return dict(item.attributes) if item else {}

    def body(self) -> bytes:
        return self.world.store.get(REF, 1 << 24)

    def has_torrent(self) -> bool:
        return self.world.is_there(REF.torrent)


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    made = Container(World(), tmp_path, threading.Event(), ENVIRONMENT)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(wiring, "uploader", made.uploader)
    monkeypatch.setattr(wiring, "maker", lambda _settings: made.world.function())
    made.program("ffprobe", PROBE)
    made.program("ffmpeg", REMUX)
    made.downloads(f"open('recording.mkv', 'wb').write({MATROSKA!r})")
    return made


class TestArguments:
    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["u"],
            ["u", "o", "x"],
            ["--after-kill"],
            ["--after-kill", "x", "u", "o"],
            ["--after-kill", "9", "u"],
        ],
    )
    def test_wrong_ones_are_refused_with_the_usage(self, arguments: list[str]) -> None:
        with pytest.raises(UsageError) as caught:
            recorder.asked_for(arguments)
        assert "URL OUTFILE" in caught.value.hint

    def test_right_ones(self) -> None:
        assert recorder.asked_for(["u", "o"]) == recorder.Asked("u", "o")
        assert recorder.asked_for(["--after-kill", "9", "u", "o"]) == recorder.Asked("u", "o", 9)

    @pytest.mark.parametrize(
        ("prefix", "outfile", "key"),
        [
            ("", "show.mkv", "show.mkv"),
            ("shows", "show.mkv", "shows/show.mkv"),
            ("shows/", "/var/tmp/show.mkv", "shows/show.mkv"),
            ("a/b//", "./x/show.mkv", "a/b//show.mkv"),
            ("/", "show.mkv", "/show.mkv"),
            ("", "a/番組\u3000１ é & 100%+.mkv", "番組\u3000１ é & 100%+.mkv"),
        ],
    )
    def test_the_key_is_the_prefix_and_the_last_segment(self, prefix: str, outfile: str, key: str) -> None:
        wanted = recorder_from_environment({"S3_BUCKET": "bucket", "S3_KEY": prefix})
        assert recorder.target(wanted, outfile) == ObjectRef("bucket", key)

    @pytest.mark.parametrize(
        "outfile",
        ["", "/", "a/", ".", "a/..", "..", "-", "-rf", "a/--exec", "a\nb", "a\x00b", "a\u2028b", "\udcff"],
    )
    def test_an_outfile_that_is_no_name_is_refused(self, outfile: str) -> None:
        wanted = recorder_from_environment({"S3_BUCKET": "bucket"})
        with pytest.raises(BadName, match="OUTFILE is"):
            recorder.target(wanted, outfile)


class TestSettings:
    def test_the_documented_defaults(self) -> None:
        wanted = recorder_from_environment({"S3_BUCKET": "b"})
        defaults = {name: default for name, (default, _) in RECORDER_VARIABLES.items()}
        assert wanted == recorder_from_environment(defaults | {"S3_BUCKET": "b"})
        assert (wanted.job_id, wanted.ttl_seconds, wanted.mode, wanted.heartbeat_seconds) == (
            None,
            None,
            "file",
            60,
        )

    def test_every_setting_is_read(self) -> None:
        wanted = recorder_from_environment(
            ENVIRONMENT
            | {
                "TTL_DAYS": "3",
                "RECORD_MODE": "pipe",
                "RECORD_HEARTBEAT_SECONDS": "0.5",
                "TRACKERS": "udp://t:1",
            }
        )
        assert (wanted.bucket, wanted.prefix, wanted.job_id) == ("bucket", "shows", JOB)
        assert (wanted.ttl_seconds, wanted.mode, wanted.heartbeat_seconds) == (259_200, "pipe", 0.5)
        assert (wanted.settings.table, wanted.settings.policy.trackers) == ("table", (("udp://t:1",),))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("S3_BUCKET", ""),
            ("JOB_ID", "s3://bucket/key"),
            ("JOB_ID", "a b"),
            ("JOB_ID", "é"),
            ("JOB_ID", "x" * 1025),
            ("TTL_DAYS", "0"),
            ("TTL_DAYS", "-1"),
            ("TTL_DAYS", "1.5"),
            ("TTL_DAYS", "²"),
            ("TTL_DAYS", "36501"),
            ("TTL_DAYS", "9" * 5000),
            ("RECORD_MODE", "tape"),
            ("RECORD_HEARTBEAT_SECONDS", "0"),
            ("RECORD_HEARTBEAT_SECONDS", "nan"),
            ("TORRENT_VERSION", "v3"),
        ],
    )
    def test_a_wrong_one_is_named(self, name: str, value: str) -> None:
        with pytest.raises(ConfigError, match=f"{name} is"):
            recorder_from_environment(ENVIRONMENT | {name: value})

    def test_the_documented_table_is_the_code(self) -> None:
        page = (ROOT / "docs/configuration.md").read_text().split("## The recorder")[1]
        rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
        assert rows == {
            name: f"{meaning}; default `{default}`" if default else meaning
            for name, (default, meaning) in RECORDER_VARIABLES.items()
        }

    def test_the_entrypoint_tells_of_every_setting(self) -> None:
        script = (ROOT / "docker/ecs/entrypoint.sh").read_text()
        assert [
            name for name in RECORDER_VARIABLES if name not in script and name != "RECORD_HEARTBEAT_SECONDS"
        ] == []


class TestFile:
    def test_object_torrent_and_item_are_there_and_outfile_stays(self, container: Container) -> None:
        assert container.run(TTL_DAYS="2") == 0
        assert container.body() == MATROSKA == container.outfile.read_bytes()
        assert container.has_torrent()
        item = container.item
        assert (item["status"], item["key"], item["torrentKey"]) == ("COMPLETED", REF.key, REF.torrent.key)
        assert (item["url"], item["recordMode"], item["bytesRead"]) == (
            "http://***@source.example/live?***",
            "file",
            0,
        )
        assert "expiresAt" in item
        assert not container.working.exists()

    def test_what_is_not_matroska_is_made_so(self, container: Container) -> None:
        container.downloads("open('recording.mp4', 'wb').write(b'mp4')")
        assert container.run() == 0
        assert container.body() == b"\x1a\x45\xdf\xa3 joined mp4"

    def test_mpeg_ts_under_a_matroska_name_is_made_so(self, container: Container) -> None:
        """What yt-dlp leaves of a live stream whose audio is apart."""
        container.downloads("open('recording.mkv', 'wb').write(b'G ts')")
        assert container.run() == 0
        assert container.body() == b"\x1a\x45\xdf\xa3 joined G ts"

    def test_an_interrupted_one_is_put_together_from_what_plays(self, container: Container) -> None:
        """Both tracks, the larger first; no half merge, no notes, no half fragment, nothing that does not play."""
        files = {
            "recording.f1.mp4.part": b"the video",
            "recording.f2.m4a.part": b"audio",
            "recording.mkv": MATROSKA[:6],
            "recording.temp.mkv": b"half",
            "recording.f1.mp4.part-Frag7.part": b"half",
            "recording.f1.mp4.ytdl": b"{}",
            "recording.jpg": b"junk that is not a film",
        }
        container.downloads(
            f"[open(name, 'wb').write(body) for name, body in {files!r}.items()]\nprint('ERROR: cut')\nsys.exit(1)"
        )
        assert container.run() == 0
        assert container.body() == b"\x1a\x45\xdf\xa3 joined the videoaudio"
        assert container.item["reason"] == "the source ended with an error: ERROR: cut"

    def test_a_source_with_errors_is_told_of(self, container: Container) -> None:
        container.downloads(
            f"open('recording.mkv', 'wb').write({MATROSKA!r})\nprint('fragment not found; Skipping fragment 3')"
        )
        assert container.run() == 0
        assert (
            container.item["reason"]
            == "the source had errors, the last: fragment not found; Skipping fragment 3"
        )

    def test_nothing_recorded_is_told_with_the_end_of_what_was_printed(self, container: Container) -> None:
        container.downloads("print('ERROR: gone: https://h/x?sig=abc')\nsys.exit(1)")
        assert container.run() == 4
        item = container.item
        assert (item["status"], item["error"]["type"]) == ("FAILED", "ProgramFailed")
        assert item["logTail"] == "ERROR: gone: https://h/x?***"
        assert "gone: https://h/x?***" in item["reason"]
        assert not container.world.is_there(REF)

    def test_what_was_recorded_and_does_not_play_is_left_and_named(self, container: Container) -> None:
        container.downloads("open('recording.mp4.part', 'wb').write(b'junk')\nsys.exit(1)")
        assert container.run() == 4
        assert f"4 bytes lie in {container.working}" in container.item["reason"]
        assert (container.working / "recording.mp4.part").read_bytes() == b"junk"

    def test_the_bytes_so_far_are_told(self, container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
        told = []
        monkeypatch.setattr(
            Journal, "progress", lambda _self, done, phase="RECORDING": told.append((phase, done))
        )
        assert container.run() == 0
        assert [*dict.fromkeys(told)] == [
            ("RECORDING", len(MATROSKA)),
            ("UPLOADING", len(MATROSKA)),
            ("CREATING_TORRENT", len(MATROSKA)),
        ]

    @pytest.mark.parametrize("there", ["OUTFILE", "folder", "object"])
    def test_what_is_there_already_is_found_before_anything_is_recorded(
        self, container: Container, there: str
    ) -> None:
        container.downloads("raise SystemExit('began')")
        container.outfile.parent.mkdir()
        match there:
            case "OUTFILE":
                container.outfile.write_bytes(b"mine")
            case "folder":
                container.working.mkdir()
            case _:
                container.world.store.upload(REF, b"mine")
        assert container.run() == 2
        assert container.item["error"]["type"] == "OutputExists"
        assert "--force" not in container.item["error"]["hint"]
        assert "began" not in container.item.get("logTail", "")

    def test_while_s3_does_not_answer_it_is_tried_again(
        self, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recording, "UPLOAD_PAUSES", (0.01, 0.01, None))
        gone = EndpointUnreachable("nothing answers")
        container.faults = (Fault("put_whole", 1, error=gone), Fault("put_whole", 2, error=gone))
        assert container.run() == 0
        assert container.body() == MATROSKA

    def test_a_stop_ends_the_trying(self, container: Container) -> None:
        container.faults = (
            Fault("put_whole", None, does=container.stop.set, error=EndpointUnreachable("gone")),
        )
        assert container.run() == 4
        assert (container.item["status"], container.item["error"]["type"]) == (
            "FAILED",
            "EndpointUnreachable",
        )
        assert container.outfile.read_bytes() == MATROSKA

    def test_stopped_before_it_began_it_recorded_nothing(self, container: Container) -> None:
        container.downloads("import time; time.sleep(600)")
        container.stop.set()
        assert container.run() == 2
        assert (container.item["status"], container.item["error"]["type"]) == ("FAILED", "EmptyContent")


class TestFullDisk:
    def test_what_was_recorded_until_then_is_uploaded_and_the_item_says_so(
        self, container: Container
    ) -> None:
        container.downloads(
            "open('recording.mp4.part', 'wb').write(b'part')\nprint('ERROR: [Errno 28] No space left on device')\nsys.exit(1)"
        )
        assert container.run() == 4
        item = container.item
        assert (item["status"], item["error"]["type"]) == ("FAILED", "NoSpace")
        assert (
            item["reason"]
            == f"the disk was full after 4 bytes; what was recorded until then is {REF}, with its torrent"
        )
        assert "RECORD_MODE=pipe" in item["error"]["hint"]
        assert container.body() == b"\x1a\x45\xdf\xa3 joined part"
        assert container.has_torrent()

    def test_without_room_for_outfile_it_goes_straight_up(self, container: Container) -> None:
        container.program(
            "ffmpeg",
            "import sys\nif sys.argv[-1] != 'pipe:1':\n    open(sys.argv[-1][5:], 'w').write('half')\n"
            f"    sys.exit('av_interleaved_write_frame(): No space left on device')\n{REMUX}",
        )
        container.downloads("open('recording.mp4', 'wb').write(b'whole')")
        assert container.run() == 0
        assert container.body() == b"\x1a\x45\xdf\xa3 joined whole"
        assert container.has_torrent()
        assert "no space to put 5 recorded bytes" in container.item["reason"]
        assert [path.name for path in container.working.iterdir()] == ["recording.mp4"]

    def test_full_before_anything_came(self, container: Container) -> None:
        container.downloads("sys.exit('ERROR: [Errno 28] No space left on device')")
        assert container.run() == 4
        assert container.item["error"]["type"] == "NoSpace"


class TestPipe:
    STREAM = MATROSKA + b"s" * (3 * PART)

    @pytest.fixture(autouse=True)
    def streaming(self, container: Container) -> None:
        container.environment = ENVIRONMENT | {"RECORD_MODE": "pipe"}
        container.downloads('print(\'{"url": "http://source.example/a.mp4", "protocol": "http"}\')')
        container.program("ffmpeg", f"import sys\nsys.stdout.buffer.write({self.STREAM!r})")

    def test_what_ffmpeg_writes_is_the_object(self, container: Container) -> None:
        assert container.run() == 0
        assert container.body() == self.STREAM
        assert container.has_torrent()
        assert (container.item["status"], container.item["recordMode"]) == ("COMPLETED", "pipe")
        assert not container.outfile.parent.exists()

    def test_a_source_that_breaks_leaves_what_came(self, container: Container) -> None:
        container.program(
            "ffmpeg", f"import sys\nsys.stdout.buffer.write({MATROSKA!r})\nsys.exit('Input/output error')"
        )
        assert container.run() == 0
        assert container.body() == MATROSKA
        assert container.item["reason"] == "the source ended with an error: Input/output error"

    def test_nothing_that_came_is_an_error_with_what_ffmpeg_said(self, container: Container) -> None:
        container.program("ffmpeg", "import sys\nsys.exit('404 Not Found')")
        assert container.run() == 4
        assert container.item["error"]["type"] == "ProgramFailed"
        assert "404 Not Found" in container.item["reason"]

    @pytest.mark.parametrize(
        "answer",
        [
            "",
            "null",
            "[]",
            "{}",
            '{"url": 1}',
            '{"url": "file:///etc/passwd"}',
            '{"requested_formats": [{"url": "-y"}]}',
        ],
    )
    def test_an_answer_of_yt_dlp_that_names_no_url_is_refused(
        self, container: Container, answer: str
    ) -> None:
        container.downloads(f"print({answer!r})")
        container.program("ffmpeg", "raise SystemExit('began')")
        assert container.run() in (2, 4)
        assert container.item["error"]["type"] in ("ProgramFailed", "UrlError")
        assert "began" not in container.item.get("logTail", "")

    def test_stopped_before_it_began_it_recorded_nothing(self, container: Container) -> None:
        container.downloads("import time; time.sleep(600)")
        container.stop.set()
        assert container.run() == 2
        assert container.item["error"]["type"] == "EmptyContent"

    def test_an_object_that_is_there_stays(self, container: Container) -> None:
        container.world.store.upload(REF, b"mine")
        assert container.run() == 2
        assert (container.body(), container.item["error"]["type"]) == (b"mine", "OutputExists")


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            (["file:///etc/passwd", "show.mkv"], "UrlError"),
            ([URL, "-rf"], "BadName"),
            ([URL, "shows/"], "BadName"),
            ([URL], "UsageError"),
            (["\udcff", "\udcff"], "UrlError"),
        ],
    )
    def test_it_is_told_in_the_item_too(self, container: Container, arguments: list[str], error: str) -> None:
        assert container.run(*arguments) == 2
        assert (container.item["status"], container.item["error"]["type"]) == ("FAILED", error)

    def test_a_wrong_setting_is_told_in_the_item_too(self, container: Container) -> None:
        assert container.run(RECORD_MODE="tape") == 2
        assert (container.item["status"], container.item["error"]["type"]) == ("FAILED", "ConfigError")

    def test_a_job_id_that_names_a_torrent_s_item_is_never_written(self, container: Container) -> None:
        assert container.run(JOB_ID=str(REF)) == 2
        assert container.world.status.list() == []

    @pytest.mark.parametrize("program", ["yt-dlp", "ffprobe", "ffmpeg"])
    @pytest.mark.parametrize("mode", ["file", "pipe"])
    def test_a_program_that_is_missing_is_named(self, container: Container, program: str, mode: str) -> None:
        container.downloads(
            "open('recording.mp4', 'wb').write(b'x')\nprint('{\"url\": \"http://h/\"}')"
            if mode == "file"
            else 'print(\'{"url": "http://h/"}\')'
        )
        (container.folder / "bin" / program).unlink()
        assert container.run(RECORD_MODE=mode) == 4
        assert (container.item["status"], container.item["error"]["type"]) == ("FAILED", "ProgramMissing")
        assert container.item["reason"].startswith(f"{program} is not on PATH")

    def test_a_folder_that_cannot_be_made_is_named(self, container: Container) -> None:
        (container.folder / "out").write_text("a file")
        assert container.run() == 4
        assert container.item["error"]["type"] == "AccessDenied"
        assert str(container.working) in container.item["reason"]

    def test_a_name_too_long_for_a_file(self, container: Container) -> None:
        assert container.run(URL, str(container.folder / ("x" * 250))) == 2
        assert container.item["error"]["type"] == "BadName"


def test_a_defect_ends_the_item_too(
    container: Container, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(recording, "into_file", lambda _one: 1 / 0)
    assert container.run() == recorder.BUG_EXIT
    assert (container.item["status"], container.item["error"]["type"]) == ("FAILED", "ZeroDivisionError")


def test_without_a_job_id_no_item_is_written_but_the_object_s(container: Container) -> None:
    assert container.run(JOB_ID="") == 0
    assert [item.job_id for item in container.world.status.list()] == [str(REF)]


class TestAfterAKill:
    """What a second recorder does with what the first has left; its run, and so its name, is the same."""

    OWNER = "recorder/run-1"

    @pytest.fixture(autouse=True)
    def run_folder(self, container: Container) -> Path:
        folder = container.folder / "run-1"
        folder.mkdir()
        container.environment = ENVIRONMENT | {"S3TORRENT_RUN": str(folder)}
        container.downloads("raise SystemExit('recorded again')")
        return folder

    def after_kill(self, container: Container, **environment: str) -> int:
        return container.run("--after-kill", "9", URL, str(container.outfile), **environment)

    def begun(self, container: Container, owner: str = OWNER) -> Any:
        return container.world.status.begin(JOB, "RECORDING", {}, owner=owner, lease_seconds=60)

    def test_a_folder_with_something_that_plays_becomes_object_and_torrent(
        self, container: Container
    ) -> None:
        self.begun(container)
        container.working.mkdir(parents=True)
        (container.working / "recording.mp4.part").write_bytes(b"part")
        assert self.after_kill(container) == 0
        assert container.body() == b"\x1a\x45\xdf\xa3 joined part"
        assert container.has_torrent()
        assert (container.item["status"], container.item["reason"]) == (
            "COMPLETED",
            "the recorder was killed by signal 9",
        )
        assert (container.item["leaseOwner"], container.item["attempt"]) == (self.OWNER, 2)

    def test_a_folder_in_which_outfile_was_being_made_is_begun_anew(self, container: Container) -> None:
        """What is half done holds the same film once more."""
        container.working.mkdir(parents=True)
        (container.working / "recording.mp4").write_bytes(b"whole")
        (container.working / "finished.temp.mkv").write_bytes(MATROSKA[:9])
        assert self.after_kill(container) == 0
        assert container.body() == b"\x1a\x45\xdf\xa3 joined whole"

    def test_a_finished_outfile_is_uploaded(self, container: Container) -> None:
        self.begun(container)
        container.outfile.parent.mkdir()
        container.outfile.write_bytes(MATROSKA)
        assert self.after_kill(container) == 0
        assert container.body() == MATROSKA
        assert container.has_torrent()

    def test_an_object_that_was_uploaded_gets_its_torrent(self, container: Container) -> None:
        """Killed between the two, while it held the object's item."""
        self.begun(container)
        container.outfile.parent.mkdir()
        container.outfile.write_bytes(MATROSKA)
        container.world.store.upload(REF, MATROSKA)
        container.world.status.reserve(str(REF), owner=self.OWNER, lease_seconds=60)
        assert self.after_kill(container) == 0
        assert container.has_torrent()
        assert container.item["status"] == "COMPLETED"

    def test_another_object_there_is_left_alone(self, container: Container) -> None:
        container.outfile.parent.mkdir()
        container.outfile.write_bytes(MATROSKA)
        container.world.store.upload(REF, b"somebody else's")
        assert self.after_kill(container) == 2
        assert (container.body(), container.has_torrent()) == (b"somebody else's", False)
        assert container.item["error"]["type"] == "OutputExists"

    @pytest.mark.parametrize("mode", ["file", "pipe"])
    def test_where_nothing_is_left_the_item_says_who_killed_it(self, container: Container, mode: str) -> None:
        self.begun(container)
        assert self.after_kill(container, RECORD_MODE=mode) == 4
        assert container.item["status"] == "FAILED"
        assert container.item["reason"] == "the recorder was killed by signal 9; it left nothing that plays"

    def test_of_a_stream_the_parts_that_arrived_become_object_and_torrent(
        self, container: Container, run_folder: Path
    ) -> None:
        """Up to the first that is missing: a later part without the one before it is no film."""
        self.begun(container)
        store = container.world.store
        upload = store.begin_upload(REF, content_type="", metadata={})
        for number in (1, 2, 4):
            body = bytes([number]) * PART
            sha1 = hash_part(memoryview(body), 0, version="v1", lengths=(PART,), last=False).sha1
            store.upload_part(upload, number, body, sha1=sha1)
        (run_folder / "upload").write_text(upload.upload_id)
        assert self.after_kill(container, RECORD_MODE="pipe") == 0
        assert container.body() == b"\1" * PART + b"\2" * PART
        assert container.has_torrent()
        assert store.unfinished_uploads(REF) == []
        assert (container.item["status"], container.item["reason"]) == (
            "COMPLETED",
            "the recorder was killed by signal 9",
        )

    def test_a_stream_without_a_part_is_aborted(self, container: Container, run_folder: Path) -> None:
        self.begun(container)
        upload = container.world.store.begin_upload(REF, content_type="", metadata={})
        (run_folder / "upload").write_text(upload.upload_id)
        assert self.after_kill(container, RECORD_MODE="pipe") == 2
        assert container.world.store.unfinished_uploads(REF) == []
        assert container.item["status"] == "FAILED"

    def test_a_stream_that_was_completed_gets_its_torrent(
        self, container: Container, run_folder: Path
    ) -> None:
        self.begun(container)
        container.world.store.upload(REF, MATROSKA)
        (run_folder / "upload").write_text("gone")
        assert self.after_kill(container, RECORD_MODE="pipe") == 0
        assert (container.body(), container.has_torrent()) == (MATROSKA, True)

    def test_the_first_one_notes_the_upload_of_a_stream(self, container: Container, run_folder: Path) -> None:
        container.downloads('print(\'{"url": "http://h/"}\')')
        container.program("ffmpeg", f"import sys\nsys.stdout.buffer.write(b's' * {3 * PART})")
        noted: list[str] = []
        container.faults = (
            Fault("complete_upload", does=lambda: noted.append((run_folder / "upload").read_text())),
        )
        assert container.run(RECORD_MODE="pipe") == 0
        assert noted
        assert noted[0] != ""

    def test_what_has_ended_already_stays_so(self, container: Container) -> None:
        claim = self.begun(container)
        container.world.status.finish(claim, "COMPLETED", {"torrentKey": "k"})
        before = container.item
        assert self.after_kill(container) == 0
        assert container.item == before

    def test_the_item_of_another_task_stays_so(self, container: Container) -> None:
        self.begun(container, owner="recorder/run-2")
        before = container.item
        assert self.after_kill(container) == 0
        assert container.item == before


def test_the_first_signal_sets_the_stop_and_further_ones_change_nothing() -> None:
    """In a process of its own: signal handlers are the process's."""
    code = (
        "import os, signal, sys\nfrom s3torrent import recorder\n"
        "stop = recorder.stop_on_signals()\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nassert stop.wait(30)\n"
        "os.kill(os.getpid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGTERM)\n"
        "print('went on')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
