"""A program in a terminal of its own, and what stood on its screen when."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from dataclasses import dataclass

import pyte

COLUMNS, ROWS = 104, 30
LONGEST_PAUSE = 1.5
"""Seconds that nothing happens, as they are shown; the program may take longer."""
SHORTEST_FRAME = 0.08
LAST = 8.0
"""How long the last screen stays."""


class Failed(Exception):
    """The program did not end well."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Text of one colour, as pyte names it, beginning at a column."""

    column: int
    text: str
    colour: str
    bold: bool


Line = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A screen, from second ``at`` on."""

    at: float
    lines: tuple[Line, ...]


def record(command: list[str], folder: str, seconds: float) -> list[tuple[float, bytes]]:
    """What the program wrote and when. Raises Failed where it fails or does not end within ``seconds``."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    begun, written = time.monotonic(), []
    while True:
        left = begun + seconds - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            raise Failed(f"{command[0]} did not end within {seconds:g} s")
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            chunk = b""
        if not chunk:
            break
        written.append((time.monotonic() - begun, chunk))
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise Failed(
            f"{command[0]} ended with {code}: {written[-1][1].decode(errors='replace') if written else ''}"
        )
    return written


def frames(typed: str, written: list[tuple[float, bytes]]) -> list[Frame]:
    """The screens, with the command that was ``typed`` at their head; long pauses are cut."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    stream.feed(f"\x1b[1m$ {typed}\x1b[0m\r\n".encode())
    found = [Frame(0.0, _lines(screen))]
    now, before = 0.8, 0.0
    for at, chunk in written:
        now += min(at - before, LONGEST_PAUSE)
        before = at
        stream.feed(chunk)
        lines = _lines(screen)
        if lines == found[-1].lines:
            continue
        if now - found[-1].at < SHORTEST_FRAME and len(found) > 1:
            found[-1] = Frame(found[-1].at, lines)
        else:
            found.append(Frame(now, lines))
    return found


def text(frame: Frame) -> list[str]:
    """Its lines without colours and without the blanks at their end."""
    return ["".join(segment.text for segment in line).rstrip() for line in frame.lines]


def _lines(screen: pyte.Screen) -> tuple[Line, ...]:
    return tuple(_line(screen.buffer[row]) for row in range(ROWS))


def _line(row: dict[int, pyte.screens.Char]) -> Line:
    found: list[Segment] = []
    for column in range(COLUMNS):
        char = row[column]
        last = found[-1] if found else None
        if last and (last.colour, last.bold) == (char.fg, char.bold):
            found[-1] = Segment(last.column, last.text + char.data, char.fg, char.bold)
        else:
            found.append(Segment(column, char.data, char.fg, char.bold))
    if found and not found[-1].text.strip():
        found.pop()
    elif found:
        last = found[-1]
        found[-1] = Segment(last.column, last.text.rstrip(), last.colour, last.bold)
    return tuple(found)
