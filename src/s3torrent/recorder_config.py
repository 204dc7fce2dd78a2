"""The recorder's own environment, read once into frozen settings, beside all others (config.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.config import from_environment, number, one_of, require_utf8
from s3torrent.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.config import Settings

RECORDER_VARIABLES: dict[str, tuple[str, str]] = {
    "S3_BUCKET": ("", "Where recordings go; required"),
    "S3_KEY": ("", "Prefix of the object's key, which is S3_KEY/ and OUTFILE's last segment"),
    "DDB_TABLE": ("", "Table of the status items; empty: none are written"),
    "JOB_ID": ("", "Id of the recording's own status item; empty: it has none"),
    "TTL_DAYS": ("", "Days after its end at which that item expires; empty: never"),
    "RECORD_MODE": (
        "file",
        "`file`: yt-dlp into OUTFILE, then up; `pipe`: ffmpeg straight to S3, no disk",
    ),
    "RECORD_HEARTBEAT_SECONDS": ("60", "How often that item is told the bytes; 3 times that is its lease"),
}

JOB_ID = re.compile(r"(?!s3://)[\x21-\x7e]{1,1024}")
MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """The recorder's own settings, checked (``RECORDER_VARIABLES``), and all others."""

    settings: Settings
    bucket: str
    prefix: str
    job_id: str | None
    ttl_seconds: int | None
    mode: str
    heartbeat_seconds: float


def recorder_from_environment(environ: Mapping[str, str]) -> RecorderSettings:
    """Raises ConfigError, as ``from_environment``."""
    require_utf8(environ, RECORDER_VARIABLES)

    def text(name: str) -> str:
        return environ.get(name, "").strip() or RECORDER_VARIABLES[name][0]

    settings = from_environment(environ)
    if not settings.bucket:
        raise ConfigError("S3_BUCKET is not set; expected the bucket that recordings go to")
    job_id, days, heartbeat = text("JOB_ID"), text("TTL_DAYS"), "RECORD_HEARTBEAT_SECONDS"
    if job_id and not JOB_ID.fullmatch(job_id):
        raise ConfigError(
            f"JOB_ID is {job_id!r}; expected 1 to 1,024 printable ASCII characters, not s3://..., "
            "which names a torrent's item"
        )
    if days and not (re.fullmatch("[1-9][0-9]{0,4}", days) and int(days) <= MOST_DAYS):
        raise ConfigError(f"TTL_DAYS is {days!r}; expected a whole number from 1 to {MOST_DAYS:,}")
    return RecorderSettings(
        settings=settings,
        bucket=settings.bucket,
        prefix=environ.get("S3_KEY", ""),
        job_id=job_id or None,
        ttl_seconds=int(days) * 86_400 if days else None,
        mode=one_of("RECORD_MODE", text("RECORD_MODE"), ("file", "pipe")),
        heartbeat_seconds=number(heartbeat, text(heartbeat), 0.1, 3600),
    )
