"""How a file of a catalogue is told from one of somebody else's: by its path and by what it carries.

In a bucket it is metadata that says so (store/s3_site.py); files have none.
"""

from __future__ import annotations

import re

PATH = re.compile(
    r"index\.html|feed\.xml|catalog\.json|assets/[a-z]+\.(?:css|js|svg)|d/(?:all|[0-9a-f]{1,2})\.json"
    r"|t/[0-9a-f]{16}\.html"
)
"""All paths that a catalogue has ever a file at."""
HEAD = 4096
_MARKS = {
    ".html": re.compile(rb'<meta name="generator" content="s3torrent">'),
    ".xml": re.compile(rb"<generator>s3torrent</generator>"),
    ".json": re.compile(rb'\{"version":\d+,"columns":\["id","key",|"generator": ?"s3torrent"'),
    ".css": re.compile(rb"/\* Of a catalogue by s3torrent"),
    ".js": re.compile(rb"// Of a catalogue by s3torrent"),
    ".svg": re.compile(rb"<!-- Of a catalogue by s3torrent"),
}


def is_path(path: str) -> bool:
    return PATH.fullmatch(path) is not None


def is_ours(path: str, body: bytes) -> bool:
    """Whether ``body``, which lies at ``path``, was written by s3torrent (by whatever version)."""
    return is_path(path) and _MARKS[path[path.rindex(".") :]].search(body[:HEAD]) is not None
