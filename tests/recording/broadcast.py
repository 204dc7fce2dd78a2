"""Streams for the recorder: made once by ffmpeg, sent by a plain HTTP server on loopback as the test says."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 25
"""A second, and so a segment."""
SMALL = ["-f", "lavfi", "-i", f"testsrc=size=160x90:rate={FRAMES}"]
NOISE = ["-f", "lavfi", "-i", f"testsrc=size=320x180:rate={FRAMES},noise=alls=100:allf=t"]
TONE = ["-f", "lavfi", "-i", "sine=frequency=440"]
VIDEO = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", str(FRAMES)]
MASTER = (
    "#EXTM3U\n#EXT-X-VERSION:4\n"
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="tone",DEFAULT=YES,AUTOSELECT=YES,URI="audio/live.m3u8"\n'
    '#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=160x90,CODECS="avc1.42c00b,mp4a.40.2",AUDIO="a"\n'
    "video/live.m3u8\n"
)


@dataclass(frozen=True)
class Streams:
    """``film``: picture and sound together; ``apart``: each in a playlist of its own; ``big``: 2 MiB a second."""

    film: Path
    apart: Path
    big: Path


def make_streams(folder: Path) -> Streams:
    streams = Streams(folder / "film", folder / "apart", folder / "big")
    _hls(streams.film, [*SMALL, *TONE, "-t", "6", *VIDEO, "-c:a", "aac"])
    _hls(streams.apart / "video", [*SMALL, "-t", "6", *VIDEO])
    _hls(streams.apart / "audio", [*TONE, "-t", "6", "-c:a", "aac"])
    _hls(streams.big, [*NOISE, *TONE, "-t", "10", *VIDEO, "-qp", "6", "-c:a", "aac"])
    return streams


def _hls(folder: Path, arguments: list[str]) -> None:
    """Segments 0.ts, 1.ts, ... of one second."""
    folder.mkdir(parents=True)
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", *arguments, "-f", "hls", "-hls_time", "1"]
    segments = ["-hls_list_size", "0", "-hls_segment_filename", str(folder / "%d.ts")]
    subprocess.run([*command, *segments, str(folder / "made.m3u8")], check=True, timeout=120)


class Broadcast(Loopback):
    """``with Broadcast(folder, shown=3) as live: live.url; live.shown = 6; live.ended = True``.

    Every folder in it has a ``live.m3u8``, which lists the first ``shown`` segments. ``asked`` are the paths
    that were asked for.
    """

    def __init__(self, folder: Path, shown: int = 1000, *, ended: bool = False) -> None:
        super().__init__(_Handler)
        self.folder, self.shown, self.ended = folder, shown, ended
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        page = "live.m3u8" if (self.folder / "0.ts").exists() else "master.m3u8"
        return f"{self.endpoint}/{page}?token=secret"

    def answer(self, path: str) -> tuple[str, bytes] | None:
        self.asked.append(path)
        if path == "master.m3u8":
            return "application/vnd.apple.mpegurl", MASTER.encode()
        file = self.folder / path
        if file.name == "live.m3u8" and file.parent.is_dir():
            return "application/vnd.apple.mpegurl", self._playlist(file.parent).encode()
        return ("video/mp2t", file.read_bytes()) if file.is_file() else None

    def _playlist(self, folder: Path) -> str:
        count = min(self.shown, len(list(folder.glob("*.ts"))))
        segments = "".join(f"#EXTINF:1.0,\n{number}.ts\n" for number in range(count))
        head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
        return head + "#EXT-X-PLAYLIST-TYPE:EVENT\n" + segments + ("#EXT-X-ENDLIST\n" if self.ended else "")


class _Handler(Handler):
    owner: Broadcast

    def do_GET(self) -> None:
        found = self.owner.answer(self.path.partition("?")[0].lstrip("/"))
        if not found:
            self.send_error(404)
            return
        kind, body = found
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 (the name http.server looks for)
