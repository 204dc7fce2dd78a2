"""The rules a torrent keeps: one table, from the name of a rule to the function that checks it.

The table comes in stages. A rule may rely on all stages before its own, so after a broken stage the later
ones are not asked. Two rules are checked before there is a metainfo to ask (parse.py): ``metainfo`` (the
file is a dict, of a bearable size) and ``info`` (so is the info dict).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from s3torrent.errors import InvalidMetainfo
from s3torrent.metainfo import rules_common as common
from s3torrent.metainfo import rules_v1 as v1
from s3torrent.metainfo import rules_v2 as v2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.metainfo.model import Metainfo

Rule = Callable[["Metainfo"], str | None]
"""Says in words how the metainfo breaks the rule; None where it keeps it."""

STAGES: tuple[dict[str, Rule], ...] = (
    {
        "version": common.version,
        "name": common.name,
        "piece_length": common.piece_length,
        "pieces": v1.pieces,
        "length_or_files": v1.length_or_files,
        "announce": common.announce,
        "announce_list": common.announce_list,
        "url_list": common.url_list,
    },
    {
        "length": v1.length,
        "files": v1.files,
        "file_tree": v2.tree,
        "piece_layers_type": v2.layers,
    },
    {
        "file_paths": v1.file_paths,
        "distinct_files": v1.distinct_files,
        "tree_paths": v2.tree_paths,
        "tree_lengths": v2.tree_lengths,
    },
    {
        "content": common.content,
        "piece_count": v1.piece_count,
        "pieces_root": v2.pieces_root,
        "hybrid_files": v2.hybrid,
        "hybrid_pads": v2.hybrid_pads,
    },
    {"piece_layers": v2.piece_layers},
    {"piece_layer_root": v2.layer_roots},
)

RULES: dict[str, Rule] = {name: rule for stage in STAGES for name, rule in stage.items()}


def validate(metainfo: Metainfo) -> None:
    """Raise InvalidMetainfo, with the rule's name, at the first rule that is broken."""
    for problem in _broken(metainfo):
        raise problem


def problems(metainfo: Metainfo) -> list[InvalidMetainfo]:
    """Every broken rule of the first stage that has one; empty for a valid torrent."""
    return list(_broken(metainfo))


def _broken(metainfo: Metainfo) -> Iterator[InvalidMetainfo]:
    for stage in STAGES:
        sound = True
        for name, rule in stage.items():
            message = rule(metainfo)
            if message is not None:
                sound = False
                yield InvalidMetainfo(name, message)
        if not sound:
            return
