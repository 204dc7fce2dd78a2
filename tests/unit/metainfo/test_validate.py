"""One vector for each way to break each rule; its file name is RULE.WHAT.torrent."""

import importlib.util
from pathlib import Path

import pytest

from s3torrent.errors import BencodeError, InvalidMetainfo
from s3torrent.metainfo import bencode
from s3torrent.metainfo.parse import parse, read
from s3torrent.metainfo.rules_v2 import layer_root
from s3torrent.metainfo.validate import RULES, STAGES, problems, validate
from support.naive import v2_root_and_layer

VECTORS = Path(__file__).parents[2] / "vectors"
INVALID = sorted(path.stem for path in (VECTORS / "invalid").iterdir())
BEFORE_THE_TABLE = {"bencode", "metainfo", "info"}


def vector(name: str) -> bytes:
    return (VECTORS / "invalid" / f"{name}.torrent").read_bytes()


def v1(files: list[dict[str, object]]) -> bytes:
    count = -(-sum(item["length"] for item in files) // 16384)
    return bencode.encode(
        {"info": {"files": files, "name": "n", "piece length": 16384, "pieces": b"x" * 20 * count}}
    )


@pytest.mark.parametrize("name", INVALID)
def test_a_broken_torrent_is_refused_by_the_rule_it_is_named_after(name):
    rule = name.partition(".")[0]
    with pytest.raises(BencodeError if rule == "bencode" else InvalidMetainfo) as caught:
        parse(vector(name))
    assert rule == "bencode" or caught.value.rule == rule
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


def test_every_rule_has_a_vector():
    assert {name.partition(".")[0] for name in INVALID} == RULES.keys() | BEFORE_THE_TABLE


def test_every_rule_is_in_one_stage():
    assert sum(map(len, STAGES)) == len(RULES)


def test_the_vectors_are_what_their_script_makes():
    spec = importlib.util.spec_from_file_location("make_vectors", VECTORS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert {name: vector(name) for name in INVALID} == script.INVALID
    for sound in (script.V1, script.V1_FILES, script.V2, script.HYBRID):
        validate(read(script.changed(sound)))


def test_problems_names_every_broken_rule_of_a_stage():
    metainfo = read(
        bencode.encode({"announce": 1, "info": {"name": "..", "piece length": 0, "pieces": b"x" * 21}})
    )
    found = problems(metainfo)
    assert [problem.rule for problem in found] == [
        "name",
        "piece_length",
        "pieces",
        "length_or_files",
        "announce",
    ]
    with pytest.raises(InvalidMetainfo) as caught:
        validate(metainfo)
    assert caught.value.rule == "name"


@pytest.mark.parametrize("name", [name for name in INVALID if name.partition(".")[0] in RULES])
def test_problems_asks_no_rule_that_relies_on_a_broken_one(name):
    assert name.partition(".")[0] in [problem.rule for problem in problems(read(vector(name)))]


def test_a_valid_torrent_has_no_problems():
    assert problems(read((VECTORS / "valid" / "hybrid_folder.torrent").read_bytes())) == []


@pytest.mark.parametrize(
    "files",
    [
        [{"length": 1, "path": ["a"]}, {"attr": "p", "length": 3, "path": [".pad", "3"]}, {"length": 1, "path": ["b"]}, {"attr": "p", "length": 3, "path": [".pad", "3"]}],
        [{"length": 1, "path": ["a"]}, {"length": 0, "path": ["a.x"]}, {"length": 0, "path": ["b", "a"]}],
        [{"attr": "x", "length": 1, "path": ["...", "..a", "a\\b"]}],
        [{"length": 1, "path": ["d"] * 100}],
    ],
    ids=["pads of one name", "a name that begins with another", "odd but safe names", "100 deep"],
)  # fmt: skip
def test_what_looks_wrong_and_is_not_is_accepted(files):
    assert parse(v1(files)).piece_count == 1


def test_v1_pieces_run_over_pad_files():
    pad = {"attr": "p", "length": 16383, "path": [".pad", "16383"]}
    metainfo = parse(v1([{"length": 1, "path": ["b"]}, pad, {"length": 2, "path": ["a"]}]))
    assert metainfo.piece_count == 2
    assert metainfo.size == 3
    assert [str(entry) for entry in metainfo.files] == ["b", "a"]


@pytest.mark.parametrize("piece_length", [16384, 32768, 131072])
@pytest.mark.parametrize("pieces", [2, 3, 4, 5, 7, 8, 9])
def test_the_root_above_a_piece_layer_is_the_naive_tree_s(piece_length, pieces):
    data = bytes(range(256)) * (piece_length * (pieces - 1) // 256) + b"tail"
    root, layer = v2_root_and_layer(data, piece_length)
    assert layer_root(layer, piece_length) == root


def test_a_piece_layer_shared_by_many_files_is_hashed_once(monkeypatch):
    root, layer = v2_root_and_layer(bytes(40_000), 16384)
    leaf = {"": {"length": 40_000, "pieces root": root}}
    tree = {f"{index:04}": leaf for index in range(1000)}
    calls = []
    monkeypatch.setattr(
        "s3torrent.metainfo.rules_v2.layer_root",
        lambda layer, length: calls.append(length) or layer_root(layer, length),
    )
    info = {"file tree": tree, "meta version": 2, "name": "n", "piece length": 16384}
    assert len(parse(bencode.encode({"info": info, "piece layers": {root: layer}})).files) == 1000
    assert calls == [16384]
