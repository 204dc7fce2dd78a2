"""Bytes -> ``metainfo.parse``: a torrent of which everything may be asked, or a MetainfoError."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from fuzz.saying import check_error, check_text
from s3torrent.cli.output import visible
from s3torrent.cli.summary import as_json, as_rows
from s3torrent.errors import MetainfoError
from s3torrent.metainfo import infohash
from s3torrent.metainfo.magnet import magnet
from s3torrent.metainfo.parse import parse, read
from s3torrent.metainfo.paths import MAX_TREE_PATHS
from s3torrent.metainfo.validate import problems

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo

AMPLIFIED = 20
"""A byte of a torrent may be shown as at most so many characters: escapes, and the magnet link's percents."""


def target(data: bytes) -> None:
    try:
        lenient = read(data)
    except MetainfoError as error:
        check_error(error)
        return
    found = problems(lenient)
    for problem in found:
        check_error(problem)
    if not found:
        _check(parse(data), data)
        return
    with pytest.raises(MetainfoError) as caught:
        parse(data)
    assert caught.value.message == found[0].message


def _check(metainfo: Metainfo, data: bytes) -> None:
    assert metainfo.encode() == data
    assert (infohash.v1(metainfo) is None, infohash.v2(metainfo) is None) != (True, True)
    shown = json.dumps(as_json(metainfo))
    for _, value in as_rows(metainfo):
        for text in [value] if isinstance(value, str) else value:
            check_text(text)
            assert all(char.isprintable() or char.isspace() for char in visible(text))
            assert not {"\n", "\r", "\t", "\x1b"} & set(visible(text))
    link = magnet(metainfo)
    assert link.isascii()
    assert {name for name, _ in parse_qsl(urlsplit(link).query, keep_blank_values=True)} <= {
        "xt", "dn", "tr", "ws"
    }  # fmt: skip
    paths = sum(map(len, map(str, metainfo.files)))
    assert len(shown) + len(link) <= 2000 + AMPLIFIED * (len(data) + paths)
    assert paths <= MAX_TREE_PATHS
    assert metainfo.size > 0
    assert metainfo.piece_count > 0
    assert len(metainfo.file_roots) in (0, len(metainfo.files))
    assert all(layer for layer in metainfo.piece_layers.values())
    for entry in metainfo.files:
        check_text(str(entry))
        assert not {"", ".", ".."} & set(entry.path)
    check_text(metainfo.source, metainfo.comment, metainfo.created_by, metainfo.name)
    assert metainfo.creation_date is None or metainfo.creation_date.tzinfo
