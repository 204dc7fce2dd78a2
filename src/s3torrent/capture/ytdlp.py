"""yt-dlp's command lines: what a page has to offer, and the download of the best of it.

It reads no configuration, plug-in or cache of anybody's, and fetches no code. ``--`` ends its options: a URL
is never one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from s3torrent.capture.ffmpeg import NETWORK, SILENCE_MICROSECONDS, Media
from s3torrent.capture.program import Program, find_program
from s3torrent.capture.url import check_url
from s3torrent.errors import ProgramFailed

if TYPE_CHECKING:
    from s3torrent.capture.program import Surroundings

NAME = "yt-dlp"
ALONE = (
    "--ignore-config",
    "--no-plugin-dirs",
    "--no-cache-dir",
    "--no-remote-components",
    "--color=never",
    "--no-progress",
    "--socket-timeout=30",
    "--no-playlist",
    "--playlist-items=1",
)
BEST = "bv*+ba/b"
STREAMED = "[protocol~='^(https?|m3u8(_native)?)$']"
"""Other protocols are fragments that yt-dlp alone knows how to put together."""
ANSWER_BYTES = 32 << 20
STEM = "recording"
"""Its files are called so: the name that was asked for is not a template of yt-dlp's."""


def download(url: str) -> list[str]:
    """Best video and audio into the working folder: one file of whatever kind, or a merged Matroska one.

    It mends and remuxes nothing: we do that ourselves, so that a stop need not wait for it.
    """
    reading = f"-protocol_whitelist {NETWORK} -rw_timeout {SILENCE_MICROSECONDS}"
    return [
        *(find_program(NAME), *ALONE, f"--format={BEST}", "--merge-output-format=mkv", "--fixup=never"),
        *(
            "--retry-sleep=http:exp=1:10",
            "--retry-sleep=fragment:exp=0.2:2",
            f"--downloader-args=ffmpeg_i:-nostats -loglevel level+warning {reading}",
            "--downloader-args=ffmpeg_o:-flush_packets 1",  # or 256 KiB are lost where it must be killed
        ),
        f"--output={STEM}.%(ext)s",
        "--",
        url,
    ]


def resolve(url: str, around: Surroundings) -> list[Media]:
    """What ffmpeg is to read: one stream, or the video and the audio.

    Raises ProgramFailed where there is nothing, UrlError where it names what is no URL.
    """
    command = [find_program(NAME), *ALONE, f"--format=({BEST}){STREAMED}", "--dump-json", "--", url]
    with Program(command, around, output=True) as program:
        assert program.stdout
        answer = bytearray()
        while len(answer) < ANSWER_BYTES and (chunk := program.stdout.read(ANSWER_BYTES)):
            answer += chunk
        code = program.wait()
        said = program.said.told
    try:
        found = json.loads(answer)
        return [_media(one) for one in found.get("requested_formats") or [found]]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ProgramFailed(
            f"{NAME} finds nothing to record (exit code {code}); it printed: {said}",
            hint="open the URL in a browser; a new yt-dlp may know a site that an old one does not",
        ) from None


def _media(offered: dict[str, Any]) -> Media:
    headers = {str(name): str(value) for name, value in (offered.get("http_headers") or {}).items()}
    return Media(check_url(offered["url"]), str(offered.get("protocol", "https")), headers)
