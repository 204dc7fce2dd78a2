"""docs/quickstart.md as a newcomer types it: every block, in order, in one bash."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/quickstart.md").read_text(encoding="utf-8")
SECONDS = 600
PROVIDER = "registry.terraform.io/hashicorp/aws"
MIRRORS = [
    Path.home() / ".terraform.d",
    *map(Path, ("/opt", "/srv", "/usr/lib", "/usr/local", "/usr/share")),
]

SUBSTITUTES = {
    "git clone URL s3torrent": "test -d s3torrent",
    "make demo": "python -m s3torrent.devstack.demo",
    'export PATH="$PWD/.venv/bin:$PATH"': ":",
    "make -C ../s3torrent package": (
        "python -m s3torrent.devstack.package ../s3torrent/dist/s3torrent-lambda.zip"
    ),
}
"""Lines that would fetch or install what is here already -> what stands in for them."""
TERRAFORM = "## 5. "
"""The section that wants Terraform and its provider."""
ENDS = ("kill %1", "wait")
"""What of that section stops the stack."""

pytestmark = [pytest.mark.stack, pytest.mark.timeout(SECONDS + 60)]


def lines_of(text: str) -> list[str]:
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def mirror() -> Path | None:
    """The folder from which Terraform can take the AWS provider without a network."""
    for top in MIRRORS:
        for depth in range(4):
            for found in top.glob("*/" * depth + PROVIDER):
                return found.parents[2]
    return None


def script(*, terraform: bool) -> str:
    before, heading, rest = PAGE.partition(TERRAFORM)
    assert heading
    lines = lines_of(before) + [line for line in lines_of(rest) if terraform or line in ENDS]
    return "\n".join(SUBSTITUTES.get(line, line) for line in lines)


def environment(folder: Path, plugins: Path | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    config = folder / "terraformrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{plugins}"\n  }}\n}}\n')
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "TF_CLI_CONFIG_FILE": str(config),
        "TF_INPUT": "0",
        "TF_CLI_ARGS": "-no-color",
        "CHECKPOINT_DISABLE": "1",
    }


def typed(commands: str, folder: Path, variables: dict[str, str]) -> str:
    """What bash says to it; the first command that fails ends it, and the test.

    Into a file: a stack that is still up would hold a pipe open.
    """
    log = folder / "said.txt"
    with (
        log.open("w") as out,
        subprocess.Popen(
            ["bash", "-eo", "pipefail", "-c", commands],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as bash,
    ):
        try:
            status = bash.wait(SECONDS)
        except subprocess.TimeoutExpired:
            bash.kill()
            status = -1
        finally:
            stop_the_rest(bash.pid)
    said = log.read_text(encoding="utf-8", errors="replace")
    assert status == 0, f"{status} (-1: not done in {SECONDS} s)\n{said[-4000:]}"
    return said


def stop_the_rest(group: int) -> None:
    """Of a bash that ended early: its stack, which takes down what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)


def test_each_line_that_is_substituted_stands_on_the_page_once() -> None:
    lines = lines_of(PAGE)
    assert [lines.count(line) for line in (*SUBSTITUTES, *ENDS)] == [1] * (len(SUBSTITUTES) + len(ENDS))


def test_every_command_of_the_page_runs_in_order(tmp_path: Path) -> None:
    """Where Terraform or its provider is not on this machine, without that section."""
    plugins = mirror() if shutil.which("terraform") else None
    checkout = tmp_path / "s3torrent"
    shutil.copytree(
        ROOT / "terraform", checkout / "terraform", ignore=shutil.ignore_patterns("lambda", ".terraform*")
    )
    said = typed(script(terraform=bool(plugins)), tmp_path, environment(tmp_path, plugins))

    try_out = tmp_path / "try-s3torrent"
    assert "good: all 184 pieces" in said
    assert re.search(r"^good: http://127.0.0.1:\d+/s3torrent-demo/film.mkv$", said, re.MULTILINE)
    jobs = set(re.findall(r"COMPLETED\ts3://s3torrent-demo/(\S+)", said))
    assert jobs == {"film.mkv", "films/film.mkv"}
    assert (try_out / "site/index.html").is_file()
    if plugins:
        assert re.search(r"Apply complete! Resources: \d+ added, 0 changed, 0 destroyed", said)
        assert re.search(r"^job\ts3://my-recordings/film.mkv\nstatus\tCOMPLETED$", said, re.MULTILINE)
        assert re.search(r"^\d+ green, 0 yellow, 0 red, 0 grey$", said, re.MULTILINE)
        assert "Destroy complete!" in said
    port = int(re.findall(r"AWS_ENDPOINT_URL=http://127.0.0.1:(\d+)", (try_out / "dev.txt").read_text())[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
