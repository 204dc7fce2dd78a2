"""``s3torrent check-seeds``: each way in which a web seed can be wrong is named, and told from the others."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent import wiring
from s3torrent.config import from_environment
from s3torrent.metainfo import bencode
from s3torrent.types import ObjectRef, TorrentRequest
from support.command import s3torrent
from support.ministack import ENVIRONMENT
from support.seeds import SeedServer, certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.ministack import MiniStack

BODY = random.Random(3).randbytes(3 * 16384 + 77)
SIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-Expires=60&X-Amz-Date"
PAST, FUTURE = f"?{SIGNED}=20200101T000000Z", f"?{SIGNED}=29991231T000000Z"


@pytest.fixture(scope="module")
def seeds() -> Iterator[SeedServer]:
    with SeedServer(BODY) as server:
        yield server


def checked(folder: Path, url: str, *more: str, env: dict[str, str] | None = None) -> tuple[int, list[Any]]:
    """Exit code, and for each web seed what was found."""
    (folder / "a+b c.bin").write_bytes(BODY)
    made = s3torrent(
        "create",
        "a+b c.bin",
        "-o",
        "t.torrent",
        "--force",
        "--piece-length",
        "16KiB",
        "--web-seed",
        url,
        cwd=folder,
    )
    assert made.code == 0, made.stderr
    done = s3torrent("check-seeds", "t.torrent", "--json", "--timeout", "20", *more, cwd=folder, env=env)
    assert not done.stderr
    return done.code, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("/missing/a", "not-found", "404 NoSuchKey"),
        ("/private/a", "forbidden", "403 AccessDenied"),
        ("/payer/a", "requester-pays", "sender pays"),
        ("/cold/a", "archived", "InvalidObjectState"),
        (f"/expired/a{PAST}", "expired", "held until 2020-01-01 00:01:00 UTC"),
        ("/private/a?Signature=x&Expires=1577836860&AWSAccessKeyId=k", "expired", "until 2020-01-01"),
        ("/whole/a", "no-ranges", f"200 with {len(BODY)} bytes for a range of 16384"),
        ("/other/a", "wrong-content", "piece 0 of 4"),
        ("/tail/a", "wrong-content", "piece 3 of 4"),
        ("/longer/a", "wrong-size", f"{len(BODY) + 1} bytes; the torrent's file has {len(BODY)}"),
        ("/shorter/a", "wrong-size", "416"),
        ("/shifted/a", "wrong-range", "bytes 1-16384"),
        ("/gzip/a", "encoded", "gzip"),
        ("/whole-gzip/a", "encoded", "gzip"),
        ("/page/a", "wrong-size", f"200 with 20 bytes (text/html); the torrent's file has {len(BODY)}"),
        ("/not-allowed/a", "server-error", "405"),
        ("/not-modified/a", "server-error", "304"),
        ("/cut/a", "unreachable", ""),
        ("/broken/a", "server-error", "500"),
        ("/busy/a", "throttled", "503 SlowDown"),
        ("/round/a", "bad-redirect", "more than 5 redirects"),
        ("/nowhere/a", "bad-redirect", "301 without a Location"),
        ("/plus/a+b", "raw-plus", "a%2Bb is"),
        ("/once/a%2520b", "double-encoded", "a%20b is"),
    ],
)
def test_what_is_wrong_is_named(seeds: SeedServer, tmp_path: Path, path: str, code: str, told: str) -> None:
    exit_code, (found,) = checked(tmp_path, seeds.url(path))
    assert exit_code == 1
    assert not found["good"]
    problem = next(one for one in found["problems"] if one["fatal"])
    assert problem["code"] == code
    assert told in problem["detail"]
    assert problem["hint"]


def test_a_good_one_is_good(seeds: SeedServer, tmp_path: Path) -> None:
    seeds.asked.clear()
    url = seeds.url("/good/a%2Bb%20c")
    code, (found,) = checked(tmp_path, url)
    assert (code, found["problems"]) == (0, [])
    assert found == {"torrent": "t.torrent", "webSeed": url, "good": True, "pieces": [0, 3], "problems": []}
    ranges = [headers["Range"] for _, headers in seeds.asked]
    assert ranges == ["bytes=0-16383", f"bytes=49152-{len(BODY) - 1}"]


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("/moved/a", "redirect", "/good/elsewhere"),
        (f"/good/a{FUTURE}", "presigned", "good until 2999-12-31"),
        ("/closed/a", "no-cors", "https://only.example"),
    ],
)
def test_what_does_not_keep_it_from_working_is_told(
    seeds: SeedServer, tmp_path: Path, path: str, code: str, told: str
) -> None:
    exit_code, (found,) = checked(tmp_path, seeds.url(path))
    assert (exit_code, found["good"]) == (0, True)
    assert [one["code"] for one in found["problems"]] == [code]
    assert told in found["problems"][0]["detail"]


def test_a_redirect_that_no_browser_follows(seeds: SeedServer, tmp_path: Path) -> None:
    """Whatever its target allows."""
    code, (found,) = checked(tmp_path, seeds.url("/moved-closed/a"))
    assert (code, [one["code"] for one in found["problems"]]) == (0, ["redirect", "no-cors"])


WRONG = ["ftp://x/y", "not a url", "http://x/y#z", "http://x/\xe9"]


def with_seeds(path: Path, urls: list[str]) -> Path:
    """The torrent there, with these web seeds, whatever they are."""
    top = bencode.decode(path.read_bytes())
    assert isinstance(top, dict)
    path.write_bytes(bencode.encode(top | {b"url-list": [url.encode("latin-1") for url in urls]}))
    return path


def test_one_that_is_no_address_has_a_line_too(seeds: SeedServer, tmp_path: Path) -> None:
    checked(tmp_path, seeds.url("/good/a"))
    path = with_seeds(tmp_path / "t.torrent", [*WRONG, seeds.url("/good/a")])
    done = s3torrent("check-seeds", path, "--json")
    *wrong, good = map(json.loads, done.stdout.splitlines())
    assert (done.code, done.stderr, good["good"]) == (1, "", True)
    assert [(one["good"], one["pieces"]) for one in wrong] == [(False, [])] * len(WRONG)
    assert [[problem["code"] for problem in one["problems"]] for one in wrong] == [["invalid"]] * len(WRONG)
    assert [one["webSeed"] for one in wrong[:3]] == WRONG[:3]
    assert "scheme 'ftp'" in wrong[0]["problems"][0]["detail"]


def test_one_torrent_that_cannot_be_read_keeps_no_other_from_being_checked(
    seeds: SeedServer, tmp_path: Path
) -> None:
    checked(tmp_path, seeds.url("/missing/a"))
    (tmp_path / "none.torrent").write_bytes(b"no torrent")
    (tmp_path / "a").write_bytes(b"a")
    assert s3torrent("create", "a", cwd=tmp_path).code == 0
    done = s3torrent(
        "check-seeds", "none.torrent", "missing.torrent", "a.torrent", "t.torrent", "--json", cwd=tmp_path
    )
    (found,) = map(json.loads, done.stdout.splitlines())
    assert (done.code, found["torrent"]) == (4, "t.torrent")
    said = done.stderr
    assert said.count("error: ") == said.count("hint: ") == 2
    assert said.index("none.torrent") < said.index("missing.torrent") < said.index("a.torrent has no web")


def test_http_on_an_https_page(seeds: SeedServer, tmp_path: Path) -> None:
    url = seeds.url("/good/a")
    code, (found,) = checked(tmp_path, url, "--page", "https://catalogue.example/")
    assert (code, found["problems"][0]["code"]) == (1, "mixed-content")
    assert checked(tmp_path, url, "--page", "http://catalogue.example/")[0] == 0


def test_a_certificate_that_nobody_signed(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    with SeedServer(BODY, made) as server:
        code, (found,) = checked(tmp_path, server.url("/good/a"))
        assert (code, found["problems"][0]["code"]) == (1, "tls")
        assert "self" in found["problems"][0]["detail"]
        trusted = {"SSL_CERT_FILE": str(tmp_path / "crt.pem")}
        assert checked(tmp_path, server.url("/good/a"), env=trusted)[0] == 0


def test_nobody_listens(tmp_path: Path) -> None:
    code, (found,) = checked(tmp_path, "http://127.0.0.1:1/a")
    assert (code, found["problems"][0]["code"]) == (1, "unreachable")
    assert "refused" in found["problems"][0]["detail"]
    assert "0x" not in found["problems"][0]["detail"]


def test_a_torrent_without_web_seeds(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    assert s3torrent("create", "a", cwd=tmp_path).code == 0
    done = s3torrent("check-seeds", "a.torrent", cwd=tmp_path)
    assert (done.code, done.stderr) == (1, "a.torrent has no web seeds\n")


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_a_folder_is_asked_as_clients_ask(tmp_path: Path, version: str) -> None:
    """Name and path behind the web seed, encoded; pieces over several files, in each version."""
    folder = tmp_path / "d é"
    (folder / "s+b").mkdir(parents=True)
    (folder / "a").write_bytes(BODY)
    (folder / "s+b" / "c%25").write_bytes(BODY)
    with SeedServer(BODY) as server:
        made = s3torrent(
            "create", "d é", "-o", "t.torrent", "--torrent-version", version, "--piece-length", "16KiB",
            "--web-seed", server.url("/good"), cwd=tmp_path,
        )  # fmt: skip
        assert made.code == 0, made.stderr
        done = s3torrent("check-seeds", "t.torrent", cwd=tmp_path)
        assert done.code == 0, done.stdout
        assert done.stdout.decode() == f"good: {server.url('/good/')}\n"
        paths = {path for path, _ in server.asked}
    assert paths == {"/good/d%20%C3%A9/a", "/good/d%20%C3%A9/s%2Bb/c%2525"}


@pytest.mark.stack
def test_the_embedded_stack_serves_its_objects(ministack: MiniStack, bucket: str) -> None:
    """A hard key, its torrent in the bucket, its web seed the object itself."""
    key = "x/a+b c & é%25.bin"
    ministack.client("s3").put_object(Bucket=bucket, Key=key, Body=BODY)
    template = f"{ministack.endpoint}/{{bucket}}/{{key}}"
    made = s3torrent(
        "create", f"s3://{bucket}/{key}", "-o", "-", "--web-seed", template, endpoint=ministack.endpoint
    )
    done = s3torrent("check-seeds", "-", "--json", stdin=made.stdout)
    assert done.code == 0, done.stdout


@pytest.mark.stack
def test_the_function_tells_of_them_before_it_publishes(
    ministack: MiniStack, bucket: str, table_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published all the same: peers may have the content. The next attempt's item tells of that one alone."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    good, bad = f"{ministack.endpoint}/{bucket}/a%20b", "http://127.0.0.1:1/a%20b"
    templates = f"{ministack.endpoint}/{{bucket}}/{{key}},http://127.0.0.1:1/{{key}}"
    settings = {
        "DDB_TABLE": table_name,
        "AWS_ENDPOINT_URL": ministack.endpoint,
        "TORRENT_WEB_SEEDS": templates,
    }
    ref = ObjectRef(bucket, "a b")
    ministack.client("s3").put_object(Bucket=bucket, Key=ref.key, Body=BODY)
    maker = wiring.maker(from_environment({**settings, "TORRENT_CHECK_SEEDS": "1"}))
    assert maker.make(TorrentRequest(ref)).made
    item = maker.status.get(str(ref))
    assert item
    told = item.get("webSeedChecks")
    assert told[good] == {"good": True, "problems": told[good]["problems"]}
    assert "unreachable: 127.0.0.1:1: " in told[bad]["problems"]
    assert not told[bad]["good"]
    again = wiring.maker(from_environment(settings))
    assert again.make(TorrentRequest(ref), anew=True).made
    item = again.status.get(str(ref))
    assert item
    assert item.get("webSeedChecks") is None
    for made in (maker, again):
        made.store._client.close()  # type: ignore[attr-defined]
        made.status._client.close()  # type: ignore[attr-defined]
