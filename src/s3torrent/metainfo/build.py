"""Digests and wishes -> Metainfo, v1, v2 or hybrid (BEP 3, 12, 19, 27, 47, 52)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.errors import BadName, EmptyContent, InvalidMetainfo, PathConflict, TooLarge
from s3torrent.metainfo import bencode, file_tree, paths, webseed
from s3torrent.metainfo.model import FileEntry, Metainfo
from s3torrent.metainfo.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

VERSIONS = ("v1", "v2", "hybrid")


def tree_order(files: Iterable[FileEntry]) -> list[FileEntry]:
    """The files sorted as a file tree holds them: by the UTF-8 bytes of one path component after the other.

    Not by the whole path: ``a/z`` comes before ``a.x``, although ``.`` sorts before ``/``.
    Raises BadName for a path no torrent may hold, PathConflict, with both names, for the same path twice
    or a file that is also a folder.
    """
    by_path = [(_raw_path(entry.path), entry) for entry in files]
    pair = paths.clash(path for path, _ in by_path)
    if pair:
        first, second = map(file_tree.show, pair)
        how = "is there twice" if first == second else f"is a file, and the folder of {second}"
        raise PathConflict(f"{first} {how}; a torrent can hold only one of the two")
    return [entry for _, entry in sorted(by_path, key=lambda item: item[0])]


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
) -> Metainfo:
    """The torrent of ``files``, which come in ``tree_order``; of a single file only the length is looked at.

    ``pieces`` (v1, hybrid): 20 bytes a piece. ``file_roots``, one a file, None for an empty one, and
    ``piece_layers``, 32 bytes a piece under the root of each file larger than a piece (v2, hybrid). In a
    hybrid the pieces run over the pad files too. ``creation_date`` in seconds since the epoch.
    ``write_private_zero`` writes ``private: 0`` where not private, as transmission-create 3.00 does.

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
    if version != "v2":
        align = piece_length if version == "hybrid" else 1
        info |= {b"pieces": pieces or b"", **_v1_files(entries, align, single_file=single_file)}
    if version != "v1":
        if file_roots is None or piece_layers is None:
            raise ValueError(f"no file roots or no piece layers for a {version} torrent")
        info |= {b"meta version": 2, b"file tree": _file_tree(entries, file_roots)}
        top[b"piece layers"] = dict(piece_layers)

    metainfo = Metainfo(bencode.encode(info), info, top)
    try:
        validate(metainfo)
    except InvalidMetainfo as broken:
        raise ValueError(f"{name!r}: {broken}") from broken
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
    _raw_path((name,))
    if single_file and len(files) != 1:
        raise ValueError(f"{len(files):,} files in a single-file torrent")
    entries = [FileEntry((name,), files[0].length)] if single_file else list(files)
    if tree_order(entries) != entries:
        raise ValueError("files out of tree order")
    if not any(entry.length for entry in entries):
        raise EmptyContent(f"{name!r} has 0 bytes of content; expected at least 1")
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


def _v1_files(entries: Sequence[FileEntry], align: int, *, single_file: bool) -> dict[bytes, Any]:
    """``length``, or ``files`` with pad files after each one that does not end on a multiple of ``align``."""
    if single_file:
        return {b"length": entries[0].length}
    items: list[dict[bytes, Any]] = []
    for entry in entries:
        items.append({b"length": entry.length, b"path": list(_raw_path(entry.path))})
        gap = -entry.length % align
        if gap and len(entries) > 1:
            items.append({b"attr": b"p", b"length": gap, b"path": [b".pad", b"%d" % gap]})
    return {b"files": items}


def _file_tree(entries: Sequence[FileEntry], roots: Sequence[bytes | None]) -> dict[bytes, Any]:
    if len(roots) != len(entries):
        raise ValueError(f"{len(roots):,} file roots for {len(entries):,} files")
    told = sum(paths.written_out(_raw_path(entry.path)) for entry in entries)
    if told > paths.MAX_TREE_PATHS:
        raise TooLarge(
            f"{len(entries):,} files have paths of {told:,} bytes; v2 allows {paths.MAX_TREE_PATHS:,}",
            hint="split the content, or make a v1 torrent",
        )
    for entry in entries:
        if len(entry.path) > paths.MAX_DEPTH_V2:
            raise BadName(
                f"{str(entry)!r} has {len(entry.path)} components; v2 allows {paths.MAX_DEPTH_V2}",
                hint="make a v1 torrent, or move it nearer to the top",
            )
    leaves = (
        {b"length": entry.length} | ({} if root is None else {b"pieces root": root})
        for entry, root in zip(entries, roots, strict=True)
    )
    return file_tree.build(zip((_raw_path(entry.path) for entry in entries), leaves, strict=True))


def _raw_path(path: Sequence[str]) -> paths.Path:
    try:
        raw = tuple(component.encode() for component in path)
    except UnicodeEncodeError as error:
        raise BadName(f"{'/'.join(path)[:200]!r} is not UTF-8; expected names that are") from error
    fault = paths.path_fault(raw)
    if fault:
        raise BadName(f"{'/'.join(path)[:200]!r} is {fault}; expected the names of folders and of a file")
    return raw
