"""Metrics of the function, as lines of its log that CloudWatch takes out of it: no request, no agent.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

NAMESPACE = "s3torrent"
UNITS = {
    "Made": "Count",
    "Done": "Count",
    "Skipped": "Count",
    "Failed": "Count",
    "BytesHashed": "Bytes",
    "BytesRead": "Bytes",
    "Duration": "Milliseconds",
}
"""All there are. ``Done`` are those that had their torrent already."""


def emit(**values: float) -> None:
    """One line on stdout, by the function's name alone; nothing outside of Lambda."""
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    if not name or sys.stdout is None:
        return
    metrics = [{"Name": metric, "Unit": UNITS[metric]} for metric in values]
    told: dict[str, Any] = {
        "_aws": {
            "Timestamp": round(time.time() * 1000),
            "CloudWatchMetrics": [
                {"Namespace": NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": metrics}
            ],
        },
        "FunctionName": name,
        **values,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def of_outcome(status: str, *, made: bool, attributes: Any, milliseconds: int) -> dict[str, float]:
    """What to emit for an object that ended so."""
    ended = "Made" if made else "Done" if status == "COMPLETED" else "Skipped" if status == "SKIPPED" else ""
    told: dict[str, float] = {ended: 1} if ended else {}
    if made:
        told |= {"BytesHashed": attributes.get("bytesHashed", 0), "BytesRead": attributes.get("bytesRead", 0)}
    return {**told, "Duration": milliseconds}
