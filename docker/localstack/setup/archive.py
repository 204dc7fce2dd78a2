#!/usr/bin/env python3
"""A zip that is to be uploaded: ``archive.py ZIP MEMBER`` prints the CodeSha256 by which Lambda knows it.

Called by s3-torrent-lambda-setup.sh; the standard library only. Exit 1 with one line on standard error where
it cannot be read or holds no MEMBER.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path


def digest(archive: str, member: str) -> str:
    try:
        with zipfile.ZipFile(archive) as opened:
            opened.getinfo(member)
        content = Path(archive).read_bytes()
    except KeyError:
        sys.exit(f"holds no {member}")
    except (OSError, zipfile.BadZipFile) as error:
        sys.exit(f"cannot be read: {error}")
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


if __name__ == "__main__":
    sys.stdout.write(digest(*sys.argv[1:]) + "\n")
