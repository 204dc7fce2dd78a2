"""The state machine of terraform/backend, as it stands there, on the session's MiniStack."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.waiting import until

if TYPE_CHECKING:
    from support.ministack import MiniStack

DEFINITION = Path(__file__).parents[2] / "terraform" / "backend" / "torrent-fanout.asl.json"
ACCOUNT, REGION = "000000000000", "us-east-1"


def arn_of(name: str) -> str:
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"


def definition(function_arn: str, concurrency: int = 4, *, retry_seconds: int | None = None) -> str:
    """As Terraform's ``templatefile`` fills it; with ``retry_seconds`` a test does not wait for minutes."""
    names = set(re.findall(r"\$\{(\w+)\}", DEFINITION.read_text()))
    assert names == {"function_arn", "concurrency"}
    filled = DEFINITION.read_text().replace("${function_arn}", function_arn)
    filled = filled.replace("${concurrency}", str(concurrency))
    if retry_seconds is not None:
        filled = re.sub(r'"IntervalSeconds": \d+', f'"IntervalSeconds": {retry_seconds}', filled)
        filled = filled.replace('"MaxDelaySeconds": 60', f'"MaxDelaySeconds": {retry_seconds + 1}')
    json.loads(filled)
    return filled


def make_machine(stack: MiniStack, name: str, text: str) -> str:
    made = stack.client("stepfunctions").create_state_machine(
        name=name, definition=text, roleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}"
    )
    assert made["stateMachineArn"] == arn_of(name)
    return arn_of(name)


def ended(stack: MiniStack, machine_arn: str, name: str, *, seconds: float = 300) -> dict[str, Any]:
    """The execution, once it runs no more."""
    arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
    client = stack.client("stepfunctions")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    return until(look, lambda: f"{name} to end\n{stack.log[-3000:]}", seconds=seconds)
