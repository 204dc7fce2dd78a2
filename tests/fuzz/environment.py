"""Lines of ``NAME=VALUE`` -> ``config``: settings that hold to the end, or a ConfigError."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from fuzz.saying import LONGEST, check_error, check_text
from s3torrent.config import Settings, from_environment
from s3torrent.errors import ConfigError
from s3torrent.metainfo.piece_length import AUTO, BY_SIZE, MAX, MIN
from s3torrent.metainfo.webseed import check_tracker, object_url
from s3torrent.recorder_config import RecorderSettings, recorder_from_environment


def target(data: bytes) -> None:
    lines = (os.fsdecode(line).partition("=") for line in data.split(b"\n") if b"\0" not in line)
    environ = {name: value for name, _, value in lines if name}
    most = LONGEST + 10 * len(data)  # a setting is quoted, with escapes: the operator wrote it himself
    try:
        _check(from_environment(environ))
    except ConfigError as error:
        check_error(error, most)
    try:
        _check_recorder(recorder_from_environment(environ))
    except ConfigError as error:
        check_error(error, most)


def _check(settings: Settings) -> None:
    policy = settings.policy
    assert policy.version in ("v1", "v2", "hybrid")
    length = policy.piece_length
    assert length in (AUTO, BY_SIZE) or (isinstance(length, int) and MIN <= length <= MAX)
    check_text(policy.source, policy.comment, policy.policy_id, *settings.include, *settings.exclude)
    check_text(settings.bucket, settings.table, settings.control_prefix, settings.watch_prefix)
    for tier in policy.trackers:
        for url in tier:
            check_tracker(url)
    for template in policy.web_seeds:
        object_url(template, "bucket", "a/é+ü.bin")
    if settings.endpoint_url:
        parts = urlsplit(settings.endpoint_url)
        assert parts.hostname
        assert parts.port is None or parts.port >= 0
    assert 5 <= settings.lease_seconds <= 900
    assert 1 <= settings.threads <= 64


def _check_recorder(found: RecorderSettings) -> None:
    check_text(found.bucket, found.prefix, found.job_id)
    assert found.bucket
    assert found.ttl_seconds is None or found.ttl_seconds > 0
    assert found.mode in ("file", "pipe")
