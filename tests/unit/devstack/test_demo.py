"""How the demo ends when it does not end well: one clear line, and the exit code of the error."""

from __future__ import annotations

import signal
import time
from typing import NoReturn

import pytest
from botocore.exceptions import EndpointConnectionError

from s3torrent.devstack import demo as module
from s3torrent.errors import Mismatch, StackError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (StackError("no stack", hint="start it"), 4, "demo: no stack\n      start it\n"),
        (Mismatch("3 of 4 pieces", hint=""), 1, "demo: 3 of 4 pieces\n"),
        (
            EndpointConnectionError(endpoint_url="http://x"),
            4,
            'demo: Could not connect to the endpoint URL: "http://x"\n',
        ),
        (KeyboardInterrupt(), 130, "demo: interrupted; everything is stopped\n"),
    ],
)
def test_an_error_is_told_on_stderr_with_its_exit_code(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(module, "demo", fails)
    assert module.main() == code
    assert capsys.readouterr() == ("", said)


def test_a_demo_that_hangs_is_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "SECONDS", 1)
    monkeypatch.setattr(module, "demo", lambda _: time.sleep(600))
    assert module.main() == 4
    assert "did not finish within 1 s" in capsys.readouterr().err


def test_afterwards_the_signals_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)]
    monkeypatch.setattr(module, "demo", lambda _: None)
    assert module.main() == 0
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)] == before
