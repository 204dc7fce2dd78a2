"""The lines that CloudWatch makes metrics of (embedded metric format)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from s3torrent.metrics import NAMESPACE, UNITS, emit, of_outcome

ROOT = Path(__file__).resolve().parents[2]


def test_a_line_names_namespace_dimension_and_unit_of_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "torrents")
    made = {"bytesHashed": 7, "bytesRead": 0}
    emit(**of_outcome("COMPLETED", made=True, attributes=made, milliseconds=12))
    [line] = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    [metrics] = told["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == (NAMESPACE, [["FunctionName"]])
    assert told["_aws"]["Timestamp"] > 1_700_000_000_000
    values = {"Made": 1, "BytesHashed": 7, "BytesRead": 0, "Duration": 12}
    assert {one["Name"]: told[one["Name"]] for one in metrics["Metrics"]} == values
    assert {one["Name"]: one["Unit"] for one in metrics["Metrics"]} == {name: UNITS[name] for name in values}
    assert told["FunctionName"] == "torrents"


@pytest.mark.parametrize(
    ("status", "counted"), [("COMPLETED", {"Done": 1}), ("SKIPPED", {"Skipped": 1}), ("CREATING_TORRENT", {})]
)
def test_what_was_not_made_counts_no_bytes(status: str, counted: dict[str, int]) -> None:
    told = of_outcome(status, made=False, attributes={"bytesHashed": 7}, milliseconds=3)
    assert told == {**counted, "Duration": 3}


def test_outside_of_lambda_there_is_no_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    emit(Failed=1)
    assert not capsys.readouterr().out


def test_dashboard_and_alarms_name_metrics_that_there_are() -> None:
    text = (ROOT / "terraform/backend/observability.tf").read_text()
    named = re.findall(r'"s3torrent", "(\w+)"', text)
    named += re.findall(r'namespace *= "s3torrent", metric = "(\w+)"', text)
    assert len(named) >= 4
    assert set(named) <= set(UNITS)
