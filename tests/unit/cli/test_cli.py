"""The command line as a person meets it: product, talk, exit codes. Each runs in a process of its own or in ours."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from s3torrent.cli.main import main
from s3torrent.store import local_many

PROGRAM = Path(sys.executable).with_name("s3torrent")


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        captured = capfd.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "movie.bin"
    path.write_bytes(bytes(range(256)) * 1000)
    return path


def test_create_writes_beside_where_one_stands_and_tells_in_tabs_in_a_pipe(run: Any, content: Path) -> None:
    ran = run("create", str(content))
    assert ran.code == 0
    lines = dict(line.split("\t", 1) for line in ran.out.splitlines())
    assert lines["torrent"] == "movie.bin.torrent"
    assert lines["name"] == "movie.bin"
    assert len(lines["info-hash v1"]) == 40
    assert "piece length:" in ran.err


def test_create_gives_the_very_torrent_on_stdout_without_a_newline(content: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [PROGRAM, "create", content, "-o", "-"], capture_output=True, cwd=tmp_path, check=True
    )
    assert ran.stdout.startswith(b"d")
    assert ran.stdout.endswith(b"e")
    assert ran.stderr == b""


def test_create_never_overwrites_without_force(run: Any, content: Path) -> None:
    Path("movie.bin.torrent").write_bytes(b"mine")
    ran = run("create", str(content))
    assert (ran.code, Path("movie.bin.torrent").read_bytes()) == (2, b"mine")
    assert "movie.bin.torrent is there already" in ran.err
    assert run("create", str(content), "--force").code == 0
    assert Path("movie.bin.torrent").read_bytes().startswith(b"d")


def test_create_takes_every_option_into_the_torrent(run: Any, content: Path) -> None:
    ran = run(
        "create", str(content), "-o", "t.torrent", "--tracker", "http://a.example/announce",
        "--tracker", "udp://b.example:80", "--web-seed", "https://cdn.example/movie.bin", "--piece-length", "64KiB",
        "--torrent-version", "hybrid", "--private", "--source", "S", "--comment", "C", "--json",
    )  # fmt: skip
    made = json.loads(ran.out)
    assert made.pop("torrent") == "t.torrent"
    inspected = json.loads(run("inspect", "t.torrent", "--json").out)
    assert made == inspected
    assert inspected["trackers"] == [["http://a.example/announce"], ["udp://b.example:80"]]
    assert inspected["webSeeds"] == ["https://cdn.example/movie.bin"]
    assert (inspected["pieceLength"], inspected["pieceCount"]) == (65536, 4)
    assert (inspected["torrentVersion"], inspected["private"]) == ("hybrid", True)
    assert (inspected["source"], inspected["comment"]) == ("S", "C")
    assert inspected["files"] == [{"path": "movie.bin", "length": 256_000}]


def test_inspect_reads_stdin_and_shows_nulls_for_what_is_not_there(run: Any, content: Path) -> None:
    run("create", str(content))
    shown = json.loads(run("inspect", "-", "--json", stdin=Path("movie.bin.torrent").read_bytes()).out)
    assert list(shown) == [
        "name", "torrentVersion", "infoHashV1", "infoHashV2", "size", "pieceLength", "pieceCount", "files",
        "trackers", "webSeeds", "private", "source", "comment", "createdBy", "creationDate",
    ]  # fmt: skip
    assert (shown["infoHashV2"], shown["source"], shown["createdBy"]) == (None, None, "s3torrent")


def test_verify_says_good_or_names_the_bad_pieces_and_exits_1(run: Any, content: Path) -> None:
    run("create", str(content), "--piece-length", "16KiB")
    assert run("verify", "movie.bin.torrent", str(content)).out.startswith("good: all 16 pieces")
    data = bytearray(content.read_bytes())
    for at in (0, 40_000, 57_000):
        data[at] ^= 1
    content.write_bytes(data)
    ran = run("verify", "movie.bin.torrent", str(content))
    assert (ran.code, ran.out) == (1, "bad pieces: 0, 2-3\nbad file: movie.bin\n")
    told = json.loads(run("verify", "movie.bin.torrent", str(content), "--json").out)
    assert told == {
        "good": False, "pieceCount": 16, "badPieces": [0, 2, 3], "badFiles": ["movie.bin"], "missing": [], "wrongSize": [],
    }  # fmt: skip


def test_verify_finds_a_single_file_in_the_directory_that_holds_it(run: Any, content: Path) -> None:
    run("create", str(content))
    assert run("verify", "movie.bin.torrent", str(content.parent)).code == 0


def test_magnet_prints_the_link_and_nothing_else(run: Any, content: Path) -> None:
    run("create", str(content))
    ran = run("magnet", "movie.bin.torrent")
    assert ran.out.startswith("magnet:?xt=urn:btih:")
    assert ran.out.count("\n") == 1
    assert ran.err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["create", "nothing.bin"], 4, "nothing.bin does not exist"),
        (["create", "empty.bin"], 2, "0 bytes"),
        (["create", "empties"], 2, "0 bytes"),
        (["create", "movie.bin", "--tracker", "foo"], 2, "tracker 'foo'"),
        (["create", "movie.bin", "--web-seed", "ftp://x/y"], 2, "scheme 'ftp'"),
        (["create", "movie.bin", "--web-seed", "http://x/y z"], 2, "' '"),
        (["create", "movie.bin", "--piece-length", "100000"], 2, "power of two"),
        (["create", "movie.bin", "--piece-length", "256MiB"], 2, "128 MiB"),
        (["create", "movie.bin", "--torrent-version", "v3"], 2, "v3"),
        (["create", "movie.bin", "-o", "-", "--json"], 2, "both want stdout"),
        (["create", "movie.bin", "-o", "no/such/folder.torrent"], 2, "does not exist"),
        (["create", "movie.bin", "-o", "s3://b/k.torrent"], 2, "written to a file"),
        (["create", "s3://bucket-only"], 2, "names no object"),
        (["inspect", "nothing.torrent"], 4, "nothing.torrent does not exist"),
        (["inspect", "movie.bin"], 3, "movie.bin is not a valid torrent"),
        (["magnet", "movie.bin"], 3, "movie.bin is not a valid torrent"),
        (["verify", "movie.bin", "movie.bin"], 3, "movie.bin is not a valid torrent"),
        (["inspect", "."], 2, "directory"),
        (["frobnicate"], 2, "No such command"),
        (["create"], 2, "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_clear_line_and_the_right_code(
    run: Any, content: Path, arguments: list[str], code: int, said: str
) -> None:
    Path("empty.bin").touch()
    Path("empties").mkdir()
    Path("empties/empty").touch()
    ran = run(*arguments)
    assert ran.code == code, ran.err
    assert said in ran.err
    assert [line.partition(": ")[0] for line in ran.err.splitlines()] == ["error", "hint"]
    assert ran.out == ""
    assert not list(Path().glob("*.torrent"))


@pytest.mark.parametrize("keep", [0, 1, 50, 200, -1])
def test_a_truncated_torrent_is_a_bad_torrent(run: Any, content: Path, keep: int) -> None:
    run("create", str(content))
    body = Path("movie.bin.torrent").read_bytes()
    ran = run("inspect", "-", stdin=body[:keep])
    assert ran.code == 3
    assert "standard input is not a valid torrent" in ran.err
    assert "at byte" in ran.err


def test_names_cannot_drive_the_terminal(run: Any) -> None:
    name = "evil\x1b[2J\u202egnp.exe"
    Path(name).write_bytes(b"x" * 10)
    run("create", name, "-o", "t.torrent")
    ran = run("inspect", "t.torrent")
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert "evil\\x1b[2J\\u202egnp.exe" in ran.out
    assert json.loads(run("inspect", "t.torrent", "--json").out)["name"] == name


@pytest.mark.parametrize("error", [ZeroDivisionError("oops"), PermissionError(13, "oops")], ids=repr)
def test_a_defect_of_ours_shows_no_traceback(
    run: Any, content: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("s3torrent.cli.create.object_url", explode)
    monkeypatch.setattr("s3torrent.cli.create.check_web_seed", explode)
    ran = run("create", str(content), "--web-seed", "http://h.example/x")
    assert ran.code == 70
    assert type(error).__name__ in ran.err
    assert "Traceback" not in ran.err


def test_a_reader_that_goes_away_is_no_error(content: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        f"{PROGRAM} create {content} --json 2>err | true; cat err",
        shell=True, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "defect" not in ran.stdout + ran.stderr


def test_help_and_version_need_no_aws(tmp_path: Path) -> None:
    for arguments, said in ((["--help"], "Exit codes"), (["--version"], "s3torrent 0.")):
        ran = subprocess.run(
            [PROGRAM, *arguments], capture_output=True, text=True, cwd=tmp_path, env={"PATH": os.defpath}
        )
        assert ran.returncode == 0
        assert said in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", ""], "an empty name"),
        (["create", "movie.bin", "--comment", "\udcff"], "not UTF-8"),
        (["inspect", "s3://b/\udcff"], "not UTF-8"),
        (["create", "movie.bin", "--web-seed", "https://cdn.example/{key}"], "has a placeholder"),
        (["create", ".", "--web-seed", "https://cdn.example/{key}"], "has a placeholder"),
    ],
)
def test_what_cannot_be_meant_is_refused(run: Any, content: Path, arguments: list[str], said: str) -> None:
    ran = run(*arguments)
    assert (ran.code, "defect" in ran.err) == (2, False)
    assert said in ran.err


def test_a_piece_length_that_makes_an_unloadable_torrent_is_refused_before_hashing(
    run: Any, tmp_path: Path
) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(1 << 40)
    ran = run("create", "big", "--piece-length", "16KiB")
    assert ran.code == 2
    assert "which is what clients load" in ran.err


def test_many_small_files_are_counted_as_the_pieces_they_are(run: Any, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(30):
        (tmp_path / "many" / str(number)).write_bytes(b"x")
    assert "30 pieces of 16 KiB" in run("create", "many", "--torrent-version", "hybrid").err
    assert "1 piece of 16 KiB" in run("create", "many", "--force").err


def test_a_link_keeps_its_own_name(run: Any, content: Path) -> None:
    Path("link.mkv").symlink_to("movie.bin")
    run("create", "link.mkv")
    assert json.loads(run("inspect", "link.mkv.torrent", "--json").out)["name"] == "link.mkv"


def test_verify_looks_only_at_what_the_torrent_names(run: Any, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a").write_bytes(b"content")
    run("create", "d")
    os.mkfifo(tmp_path / "d/pipe")
    Path("d/dangling").symlink_to("nowhere")
    assert run("verify", "d.torrent", "d").code == 0


@pytest.mark.parametrize(("redirect", "code"), [("1>&-", 0), ("2>&-", 0), (">/dev/full", 4), ("<&-", 0)])
def test_closed_and_full_streams_are_no_defect(
    content: Path, tmp_path: Path, redirect: str, code: int
) -> None:
    ran = subprocess.run(
        f"{PROGRAM} create {content} --force --json {redirect}",
        shell=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "Traceback" not in ran.stderr
    assert "defect" not in ran.stderr
    assert ran.returncode == code


@pytest.mark.parametrize("setting", [{"AWS_PROFILE": "nope"}, {"AWS_CONFIG_FILE": "broken"}])
def test_aws_settings_that_are_wrong_are_named_as_such(tmp_path: Path, setting: dict[str, str]) -> None:
    (tmp_path / "broken").write_text("[default")
    ran = subprocess.run(
        [PROGRAM, "create", "s3://bucket/k"], capture_output=True, text=True, cwd=tmp_path,
        env={"PATH": os.defpath, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", **setting},
    )  # fmt: skip
    assert ran.returncode == 2
    assert "AWS_PROFILE" in ran.stderr


def test_create_lists_the_first_files_and_counts_the_others(run: Any, tmp_path: Path) -> None:
    """For people; JSON and inspect tell all."""
    (tmp_path / "many").mkdir()
    for number in range(1, 1022):
        (tmp_path / "many" / f"{number:04}").write_bytes(b"x")
    told = dict(line.split("\t", 1) for line in run("create", "many").out.splitlines())["files"].split("\t")
    assert told[0] == "0001 (1 byte)"
    assert told[19:] == ["0020 (1 byte)", "... and 1,001 more (s3torrent inspect shows all)"]
    assert len(json.loads(run("create", "many", "--force", "--json").out)["files"]) == 1021
    shown = dict(line.split("\t", 1) for line in run("inspect", "many.torrent").out.splitlines())
    assert len(shown["files"].split("\t")) == 1021


@pytest.mark.parametrize("count", [1, 20, 21])
def test_create_leaves_out_none_of_twenty(run: Any, tmp_path: Path, count: int) -> None:
    (tmp_path / "few").mkdir()
    for number in range(count):
        (tmp_path / "few" / str(number)).write_bytes(b"x")
    told = dict(line.split("\t", 1) for line in run("create", "few").out.splitlines())["files"].split("\t")
    assert len(told) == count
    assert ("... and 1 more" in told[-1]) == (count > 20)


def test_a_folder_that_changes_is_no_torrent(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    for number in range(50):
        (tmp_path / "d" / str(number)).write_bytes(b"x" * 1000)
    monkeypatch.setattr(local_many, "_files", None)  # or it would not read by os.preadv
    real = os.preadv

    def truncated(*arguments: Any) -> int:
        os.truncate(tmp_path / "d/7", 10)
        return real(*arguments)

    monkeypatch.setattr(os, "preadv", truncated)
    ran = run("create", "d")
    assert (ran.code, ran.out) == (4, "")
    assert "d/7 is another file now: 10 bytes" in ran.err
    assert not Path("d.torrent").exists()


def test_a_command_leaves_the_search_for_garbage_as_it_was(run: Any, content: Path) -> None:
    import gc

    before = gc.get_threshold()
    run("create", str(content))
    run("verify", "movie.bin.torrent", "nothing")
    assert gc.get_threshold() == before


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(12, "Cannot allocate memory"), RuntimeError("can't start new thread")]
)
def test_where_the_system_gives_no_memory_that_is_said(
    run: Any, content: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("s3torrent.engine.native.NativeEngine.build", fail)
    ran = run("create", str(content))
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith(
        "error: the system gave no more memory (expected about 200 MiB)\nhint: end other"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("backfill", "s3://b/", "--queue", "u", "--rate", "nan"),
        ("backfill", "s3://b/", "--queue", "u", "--rate", "inf"),
        ("audit", "s3://b/", "--deep", "nan"),
        ("check-seeds", "t", "--timeout", "nan"),
    ],
)
def test_what_is_no_number_is_refused(run: Any, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "finite" in ran.err or "range" in ran.err
