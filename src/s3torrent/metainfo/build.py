"""Digests and wishes -> Metainfo, v1, v2 or hybrid (BEP 3, 12, 19, 27, 47, 52)."""

from __future__ import annotations

from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from s3torrent.errors import BadName, EmptyContent, PathConflict, TooLarge
from s3torrent.metainfo import bencode, file_tree, paths, webseed
from s3torrent.metainfo.model import FileEntry, Metainfo
from s3torrent.metainfo.rules_common import is_length
from s3torrent.metainfo.validate import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

VERSIONS = ("v1", "v2", "hybrid")
PADS = ".pad"
"""The folder of pad files."""
KEPT = {
    *("length", "files", "file_paths", "distinct_files"),
    *("file_tree", "tree_paths", "tree_lengths", "hybrid_files", "hybrid_pads"),
}
"""Rules that ``build`` keeps by how it lists the files, whose names and lengths it has looked at once."""

File = TypeVar("File")


def tree_order(
    files: Iterable[File], path_of: Callable[[File], tuple[str, ...]] = attrgetter("path")
) -> list[File]:
    """The files sorted as a file tree holds them: by the UTF-8 bytes of one path component after the other.

    Not by the whole path: ``a/z`` comes before ``a.x``, although ``.`` sorts before ``/``.
    Raises BadName for a path no torrent may hold, PathConflict, with both names, for the same path twice
    or a file that is also a folder.
    """
    ordered = list(files)
    listed = [path_of(file) for file in ordered]
    if not paths.all_sound(listed):
        for path in listed:
            _require_sound(path)
    if sorted(listed) != listed:
        ordered.sort(key=path_of)  # text sorts as its UTF-8 does
        listed.sort()
    for first, second in pairwise(listed):
        if second[: len(first)] == first:  # sorted, what lies in a folder follows it
            how = "is there twice" if first == second else f"is a file, and the folder of {_show(second)}"
            raise PathConflict(f"{_show(first)} {how}; a torrent can hold only one of the two")
    return ordered


def build(
    *,
    name: str,
    files: Sequence[FileEntry],
    single_file: bool,
    piece_length: int,
    version: str,
    pieces: bytes | None,
    file_roots: Sequence[bytes | None] | None,
    piece_layers: Mapping[bytes, bytes] | None,
    private: bool = False,
    source: str | None = None,
    trackers: Sequence[Sequence[str]] = (),
    web_seeds: Sequence[str] = (),
    comment: str | None = None,
    creation_date: int | None = None,
    created_by: str | None = "s3torrent",
    write_private_zero: bool = False,
    pad_files: bool = False,
) -> Metainfo:
    """The torrent of ``files``, which come in ``tree_order``; of a single file only the length is looked at.

    ``pieces`` (v1, hybrid): 20 bytes a piece. ``file_roots``, one a file, None for an empty one, and
    ``piece_layers``, 32 bytes a piece under the root of each file larger than a piece (v2, hybrid). In a
    hybrid the pieces run over the pad files too. ``creation_date`` in seconds since the epoch.
    ``write_private_zero`` writes ``private: 0`` where not private, as transmission-create 3.00 does.
    ``pad_files``: in v1, too, every file but the first follows on a pad file, where it takes one (BEP 47).

    Raises EmptyContent, BadName, PathConflict, UrlError for what no torrent can be made of, ValueError for
    digests that do not fit the files: nothing comes out that ``validate`` would refuse.
    """
    if version not in VERSIONS or piece_length <= 0:
        raise ValueError(
            f"version {version!r}, piece length {piece_length}; expected v1, v2 or hybrid, above 0"
        )
    entries = _entries(name, files, single_file=single_file)
    info: dict[bytes, Any] = {b"name": name.encode(), b"piece length": piece_length}
    if private or write_private_zero:
        info[b"private"] = int(private)
    if source is not None:
        info[b"source"] = source.encode()
    top = surroundings(
        single_file=single_file,
        folders=version == "v2",
        trackers=trackers,
        web_seeds=web_seeds,
        comment=comment,
        creation_date=creation_date,
        created_by=created_by,
    )
    written: dict[bytes, Any] = {}
    layout: list[tuple[FileEntry, bool]] = []
    if version != "v2":
        info[b"pieces"] = pieces or b""
        aligned = (version == "hybrid" or pad_files) and not single_file
        layout = _with_pads(entries, piece_length if aligned else 1, tail=version == "hybrid")
        _require_no_pad(entries, layout)
        if single_file:
            info[b"length"] = entries[0].length
        else:
            info[b"files"], written[b"files"] = _v1_files(layout)
    if version != "v1":
        if file_roots is None or piece_layers is None:
            raise ValueError(f"no file roots or no piece layers for a {version} torrent")
        info |= {b"meta version": 2, b"file tree": _file_tree(entries, file_roots)}
        top[b"piece layers"] = dict(piece_layers)

    metainfo = Metainfo.of_files(
        bencode.encode(info | written), info, top, files=entries, v1_layout=layout, file_roots=file_roots
    )
    for rule, keeps in (item for stage in STAGES for item in stage.items() if item[0] not in KEPT):
        fault = keeps(metainfo)
        if fault is not None:
            raise ValueError(f"{name!r}: {rule}: {fault}")
    return metainfo


