"""Metainfo over any input: round trips, and no exception but our own."""

from copy import deepcopy
from pathlib import Path

import libtorrent as lt
from hypothesis import given, settings
from hypothesis import strategies as st

from s3torrent.errors import BencodeError, MetainfoError, NotTorrentable
from s3torrent.metainfo import bencode, file_tree
from s3torrent.metainfo.build import tree_order
from s3torrent.metainfo.magnet import magnet
from s3torrent.metainfo.model import FileEntry
from s3torrent.metainfo.parse import parse, read
from s3torrent.metainfo.piece_length import MAX, MIN, choose, describe, parse_piece_length
from s3torrent.metainfo.validate import problems
from s3torrent.metainfo.webseed import check_web_seed, object_url

VECTORS = Path(__file__).parents[1] / "vectors"
SOUND = [path.read_bytes() for path in sorted(VECTORS.glob("valid/*.torrent"))]
TORRENTS = [path.read_bytes() for path in sorted(VECTORS.glob("*/*.torrent"))]

VALUES = st.recursive(
    st.integers(-(10**30), 10**30) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.binary(max_size=6), inner, max_size=6),
    max_leaves=40,
)

# Values that mean something in the wrong place: what a fuzzer rarely finds by itself.
ROOT = b"r" * 32
JUNK = [
    *(0, 1, 2, 3, -1, 5, 16384, 16385, 32768, 1 << 63, 10**20),
    *(b"", b"a", b"n", b"..", b"x/y", b"\xff", b"p", ROOT, b"x" * 20, b"x" * 40, b"x" * 60, b"y" * 64),
    *([], [b"a"], [b"a", b"b"], [[b"http://a/"]], [1], [{}], [{b"length": 1, b"path": [b"a"]}]),
    *({}, {b"": {}}, {b"": {b"length": 0}}, {b"": {b"length": 1, b"pieces root": ROOT}}, {b"a": {}}),
    *({ROOT: b"y" * 64}, {b"n": {b"": {b"length": 40_000, b"pieces root": ROOT}}}),
]
KEYS = [b"", b"a", b"n", b"attr", b"length", b"path", b"files", b"pieces", b"pieces root", b"meta version"]
KEYS += [b"file tree", b"piece layers", b"private", b"url-list", b"announce", b"announce-list", b"zz"]


def containers(value):
    """Every list and dict in ``value``, itself first."""
    if isinstance(value, (list, dict)):
        yield value
        for inner in value if isinstance(value, list) else value.values():
            yield from containers(inner)


@st.composite
def near_torrents(draw):
    """A sound torrent, bencoded anew after a few of its values were put elsewhere, replaced or taken out."""
    torrent = bencode.decode(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(1, 3))):
        node = draw(st.sampled_from(list(containers(torrent))))
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        value = deepcopy(draw(st.sampled_from(JUNK)))
        match node, draw(st.sampled_from(["replace", "remove", "add"])):
            case list(), "add":
                node.append(value)
            case dict(), "add":
                node[draw(st.sampled_from(KEYS))] = value
            case _, action if places:
                place = draw(st.sampled_from(places))
                if action == "remove":
                    del node[place]
                else:
                    node[place] = value
    return bencode.encode(torrent)


