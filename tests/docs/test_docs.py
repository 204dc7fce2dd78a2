"""What the docs show is what the code does."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from s3torrent.cli import summary, uploading
from s3torrent.cli.verify import _as_json
from s3torrent.config import VARIABLES
from s3torrent.metainfo.parse import parse
from s3torrent.pipeline.backfill import Tally
from s3torrent.pipeline.findings import Finding, Kind
from s3torrent.pipeline.outcome import Outcome, describe
from s3torrent.pipeline.verify import Verification, WrongSize
from s3torrent.types import ObjectRef, ObjectVersion
from support.ministack import ENVIRONMENT, MiniStack
from support.seeds import SeedServer

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])
PROGRAM = str(Path(sys.executable).with_name("s3torrent"))


def blocks(path: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)


def readme_commands() -> list[str]:
    lines = [line for block in blocks("README.md", "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("s3torrent ") and line != "s3torrent dev"]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_settings_table_is_the_code() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \| (.*) \|$", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE
    )
    assert {name: (default.strip("` "), meaning) for name, default, meaning in rows} == VARIABLES


def test_the_troubleshooting_page_is_the_error_tree() -> None:
    spec = importlib.util.spec_from_file_location("page", ROOT / "docs/make_troubleshooting.py")
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs/troubleshooting.md").read_text() == module.page()


def test_each_promise_names_a_test_that_exists() -> None:
    named = re.findall(
        r"`((?:unit|stack|contract|events|terraform|state|fuzz)/[\w/]*)(\.py)?(?:::(\w+))?`",
        (ROOT / "docs/semantics.md").read_text(),
    )
    assert len(named) > 20
    for path, suffix, name in named:
        found = ROOT / "tests" / f"{path}{suffix}"
        assert found.is_file() if suffix else found.is_dir(), path
        if name:
            assert re.search(rf"^\s*(def|class) {name}\b", found.read_text(), re.MULTILINE), name


def test_the_json_page_shows_the_fields_that_are_printed() -> None:
    inspected, put, verified, backfilled, *_ = (json.loads(block) for block in blocks("docs/json.md", "json"))
    metainfo = parse(b"d4:infod6:lengthi1e4:name1:a12:piece lengthi16384e6:pieces20:" + bytes(20) + b"ee")
    assert list(inspected) == list(summary.as_json(metainfo))
    assert list(inspected["files"][0]) == list(summary.as_json(metainfo)["files"][0])
    version = ObjectVersion(ObjectRef("bucket", "k"), None, "e", 1, datetime(2026, 11, 23, tzinfo=UTC))
    outcome = Outcome("s3://bucket/k", "COMPLETED", attributes=describe(version, metainfo, 1, bytes_read=0))
    assert list(put) == list(uploading.as_json(outcome, 1))
    told = _as_json(Verification(1, (0,), ("a",), (), (WrongSize("a", 1, 0),)))
    assert list(verified) == list(told)
    assert list(backfilled) == [*Tally().as_dict(1769), "failed"]
    assert list(verified["wrongSize"][0]) == list(told["wrongSize"][0])  # type: ignore[index]


def test_the_json_page_shows_the_lines_of_an_audit() -> None:
    from s3torrent.cli.audit import Run
    from s3torrent.config import from_environment

    finding, last = (json.loads(line) for line in blocks("docs/json.md", "jsonl")[0].splitlines())
    told = Finding(Kind.MISSING, ObjectRef("NAME", "k"), "detail").as_dict()
    assert list(finding) == [*told, "repaired", "left"]
    run = Run(from_environment({}), ObjectRef("NAME", ""), 0, "seed")
    assert list(last["summary"]) == list(run.as_dict())
    assert list(last["summary"]["findings"]) == [kind.value for kind in Kind]


def test_the_json_page_shows_the_lines_of_check_seeds() -> None:
    from s3torrent.pipeline.check_seeds import SeedCheck
    from s3torrent.webseeds.base import HARMLESS, HINTS, Problem

    shown = json.loads(blocks("docs/json.md", "jsonl")[2])
    told = SeedCheck("u", (0,), (Problem("raw-plus", ""),)).as_dict()
    assert list(shown) == ["torrent", *told]
    assert list(shown["problems"][0]) == list(told["problems"][0])
    assert shown["problems"][0]["hint"] == HINTS["raw-plus"]
    section = (ROOT / "docs/json.md").read_text().split("check-seeds --json`")[1].split("## ")[0]
    codes = re.findall(r"`([a-z]+(?:-[a-z]+)*)`", section.partition("The codes:")[2])
    assert (set(codes), set(codes[-3:])) == (set(HINTS), HARMLESS)


def test_the_json_page_shows_the_lines_of_an_edit(tmp_path: Path) -> None:
    edited, left, last = map(json.loads, blocks("docs/json.md", "jsonl")[1].splitlines())
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "no.torrent").write_bytes(b"no")
    shown = ["edit", "a.torrent", "no.torrent", "--comment", "c", "--json", "--undo", "u"]
    subprocess.run([PROGRAM, "create", "a"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    done = subprocess.run([PROGRAM, *shown], cwd=tmp_path, check=False, capture_output=True, timeout=60)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(edited), list(left), list(last["summary"])] == [
        list(told[0]), list(told[1]), list(told[2]["summary"]),
    ]  # fmt: skip
    assert list(left["error"]) == list(told[1]["error"])
    page = (ROOT / "docs/json.md").read_text()
    assert all(f"`{name}`" in page for name in json.loads((tmp_path / "u").read_text()))


def test_the_json_page_shows_what_a_catalogue_tells() -> None:
    from s3torrent.catalog.change import Summary

    shown = next(found for found in map(json.loads, blocks("docs/json.md", "json")) if "torrents" in found)
    assert list(shown) == ["place", *Summary(0, 0, 0, 0, 0, 0, 0).as_dict()]


def test_the_schemas_of_the_catalogue_name_every_field_and_the_page_explains_them() -> None:
    from s3torrent.catalog import manifest, shards
    from s3torrent.catalog.links import Links

    page = (ROOT / "docs/catalog.md").read_text()
    whole = json.loads((ROOT / "docs/catalog.schema.json").read_text())
    written = json.loads(
        manifest.encode(
            manifest.Manifest(0, 0, "", ""),
            title="",
            links=Links("b"),
            newest=[],
            updated=0,
        )
    )
    assert list(written) == whole["required"] == list(whole["properties"])
    rows = json.loads((ROOT / "docs/shard.schema.json").read_text())
    assert tuple(rows["properties"]["columns"]["const"]) == shards.COLUMNS
    for name in (*written, *whole["properties"]["newest"]["items"]["properties"], *shards.COLUMNS):
        assert f"`{name}`" in page, name


def test_the_status_table_of_the_json_page_names_every_attribute_of_a_completed_item(
    ministack: MiniStack, bucket: str, table_name: str
) -> None:
    from s3torrent import wiring
    from s3torrent.config import from_environment
    from s3torrent.types import ObjectRef, TorrentRequest

    ministack.client("s3").put_object(Bucket=bucket, Key="k", Body=b"content")
    settings = from_environment({"DDB_TABLE": table_name, "AWS_ENDPOINT_URL": ministack.endpoint})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        maker = wiring.maker(settings)
        maker.make(TorrentRequest(ObjectRef(bucket, "k"), sequencer="01"))
        item = maker.status.get(f"s3://{bucket}/k")
        maker.store._client.close()
        maker.status._client.close()
    assert item
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs/json.md").read_text().split("## Status item")[1]))
    assert set(item.attributes) <= documented


def test_the_readme_names_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {name for path in DOCS for name in re.findall(r"`?make ([a-z]+)\b", path.read_text())}
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"demo", "test", "lint", "format", "package", "clean"} <= targets
    assert {
        name for name in named if name in targets or f"make {name}`" in "".join(p.read_text() for p in DOCS)
    } <= targets


def test_the_readmes_commands_run_as_shown(ministack: MiniStack, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "movie.mkv").write_bytes(b"m" * 100_000)
    (tmp_path / "dataset/sub").mkdir(parents=True)
    (tmp_path / "dataset/a").write_bytes(b"a" * 1000)
    (tmp_path / "dataset/sub/b").write_bytes(b"b" * 1000)
    s3 = ministack.client("s3")
    s3.put_object(Bucket=bucket, Key="shows/pilot.mkv", Body=b"p" * 1000)
    environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": ministack.endpoint, "PATH": "/usr/bin:/bin"}
    commands = readme_commands()
    assert len(commands) >= 6
    with SeedServer(b"m" * 100_000) as seeds:
        for command in commands:
            line = command.replace("https://cdn.example.org/movie.mkv", seeds.url("/movie.mkv"))
            arguments = shlex.split(line.replace("s3://bucket/", f"s3://{bucket}/"))[1:]
            if arguments[0] == "magnet":
                s3.upload_file(str(tmp_path / "pilot.torrent"), bucket, "shows/pilot.mkv.torrent")
            ran = subprocess.run(
                [PROGRAM, *arguments],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert ran.returncode == 0, (line, ran.stderr)


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()
    for path in (ROOT / "docs/adr").glob("0*.md"):
        assert f"({path.name})" in index


def test_each_alarm_has_a_runbook() -> None:
    alarms = re.findall(
        r"^    ([a-z-]+) = {\n      description",
        (ROOT / "terraform/backend/observability.tf").read_text(),
        re.MULTILINE,
    )
    assert len(alarms) >= 5
    headings = re.findall(r"^## ([a-z-]+)$", (ROOT / "docs/operate.md").read_text(), re.MULTILINE)
    assert headings == alarms


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_command_and_option_in_the_docs_is_one(path: Path) -> None:
    """Every ``s3torrent COMMAND --option`` that stands in code."""
    from s3torrent.cli.main import SUMMARIES, cli

    text = path.read_text()
    shown = re.findall(r"`(s3torrent [^`]+)`", text)
    shown += [
        line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()
    ]
    for line in shown:
        for said in re.findall(r"\bs3torrent ([a-z][a-z-]+)((?: [^|;&>]*)?)", line):
            name, rest = said
            if name not in SUMMARIES:
                assert not re.search(rf"(^|\| )s3torrent {name}\b", line) or name == "help", line
                continue
            command = cli.get_command(None, name)  # type: ignore[arg-type]
            assert command
            commands = [command, *getattr(command, "commands", {}).values()]
            known = {option for one in commands for parameter in one.params for option in parameter.opts}
            known |= {"--help", "-h"}
            assert set(re.findall(r"(?<!\S)(--[a-z-]+)", rest)) <= known, line
