"""The set-up and the rebuilding: shellcheck, the bats files beside this one, and the compose file."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from s3torrent.devstack.package import build_zip
from support.ministack import MiniStack

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPTS = (
    "docker/localstack/s3-torrent-lambda-setup.sh",
    "docker/localstack/setup/endpoint.sh",
    "docker/localstack/setup/function.sh",
    "docker/localstack/setup/report.sh",
    "docker/localstack/setup/stores.sh",
    "docker/localstack/setup/trial.sh",
    "util/rebuild_images_no_cache.sh",
    "tests/shell/stand-ins/aws",
    "tests/shell/stand-ins/docker",
)
SECONDS = 900

pytestmark = pytest.mark.timeout(SECONDS)  # a whole suite of bats in one test
PROGRAMS = Path(sys.executable).parent
"""Of our environment: its aws, where it has one, comes before the machine's."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_has_nothing_to_say(script: str) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("needs shellcheck")
    done = subprocess.run(["shellcheck", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("script", [SCRIPTS[0], SCRIPTS[6]])
def test_they_can_be_run_by_their_names(script: str) -> None:
    assert (ROOT / script).stat().st_mode & 0o111


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What bats sees: no account, no setting of this machine, and the zip of the function."""
    return {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "FUNCTION_ZIP": str(build_zip(tmp_path / "s3torrent-lambda.zip")),
    }


def bats(name: str, environment: dict[str, str]) -> None:
    if not shutil.which("bats"):
        pytest.skip("needs bats")
    done = subprocess.run(
        ["bats", "--tap", HERE / name], env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["setup_endpoint.bats", "setup_failures.bats", "rebuild.bats"])
def test_with_stand_ins(name: str, environment: dict[str, str]) -> None:
    bats(name, environment)


@pytest.fixture
def stack_with_the_layer_in_reach(tmp_path: Path) -> Iterator[MiniStack]:
    """MiniStack knows no /opt: a program in /opt/bin, which is on Lambda's PATH, is put on MiniStack's own."""
    programs = tmp_path / "opt/bin"
    programs.mkdir(parents=True)
    program = shutil.which("transmission-create")
    if program:
        (programs / "transmission-create").symlink_to(program)
    with MiniStack({"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}) as stack:
        yield stack


@pytest.mark.stack
def test_on_ministack_with_the_aws_cli(
    stack_with_the_layer_in_reach: MiniStack, environment: dict[str, str]
) -> None:
    if not shutil.which("aws", path=environment["PATH"]):
        pytest.skip("needs the AWS CLI")
    bats("setup_ministack.bats", environment | {"MINISTACK": stack_with_the_layer_in_reach.endpoint})


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker/localstack/docker-compose.yml").read_text())


def test_the_stacks_are_pinned(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["localstack"]["image"] == "localstack/localstack:4.14.0"
    locked = re.findall(
        r"^((?:ministack|boto3)==\S+)", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE
    )
    assert len(locked) == 2
    assert all(pin in services["ministack"]["build"]["dockerfile_inline"] for pin in locked)


@pytest.mark.parametrize("service", ["localstack", "ministack"])
def test_a_stack_is_published_on_loopback_alone(compose: dict[str, Any], service: str) -> None:
    assert compose["services"][service]["ports"] == ["127.0.0.1:${LOCALSTACK_PORT:-4566}:4566"]


def test_functions_of_localstack_run_on_its_own_network(compose: dict[str, Any]) -> None:
    service = compose["services"]["localstack"]
    (network,) = service["networks"]
    assert service["environment"]["LAMBDA_DOCKER_NETWORK"] == compose["networks"][network]["name"]
    assert "/var/run/docker.sock:/var/run/docker.sock" in service["volumes"]


def test_localstack_loads_every_service_that_the_set_up_calls(compose: dict[str, Any]) -> None:
    parts = [(ROOT / script).read_text() for script in SCRIPTS[:6]]
    called = set(re.findall(r"\bcall (s3api|sqs|dynamodb|iam|lambda)\b", "".join(parts))) - {"s3api"} | {"s3"}
    assert called == {"s3", "sqs", "dynamodb", "iam", "lambda"}
    assert called <= set(compose["services"]["localstack"]["environment"]["SERVICES"].split(","))
