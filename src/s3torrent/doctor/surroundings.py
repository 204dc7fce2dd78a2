"""Settings, endpoint, credentials, region, clock: what all else stands on."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from s3torrent.config import VARIABLES, from_environment
from s3torrent.doctor.asking import Unreachable, Unseen, date_of
from s3torrent.doctor.finding import green, grey, red, yellow
from s3torrent.doctor.mend import command, set_variables, terraform
from s3torrent.errors import S3TorrentError

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

LATE, TOO_LATE = 30.0, 300.0
"""Seconds that a clock may be off; AWS refuses signatures from 15 minutes on, S3 also what is 5 ahead."""
CONNECT_SECONDS = 2.0
LOCAL_REGION = "us-east-1"


def settings(case: Case) -> Finding:
    """Each variable taken out in turn: the one without which the rest is valid is the one that is wrong."""
    environment = dict(case.environment)
    try:
        from_environment(environment)
    except S3TorrentError as error:
        return red(error.message, _without(case, environment, error.message))
    if case.function and not case.setting("DDB_TABLE"):
        mend = set_variables(case, {"DDB_TABLE": case.table if case.names_table else case.function})
        return red("DDB_TABLE is not set; the function needs the name of the status table", mend)
    return green("every variable is valid")


def _without(case: Case, environment: dict[str, str], told: str) -> str:
    for name in [name for name in VARIABLES if name in environment and name in told] or list(VARIABLES):
        rest = {key: value for key, value in environment.items() if key != name}
        try:
            from_environment(rest)
        except S3TorrentError:
            continue
        return set_variables(case, {name: None})
    bad = dict.fromkeys(name for name in VARIABLES if environment.get(name) and _is_wrong(name, environment))
    return set_variables(case, bad)


def _is_wrong(name: str, environment: dict[str, str]) -> bool:
    try:
        from_environment({name: environment[name]})
    except S3TorrentError:
        return True
    return False


def endpoint(case: Case) -> Finding | None:
    """Whether the function calls the same AWS, or stack, as we."""
    ours = case.clients.endpoint_url
    if case.function is None:
        return green(f"{ours or 'AWS'} answers to {case.identity.get('Arn')}")
    theirs = case.environment.get("AWS_ENDPOINT_URL", "").strip()
    mend = set_variables(case, {"AWS_ENDPOINT_URL": ours})
    if bool(ours) != bool(theirs):
        where = f", but lies at {ours}" if ours else " instead of AWS"
        return red(f"the function calls {theirs or 'AWS'}{where}", mend)
    if not theirs or theirs.rstrip("/") == str(ours).rstrip("/") or _answers(theirs):
        return green(theirs or "AWS")
    cause = f"nothing answers at {theirs}, which the function calls, from here"
    if _is_loopback(theirs):
        return red(f"{cause}; expected {ours}", mend)
    return yellow(f"{cause}; it may from where the function runs", mend)


def _answers(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def credentials(case: Case) -> Finding:
    return green(f"you are {case.identity.get('Arn')}")


def region(case: Case) -> Finding:
    """S3 notifies only within a region."""
    try:
        ours = case.region
    except Unseen as why:
        return red(str(why), command("aws", "configure", "set", "region", _region_of(case) or LOCAL_REGION))
    found = _region_of(case)
    if not found:
        return grey(f"nothing tells in which region bucket {case.bucket} lies")
    if found == ours:
        return green(f"bucket and function are in {found}" if case.function else f"bucket is in {found}")
    if case.function:
        cause = f"bucket {case.bucket} lies in {found}, the function in {ours}; expected the same: "
        return red(
            f"{cause}S3 notifies only within a region",
            terraform("region", found, "the provider"),
        )
    cause = f"bucket {case.bucket} lies in {found}, and {ours} is asked"
    return red(cause, f"export AWS_REGION={found} AWS_DEFAULT_REGION={found}")


def _region_of(case: Case) -> str | None:
    """The bucket's."""
    head = case.bucket_head
    headers = head.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    found = head.get("BucketRegion") or headers.get("x-amz-bucket-region")
    return str(found) if found else None


def clock(case: Case) -> Finding:
    """Of this machine, against that of S3."""
    before = case.now()
    there = date_of(case.client("s3").list_buckets)
    if there is None:
        raise Unreachable("no answer of S3 that tells the time")
    # A Date header has whole seconds, cut off.
    here = before + (case.now() - before) / 2
    off = (here - there).total_seconds() - 0.5
    told = f"this machine's clock is {abs(off):,.0f} s {'ahead of' if off > 0 else 'behind'} that of S3"
    mend = command("sudo", "timedatectl", "set-ntp", "true")
    if abs(off) > TOO_LATE:
        return red(f"{told}; AWS refuses what is signed then", mend)
    if abs(off) > LATE:
        return yellow(told, mend)
    return green("within 30 s of that of S3")
