"""Settings: every variable, its default, and the message where it is wrong."""

import re

import pytest

from s3torrent.catalog_config import CatalogSettings
from s3torrent.config import VARIABLES, Settings, from_environment
from s3torrent.errors import ConfigError
from s3torrent.types import ObjectRef


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = from_environment({})
    assert settings == from_environment({name: default for name, (default, _) in VARIABLES.items()})
    assert (settings.bucket, settings.table, settings.endpoint_url) == (None, None, None)
    assert settings.policy.version == "v1"


MACHINE = "arn:aws:states:eu-west-1:000000000000:stateMachine:s3torrent"


def test_every_setting_is_read() -> None:
    settings = from_environment(
        {
            "S3_BUCKET": "b",
            "DDB_TABLE": "table",
            "TRACKERS": "udp://a.example:1/announce, http://b.example/announce",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
            "TRANSMISSION_CREATE": "/opt/x",
            "TORRENT_VERSION": "hybrid",
            "TORRENT_PIECE_LENGTH": "1MiB",
            "TORRENT_PRIVATE": "0",
            "TORRENT_SOURCE": "S",
            "TORRENT_COMMENT": "C, with comma",
            "TORRENT_WEB_SEEDS": "https://cdn.example/{key}",
            "TORRENT_CHECK_SEEDS": "1",
            "TORRENT_INCLUDE": "a/*,b/*",
            "TORRENT_EXCLUDE": "*.tmp",
            "TORRENT_CONTROL_PREFIX": ".c/",
            "TORRENT_WATCH_PREFIX": "watch/",
            "TORRENT_ON_DELETE": "remove",
            "TORRENT_CATALOG": "s3://b/cat[alog",
            "TORRENT_CATALOG_URL": "https://h.example/c",
            "TORRENT_CATALOG_TITLE": "Films",
            "TORRENT_PREFIX_RULES": "shows/*/,a/",
            "TORRENT_PREFIX_QUIET_SECONDS": "60",
            "TORRENT_REQUEST_PAYER": "yes",
            "TORRENT_LEASE_SECONDS": "30",
            "TORRENT_CHECKPOINT_SECONDS": "0",
            "TORRENT_FANOUT_STATE_MACHINE": MACHINE,
            "TORRENT_FANOUT_THRESHOLD": "2 GiB",
            "TORRENT_THREADS": "8",
            "TORRENT_LOG_LEVEL": "debug",
        }
    )
    policy = settings.policy
    assert policy.trackers == (("udp://a.example:1/announce",), ("http://b.example/announce",))
    assert (policy.version, policy.piece_length, policy.private) == ("hybrid", 1 << 20, False)
    assert (policy.source, policy.comment, policy.web_seeds) == (
        "S",
        "C, with comma",
        ("https://cdn.example/{key}",),
    )
    assert settings == Settings(
        "b",
        "table",
        "http://127.0.0.1:4566",
        policy,
        "/opt/x",
        True,
        ("a/*", "b/*"),
        ("*.tmp", "cat[[]alog/*"),
        ".c/",
        "watch/",
        "remove",
        ("shows/*/", "a/"),
        60.0,
        True,
        30.0,
        0.0,
        MACHINE,
        2 << 30,
        8,
        "DEBUG",
        CatalogSettings(ObjectRef("b", "cat[alog/"), "b", "https://h.example/c/", "Films"),
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"S3_BUCKET": ""}, "TORRENT_CATALOG is set without S3_BUCKET"),
        ({"TORRENT_PRIVATE": "1"}, "with TORRENT_PRIVATE 1"),
        ({"TORRENT_CATALOG": "b/catalog"}, "expected s3://BUCKET/PREFIX"),
        ({"TORRENT_CATALOG": "s3://b"}, "expected s3://BUCKET/PREFIX"),
        ({"TORRENT_CATALOG": "s3://b//c"}, "expected s3://BUCKET/PREFIX"),
        ({"TORRENT_CATALOG_URL": "ftp://h/"}, "TORRENT_CATALOG_URL"),
        ({"TORRENT_CATALOG_URL": "https://h/?q"}, "without a query"),
        ({"TORRENT_CATALOG_TITLE": "a\nb"}, "of one line"),
    ],
)
def test_a_catalogue_that_cannot_be_is_refused(told: dict[str, str], said: str) -> None:
    good = {"S3_BUCKET": "b", "TORRENT_CATALOG": "s3://b/c"}
    assert from_environment(good).exclude == ("c/*",)
    assert from_environment(good | {"S3_BUCKET": "other"}).exclude == ()
    with pytest.raises(ConfigError, match=re.escape(said)):
        from_environment(good | told)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRACKERS", "http://ok.example/announce,foo", "foo"),
        ("TRACKERS", "udp://no-port.example", "no port"),
        ("DDB_TABLE", "my table", "3 to 255"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "http://HOST:PORT"),
        ("TORRENT_VERSION", "v3", "v1, v2, hybrid"),
        ("TORRENT_PIECE_LENGTH", "100000", "power of two"),
        ("TORRENT_PRIVATE", "maybe", "1, 0 or write-0"),
        ("TORRENT_WEB_SEEDS", "https://cdn.example/", "{key}"),
        ("TORRENT_WEB_SEEDS", "https://cdn.example/{key}/", "ends in /"),
        ("TORRENT_REQUEST_PAYER", "requester", "expected 1"),
        ("TORRENT_ON_DELETE", "delete", "keep, remove"),
        ("TORRENT_WATCH_PREFIX", "watch", "a prefix like watch/"),
        ("TORRENT_WATCH_PREFIX", "/watch/", "a prefix like watch/"),
        ("TORRENT_LEASE_SECONDS", "1", "from 5 to 900"),
        ("TORRENT_FANOUT_STATE_MACHINE", "torrent", "arn:aws:states"),
        ("TORRENT_FANOUT_THRESHOLD", "many", "expected a number of bytes"),
        ("TORRENT_FANOUT_THRESHOLD", "-1", "expected a number of bytes"),
        ("TORRENT_PREFIX_RULES", "shows/*", "a folder with a / at its end"),
        ("TORRENT_PREFIX_RULES", "a/,/b/", "has '/b/'"),
        ("TORRENT_PREFIX_RULES", "a//b/", "has 'a//b/'"),
        ("TORRENT_PREFIX_QUIET_SECONDS", "0", "from 1 to 86400"),
        ("TORRENT_THREADS", "nan", "from 1 to 64"),
        ("TORRENT_LOG_LEVEL", "loud", "DEBUG"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_environment({name: value})
    assert name in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("megabytes", "threads"), [("", 8), ("128", 4), ("512", 4), ("1024", 8), ("1769", 13), ("10240", 16)]
)
def test_connections_follow_the_function_s_memory(megabytes: str, threads: int) -> None:
    environ = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": megabytes}
    assert from_environment(environ).threads == threads
    assert from_environment({**environ, "TORRENT_THREADS": "3"}).threads == 3


