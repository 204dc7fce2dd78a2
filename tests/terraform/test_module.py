"""The Terraform files themselves, before anything is planned."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from s3torrent.config import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "terraform/backend"
UNREACHABLE = "http://127.0.0.1:1"


@pytest.mark.parametrize("folder", ["terraform", "examples"])
def test_the_files_are_formatted(terraform, folder) -> None:
    done = subprocess.run(
        [terraform, "fmt", "-check", "-recursive", "-diff", folder], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("root", ["examples/new-bucket", "examples/existing-bucket"])
def test_each_example_is_valid(workspace, tmp_path, root) -> None:
    assert "The configuration is valid" in workspace(tmp_path, root, UNREACHABLE).succeed("validate")


def test_every_setting_of_the_function_can_be_set() -> None:
    block = re.search(
        r"environment = \{ for .*? : name", (MODULE / "s3-torrent-lambda.tf").read_text(), re.DOTALL
    )
    assert block
    names = set(re.findall(r"^ +([A-Z][A-Z0-9_]+) +=", block[0], re.MULTILINE))
    assert names == set(VARIABLES)


def test_every_variable_and_output_is_described_and_every_variable_typed() -> None:
    blocks = [
        block
        for path in MODULE.glob("*.tf")
        for block in re.findall(r'^(?:variable|output) ".*?^}', path.read_text(), re.DOTALL | re.MULTILINE)
    ]
    assert len(blocks) > 50
    for block in blocks:
        assert re.search(r'^  description += ".+"$', block, re.MULTILINE), block
        assert block.startswith("output") or re.search(r"^  type +=", block, re.MULTILINE), block


def test_the_placeholder_layer_says_how_to_build_the_real_one() -> None:
    with zipfile.ZipFile(MODULE / "placeholder_layer.zip") as archive:
        assert archive.namelist() == ["PLACEHOLDER.txt"]
        assert b"util/build-transmission-lambda-layer.sh" in archive.read("PLACEHOLDER.txt")
