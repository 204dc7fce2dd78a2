"""The Runtime API harness itself, with throwaway functions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = """
import os, sys, time

class WrongColour(ValueError):
    pass

def handler(event, context):
    match event.get("do"):
        case "raise":
            raise WrongColour("found blue, expected é")
        case "exit":
            os._exit(7)
        case "sleep":
            time.sleep(600)
        case "allocate":
            bytearray(event["bytes"])
        case "print":
            print("to stdout")
            print("to stderr", file=sys.stderr)
    return {
        "event": event,
        "pid": os.getpid(),
        "remaining_ms": context.get_remaining_time_in_millis(),
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "env": dict(os.environ),
        "cwd": os.getcwd(),
    }
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "throwaway.py").write_text(FUNCTION, encoding="utf-8")
    return tmp_path


def function(code: Path, handler: str = "throwaway.handler", **env: str) -> RuntimeApi:
    return RuntimeApi(code, handler=handler, env=env, memory_mb=256)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_function_gets_event_context_and_lambdas_environment(
    code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_TEST", "x")
    with function(code, DDB_TABLE="jobs") as api:
        result = api.invoke({"key": "é+ü 日本"}, deadline_seconds=30)

        assert result.ok
        seen = result.payload
        assert seen["event"] == {"key": "é+ü 日本"}
        assert seen["pid"] == api.pid
        assert 0 < seen["remaining_ms"] <= 30_000
        assert seen["arn"].endswith(":function:s3torrent")
        assert seen["memory"] == "256"
        assert seen["trace"].startswith("Root=")
        assert seen["cwd"] == str(code)
        assert seen["env"]["LAMBDA_TASK_ROOT"] == str(code)
        assert seen["env"]["AWS_LAMBDA_FUNCTION_NAME"] == "s3torrent"
        assert seen["env"]["DDB_TABLE"] == "jobs"
        assert "SECRET_OF_THE_TEST" not in seen["env"]


def test_one_process_serves_one_invocation_after_the_other(code: Path) -> None:
    with function(code) as api:
        first, second = api.invoke({"n": 1}).payload, api.invoke({"n": 2}).payload
        assert [first["event"], second["event"]] == [{"n": 1}, {"n": 2}]
        assert first["pid"] == second["pid"]
        assert first["request_id"] != second["request_id"]


def test_exception_comes_back_with_its_class_name_and_the_function_goes_on(code: Path) -> None:
    with function(code) as api:
        result = api.invoke({"do": "raise"})
        assert (result.ok, result.error_type) == (False, "WrongColour")
        assert result.error_message == "found blue, expected é"
        assert result.payload["stackTrace"]
        assert api.invoke({}).ok


def test_module_that_cannot_be_imported_fails_every_invocation(code: Path) -> None:
    with function(code, "absent.handler") as api:
        for _ in range(2):
            result = api.invoke({})
            assert (result.ok, result.error_type) == (False, "Runtime.ImportModuleError")
            assert "absent" in str(result.error_message)


def test_process_that_ends_is_reported_as_lambda_does(code: Path) -> None:
    with function(code) as api:
        for _ in range(2):
            result = api.invoke({"do": "exit"})
            assert (result.ok, result.error_type) == (False, "Runtime.ExitError")
            assert result.error_message == "Runtime exited with error: exit status 7"


def test_function_past_its_deadline_is_killed(code: Path) -> None:
    with function(code) as api:
        result = api.invoke({"do": "sleep"}, deadline_seconds=0.5)
        assert (result.ok, result.error_type) == (False, "Sandbox.Timedout")
        assert not is_running(api.pid)


def test_output_of_the_function_is_kept_apart(code: Path) -> None:
    with function(code) as api:
        api.invoke({"do": "print"})
        assert api.stdout == "to stdout\n"
        assert "to stderr\n" in api.stderr


def test_peak_memory_is_that_of_the_functions_process(code: Path) -> None:
    with function(code) as api:
        api.invoke({})
        before = api.peak_memory()
        api.invoke({"do": "allocate", "bytes": 64 << 20})
        assert api.peak_memory() - before > 48 << 20


def test_function_is_stopped_at_the_end_even_while_it_waits(code: Path) -> None:
    with function(code) as api:
        assert api.invoke({}).ok
        assert is_running(api.pid)
    assert not is_running(api.pid)