def surroundings(
    *,
    single_file: bool,
    trackers: Sequence[Sequence[str]],
    web_seeds: Sequence[str],
    comment: str | None,
    creation_date: int | None,
    created_by: str | None,
    folders: bool = False,
) -> dict[bytes, Any]:
    """The keys beside the info dict: none of them changes the info-hash. Raises UrlError.

    ``folders``: the web seed of a single file may also be its folder's URL.
    """
    top = _addresses(trackers, web_seeds, single_file=single_file, folders=folders)
    top |= {key: text.encode() for key, text in ((b"comment", comment), (b"created by", created_by)) if text}
    if creation_date is not None:
        top[b"creation date"] = creation_date
    return top


def _entries(name: str, files: Sequence[FileEntry], *, single_file: bool) -> list[FileEntry]:
    """The files as the torrent holds them, or why no torrent does."""
    _require_sound((name,))
    if single_file and len(files) != 1:
        raise ValueError(f"{len(files):,} files in a single-file torrent")
    entries = [FileEntry((name,), files[0].length)] if single_file else list(files)
    if tree_order(entries) != entries:
        raise ValueError("files out of tree order")
    lengths = [entry.length for entry in entries]
    if not any(lengths):
        raise EmptyContent(f"{name!r} has 0 bytes of content; expected at least 1")
    if not all(map(is_length, lengths)):
        raise ValueError(f"{name!r}: a length that is not 0 to 2**63 - 1 bytes")
    return entries


def _addresses(
    trackers: Sequence[Sequence[str]], web_seeds: Sequence[str], *, single_file: bool, folders: bool
) -> dict[bytes, Any]:
    """The keys beside info that say where peers and content are; ``folders``: also of a single file."""
    top: dict[bytes, Any] = {}
    tiers = [[webseed.check_tracker(url).encode() for url in tier] for tier in trackers if tier]
    if tiers:
        top[b"announce"] = tiers[0][0]
    if sum(map(len, tiers)) > 1:
        top[b"announce-list"] = tiers
    seeds = [webseed.check_web_seed(url, single_file=single_file and not folders) for url in web_seeds]
    urls = [(url if single_file else webseed.multi_file_base(url)).encode() for url in seeds]
    if urls:
        top[b"url-list"] = urls if len(urls) > 1 else urls[0]
    return top


