"""What engines and uploaders share: content, policy and hashes to the metainfo."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from s3torrent.errors import TooLarge
from s3torrent.metainfo.build import build
from s3torrent.metainfo.model import FileEntry
from s3torrent.metainfo.piece_length import AUTO, PieceLengthChoice, check_fits, choose, describe
from s3torrent.metainfo.policy import CREATED_BY
from s3torrent.metainfo.webseed import encode_key, folder_url, multi_file_base, object_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3torrent.engine.base import Content
    from s3torrent.hashing.assemble import HashResult
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.metainfo.policy import TorrentPolicy


def metainfo_of(content: Content, policy: TorrentPolicy, piece_length: int, hashes: HashResult) -> Metainfo:
    return build(
        name=content.name,
        files=[FileEntry(file.path, file.version.size) for file in content.files],
        single_file=content.single_file,
        piece_length=piece_length,
        version=policy.version,
        pieces=hashes.pieces,
        file_roots=hashes.file_roots,
        piece_layers=hashes.piece_layers,
        private=policy.private,
        source=policy.source,
        trackers=policy.trackers,
        web_seeds=web_seeds_of(content, policy),
        comment=policy.comment,
        creation_date=content.creation_date,
        created_by=CREATED_BY,
        write_private_zero=policy.write_private_zero,
        pad_files=policy.pad_files,
    )


def piece_length_of(content: Content, policy: TorrentPolicy) -> PieceLengthChoice:
    """The policy's rule applied to this content."""
    overhead = 0 if content.single_file else _told([file.path for file in content.files], policy)
    aligned = policy.version != "v1" or policy.pad_files
    lengths = [file.version.size for file in content.files] if aligned else [content.size]
    if isinstance(policy.piece_length, int):
        check_fits(policy.piece_length, lengths, version=policy.version, file_overhead=overhead)
        return PieceLengthChoice(policy.piece_length, "as asked for")
    declared = content.declared_piece_length
    if declared and policy.piece_length == AUTO and policy.version == "v1" and _fits(declared, content.size):
        return PieceLengthChoice(declared, f"pieces of {describe(declared)}: the parts it was uploaded in")
    return choose(content.size, version=policy.version, file_overhead=overhead, lengths=lengths)


def _fits(length: int, size: int) -> bool:
    try:
        check_fits(length, (size,), version="v1")
    except TooLarge:
        return False
    return True


def _told(paths: Sequence[tuple[str, ...]], policy: TorrentPolicy) -> int:
    """About what files cost in the .torrent besides their pieces: path, length, root, pad file."""
    names = "".join(chain.from_iterable(paths)).encode("utf-8", "surrogatepass")
    named = len(names) + 5 * sum(map(len, paths))
    times, each = {"v1": (1, 35), "v2": (1, 80), "hybrid": (2, 165)}[policy.version]
    if policy.version == "v1" and policy.pad_files:
        each += 50
    return times * named + each * len(paths)


def web_seeds_of(content: Content, policy: TorrentPolicy) -> tuple[str, ...]:
    """Templates filled with the object's bucket and key, of a folder with its prefix; a folder's URL ends in
    ``/``, and clients add the name (BEP 19).
    """
    if not content.single_file:
        return tuple(
            _of_folder(url, content) if "{key}" in url else multi_file_base(url) for url in policy.web_seeds
        )
    ref = content.files[0].version.ref
    urls = [object_url(url, ref.bucket, ref.key) if "{key}" in url else url for url in policy.web_seeds]
    if policy.version == "v2":
        # libtorrent 2.1.1 takes a v2 file with a cut last piece for a folder and adds the name to the URL.
        folders = {url.removesuffix(encode_key(content.name)): url for url in urls}
        urls += [folder for folder, url in folders.items() if folder != url and folder.endswith("/")]
    return tuple(urls)


def _of_folder(template: str, content: Content) -> str:
    file = content.files[0]
    ref = file.version.ref
    return folder_url(template, ref.bucket, ref.key.removesuffix("/".join(file.path)), content.name)
