"""docs/cli.md and the manual pages say what click says, and are well formed."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.cli.main import EXITS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MAN = sorted((DOCS / "man").glob("*.1"))
JUDGES = {
    "man": ["man", "-l", "--warnings", "-E", "UTF-8", "-P", "cat"],
    "groff": ["groff", "-ww", "-man", "-Tutf8"],
    "mandoc": ["mandoc", "-T", "lint", "-W", "warning"],
}
NO_DATE = re.compile(r"mandoc: .* WARNING: missing date.*\n")
"""Ours have none, lest they differ from day to day."""
HOSTILE = """.dot and -hyphen -- "quoted" 'single' `back` back\\slash \\fBnot bold\\fR ~tilde ^caret {key} | 100% é"""


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(DOCS)
    yield importlib.import_module
    for name in ("command_tree", "make_cli", "make_man"):
        sys.modules.pop(name, None)


def anchors(page: str) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", (DOCS / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rendered(lines: list[str], *command: str) -> str:
    source = "\n".join(['.TH T 1 "" "" ""', ".SH NAME", "t \\- t", ".SH D", *lines, ""])
    done = subprocess.run(command, input=source, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    plain = re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout)  # bold by escapes or by overstriking
    return " ".join(plain.partition("\nD\n")[2].split())


def test_the_page_is_what_click_says(generator: Any) -> None:
    assert (DOCS / "cli.md").read_text() == generator("make_cli").page()


def test_the_manual_pages_are_what_click_says(generator: Any) -> None:
    assert {path.name: path.read_text() for path in MAN} == generator("make_man").pages()


def test_each_option_says_what_it_does_and_each_command_has_a_page(generator: Any) -> None:
    commands = list(generator("command_tree").tree().walk())
    assert [f"{command.path} {option.names[-1]}" for command in commands for option in command.options if not option.help] == []  # fmt: skip
    assert {"s3torrent", "s3torrent-create", "s3torrent-catalog-build"} < {one.page for one in commands}
    assert {one.page for one in commands} == {path.stem for path in MAN}


def test_the_links_within_the_pages_lead_somewhere() -> None:
    text = (DOCS / "cli.md").read_text()
    links = re.findall(r"\]\(([\w.]*)#([^)]+)\)", text)
    assert len(links) > 25
    for page, anchor in links:
        assert anchor in anchors(page or "cli.md"), (page, anchor)


def test_each_row_of_a_table_has_the_columns_of_its_head() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", (DOCS / "cli.md").read_text(), re.MULTILINE):
        rows = [len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()]
        assert set(rows) == {rows[0]}, table


def test_what_is_special_in_markdown_is_escaped(generator: Any) -> None:
    page = generator("make_cli")
    assert page.plain("a|b <c> *d* `e` [f] \\g") == r"a\|b \<c\> \*d\* \`e\` \[f\] \\g"
    assert page.code("[a|b]") == r"`[a\|b]`"


@pytest.mark.parametrize("command", [["groff", "-ww", "-man", "-Tutf8", "-Kutf8"], ["mandoc", "-T", "utf8"]])
def test_what_is_special_in_roff_is_shown_as_it_is(generator: Any, command: list[str]) -> None:
    """Also where a line would begin with it."""
    if not shutil.which(command[0]):
        pytest.skip(f"needs {command[0]}")
    man = generator("make_man")
    words = HOSTILE.split()
    for first in range(len(words)):
        text = " ".join(words[first:])
        shown = rendered(man.filled(text), *command)
        assert shown.startswith(text), text


@pytest.mark.parametrize("judge", JUDGES)
def test_no_reader_of_manual_pages_warns(judge: str) -> None:
    if not shutil.which(judge):
        pytest.skip(f"needs {judge}")
    assert MAN
    for path in MAN:
        done = subprocess.run([*JUDGES[judge], path], capture_output=True, text=True, timeout=60)
        assert NO_DATE.sub("", done.stderr + (done.stdout if judge == "mandoc" else "")) == "", path.name


def test_the_readme_names_the_exit_codes_of_the_code() -> None:
    told = " ".join((ROOT / "README.md").read_text().split())
    assert ", ".join(f"{code} {meaning}" for code, meaning in EXITS.items()) in told
