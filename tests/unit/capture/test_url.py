"""The URL to record: what is refused, and what of it is never shown."""

import pytest

from s3torrent.capture.url import check_url, redacted
from s3torrent.errors import UrlError


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/live.m3u8",
        "https://user:secret@example.org/watch?v=1&t=2#x",
        "HTTPS://EXAMPLE.ORG/",
        "http://[::1]/a",
        "https://münchen.example/stream",
    ],
)
def test_an_address_of_a_page_or_a_stream_is_taken_as_it_is(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "movie.mkv",
        "-o/etc/passwd",
        "--exec=reboot",
        "file:///etc/passwd",
        "ftp://example.org/a",
        "rtmp://example.org/a",
        "concat:a|b",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://exa mple.org/",
        "http://example.org/a b",
        "http://example.org/\nheader",
        "http://example.org/\x00",
        "http://example.org/\udcff",
        "http://example.org:99999/",
        "http://example.org:0/",
        "http://[::1/",
        " http://example.org/",
        "http://example.org/" + "a" * 9000,
    ],
)
def test_anything_else_is_refused_and_says_what_is_expected(url: str) -> None:
    with pytest.raises(UrlError) as caught:
        check_url(url)
    assert "expected http://HOST/... or https://HOST/..." in caught.value.message
    assert len(caught.value.message) < 400


def test_the_refusal_shows_no_secret() -> None:
    with pytest.raises(UrlError) as caught:
        check_url("ftp://me:hunter2@example.org/a?token=abc")
    assert "hunter2" not in caught.value.message
    assert "abc" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.org/a/b.m3u8", "https://example.org/a/b.m3u8"),
        ("https://me:hunter2@example.org/a?token=abc#t", "https://***@example.org/a?***"),
        ("https://example.org/a#access_token=abc", "https://example.org/a#***"),
        ("http://h/a?x=1, then http://u@h/b", "http://h/a?*** then http://***@h/b"),
        ("Opening 'https://h/s.ts?sig=abc' for reading", "Opening 'https://h/s.ts?***' for reading"),
        ("rtmp://u:p@h/app?key=1", "rtmp://***@h/app?***"),
        ("http://me:p@ss@h/", "http://***@h/"),
        ("nothing to hide: a@b.example?", "nothing to hide: a@b.example?"),
    ],
)
def test_user_names_passwords_and_queries_are_blotted_out(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_blotting_out_twice_changes_nothing_more() -> None:
    once = redacted("https://me:hunter2@example.org/a?token=abc")
    assert redacted(once) == once
