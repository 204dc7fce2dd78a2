"""Terraform on a copy of the module, with the AWS provider that is already on this machine; nothing is downloaded."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.devstack.package import build_zip
from support.ministack import ENVIRONMENT, REGION, MiniStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PROVIDERS = "registry.terraform.io"
SEARCHED = [
    Path.home() / ".terraform.d",
    *map(Path, ("/opt", "/srv", "/usr/lib", "/usr/local", "/usr/share")),
]
DEPTH = 4
SECONDS = 240
"""How long one command may take; apply and destroy spend most of it in the provider's own waits for SQS and S3."""

PROVIDER = {
    "region": REGION,
    "access_key": ENVIRONMENT["AWS_ACCESS_KEY_ID"],
    "secret_key": ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
    "s3_use_path_style": True,
}


def _mirror() -> Path | None:
    """The folder that holds the folder of the providers."""
    for top in SEARCHED:
        for folder, below, _ in os.walk(top):
            if PROVIDERS in below:
                return Path(folder)
            if len(Path(folder).relative_to(top).parts) >= DEPTH:
                below.clear()
    return None


@pytest.fixture(scope="session")
def terraform() -> str:
    """The program."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("terraform is not on PATH")
    return program


@pytest.fixture(scope="session")
def cli_config(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLI configuration by which init takes providers from the disk alone."""
    mirror = _mirror()
    if mirror is None or not list(mirror.glob(f"{PROVIDERS}/hashicorp/aws/*")):
        pytest.skip(f"no folder {PROVIDERS} with the AWS provider in {', '.join(map(str, SEARCHED))}")
    path = tmp_path_factory.mktemp("cli") / "terraformrc"
    path.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return path


@pytest.fixture(scope="session")
def function_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_zip(tmp_path_factory.mktemp("zip") / "s3torrent-lambda.zip")


@pytest.fixture(scope="session")
def shown() -> Callable[[str, str], str]:
    """``shown("terraform destroy", bucket)``: the block of docs/deploy.md with that line, and this bucket for NAME."""
    return _shown


def _shown(line: str, bucket: str) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/deploy.md").read_text(), re.DOTALL)
    (block,) = (one for one in blocks if line in one.splitlines())
    return block.replace("NAME", bucket).replace("eu-central-1", REGION)


@dataclass(frozen=True)
class Workspace:
    """A root module in a copy of the tree, initialized, and the stack it talks to."""

    terraform: str
    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
        """Run it whatever comes; after ``seconds`` it is ended with the provider's process, and the test fails."""
        command = [self.terraform, *arguments]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                said, _ = process.communicate()
                pytest.fail(f"terraform {' '.join(arguments)} took more than {seconds:g} s:\n{said[-4000:]}")
        return subprocess.CompletedProcess(command, process.returncode, said)

    def shell(self, script: str) -> str:
        """Run what an operator would type there, who says yes to apply and destroy; the command line is on PATH.

        Version 1 of the AWS CLI asks SQS itself whatever AWS_ENDPOINT_URL says, so it is told by its option.
        """
        aws = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{aws}\n{script}"],
            cwd=self.folder,
            env=self.environment
            | ENVIRONMENT
            | {
                "PATH": f"{Path(sys.executable).parent}:{self.environment['PATH']}",
                "TF_CLI_ARGS_apply": "-auto-approve",
                "TF_CLI_ARGS_destroy": "-auto-approve",
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def succeed(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, f"terraform {' '.join(arguments)}:\n{done.stdout[-6000:]}"
        return done.stdout

    def set(self, **variables: Any) -> None:
        """The root's variables from now on: these and no others."""
        (self.folder / "test.auto.tfvars.json").write_text(json.dumps(variables))

    def override(self, **module: Any) -> None:
        """Of an example: these arguments of its module besides its own, and the stack as its AWS."""
        blocks = {"provider": {"aws": PROVIDER}, "module": {"s3torrent": module}}
        (self.folder / "test_override.tf.json").write_text(json.dumps(blocks))

    def plan(self) -> dict[str, Any]:
        """The plan, as Terraform's JSON output format describes it."""
        self.succeed("plan", "-out=plan")
        return json.loads(self.succeed("show", "-json", "plan"))

    def messages(self, *arguments: str) -> list[dict[str, Any]]:
        """What plan (or another command) tells, in Terraform's machine-readable form, which wraps no lines."""
        lines = self.run(*(arguments or ("plan",)), "-json").stdout.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def diagnostics(self, severity: str = "error") -> str:
        """What plan says against it."""
        told = [message.get("diagnostic", {}) for message in self.messages()]
        return "\n".join(
            f"{one['summary']}: {one['detail']}" for one in told if one.get("severity") == severity
        )

    def outputs(self) -> dict[str, Any]:
        told = json.loads(self.succeed("output", "-json"))
        return {name: one["value"] for name, one in told.items()}


@pytest.fixture(scope="session")
def workspace(terraform: str, cli_config: Path) -> Callable[[Path, str, str], Workspace]:
    """``workspace(tmp_path, "examples/new-bucket", endpoint)``: that folder of a fresh copy, initialized."""

    def make(where: Path, root: str, endpoint: str) -> Workspace:
        for folder in ("terraform/backend", "examples"):
            leave_out = shutil.ignore_patterns("lambda", ".terraform*", "*.tfstate*")
            shutil.copytree(ROOT / folder, where / folder, ignore=leave_out)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))
        } | {
            "TF_CLI_CONFIG_FILE": str(cli_config),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_CLI_ARGS": "-no-color",
            "CHECKPOINT_DISABLE": "1",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }
        made = Workspace(terraform, where / root, environment)
        made.succeed("init")
        return made

    return make


@pytest.fixture
def strict_stack(cli_config: Path) -> Iterator[MiniStack]:
    """A MiniStack of the test's own that enforces IAM: our keys are the root's, the function has its role's."""
    with MiniStack({"AUTH": "true"}) as stack:
        yield stack
