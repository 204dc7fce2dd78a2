"""The pages that explain: each is in the index, what they claim of the code is so, and what is printed is what stands."""

from __future__ import annotations

import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from s3torrent.errors import InvalidMetainfo
from s3torrent.metainfo import bencode
from s3torrent.metainfo.build import build
from s3torrent.metainfo.edit import Edit, edit
from s3torrent.metainfo.magnet import magnet
from s3torrent.metainfo.model import FileEntry
from s3torrent.metainfo.parse import parse

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "bench").glob("*.md")])
NAMED = re.compile(
    r"`((?:browser|contract|docs|events|fuzz|interop|layer|native|property|recording|stack|state|terraform|unit)/[\w/]*)"
    r"(\.py)?(?:::(\w+))?`"
)
INFO = {b"name": b"x", b"piece length": 16384, b"length": 20_000}


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(page: str, columns: int) -> list[list[str]]:
    """The body rows of its tables of so many columns."""
    lines = [line.strip("|").split("|") for line in text_of(page).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines if len(line) == columns]


def script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).strip().lower()).replace(" ", "-")


class TestIndex:
    def test_every_page_is_linked_from_it(self) -> None:
        linked = set(re.findall(r"\]\(([\w-]+\.md)\)", text_of("README.md")))
        assert linked >= {path.name for path in DOCS.glob("*.md")} - {"README.md"}

    @pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
    def test_every_link_into_a_page_meets_a_heading(self, path: Path) -> None:
        for target, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", path.read_text(encoding="utf-8")):
            there = (path.parent / target) if target else path
            prose = re.sub(r"```.*?```", "", there.read_text(encoding="utf-8"), flags=re.DOTALL)
            headings = {slug(one) for one in re.findall(r"^#+ (.*)$", prose, re.MULTILINE)}
            assert anchor in headings, f"{target}#{anchor}"


class TestPrinted:
    @pytest.mark.parametrize("name", ["piece_length", "costs"])
    def test_the_page_is_what_its_script_prints(self, name: str) -> None:
        assert text_of(f"{name.replace('_', '-')}.md") == script(f"make_{name}").page()


class TestNamedTests:
    @pytest.mark.parametrize("page", ["bep.md", "security.md"])
    def test_each_exists(self, page: str) -> None:
        named = NAMED.findall(text_of(page))
        assert len(named) > 20
        for path, suffix, name in named:
            found = ROOT / "tests" / f"{path}{suffix}"
            assert found.is_file() if suffix else found.is_dir(), path
            if name:
                assert re.search(
                    rf"^\s*(def|class) {name}\b", found.read_text(encoding="utf-8"), re.MULTILINE
                ), name


def test_every_proposal_that_the_code_names_is_on_the_page() -> None:
    listed = {
        int(number) for row in rows("bep.md", 5)[1:] for number in row[0].split(", ") if number.isdigit()
    }
    others = re.findall(
        r"(?<=\s)\d+(?=[,.])", text_of("bep.md").split("Not applicable, as they")[1].split("\n")[0]
    )
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src/s3torrent").rglob("*.py")]
    told = re.findall(r"BEP (\d+(?:, \d+)*)", "\n".join(sources))
    numbers = {int(number) for one in told for number in one.split(", ")}
    assert len(numbers) > 8
    assert numbers <= listed
    assert not listed & set(map(int, others))


KEPT = {
    b"nodes": [[b"router.example", 6881]],
    b"httpseeds": [b"http://seed.example/seed"],
    b"signatures": {b"somebody": {b"signature": b"s"}},
    b"similar": [bytes(20)],
    b"collections": [b"all of them"],
    b"update-url": b"http://feed.example/",
}
"""What docs/bep.md calls kept."""


def test_what_is_kept_stays() -> None:
    page = text_of("bep.md")
    assert all(f"`{key.decode()}`" in page for key in KEPT)
    before = parse(bencode.encode({b"info": {**INFO, b"pieces": bytes(40)}, **KEPT}))
    after = parse(edit(before, Edit(trackers=("http://t.example/announce",), comment="c")).encode())
    assert {key: after.top[key] for key in KEPT} == KEPT
    assert after.info_raw == before.info_raw


def test_a_merkle_torrent_of_bep_30_is_refused() -> None:
    with pytest.raises(InvalidMetainfo, match="pieces: found none"):
        parse(bencode.encode({b"info": {**INFO, b"root hash": bytes(20)}}))


