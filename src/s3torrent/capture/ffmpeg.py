"""ffmpeg's command lines: a stream into a pipe, files into one Matroska file. Nothing is encoded anew."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3torrent.capture.program import Program, find_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from s3torrent.capture.program import Surroundings

QUIET = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+warning")
NETWORK = "http,https,tls,tcp,crypto,httpproxy,data"
"""What a stream may be read by: a playlist that names a file of ours is refused."""
CONTAINERS = "matroska,mov,mpegts,mpeg,flv,ogg,aac,ac3,eac3,mp3,flac,wav,avi,asf"
"""What a recorded file may be: not a playlist that names other files."""
SILENCE_MICROSECONDS = 30_000_000
RECONNECT = ("-reconnect", "1", "-reconnect_streamed", "1", "-reconnect_on_network_error", "1")
RECONNECT_SECONDS = 30
PACKETS = 9999
"""As many may wait for the first of another stream; ffmpeg's 128 are too few for a late one."""
FRAGMENT_MICROSECONDS = 500_000
PROBE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Media:
    """A stream to be read: its address, how it is spoken to (``https``, ``m3u8_native``), HTTP headers."""

    url: str
    protocol: str = "https"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        """What ffmpeg and ffprobe are told of it, its address included."""
        # A header with a line end in it would be two.
        lines = [
            f"{name}: {value}\r\n" for name, value in self.headers.items() if (name + value).isprintable()
        ]
        options = ["-protocol_whitelist", NETWORK, "-rw_timeout", str(SILENCE_MICROSECONDS)]
        if lines:
            options += ["-headers", "".join(lines)]
        if not self.protocol.startswith("m3u8"):  # a playlist is asked for again anyway
            options += [*RECONNECT, "-reconnect_delay_max", str(RECONNECT_SECONDS)]
        return [*options, "-i", self.url]


@dataclass(frozen=True, slots=True)
class Track:
    """``kind`` is ``video``, ``audio`` or another; ``described`` whether its decoder's settings are known."""

    kind: str
    codec: str
    described: bool

    @property
    def plays(self) -> bool:
        return self.kind in ("video", "audio")

    @property
    def is_adts(self) -> bool:
        """AAC as MPEG-TS has it, each frame with a header of its own and the settings in there."""
        return self.codec == "aac" and not self.described


def local(path: Path) -> list[str]:
    """A recorded file as input; ``file:`` because a name may look like an option or a URL."""
    return ["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS, "-i", f"file:{path}"]


def tracks(source: Sequence[str], around: Surroundings) -> list[Track]:
    """The tracks of an input (its options, as of ``Media.arguments`` or ``local``); [] where it has none."""
    entries = "stream=codec_type,codec_name,extradata_size"
    command = [find_program("ffprobe"), "-v", "error", "-show_entries", entries, "-of", "json", *source]
    with Program(command, around, output=True) as program:
        assert program.stdout
        answer = b""
        while len(answer) < PROBE_BYTES and (chunk := program.stdout.read(PROBE_BYTES)):
            answer += chunk
        program.wait()
    try:
        found = json.loads(answer).get("streams", [])
    except ValueError:
        return []
    return [
        Track(
            str(one.get("codec_type")), str(one.get("codec_name")), described=bool(one.get("extradata_size"))
        )
        for one in found
    ]


def into_file(sources: Sequence[Path], target: Path) -> list[str]:
    """All video and audio of ``sources`` as one Matroska file, with an index."""
    return [*_join(sources), "-f", "matroska", "-y", f"file:{target}"]


def into_pipe(sources: Sequence[Path]) -> list[str]:
    """The same on standard output, for where no disk is left."""
    return [*_join(sources), "-f", "matroska", "pipe:1"]


def stream(media: Sequence[Media]) -> list[str]:
    """The best video and audio of one source, or the video of the first and the audio of the last, live on
    standard output.
    """
    return [*_live(media), "-f", "matroska", "pipe:1"]


def stream_adts(media: Sequence[Media]) -> tuple[list[str], list[str]]:
    """The same by two programs, the second of which reads the first.

    Matroska says up front how its AAC is coded, and ffmpeg learns that from the first packet: in a file it
    goes back and fills it in, in a pipe it refuses. Fragmented MP4 says it late enough.
    Memory of the second: about 8 MB more for each hour.
    """
    fragments = [
        *("-bsf:a", "aac_adtstoasc", "-f", "mp4"),
        *("-movflags", "+empty_moov+delay_moov+frag_keyframe+default_base_moof"),
        *("-frag_duration", str(FRAGMENT_MICROSECONDS), "-flush_packets", "1"),
    ]
    first = [*_live(media), *fragments, "pipe:1"]
    second = [find_program("ffmpeg"), *QUIET, "-f", "mp4", "-protocol_whitelist", "pipe", "-i", "pipe:0"]
    return first, [*second, "-c", "copy", "-f", "matroska", "pipe:1"]


def _live(media: Sequence[Media]) -> list[str]:
    command = [find_program("ffmpeg"), *QUIET]
    for one in media:
        command += one.arguments
    maps = ["-map", "0:v:0?", "-map", f"{len(media) - 1}:a:0?"]
    return [*command, *maps, "-c", "copy", "-max_muxing_queue_size", str(PACKETS)]


def _join(sources: Sequence[Path]) -> list[str]:
    command = [find_program("ffmpeg"), *QUIET, "-fflags", "+genpts"]
    for path in sources:
        command += local(path)
    maps = [
        part for number in range(len(sources)) for part in ("-map", f"{number}:v?", "-map", f"{number}:a?")
    ]
    return [*command, *maps, "-c", "copy", "-max_muxing_queue_size", str(PACKETS)]
