"""The bucket, and whether the function takes its objects."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from s3torrent.doctor.asking import Absent, Unseen, ask
from s3torrent.doctor.filters import KeyFilter, leaves_out, literal_ends
from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import aws, command, set_variables

if TYPE_CHECKING:
    from s3torrent.config import Settings
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding
    from s3torrent.types import ObjectRef

INCLUDE, EXCLUDE = "TORRENT_INCLUDE", "TORRENT_EXCLUDE"


def bucket(case: Case) -> Finding:
    try:
        case.bucket_head  # noqa: B018
    except Absent:
        if other := _served(case):
            cause = f"bucket {case.bucket} does not exist; queue {case.queue_name} is that of bucket {other}"
            return red(cause, set_variables(case, {"S3_BUCKET": other}))
        region = case.region
        # us-east-1 is the one region that may not be named.
        where = (
            [] if region == "us-east-1" else ["--create-bucket-configuration", f"LocationConstraint={region}"]
        )
        mend = aws(case, "s3api", "create-bucket", "--bucket", case.bucket, *where)
        return red(f"bucket {case.bucket} does not exist", mend)
    return green(f"{case.bucket} is there")


def _served(case: Case) -> str | None:
    """The bucket that may send to the queue, and is there: the one that was meant where another is named."""
    try:
        found = re.findall(r"arn:[a-z-]+:s3:::([a-z0-9.-]+)", case.queue.get("Policy", ""))
    except Unseen:
        return None
    for name in dict.fromkeys(found):
        with suppress(Unseen):
            ask("s3:ListBucket", f"bucket {name}", case.client("s3").head_bucket, Bucket=name)
            return str(name)
    return None


def keys(case: Case) -> Finding | None:
    """Whether the settings take any object of the bucket at all."""
    settings = case.settings
    if case.function and settings.bucket and settings.bucket != case.bucket:
        # Setting S3_BUCKET would cut off the bucket that is served now.
        cause = f"S3_BUCKET of function {case.function} is {settings.bucket}: it refuses the events of "
        cause += f"{case.bucket}, which needs a deployment of its own"
        words = ("--function", case.function, "--bucket", settings.bucket)
        return red(cause, command("s3torrent", "doctor", *words))
    if _nothing_passes(settings):
        told = f"{EXCLUDE} ({', '.join(settings.exclude)}) leaves out every key"
        told += f" that {INCLUDE} ({', '.join(settings.include)}) takes" if settings.include else ""
        return red(told, set_variables(case, {EXCLUDE: None}))
    if not settings.include and not settings.exclude:
        return green("every key is taken")
    bare = replace(settings, include=(), exclude=())
    refs = [one.ref for one in case.listed if case.left_out(bare, one.ref) is None]
    taken = _taken(case, settings, refs)
    if taken or not refs:
        return green(f"{taken:,} of {len(refs):,} objects are taken")
    example = f"{refs[0]}: {case.left_out(settings, refs[0])}"
    told = f"none of the {len(refs):,} objects looked at is taken, such as {example}"
    return yellow(told, set_variables(case, dict.fromkeys(_to_blame(case, refs))))


def _nothing_passes(settings: Settings) -> bool:
    everything = [literal_ends(one) for one in settings.include] or [KeyFilter()]
    # A pattern's literal ends take more keys than itself, so what leaves out those leaves out all.
    return all(any(leaves_out(out, one) for out in settings.exclude) for one in everything)


def _taken(case: Case, settings: Settings, refs: list[ObjectRef]) -> int:
    return sum(case.left_out(settings, ref) is None for ref in refs)


def _to_blame(case: Case, refs: list[ObjectRef]) -> list[str]:
    """The variables without which some are taken: one of them, if that is enough."""
    for name, rest in ((EXCLUDE, {"exclude": ()}), (INCLUDE, {"include": ()})):
        if case.setting(name) and _taken(case, replace(case.settings, **rest), refs):  # type: ignore[arg-type]
            return [name]
    return [name for name in (EXCLUDE, INCLUDE) if case.setting(name)]