@pytest.mark.parametrize(
    "other",
    [
        ("TORRENT_VERSION", "v2"),
        ("TORRENT_SOURCE", "S"),
        ("TORRENT_FANOUT_STATE_MACHINE", MACHINE),
        ("TORRENT_PREFIX_RULES", "a/"),
    ],
)
def test_what_transmission_create_cannot_do_is_refused_at_once(other: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match="TORRENT_ENGINE transmission"):
        from_environment({"TORRENT_ENGINE": "transmission", **dict([other])})


def test_private_can_be_written_as_zero() -> None:
    policy = from_environment({"TORRENT_PRIVATE": "write-0"}).policy
    assert (policy.private, policy.write_private_zero) == (False, True)


def test_every_part_of_the_policy_changes_its_id() -> None:
    base = from_environment({}).policy.policy_id
    changes = {
        "TORRENT_VERSION": "v2",
        "TORRENT_PIECE_LENGTH": "1MiB",
        "TORRENT_PRIVATE": "1",
        "TORRENT_ENGINE": "transmission",
        "TORRENT_SOURCE": "S",
        "TORRENT_COMMENT": "C",
        "TRACKERS": "http://a.example/announce",
        "TORRENT_WEB_SEEDS": "https://cdn.example/{key}",
    }
    ids = {from_environment({name: value}).policy.policy_id for name, value in changes.items()}
    assert len(ids | {base}) == len(changes) + 1
