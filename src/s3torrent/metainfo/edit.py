"""What of a torrent may change without another info-hash: the keys beside its info dict (BEP 3, 12, 19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.metainfo import infohash
from s3torrent.metainfo.model import Metainfo
from s3torrent.metainfo.validate import validate
from s3torrent.metainfo.webseed import check_tracker, check_web_seed, multi_file_base

if TYPE_CHECKING:
    from collections.abc import Sequence

ANNOUNCE, ANNOUNCE_LIST, URL_LIST, COMMENT = b"announce", b"announce-list", b"url-list", b"comment"
COMMENT_UTF8 = b"comment.utf-8"
"""Of old makers; clients show it in the comment's place."""
EDITED = (ANNOUNCE, ANNOUNCE_LIST, URL_LIST, COMMENT, COMMENT_UTF8)
"""All keys that an edit may touch."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In this order: announce URLs have OLD replaced by NEW, those to remove go, new ones come, each as a
    tier of its own at the end; so for the web seeds, which are whole URLs. ``comment`` None stays as it is,
    "" is taken out. What is there already is not added again.
    """

    trackers: tuple[str, ...] = ()
    remove_trackers: tuple[str, ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    web_seeds: tuple[str, ...] = ()
    remove_web_seeds: tuple[str, ...] = ()
    comment: str | None = None

    @property
    def empty(self) -> bool:
        return self == Edit()


def edit(metainfo: Metainfo, wish: Edit) -> Metainfo:
    """``metainfo`` itself where there is nothing to change. Raises UrlError for a tracker or web seed that is
    none, InvalidMetainfo where the result would break a rule.
    """
    top = dict(metainfo.top)
    tiers = _trackers(metainfo, wish)
    if tiers != metainfo.trackers:
        _set_trackers(top, tiers)
    seeds = _web_seeds(metainfo, wish)
    if seeds != metainfo.web_seeds:
        listed = [seed.encode() for seed in seeds]
        _set(top, URL_LIST, listed if len(listed) > 1 else b"".join(listed))
    if wish.comment is not None and wish.comment != (metainfo.comment or ""):
        _set(top, COMMENT, wish.comment.encode())
    if wish.comment is not None and COMMENT_UTF8 in top:
        _set(top, COMMENT_UTF8, wish.comment.encode())
    return metainfo if top == metainfo.top else _with_top(metainfo, top)


def kept(metainfo: Metainfo) -> dict[bytes, Any]:
    """What an undo needs of it: the keys that an edit may touch, as they are."""
    return {key: metainfo.top[key] for key in EDITED if key in metainfo.top}


def restored(metainfo: Metainfo, before: dict[bytes, Any]) -> Metainfo:
    """With these keys as they were, and without those that were not there."""
    rest = {key: value for key, value in metainfo.top.items() if key not in EDITED}
    return _with_top(metainfo, rest | before)


def _with_top(metainfo: Metainfo, top: dict[bytes, Any]) -> Metainfo:
    made = Metainfo(metainfo.info_raw, metainfo.info, top)
    validate(made)
    assert (infohash.v1(made), infohash.v2(made)) == (infohash.v1(metainfo), infohash.v2(metainfo))
    return made


def _trackers(metainfo: Metainfo, wish: Edit) -> list[list[str]]:
    """Tiers, each URL once, where it comes first."""
    seen: set[str] = set()
    tiers: list[list[str]] = []
    for tier in [*metainfo.trackers, *([url] for url in wish.trackers)]:
        urls = []
        for url in tier:
            new = url
            for old, by in wish.replace if url not in wish.trackers else ():
                new = new.replace(old, by)
            if new != url or url in wish.trackers:
                check_tracker(new)
            if new not in seen and url not in wish.remove_trackers:
                urls.append(new)
                seen.add(new)
        if urls:
            tiers.append(urls)
    return tiers


def _set_trackers(top: dict[bytes, Any], tiers: Sequence[Sequence[str]]) -> None:
    """As ``build`` writes them: a list only where there is more than one."""
    listed = [[url.encode() for url in tier] for tier in tiers]
    _set(top, ANNOUNCE, listed[0][0] if listed else b"")
    _set(top, ANNOUNCE_LIST, listed if sum(map(len, listed)) > 1 else [])


def _web_seeds(metainfo: Metainfo, wish: Edit) -> tuple[str, ...]:
    single = metainfo.single_file
    for url in wish.web_seeds:
        # Clients of a v2 torrent of one file take its folder's URL, too.
        check_web_seed(url, single_file=single and metainfo.has_v1)
    added = [url if single else multi_file_base(url) for url in wish.web_seeds]
    left = [seed for seed in metainfo.web_seeds if seed not in wish.remove_web_seeds]
    return tuple(dict.fromkeys([*left, *added]))


def _set(top: dict[bytes, Any], key: bytes, value: Any) -> None:
    if value:
        top[key] = value
    else:
        top.pop(key, None)
