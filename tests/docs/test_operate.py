"""What the pages tell of an operator's figures and words is what Terraform and the code have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from s3torrent.cli.status import STATUSES
from s3torrent.doctor.function import DIRECT_RUNS
from s3torrent.pipeline.check_seeds import MOST_SEEDS, MOST_TOLD

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPERATE = (ROOT / "docs/operate.md").read_text()
JSON = (ROOT / "docs/json.md").read_text()
TERRAFORM = "".join(path.read_text() for path in sorted((ROOT / "terraform/backend").glob("*.tf")))


def section(name: str) -> str:
    return OPERATE.split(f"## {name}\n")[1].split("\n## ")[0]


def test_a_direct_event_is_tried_as_often_as_terraform_has_lambda_try_it() -> None:
    [retries] = re.findall(r"maximum_retry_attempts\s*=\s*(\d+)", TERRAFORM)
    assert int(retries) + 1 == DIRECT_RUNS == 3
    assert 'three times with `event_source = "s3"`' in section("dead-letters")
    assert "three" in section("near-timeout")


def test_tracing_is_told_as_the_switch_that_it_is() -> None:
    assert 'variable "tracing"' in TERRAFORM
    assert "no tracing" not in OPERATE
    assert "`tracing = true`" in OPERATE


def test_the_alarm_and_its_runbook_agree_on_what_becomes_of_larger_objects() -> None:
    [told] = re.findall(
        r'description = "(A run took more than 80 %[^"]*)"', TERRAFORM.replace("${var.timeout_seconds}", "")
    )
    assert "several runs" in told
    assert "never finished" in told
    assert "several runs" in section("near-timeout")
    assert "never finished" in section("near-timeout")


def test_every_status_is_in_the_table_of_the_status_item() -> None:
    [row] = re.findall(r"^\| `status` \| S \| (.*)$", JSON, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", row)) == sorted(STATUSES)


def test_the_bounds_of_the_web_seed_checks_are_those_of_the_code() -> None:
    [row] = re.findall(r"^\| `webSeedChecks` .*$", JSON, re.MULTILINE)
    assert MOST_SEEDS == 10
    assert f"first {MOST_TOLD:,} characters; ten at most" in row
    assert (
        f"`problems` (S): `CODE: DETAIL` of each with the codes of `check-seeds`, joined by `; `, {MOST_TOLD:,}"
        in row
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_of_a_table_stands_below_its_head(page: Path) -> None:
    """After an empty line rows are plain text."""
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    broken = [block.splitlines()[0] for block in blocks if not re.match(r".*\n\|[-:| ]+\|\n", block)]
    assert broken == []


def test_the_dashboard_shows_every_metric_that_the_function_has() -> None:
    from s3torrent.metrics import UNITS

    graphs = (ROOT / "terraform/backend/observability.tf").read_text().partition("  graphs = ")[2]
    assert set(re.findall(r'\["s3torrent", "(\w+)"', graphs)) == set(UNITS)
    [told] = re.findall(r"namespace `s3torrent`.*", OPERATE)
    assert set(re.findall(r"`([A-Z]\w+)`", told)) - {"FunctionName"} == set(UNITS)
