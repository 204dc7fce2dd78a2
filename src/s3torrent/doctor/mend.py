"""Commands that mend, as a person would paste them into a shell: every name filled in and quoted."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.doctor.case import Case

VISIBILITY_PER_TIMEOUT = 6
"""What AWS asks for: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
RECEIVES = 5
OURS = "s3torrent"
"""Id of our notification and policy statements, as ``s3torrent dev`` and the local set-up have it."""


def command(*words: str) -> str:
    return shlex.join(words)


def terraform(name: str, value: Any, where: str = "the module") -> str:
    """What is to be written there is only said: nobody but the operator knows his files."""
    return f"terraform apply # with {name} = {compact(value)} in {where}"


def aws(case: Case, *words: str) -> str:
    """``words`` of the AWS CLI, at the endpoint and in the region that were looked at: its version 1 heeds
    neither AWS_REGION nor, for SQS, AWS_ENDPOINT_URL.
    """
    ours = case.clients.endpoint_url
    where = ["--endpoint-url", ours] if ours else []
    return shlex.join(["aws", *words, "--region", case.region, *where])


def both(*commands: str) -> str:
    """One after the other, and none after one that failed."""
    return " && ".join(one for one in commands if one)


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def set_variables(case: Case, values: Mapping[str, str | None]) -> str:
    """Of the function's environment (None: taken out) and no others; or of this shell's."""
    if case.function is None:
        return both(
            *(f"unset {n}" if v is None else f"export {n}={shlex.quote(v)}" for n, v in values.items())
        )
    steps = [
        f"del(.Variables[{compact(name)}])"
        if value is None
        else f".Variables[{compact(name)}]={compact(value)}"
        for name, value in values.items()
    ]
    # UpdateFunctionConfiguration replaces all of them: those that are there are read at that moment.
    words = ("lambda", "get-function-configuration", "--function-name", case.function)
    query = ("--query", "{Variables: Environment.Variables}", "--output", "json")
    read = f"{aws(case, *words, *query)} | jq -c {shlex.quote(' | '.join(steps))}"
    change = aws(case, "lambda", "update-function-configuration", "--function-name", case.function)
    return f'{change} --environment "$({read})"'


def configure(case: Case, *words: str) -> str:
    """Change the function."""
    name = str(case.function)
    return aws(case, "lambda", "update-function-configuration", "--function-name", name, *words)


def updated(case: Case) -> str:
    """Wait until the function may be changed again."""
    return aws(case, "lambda", "wait", "function-updated-v2", "--function-name", str(case.function))


def set_attributes(case: Case, url: str, attributes: Mapping[str, str]) -> str:
    """Of a queue."""
    words = ("sqs", "set-queue-attributes", "--queue-url", url, "--attributes")
    return aws(case, *words, compact(dict(attributes)))
