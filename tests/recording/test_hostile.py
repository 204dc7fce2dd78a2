"""A source that means harm: whatever it sends, no file of this machine gets into a recording."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from s3torrent.capture import ffmpeg
from s3torrent.capture.download import download
from s3torrent.capture.live import live
from s3torrent.capture.program import Surroundings
from s3torrent.capture.said import Transcript
from s3torrent.errors import EmptyContent, ProgramFailed
from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording.broadcast import Streams

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\n"


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "work"
    folder.mkdir()
    return Surroundings(threading.Event(), Transcript().hear, folder)


@pytest.fixture
def playlist(streams: Streams) -> Iterator[str]:
    """The URL of a playlist whose segment is a film on this machine's own disk."""

    class Lists(Handler):
        def do_GET(self) -> None:
            body = f"{HEAD}file://{streams.film}/0.ts\n#EXT-X-ENDLIST\n".encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.apple.mpegurl")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command == "GET" else b"")

        do_HEAD = do_GET  # noqa: N815 (the name http.server looks for)

    with Loopback(Lists) as server:
        yield server.endpoint


class TestAPlaylistThatNamesAFileOfOurs:
    def test_into_a_file(self, around: Surroundings, playlist: str) -> None:
        with pytest.raises(ProgramFailed):
            download(f"{playlist}/live.m3u8", around, lambda _: None)

    def test_into_a_pipe(self, around: Surroundings, playlist: str) -> None:
        with live(f"{playlist}/live.m3u8", around) as source:
            assert source.readinto(memoryview(bytearray(10_000))) == 0
            assert isinstance(source.nothing(), ProgramFailed)
            assert not isinstance(source.nothing(), EmptyContent)


class TestARecordedFileThatIsAPlaylist:
    """What yt-dlp has written is what the source has sent."""

    @pytest.mark.parametrize("name", ["recording.mp4", "recording.m3u8", "recording.mp4.part"])
    @pytest.mark.parametrize("kind", ["hls", "concat"])
    def test_it_is_not_followed(self, around: Surroundings, streams: Streams, name: str, kind: str) -> None:
        film = streams.film / "0.ts"
        shutil.copy(film, around.folder / "beside.ts")
        bodies = {
            "hls": f"{HEAD}beside.ts\n#EXT-X-ENDLIST\n",
            "concat": "ffconcat version 1.0\nfile beside.ts\n",
        }
        path = around.folder / name
        path.write_text(bodies[kind])
        assert ffmpeg.tracks(ffmpeg.local(path), around) == []

    def test_the_film_itself_is_played(self, around: Surroundings, streams: Streams) -> None:
        """Or the test above would prove nothing."""
        found = ffmpeg.tracks(ffmpeg.local(streams.film / "0.ts"), around)
        assert {track.kind for track in found} == {"video", "audio"}
        assert [track.is_adts for track in found if track.kind == "audio"] == [True]
