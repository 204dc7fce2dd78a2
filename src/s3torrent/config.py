"""The environment, read once into frozen settings. docs/configuration.md is checked against ``VARIABLES``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from s3torrent.catalog_config import CatalogSettings, catalog_settings
from s3torrent.errors import ConfigError, S3TorrentError
from s3torrent.metainfo.piece_length import AUTO, BY_SIZE, parse_piece_length
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.metainfo.webseed import check_tracker, check_web_seed, object_url
from s3torrent.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["VARIABLES", "Settings", "from_environment"]

TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}|arn:aws[a-z-]*:dynamodb:[^\s]+")
STATE_MACHINE = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[A-Za-z0-9_-]{1,80}")
SIZE = re.compile(r"([0-9]{1,18})\s*(kib|mib|gib|tib)?", re.ASCII | re.IGNORECASE)
MOST_PREFIX = 500
ENDPOINT = re.compile(r"https?://[A-Za-z0-9.\-\[\]:_]+/?")
WRITE_ZERO = "write-0"
TRUE, FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, checked; ``VARIABLES`` names the variable, the default and the meaning of each."""

    bucket: str | None
    table: str | None
    endpoint_url: str | None
    policy: TorrentPolicy
    transmission_create: str | None
    check_seeds: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    control_prefix: str
    watch_prefix: str
    on_delete: str
    prefix_rules: tuple[str, ...]
    prefix_quiet_seconds: float
    request_payer: bool
    lease_seconds: float
    checkpoint_seconds: float
    state_machine: str | None
    fanout_threshold: int
    threads: int
    log_level: str
    catalog: CatalogSettings | None = None


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Raises ConfigError that names the variable, what it holds and what it may hold."""
    require_utf8(environ, VARIABLES)

    def text(name: str) -> str:
        value = environ.get(name, "").strip()
        return value or VARIABLES[name][0]

    def items(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text(name).split(",") if part.strip())

    def checked(name: str, check: Callable[[str], object]) -> None:
        for item in items(name):
            try:
                check(item)
            except S3TorrentError as error:
                raise ConfigError(f"{name}: {error.message}", hint=error.hint or None) from None

    checked("TRACKERS", check_tracker)
    checked("TORRENT_WEB_SEEDS", lambda template: check_web_seed(object_url(template, "bucket", "key")))
    private = text("TORRENT_PRIVATE")
    policy = TorrentPolicy(
        version=one_of("TORRENT_VERSION", text("TORRENT_VERSION"), ("v1", "v2", "hybrid")),
        piece_length=_piece_length(text("TORRENT_PIECE_LENGTH")),
        private=private != WRITE_ZERO and _flag("TORRENT_PRIVATE", private),
        write_private_zero=private == WRITE_ZERO,
        source=text("TORRENT_SOURCE") or None,
        comment=text("TORRENT_COMMENT") or None,
        trackers=tuple((url,) for url in items("TRACKERS")),
        web_seeds=items("TORRENT_WEB_SEEDS"),
        engine=one_of("TORRENT_ENGINE", text("TORRENT_ENGINE"), ("native", "transmission")),
    )
    table = text("DDB_TABLE")
    if table and not TABLE_NAME.fullmatch(table):
        raise ConfigError(f"DDB_TABLE is {table!r}; expected 3 to 255 of A-Z a-z 0-9 _ - .")
    if policy.engine == "transmission":
        _check_transmission(policy)
    levels = ("DEBUG", "INFO", "WARNING", "ERROR")
    if text("TORRENT_FANOUT_STATE_MACHINE") and policy.engine == "transmission":
        raise ConfigError(
            "TORRENT_FANOUT_STATE_MACHINE is set with TORRENT_ENGINE transmission, which cannot be spread",
            hint="unset it, or use TORRENT_ENGINE=native",
        )
    if text("TORRENT_PREFIX_RULES") and policy.engine == "transmission":
        raise ConfigError(
            "TORRENT_PREFIX_RULES is set with TORRENT_ENGINE transmission, which reads one object alone",
            hint="unset it, or use TORRENT_ENGINE=native",
        )
    catalog = catalog_settings(
        text("TORRENT_CATALOG"),
        text("TORRENT_CATALOG_URL"),
        text("TORRENT_CATALOG_TITLE"),
        text("TORRENT_CATALOG_FILES"),
        bucket=text("S3_BUCKET"),
        private=policy.private,
    )
    return Settings(
        bucket=text("S3_BUCKET") or None,
        table=table or None,
        endpoint_url=endpoint_url(environ),
        policy=policy,
        transmission_create=text("TRANSMISSION_CREATE") or None,
        check_seeds=_flag("TORRENT_CHECK_SEEDS", text("TORRENT_CHECK_SEEDS")),
        include=items("TORRENT_INCLUDE"),
        exclude=(*items("TORRENT_EXCLUDE"), *(catalog.excludes if catalog else ())),
        control_prefix=text("TORRENT_CONTROL_PREFIX"),
        watch_prefix=_prefix("TORRENT_WATCH_PREFIX", text("TORRENT_WATCH_PREFIX")),
        on_delete=one_of("TORRENT_ON_DELETE", text("TORRENT_ON_DELETE"), ("keep", "remove")),
        prefix_rules=tuple(map(_folder_rule, items("TORRENT_PREFIX_RULES"))),
        prefix_quiet_seconds=number(
            "TORRENT_PREFIX_QUIET_SECONDS", text("TORRENT_PREFIX_QUIET_SECONDS"), 1, 86400
        ),
        request_payer=_flag("TORRENT_REQUEST_PAYER", text("TORRENT_REQUEST_PAYER")),
        lease_seconds=number("TORRENT_LEASE_SECONDS", text("TORRENT_LEASE_SECONDS"), 5, 900),
        checkpoint_seconds=number("TORRENT_CHECKPOINT_SECONDS", text("TORRENT_CHECKPOINT_SECONDS"), 0, 900),
        state_machine=_state_machine(text("TORRENT_FANOUT_STATE_MACHINE")),
        fanout_threshold=_size("TORRENT_FANOUT_THRESHOLD", text("TORRENT_FANOUT_THRESHOLD")),
        threads=_threads(text("TORRENT_THREADS"), environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")),
        log_level=one_of("TORRENT_LOG_LEVEL", text("TORRENT_LOG_LEVEL").upper(), levels),
        catalog=catalog,
    )


def _folder_rule(pattern: str) -> str:
    """Ends in ``/``, and every segment says something."""
    if not pattern.endswith("/") or "" in pattern.removesuffix("/").split("/"):
        raise ConfigError(
            f"TORRENT_PREFIX_RULES has {pattern!r}; expected a folder with a / at its end, such as shows/*/"
        )
    return pattern


def endpoint_url(environ: Mapping[str, str]) -> str | None:
    """AWS_ENDPOINT_URL, None where it is empty."""
    value = environ.get("AWS_ENDPOINT_URL", "").strip()
    if value and not _is_endpoint(value):
        raise ConfigError(f"AWS_ENDPOINT_URL is {value!r}; expected http://HOST:PORT or https://HOST[:PORT]")
    return value or None


def _is_endpoint(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return bool(ENDPOINT.fullmatch(value) and parts.hostname and parts.port != 0)
    except ValueError:  # brackets around no IPv6 address, a port past 65535
        return False


def require_utf8(environ: Mapping[str, str], names: Iterable[str]) -> None:
    """Other bytes reach Python as surrogates, which go into no key, no torrent and no table."""
    for name in names:
        try:
            environ.get(name, "").encode()
        except UnicodeEncodeError:
            raise ConfigError(f"{name} is {environ[name][:200]!r}; expected UTF-8") from None


def _check_transmission(policy: TorrentPolicy) -> None:
    """What transmission-create cannot do is refused here, not found out after a download."""
    if policy.version != "v1":
        raise ConfigError(
            f"TORRENT_VERSION is {policy.version!r} with TORRENT_ENGINE transmission; expected v1",
            hint="TORRENT_ENGINE=native makes v2 and hybrid torrents",
        )
    if policy.source:
        raise ConfigError(
            "TORRENT_SOURCE is set with TORRENT_ENGINE transmission; that program cannot write it",
            hint="unset it, or use TORRENT_ENGINE=native",
        )


def _piece_length(text: str) -> str | int:
    if text in (AUTO, BY_SIZE):
        return text
    try:
        return parse_piece_length(text)
    except S3TorrentError as error:
        raise ConfigError(f"TORRENT_PIECE_LENGTH: {error.message}", hint=error.hint) from None


def _prefix(name: str, value: str) -> str:
    if value and (not value.endswith("/") or value.startswith("/") or len(value.encode()) > MOST_PREFIX):
        raise ConfigError(
            f"{name} is {value!r}; expected a prefix like watch/, of at most {MOST_PREFIX} bytes"
        )
    return value


def _state_machine(value: str) -> str | None:
    if value and not STATE_MACHINE.fullmatch(value):
        raise ConfigError(
            f"TORRENT_FANOUT_STATE_MACHINE is {value!r}; "
            "expected arn:aws:states:REGION:ACCOUNT:stateMachine:NAME"
        )
    return value or None


def _size(name: str, value: str) -> int:
    found = SIZE.fullmatch(value)
    if not found:
        raise ConfigError(f"{name} is {value!r}; expected a number of bytes, KiB, MiB, GiB or TiB")
    return int(found[1]) << 10 * ("", "kib", "mib", "gib", "tib").index((found[2] or "").lower())


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; expected one of {', '.join(allowed)}")
    return value


def _flag(name: str, value: str) -> bool:
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    more = " or write-0" if name == "TORRENT_PRIVATE" else ""
    raise ConfigError(f"{name} is {value!r}; expected 1, 0{more}")


def _threads(value: str, lambda_megabytes: str) -> int:
    """In Lambda CPU time and network come with the memory; so few connections serve a small function best.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    """
    if value != "auto":
        return int(number("TORRENT_THREADS", value, 1, 64))
    return min(max(4, int(lambda_megabytes) // 128), 16) if lambda_megabytes.isdecimal() else 8


def number(name: str, value: str, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ConfigError(f"{name} is {value!r}; expected a number from {low:g} to {high:g}")
    return number
