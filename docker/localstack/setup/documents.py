#!/usr/bin/env python3
"""The JSON of the set-up: ``documents.py KIND ARGUMENTS <WHAT-IS-THERE >WANTED``.

Called by s3-torrent-lambda-setup.sh; the standard library only. Standard input is what the AWS CLI says is
there, empty where there is nothing. Printed is the document to put in its place, and nothing where it is as
wanted: entries of other people stay in it. Exit 1 with one line on standard error where none can be made.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

OURS = "s3torrent"
"""Id of our notification and Sid of our statement: what a second run recognizes."""

LAYER = "transmission-tools"
RUNTIME = "python3.13"
HANDLER = "s3torrent.lambda_handler.handler"
EVENTS = [
    *("s3:ObjectCreated:*", "s3:ObjectRemoved:*"),
    *("s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed"),
]
SETTINGS = ("S3_BUCKET", "DDB_TABLE", "TRACKERS", "TRANSMISSION_CREATE")
"""Of the function, besides every TORRENT_*: taken from our own environment (docs/configuration.md)."""

MAX_RECEIVE_COUNT = 5
VISIBILITY_PER_TIMEOUT = 6  # what AWS asks for: "Using Lambda with Amazon SQS"

Document = dict[str, Any]


def trust(_: Document) -> Document:
    principal = {"Service": "lambda.amazonaws.com"}
    return _policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def rights(there: Document, bucket: str, table: str, function: str, queue_arn: str) -> Document | None:
    """The role's: what the function does, as terraform/backend/iam.tf has it."""
    region, account = queue_arn.split(":")[3:5]
    objects = ["GetObject", "GetObjectVersion", "GetObjectAttributes", "GetObjectVersionAttributes"]
    prefix = os.environ.get("TORRENT_CONTROL_PREFIX") or ".s3torrent/"
    ours = [f"arn:aws:s3:::{bucket}/*.torrent", f"arn:aws:s3:::{bucket}/{prefix}*"]
    items = ["DescribeTable", "UpdateItem", "CreateTable", "UpdateTimeToLive"]
    messages = ["DeleteMessage", "GetQueueAttributes", "ReceiveMessage"]
    allowed = [
        ([f"s3:{action}" for action in objects], f"arn:aws:s3:::{bucket}/*"),
        (["s3:PutObject"], ours),
        (["s3:ListBucket"], f"arn:aws:s3:::{bucket}"),
        ([f"dynamodb:{action}" for action in items], f"arn:aws:dynamodb:{region}:{account}:table/{table}"),
        ([f"sqs:{action}" for action in messages], queue_arn),
        (
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{function}:*",
        ),
    ]
    wanted = _policy(*({"Effect": "Allow", "Action": action, "Resource": on} for action, on in allowed))
    return None if there == wanted else wanted


def queue(there: Document, bucket: str, queue_arn: str, dead_letter_arn: str) -> Document | None:
    """Of the queue's attributes those that are to change; ``dead_letter_arn`` may be empty."""
    found = there.get("Attributes", {})
    account = queue_arn.split(":")[4]
    ours = {
        "Sid": OURS,
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {
            "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
            "StringEquals": {"aws:SourceAccount": account},
        },
    }
    policy = json.loads(found.get("Policy") or "{}") or _policy()
    redrive = json.loads(found.get("RedrivePolicy") or "{}")
    timeout = str(VISIBILITY_PER_TIMEOUT * int(os.environ["FUNCTION_TIMEOUT"]))
    changed = {}
    if found.get("VisibilityTimeout") != timeout:
        changed["VisibilityTimeout"] = timeout
    if ours not in policy["Statement"]:
        policy["Statement"] = [one for one in policy["Statement"] if one.get("Sid") != OURS] + [ours]
        changed["Policy"] = json.dumps(policy)
    if dead_letter_arn and redrive.get("deadLetterTargetArn") != dead_letter_arn:
        redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
        changed["RedrivePolicy"] = json.dumps(redrive)
    return changed or None


def function(there: Document, name: str, role: str, endpoint: str, layer: str) -> Document | None:
    """The function's configuration; ``endpoint`` is as it sees it, ``layer`` an ARN or empty."""
    handler = there.get("Handler", HANDLER)
    if handler != HANDLER:
        sys.exit(
            f"is not ours: its handler is {handler}, expected {HANDLER}: name another in FUNCTION_NAME, or"
            f" delete this one (aws lambda delete-function --function-name {name})"
        )
    settings = {
        key: value
        for key, value in os.environ.items()
        if value and (key in SETTINGS or key.startswith("TORRENT_"))
    }
    layers = [one["Arn"] for one in there.get("Layers") or []]
    others = [arn for arn in layers if f":layer:{LAYER}:" not in arn]
    wanted = {
        "FunctionName": name,
        "Role": role,
        "Runtime": RUNTIME,
        "Handler": HANDLER,
        "Timeout": int(os.environ["FUNCTION_TIMEOUT"]),
        "MemorySize": int(os.environ["FUNCTION_MEMORY"]),
        "Environment": {"Variables": {**settings, "AWS_ENDPOINT_URL": endpoint}},
        "Layers": others + ([layer] if layer else []),
    }
    found = {**there, "Layers": layers}
    return None if all(found.get(key) == value for key, value in wanted.items()) else wanted


def notification(there: Document, queue_arn: str) -> Document | None:
    """The bucket's whole configuration, which is replaced as one: ours added to what is there."""
    queues = there.get("QueueConfigurations", [])
    ours = {"Id": OURS, "QueueArn": queue_arn, "Events": EVENTS}
    if ours in queues:
        return None
    return {**there, "QueueConfigurations": [one for one in queues if one.get("Id") != OURS] + [ours]}


def key(there: Document) -> str:
    """Of a DescribeTable answer: the key as our errors write it, such as ``jobId (S, HASH)``."""
    types = {one["AttributeName"]: one["AttributeType"] for one in there["Table"]["AttributeDefinitions"]}
    schema = [(one["AttributeName"], one["KeyType"]) for one in there["Table"]["KeySchema"]]
    return ", ".join(f"{name} ({types.get(name, '?')}, {kind})" for name, kind in schema)


def message(there: Document) -> str:
    """Of a function's error document."""
    return " ".join(str(there.get("errorMessage", there)).split())


def _policy(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


KINDS = {made.__name__: made for made in (trust, rights, queue, function, notification, key, message)}


def main(arguments: list[str]) -> int:
    kind, *rest = arguments
    wanted = KINDS[kind](json.loads(sys.stdin.read().strip() or "{}"), *rest)
    if wanted is not None:
        sys.stdout.write((wanted if isinstance(wanted, str) else json.dumps(wanted)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