def test_a_magnet_link_has_no_other_terms() -> None:
    made = build(
        name="x",
        files=[FileEntry(("x",), 20_000)],
        single_file=True,
        piece_length=16384,
        version="hybrid",
        pieces=bytes(40),
        **script_roots(),
        trackers=[["http://t.example/announce"]],
        web_seeds=["http://w.example/x"],
    )
    terms = {name for name, _ in parse_qsl(magnet(made).removeprefix("magnet:?"))}
    assert terms == {"xt", "dn", "tr", "ws"}


def script_roots() -> dict[str, Any]:
    from s3torrent.metainfo.rules_v2 import layer_root

    layer = bytes(64)
    root = layer_root(layer, 16384)
    return {"file_roots": [root], "piece_layers": {root: layer}}


def test_the_permissions_are_those_of_terraform() -> None:
    told = {
        (
            row[0].removesuffix(" (policy)"),
            row[1].strip("`"),
            tuple(sorted(re.findall(r"`([a-z0-9]+:[\w*]+)`", row[2]))),
        )
        for row in rows("security.md", 5)[1:]
    }
    written = set()
    for path in (ROOT / "terraform/backend").glob("*.tf"):
        text = path.read_text(encoding="utf-8")
        documents = re.split(r'^data "aws_iam_policy_document" "(\w+)" \{$', text, flags=re.MULTILINE)[1:]
        for name, body in zip(documents[::2], documents[1::2], strict=True):
            own = body.split("\n}\n")[0]
            for sid, actions in re.findall(
                r'sid\s*=\s*"(\w+)"\n(?:\s*effect\s*=.*\n)?\s*actions\s*=\s*\[(.*?)\]', own, re.DOTALL
            ):
                written.add((name, sid, tuple(sorted(re.findall(r'"([^"]+)"', actions)))))
            assert own.count("sid ") == len([one for one in written if one[0] == name]), name
    assert len(written) > 20
    assert told == written


def test_the_glossary_is_in_alphabetical_order_and_says_each_word_once() -> None:
    words = [row[0].strip("*").lstrip(".").lower() for row in rows("glossary.md", 2)[1:]]
    assert len(words) > 50
    assert all(first < second for first, second in pairwise(words))


def test_what_the_comparison_says_of_speed_is_in_the_results() -> None:
    """ "Less time on one large file", "mktorrent two thirds on many small ones", "equal on hashlib"."""
    results = (ROOT / "bench/RESULTS.md").read_text(encoding="utf-8")
    found = re.findall(
        r"^\| (cli [^|]*): time \| [^|]* \| ([^:|]+): [^|]* \| ([\d.]+) \|", results, re.MULTILINE
    )
    large = [
        float(ratio)
        for name, _, ratio in found
        if name in {"cli 4 GiB v1", "cli 4 GiB v2", "cli 4 GiB hybrid"}
    ]
    assert len(large) > 8
    assert max(large) < 1
    ratios = {(name, peer): float(ratio) for name, peer, ratio in found}
    assert 1 / ratios["cli 20,000 files of 1 to 64 KiB v1", "mktorrent -t2"] == pytest.approx(2 / 3, abs=0.07)
    assert ratios["cli 4 GiB v1, hashlib", "mktorrent -t2"] == pytest.approx(1, abs=0.1)


def test_the_bounds_on_the_security_page_are_those_of_the_code() -> None:
    from s3torrent import wiring
    from s3torrent.metainfo import parse as reading
    from s3torrent.pipeline import check_seeds

    page = text_of("security.md")
    assert reading.MAX_BYTES == 64 << 20
    assert f"64 MiB, {bencode.MAX_ITEMS:,} values, {bencode.MAX_DEPTH} levels" in page
    assert check_seeds.MOST_SEEDS == 10
    assert (
        f"{wiring.MOST_CHECK_SECONDS:.0f} s at most for all web seeds of a torrent in the function, "
        f"ten web seeds, {check_seeds.MOST_FILES} files of a piece" in page
    )
    variables = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "terraform/backend").glob("variables*.tf")
    )
    for name, default in re.findall(r"`(m\w+)` \((\d+)\)", page):
        body = variables.split(f'variable "{name}"')[1]
        assert re.search(rf"^  default     = {default}$", body.split("\n}")[0], re.MULTILINE), name
