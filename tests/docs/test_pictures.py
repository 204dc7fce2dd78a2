"""The docs' pictures are of the program as it is, and the recording shows what a terminal showed."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs/pictures"
IMAGES = ROOT / "docs/images"
GROUP = "{http://www.w3.org/2000/svg}g"
DOCS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PICTURES / f"{name}.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found  # the dataclasses look for themselves
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def terminal() -> ModuleType:
    return module("terminal")


def test_what_the_pictures_show_has_not_changed_since_they_were_taken() -> None:
    """If this fails: make pictures."""
    assert json.loads((IMAGES / "made-from.json").read_text()) == module("make").sources()


def test_each_picture_is_shown_and_told_in_words() -> None:
    shown = {
        path: words
        for page in DOCS
        for words, path in re.findall(r"!\[([^\]]*)\]\((?:docs/)?images/([^)]+)\)", page.read_text())
    }
    assert set(shown) == {path.name for path in IMAGES.iterdir() if path.suffix != ".json"}
    assert all(len(words) > 20 for words in shown.values())


def test_a_recording_keeps_what_moves_and_what_comes_last(terminal: ModuleType, tmp_path: Path) -> None:
    script = tmp_path / "moves.py"
    script.write_text(
        "import sys, time, os\n"
        "assert sys.stdout.isatty() and os.get_terminal_size().columns == int(os.environ['COLUMNS'])\n"
        "print('\\x1b[32m10 %\\x1b[0m', end='', flush=True); time.sleep(0.3)\n"
        "print('\\r\\x1b[1m<done>\\x1b[0m & more'); time.sleep(0.3); print('next line')\n"
    )
    written = terminal.record([sys.executable, str(script)], str(tmp_path), 20)
    frames = terminal.frames("python moves.py", written)
    assert [terminal.text(frame)[:3] for frame in frames] == [
        ["$ python moves.py", "", ""],
        ["$ python moves.py", "10 %", ""],
        ["$ python moves.py", "<done> & more", ""],
        ["$ python moves.py", "<done> & more", "next line"],
    ]
    assert frames[1].lines[1][0].colour == "green"
    drawn = module("svg").svg(frames, "it <moves>")
    root = ET.fromstring(drawn)
    last = [
        "".join(group.itertext()) for group in root.iter(GROUP) if "last" in str(group.get("class")).split()
    ]
    assert last == ["$ python moves.py", "<done>& more", "next line"]
    assert len(list(root.iter(GROUP))) == 4  # what stays is drawn once


def test_long_pauses_are_cut(terminal: ModuleType) -> None:
    frames = terminal.frames("x", [(1.0, b"a\r\n"), (31.0, b"b\r\n")])
    assert frames[-1].at - frames[-2].at == pytest.approx(terminal.LONGEST_PAUSE)


def test_a_program_that_fails_or_hangs_is_no_recording(terminal: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(terminal.Failed, match=r"ended with 3: no$"):
        terminal.record(["sh", "-c", "printf no; exit 3"], str(tmp_path), 20)
    with pytest.raises(terminal.Failed, match=r"did not end within 0\.2 s"):
        terminal.record(["sleep", "60"], str(tmp_path), 0.2)