@st.composite
def mutated(draw, originals=TORRENTS):
    """A vector with a few bytes replaced, put in or taken out."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(
            st.binary(max_size=3) | st.sampled_from([b"i-0e", b"le", b"de", b"9:"])
        )
    return bytes(data)


def outcome(function, data):
    """What it returns, or the MetainfoError that it raises; any other exception fails the test."""
    try:
        return function(data)
    except MetainfoError as error:
        return error


def use(metainfo):
    """Everything a caller may ask of a torrent that was accepted."""
    shown = [
        metainfo.name,
        metainfo.files,
        metainfo.v1_layout,
        metainfo.size,
        metainfo.piece_count,
        metainfo.single_file,
    ]
    shown += [
        metainfo.trackers,
        metainfo.web_seeds,
        metainfo.source,
        metainfo.comment,
        metainfo.creation_date,
    ]
    shown += [
        metainfo.file_roots,
        metainfo.piece_layers,
        metainfo.private,
        metainfo.created_by,
        magnet(metainfo),
    ]
    return shown


@given(VALUES)
def test_what_is_encoded_decodes_to_itself(value):
    assert bencode.decode(bencode.encode(value)) == value


@given(st.binary(max_size=60) | st.text("dlie0123456789:-a", max_size=40).map(str.encode) | mutated())
@settings(max_examples=500)
def test_bytes_decode_to_what_encodes_to_them_or_are_a_bencode_error(data):
    value = outcome(bencode.decode, data)
    if isinstance(value, BencodeError):
        assert 0 <= value.offset <= len(data)
    else:
        assert bencode.encode(value) == data


@given(mutated() | near_torrents())
@settings(max_examples=500)
def test_bytes_parse_to_a_usable_torrent_that_writes_them_back_or_are_a_metainfo_error(data):
    metainfo = outcome(parse, data)
    if isinstance(metainfo, MetainfoError):
        assert "\n" not in metainfo.message
    else:
        assert use(metainfo)
        assert metainfo.encode() == data


@given(near_torrents())
@settings(max_examples=500)
def test_libtorrent_loads_whatever_parse_accepts(data):
    if isinstance(outcome(parse, data), MetainfoError):
        return
    try:
        lt.load_torrent_buffer(data)
    except RuntimeError as refused:
        # An integer past 64 bits under a key that nobody reads: bencoding has no limit, libtorrent has.
        if "integer overflow" not in str(refused):
            raise


@given(near_torrents())
@settings(max_examples=300)
def test_parse_accepts_just_what_has_no_problems(data):
    metainfo = outcome(read, data)
    if isinstance(metainfo, MetainfoError):
        assert outcome(parse, data).message == metainfo.message
        return
    found = problems(metainfo)
    accepted = outcome(parse, data)
    if isinstance(accepted, MetainfoError):
        assert accepted.message == found[0].message
    else:
        assert found == []
        assert accepted == metainfo


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=4
).filter(lambda name: name not in {".", ".."})


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "a.", "a-", "b", "é"]) | NAMES, min_size=1, max_size=4).map(tuple),
        max_size=8,
    )
)
def test_tree_order_is_the_order_in_which_a_file_tree_is_walked(paths):
    entries = [FileEntry(path, index) for index, path in enumerate(paths)]
    try:
        ordered = tree_order(entries)
    except NotTorrentable:
        assert any(
            first[: len(second)] == second
            for i, first in enumerate(paths)
            for j, second in enumerate(paths)
            if i != j
        )
        return
    tree = file_tree.build(
        (tuple(part.encode() for part in entry.path), {b"length": entry.length}) for entry in entries
    )
    reread = bencode.decode(bencode.encode(tree))
    walked = (
        [(tuple(part.decode() for part in path), leaf[b"length"]) for path, leaf in file_tree.walk(reread)]
        if tree
        else []
    )
    assert [(entry.path, entry.length) for entry in ordered] == walked
    assert sorted(ordered, key=str) == sorted(entries, key=str)


@given(st.integers(0, 1 << 44), st.sampled_from(["v1", "v2", "hybrid"]))
def test_a_chosen_piece_length_is_valid_and_longer_only_where_it_must(size, version):
    choice = choose(size, version=version)
    assert parse_piece_length(str(choice.piece_length)) == choice.piece_length
    assert parse_piece_length(describe(choice.piece_length)) == choice.piece_length
    assert MIN <= choice.piece_length <= MAX
    assert choice.piece_length == MIN or -(-size // (choice.piece_length // 2)) > 2000


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda key: not key.endswith("/"))
)
def test_every_key_makes_a_web_seed(key):
    url = object_url("https://{bucket}.example.org/{key}", "bucket", key)
    assert check_web_seed(url) == url
