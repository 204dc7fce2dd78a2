"""Who may import whom (docs/adr/0002): every import of every module, checked against one table."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "src" / "s3torrent"

PURE = {"metainfo", "hashing"}
BASES = {"store.base", "status.base", "engine.base"}
EVERYWHERE = {"errors", "types", ""}  # "" is the package itself: its version
RULES: dict[str, set[str]] = {
    "errors": set(),
    "types": set(),
    "metainfo": {"metainfo"},
    "hashing": {"hashing"},
    "store": {"store"},
    "status": {"status"},
    "intake": {"intake"},
    "engine": {"engine", "metainfo", "hashing", "store.base"},
    "pipeline": {
        "pipeline",
        "engine.base",
        "engine.cut",
        "engine.document",
        "engine.ranges",
        "engine.slices",
        "webseeds.base",
        *PURE,
        *BASES,
    },
    "webseeds": {"webseeds"},
    "catalog": {"catalog", "metainfo", "store.base", "status.base", "status.timestamp"},
    "catalog_config": {"metainfo"},
    "catalog_wiring": {"catalog", "config", "wiring", "store.s3_site", "status.base"},
    "time_left": set(),
    "variables": set(),
    "config": {"catalog_config", "metainfo", "variables"},
    "recorder_config": {"config"},
    "redelivery": {"intake"},
    "execution": set(),
    "queueing": set(),
    "dead_letters": set(),
    "live": {"live", "status.base"},
    "wiring": {
        "config",
        "store",
        "status",
        "engine",
        "hashing.kernel",
        "metainfo.model",
        "pipeline",
        "redelivery",
        "execution",
        "queueing",
        "dead_letters",
        "webseeds.http",
    },
    "lambda_handler": {
        "status.base",
        "time_left",
        "catalog.duty",
        "catalog_wiring",
        "config",
        "wiring",
        "intake",
        "pipeline",
        "redelivery",
        "log",
        "metrics",
    },
    "cli": {
        "cli",
        "config",
        "recorder_config",
        "catalog",
        "catalog_config",
        "catalog_wiring",
        "wiring",
        "intake",
        "pipeline",
        *PURE,
        *BASES,
        "dead_letters",
        "devstack.session",
        "live",
        "doctor",
        "log",
    },
    "doctor": {"doctor", "config", "metainfo", "status.base"},
    "log": set(),
    "metrics": set(),
    "capture": {"capture"},
    "recording": {"capture", "pipeline", *BASES},
    "recorder": {"config", "recorder_config", "wiring", "recording", "capture", "pipeline", "log"},
    "devstack": {"devstack", "config", "live", "wiring", "store", "status"},
    "": set(),
}
AWS = {"boto3", "botocore", "s3transfer"}
AWS_ALLOWED = {
    "store.s3",
    "store.s3_upload",
    "store.s3_body",
    "store.s3_errors",
    "wiring",
    "devstack.deploy",
    "devstack.demo",
    "doctor.asking",
}
IMPURE = {
    "os",
    "time",
    "socket",
    "logging",
    "random",
    "urllib.request",
    "http",
    "subprocess",
    "tempfile",
    "secrets",
    "pathlib",
}


def modules() -> list[str]:
    found = (path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py"))
    return sorted(".".join(path.parts).removesuffix("__init__").rstrip(".") for path in found)


def imports(module: str) -> set[str]:
    """Full names of the modules it imports, anywhere in it, also for types only."""
    path = ROOT.joinpath(*module.split(".")) if module else ROOT
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            base = node.module or ""
            found |= {
                f"{base}.{alias.name}"
                if (ROOT.parent.joinpath(*base.split(".")) / f"{alias.name}.py").is_file()
                else base
                for alias in node.names
            }
    return found


def ours(module: str) -> set[str]:
    return {
        name.removeprefix("s3torrent").lstrip(".")
        for name in imports(module)
        if name.split(".")[0] == "s3torrent"
    }


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    allowed = RULES[module.split(".", maxsplit=1)[0]] | EVERYWHERE
    for name in ours(module):
        assert any(name == room or (room and name.startswith(f"{room}.")) for room in allowed), (
            f"{module} imports {name}"
        )


@pytest.mark.parametrize("module", modules())
def test_boto_stays_behind_its_doors(module: str) -> None:
    if module in AWS_ALLOWED or module.startswith("status.dynamodb"):
        return
    assert not {name for name in imports(module) if name.split(".")[0] in AWS}, module


@pytest.mark.parametrize("module", [name for name in modules() if name.split(".")[0] in PURE])
def test_pure_rooms_touch_no_network_clock_environment_or_log(module: str) -> None:
    assert not {name.split(".")[0] for name in imports(module)} & {name.split(".")[0] for name in IMPURE} - {
        "urllib"
    }
    assert not {name for name in imports(module) if name.startswith("urllib.request")}


def test_nothing_imports_an_entry() -> None:
    for module in modules():
        for name in ours(module):
            assert name not in ("lambda_handler", "recorder"), module
            assert module.split(".")[0] == "cli" or name.split(".")[0] != "cli", module


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
