"""What docs/doctor.md and docs/json.md show of the doctor is what the code does."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from s3torrent.cli.doctor import TRACKERS, WEB_SEEDS, as_document
from s3torrent.doctor.case import Case
from s3torrent.doctor.checks import CHECKS
from s3torrent.doctor.finding import MEANING, green
from s3torrent.wiring import Clients

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/doctor.md").read_text()


def rows(columns: int) -> list[list[str]]:
    found = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    return [row for row in found if len(row) == columns]


def test_the_table_is_the_list_of_checks() -> None:
    checks = [
        [f"`{one.name}`", one.looks_at, one.red_means, one.mend] for one in (*CHECKS, TRACKERS, WEB_SEEDS)
    ]
    assert rows(4)[1:] == checks


def test_the_colours_are_those_of_the_code() -> None:
    shown = dict(rows(2)[1:])
    told = {level.value: meaning for level, meaning in MEANING.items()}
    assert {name: shown[name].partition(": mostly")[0] for name in shown} == told


def test_the_permissions_are_those_that_are_asked_for() -> None:
    section = PAGE.split("## Permissions")[1].split("## Checks")[0]
    source = "".join(path.read_text() for path in (ROOT / "src/s3torrent/doctor").glob("*.py"))
    asked = set(re.findall(r'\bask(?:_or_unset|_for)?\(\s*(?:"?\w+"?,\s*)?"(\w+:\w+)"', source)) - {
        "sts:GetCallerIdentity"
    }  # needs none
    writes = {"s3:PutObject", "dynamodb:GetItem", "dynamodb:UpdateItem"}  # of this machine, tried
    assert set(re.findall(r"`(\w+:\w+)`", section)) == (asked - writes) | {"dynamodb:Query"}


def test_the_json_page_shows_the_document() -> None:
    [block] = re.findall(
        r"```jsonc\n(.*?)```",
        (ROOT / "docs/json.md").read_text().split("doctor --json`")[1].split("\n## ")[0],
        re.DOTALL,
    )
    shown = json.loads(block)
    told = as_document(Case(Clients(), {}, lambda: datetime.now(UTC)), [green("well")])
    assert list(shown) == list(told)
    assert list(shown["findings"][0]) == list(told["findings"][0])
    assert list(shown["summary"]) == list(told["summary"])
    assert shown["findings"][0]["check"] in {one.name for one in CHECKS}