def _with_pads(entries: Sequence[FileEntry], align: int, *, tail: bool) -> list[tuple[FileEntry, bool]]:
    """What the v1 pieces run over: where there are several files, each that does not end on a multiple of
    ``align`` has a pad file (True) before the next that is not empty; with ``tail`` directly behind it, the
    last one too.
    """
    if align == 1 or len(entries) == 1:
        return [(entry, False) for entry in entries]
    layout: list[tuple[FileEntry, bool]] = []
    gap = 0
    for entry in entries:
        if gap and entry.length:
            layout.append((_pad(gap), True))
        layout.append((entry, False))
        if entry.length:
            gap = -entry.length % align
        if gap and tail:
            layout.append((_pad(gap), True))
            gap = 0
    return layout


def _require_no_pad(entries: Sequence[FileEntry], layout: Iterable[tuple[FileEntry, bool]]) -> None:
    """Raises PathConflict where a file has a pad file's path: clients would take the one for the other."""
    own = {entry.path for entry in entries if entry.path[0] == PADS}
    if own:
        for entry, is_pad in layout:
            if is_pad and entry.path in own:
                raise PathConflict(
                    f"{entry} is a file, and the name of a pad file (BEP 47) that this torrent needs"
                )


def _pad(length: int) -> FileEntry:
    return FileEntry((PADS, str(length)), length)


def _v1_files(layout: Iterable[tuple[FileEntry, bool]]) -> tuple[list[dict[bytes, Any]], bencode.Encoded]:
    """The list ``files``, and its bencoding: there may be hundreds of thousands, all of one shape."""
    items: list[dict[bytes, Any]] = []
    encoded = []
    for entry, is_pad in layout:
        path = [component.encode() for component in entry.path]
        length = entry.length
        told = b"".join([b"%d:%b" % (len(component), component) for component in path])
        if is_pad:
            items.append({b"attr": b"p", b"length": length, b"path": path})
            encoded.append(b"d4:attr1:p6:lengthi%de4:pathl%bee" % (length, told))
        else:
            items.append({b"length": length, b"path": path})
            encoded.append(b"d6:lengthi%de4:pathl%bee" % (length, told))
    return items, bencode.Encoded(b"l%be" % b"".join(encoded))


def _file_tree(entries: Sequence[FileEntry], roots: Sequence[bytes | None]) -> dict[bytes, Any]:
    if len(roots) != len(entries):
        raise ValueError(f"{len(roots):,} file roots for {len(entries):,} files")
    raw_paths = check_tree([entry.path for entry in entries])
    leaves = (
        {b"length": entry.length} if root is None else {b"length": entry.length, b"pieces root": root}
        for entry, root in zip(entries, roots, strict=True)
    )
    return file_tree.build(zip(raw_paths, leaves, strict=True))


def check_tree(listed: Sequence[tuple[str, ...]]) -> list[paths.Path]:
    """The paths in bytes. Raises TooLarge and BadName where v2 takes fewer or less deep ones than v1."""
    raw_paths = [tuple([component.encode() for component in path]) for path in listed]
    told = sum(map(paths.written_out, raw_paths))
    if told > paths.MAX_TREE_PATHS:
        raise TooLarge(
            f"{len(listed):,} files have paths of {told:,} bytes; v2 allows {paths.MAX_TREE_PATHS:,}",
            hint="split the content, or make a v1 torrent",
        )
    for path in listed:
        if len(path) > paths.MAX_DEPTH_V2:
            raise BadName(
                f"{'/'.join(path)!r} has {len(path)} components; v2 allows {paths.MAX_DEPTH_V2}",
                hint="make a v1 torrent, or move it nearer to the top",
            )
    return raw_paths


def _require_sound(path: Sequence[str]) -> None:
    """Raises BadName for a path that no torrent may hold."""
    try:
        raw = [component.encode() for component in path]
    except UnicodeEncodeError as error:
        raise BadName(f"{'/'.join(path)[:200]!r} is not UTF-8; expected names that are") from error
    fault = paths.path_fault(raw)
    if fault:
        raise BadName(f"{'/'.join(path)[:200]!r} is {fault}; expected the names of folders and of a file")


def _show(path: Sequence[str]) -> str:
    return file_tree.show([component.encode() for component in path])
