"""Encoding of object URLs; which addresses may stand in a torrent."""

from urllib.parse import unquote

import pytest

from s3torrent.errors import UrlError
from s3torrent.metainfo.webseed import check_tracker, check_web_seed, encode_key, multi_file_base, object_url


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        ("a/b.bin", "a/b.bin"),
        ("shows/é+ü & 100%.bin", "shows/%C3%A9%2B%C3%BC%20%26%20100%25.bin"),
        ("/lead//twice/", "/lead//twice/"),
        ("AZaz09-._~", "AZaz09-._~"),
        ("!*'();:@&=+$,?#[]", "%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%3F%23%5B%5D"),
        ("%2F", "%252F"),
        ("日\x01\x7f\\", "%E6%97%A5%01%7F%5C"),
    ],
)
def test_every_byte_but_unreserved_and_slash_is_percent_encoded(key, encoded):
    assert encode_key(key) == encoded
    assert unquote(encoded) == key


def test_a_template_takes_bucket_and_key_encoded():
    assert object_url("https://cdn.example.org/{key}", "b", "a b/ü") == "https://cdn.example.org/a%20b/%C3%BC"
    assert object_url("https://{bucket}.s3.example.org/{key}", "my-b", "k") == "https://my-b.s3.example.org/k"
    assert (
        object_url("http://127.0.0.1:4566/{bucket}/{key}", "b", "{bucket}")
        == "http://127.0.0.1:4566/b/%7Bbucket%7D"
    )
    assert object_url("https://x/{key}?v={key}", "b", "a+b") == "https://x/a%2Bb?v=a%2Bb"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("https://cdn.example.org/", "has no {key}"),
        ("https://cdn.example.org/{bucket}", "has no {key}"),
        ("https://cdn.example.org/{Key}", "has no {key}"),
        ("https://cdn.example.org/{region}/{key}", "has {region}; expected only {key} and {bucket}"),
        ("https://cdn.example.org/{/{key}", "has no {key}"),
        ("cdn.example.org/{key}", "no scheme"),
        ("s3://{bucket}/{key}", "scheme 's3'"),
        ("https:///{key}", "no host"),
        ("https://cdn.example.org/a b/{key}", "' ' at character 26"),
    ],
)
def test_a_template_that_gives_no_url_is_refused(template, says):
    with pytest.raises(UrlError) as caught:
        object_url(template, "bucket", "key")
    assert says in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.org/a%20b",
        "http://127.0.0.1:4566/b/k",
        "HTTPS://x/k?versionId=1",
        "http://[::1]:80/k",
        "http://x",
    ],
)
def test_a_web_seed_comes_back_as_it_is(url):
    assert check_web_seed(url) == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "has no scheme"),
        ("ftp://x/k", "has scheme 'ftp'; expected http or https"),
        ("//x/k", "has no scheme"),
        ("https://", "has no host"),
        ("https://:80/k", "has no host"),
        ("https://x/a b", "has ' ' at character 12"),
        (" https://x/a", "has ' ' at character 1"),
        ("https://x/a\n", r"has '\n' at character 12"),
        ("https://x/\0", r"has '\x00'"),
        ("https://x/é", "has 'é' at character 11"),
        ("https://x/100%", "has '%' at character 14"),
        ("https://x/%zz", "has '%' at character 11"),
        ("https://x/{key}", "has '{' at character 11"),
        ("https://x/a#b", "has a fragment"),
        ("https://x:0/a", "has port 0"),
        ("https://x:65536/a", "Port out of range"),
        ("https://x:http/a", "Port could not be cast"),
        ("https://[::1/a", "Invalid IPv6"),
        ("https://x/a/", "ends in /"),
    ],
)
def test_a_web_seed_that_is_none_is_refused_with_what_was_found(url, says):
    with pytest.raises(UrlError) as caught:
        check_web_seed(url)
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_a_folder_s_web_seed_may_and_its_base_does_end_in_a_slash():
    assert check_web_seed("https://x/a/", single_file=False) == "https://x/a/"
    assert multi_file_base("https://x/a") == multi_file_base("https://x/a/") == "https://x/a/"


@pytest.mark.parametrize(
    "url",
    [
        "http://t.example.org/announce?k=1",
        "https://t:443/a",
        "udp://t.example.org:6969",
        "udp://[2001:db8::1]:1/announce",
        "ws://t/",
        "wss://t",
    ],
)
def test_a_tracker_comes_back_as_it_is(url):
    assert check_tracker(url) == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("tracker.example.org", "has no scheme; expected http, https, udp, ws or wss"),
        ("tracker.example.org:80/announce", "has scheme 'tracker.example.org'"),
        ("udp://tracker.example.org", "has no port; expected udp://HOST:PORT"),
        ("udp://:6969", "has no host"),
        ("udp://t:99999", "Port out of range"),
        ("http://a/,http://b/ ", "has ' '"),
        ("magnet:?xt=urn:btih:0", "has scheme 'magnet'"),
    ],
)
def test_a_tracker_that_is_none_is_refused_with_what_was_found(url, says):
    with pytest.raises(UrlError) as caught:
        check_tracker(url)
    assert says in caught.value.message
