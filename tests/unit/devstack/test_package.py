"""The Lambda zip: our source, byte for byte the same at every build, importable with boto3 alone."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from s3torrent.devstack import package

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.build_zip(tmp_path_factory.mktemp("zip") / "folder" / "function.zip")


def test_two_builds_have_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert package.build_zip(tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_an_older_zip_is_replaced(archive: Path, tmp_path: Path) -> None:
    older = tmp_path / "function.zip"
    older.write_bytes(b"x" * 10_000_000)
    assert package.build_zip(older).read_bytes() == archive.read_bytes()


def test_it_is_under_three_megabytes(archive: Path) -> None:
    assert archive.stat().st_size < 3_000_000


def test_it_holds_the_handler_and_nothing_of_the_command_line(archive: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()
    assert "s3torrent/lambda_handler.py" in names
    assert names == sorted(names)
    others = {name.split("/")[0].partition("-")[0] for name in names if not name.startswith("s3torrent/")}
    assert others == {"jinja2", "markupsafe"}
    assert {name.rpartition(".")[2] for name in names} <= {
        "py",
        "pyi",
        "so",
        "typed",
        "txt",
        "css",
        "js",
        "svg",
        "html",
        "xml",
    }
    assert not [name for name in names if {"cli", "devstack", "__pycache__"} & set(name.split("/"))]


def test_the_catalogue_is_rendered_from_it_alone(archive: Path) -> None:
    """Without a compiled module, and jinja2 is not imported before there is something to render."""
    program = (
        "import sys; sys.path[:] = [sys.argv[1], *(path for path in sys.path if 'site-packages' not in path)]\n"
        "from s3torrent.catalog.links import Links\n"
        "from s3torrent.catalog.render import Renderer\n"
        "print('jinja2' in sys.modules)\n"
        "html = Renderer('T<', Links('b')).index([], 0, 0, 0, {'d/all.json': '0'})\n"
        "print(sys.modules['jinja2'].__file__, b'<title>T&lt;</title>' in html)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, archive],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stderr, done.stdout.splitlines()) == ("", ["False", f"{archive}/jinja2/__init__.py True"])


def test_dates_and_modes_are_fixed(archive: Path) -> None:
    infos = zipfile.ZipFile(archive).infolist()
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {oct(info.external_attr >> 16) for info in infos} == {"0o100644"}


def test_the_handler_is_imported_from_it_without_the_packages_that_lambda_lacks(archive: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import s3torrent.lambda_handler as handler\n"
        "print(handler.__file__)\n"
        "print(sorted({'click', 'rich', 's3torrent.cli', 's3torrent.devstack'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, archive], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [f"{archive}/s3torrent/lambda_handler.py", "[]"]


def test_the_command_prints_the_path_and_the_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "function.zip"
    assert package.main([str(out)]) == 0
    assert capsys.readouterr().out == f"{out} {out.stat().st_size:,} bytes\n"


def test_the_command_without_a_path_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert package.main([]) == 2
    assert "usage" in capsys.readouterr().err
