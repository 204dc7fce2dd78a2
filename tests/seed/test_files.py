"""The seeder's files: the scripts' form, the image, and a compose file that is off and closed by default."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

SEED = Path(__file__).resolve().parents[2] / "docker/seed"
SCRIPTS = ("tracker.sh", "watch.sh")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((SEED / "docker-compose.yml").read_text())["services"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_has_nothing_to_say(script: str) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("needs shellcheck")
    done = subprocess.run(["shellcheck", script], cwd=SEED, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS)
def test_they_can_be_run_by_their_names(script: str) -> None:
    assert (SEED / script).stat().st_mode & 0o111


def test_nothing_starts_unless_the_profile_is_named(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"tracker", "daemon", "watch"}
    assert all(service["profiles"] == ["seed"] for service in services.values())


def test_what_is_published_is_published_on_loopback_and_the_rpc_is_not(
    services: dict[str, dict[str, Any]],
) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == 4
    assert all(
        re.fullmatch(r"\$\{SEED_ADDRESS:-127\.0\.0\.1\}:(6969|51413):\1/(tcp|udp)", port)
        for port in published
    )
    assert "--rpc-bind-address=127.0.0.1" in services["daemon"]["command"]
    assert "--no-portmap" in services["daemon"]["command"]
    assert services["watch"]["network_mode"] == "service:daemon"


def test_the_containers_have_no_more_rights_than_they_need(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_image_is_pinned_unprivileged_and_holds_what_the_services_call(
    services: dict[str, dict[str, Any]],
) -> None:
    lines = (SEED / "Dockerfile").read_text()
    assert re.search(r"^FROM debian:\d+\.\d+-slim$", lines, re.MULTILINE)
    users = re.findall(r"^USER (.+)$", lines, re.MULTILINE)
    assert users[-1] == "1000:1000"
    assert "--uid 1000" in lines
    copied = re.search(r"^COPY (.+) /usr/local/bin/$", lines, re.MULTILINE)
    assert copied
    assert set(copied[1].split()) == set(SCRIPTS)
    assert {service["command"][0] for service in services.values()} == {*SCRIPTS, "transmission-daemon"}


def test_each_volume_belongs_to_the_unprivileged_user(services: dict[str, dict[str, Any]]) -> None:
    made = re.search(r"mkdir -p ((?:/seed/\w+ ?)+)", (SEED / "Dockerfile").read_text())
    assert made
    mounted = {volume.rpartition(":")[2] for service in services.values() for volume in service["volumes"]}
    assert mounted == set(made[1].split())


def test_the_compose_file_hands_over_the_settings_that_the_scripts_read(
    services: dict[str, dict[str, Any]],
) -> None:
    told = set(re.findall(r"^  ([A-Z][A-Z0-9_]+) {2,}", (SEED / "watch.sh").read_text(), re.MULTILINE))
    fixed = {"WATCH_FOLDER", "CONTENT_FOLDER", "TRANSMISSION_RPC"}
    given = {name for name in services["watch"]["environment"] if not name.startswith("AWS_")}
    assert told - fixed == given | {"AWS_ENDPOINT_URL"}
    lists = {services[name]["environment"]["TRACKER_LIST"] for name in ("watch", "tracker")}
    assert len(lists) == 1
