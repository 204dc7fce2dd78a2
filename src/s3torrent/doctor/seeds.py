"""Do the web seeds bring the content? Tried with one torrent of the bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import ask
from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import command
from s3torrent.errors import MetainfoError
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.webseed import object_url
from s3torrent.types import TORRENT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding
    from s3torrent.metainfo.model import Metainfo

MOST_TORRENT = 10_000_000


def web_seeds(case: Case, check: Callable[[Metainfo, str], dict[str, Any]]) -> Finding:
    """``check`` tries one web seed of a torrent, and tells as ``SeedCheck.as_dict``."""
    if not case.settings.policy.web_seeds:
        return green("none are set")
    key = _sample(case)
    if key is None:
        return green("the bucket has no object with a torrent yet")
    place = f"s3://{case.bucket}/{key}"
    answer = ask("s3:GetObject", place, case.client("s3").get_object, Bucket=case.bucket, Key=key)
    try:
        metainfo = parse(answer["Body"].read(MOST_TORRENT))
    except MetainfoError as error:
        mend = command(
            "s3torrent", "audit", f"s3://{case.bucket}/{key.removesuffix(TORRENT_SUFFIX)}", "--repair"
        )
        return red(f"{place}: {error.message}", mend)
    # As the settings are now: the torrent may be from before.
    source = key.removesuffix(TORRENT_SUFFIX)
    urls = [object_url(one, case.bucket, source) for one in case.settings.policy.web_seeds]
    told = [check(metainfo, url) for url in urls]
    bad = [one for one in told if not one["good"]]
    if not bad:
        return green(f"{len(told)} of {len(told)} bring {place}")
    problems = [
        f"{one['webSeed']}: {problem['code']}: {problem['detail']} ({problem['hint']})"
        for one in bad
        for problem in one["problems"]
        if problem["fatal"]
    ]
    cause = "; ".join(problems)
    mend = command("s3torrent", "check-seeds", place)
    return red(cause, mend) if len(bad) == len(told) else yellow(cause, mend)


def _sample(case: Case) -> str | None:
    """The smallest object that has a torrent, by its torrent's key."""
    sizes = {version.ref.key: version.size for version in case.listed}
    pairs = [
        (size, f"{key}{TORRENT_SUFFIX}") for key, size in sizes.items() if f"{key}{TORRENT_SUFFIX}" in sizes
    ]
    return min(pairs)[1] if pairs else None
