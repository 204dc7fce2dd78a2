"""Info-hashes and magnet links."""

import hashlib

from s3torrent.metainfo import bencode, infohash
from s3torrent.metainfo.magnet import magnet
from s3torrent.metainfo.parse import parse

V1 = {"length": 1, "name": b"\xc3\xa9+ &=\xff", "piece length": 16384, "pieces": b"x" * 20}
V2 = {
    "file tree": {b"n": {"": {"length": 1, "pieces root": b"r" * 32}}},
    "meta version": 2,
    "piece length": 16384,
}


def torrent(info, **top):
    return parse(bencode.encode({"info": info, **top}))


def test_info_hashes_are_of_the_bytes_as_written_and_none_for_the_other_version():
    metainfo = torrent(V1)
    assert infohash.v1(metainfo) == hashlib.sha1(bencode.encode(V1)).digest()
    assert infohash.v1_hex(metainfo) == hashlib.sha1(bencode.encode(V1)).hexdigest()
    assert infohash.v2(metainfo) is None
    assert infohash.v2_hex(metainfo) is None

    metainfo = torrent(V2 | {"name": "n"})
    assert infohash.v1(metainfo) is None
    assert infohash.v2_hex(metainfo) == hashlib.sha256(bencode.encode(V2 | {"name": "n"})).hexdigest()


def test_a_v1_magnet_encodes_name_trackers_and_web_seeds_whole():
    metainfo = torrent(
        V1,
        **{
            "announce": "udp://a:1",
            "announce-list": [["http://a/?x=1&y=2"], ["udp://b:1"]],
            "url-list": "https://c/%2B",
        },
    )
    assert magnet(metainfo) == (
        f"magnet:?xt=urn:btih:{infohash.v1_hex(metainfo)}"
        "&dn=%C3%A9%2B%20%26%3D%FF"
        "&tr=http%3A%2F%2Fa%2F%3Fx%3D1%26y%3D2&tr=udp%3A%2F%2Fb%3A1"
        "&ws=https%3A%2F%2Fc%2F%252B"
    )


def test_a_v2_magnet_has_the_multihash_alone():
    metainfo = torrent(V2 | {"name": "n"})
    assert magnet(metainfo) == f"magnet:?xt=urn:btmh:1220{infohash.v2_hex(metainfo)}&dn=n"


def test_a_hybrid_magnet_has_both():
    metainfo = torrent(V1 | V2 | {"name": "n"})
    assert magnet(metainfo) == (
        f"magnet:?xt=urn:btih:{infohash.v1_hex(metainfo)}&xt=urn:btmh:1220{infohash.v2_hex(metainfo)}&dn=n"
    )
