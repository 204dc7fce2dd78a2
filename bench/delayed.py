"""``s3torrent`` with a wait before each request to S3, as if it were far away.

delayed.py SECONDS ARGUMENT...
"""

from __future__ import annotations

import sys
import time
from typing import Any

from botocore.httpsession import URLLib3Session

from s3torrent.cli.main import main

SECONDS = float(sys.argv[1])
send = URLLib3Session.send


def sent_later(session: URLLib3Session, request: Any) -> Any:
    time.sleep(SECONDS)
    return send(session, request)


URLLib3Session.send = sent_later  # type: ignore[method-assign]
main(sys.argv[2:])
