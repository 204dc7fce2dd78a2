"""What a doctor is told by an AWS that answers as a test says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from s3torrent.cli.doctor import left_out
from s3torrent.doctor.case import Case
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.status.base import StatusItem

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REGION, ACCOUNT, NAME = "eu-central-1", "123456789012", "s3torrent"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}"
QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{NAME}"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}"
EVENTS = [
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:LifecycleExpiration:*",
    "s3:ObjectRestore:Completed",
]


def refused(code: str, status: int = 400, **headers: str) -> ClientError:
    """An error of AWS's."""
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return ClientError(
        {"Error": {"Code": code, "Message": "said so"}, "ResponseMetadata": metadata}, "Operation"
    )


def well() -> dict[str, Any]:
    """Answers by operation, of a deployment with nothing wrong."""
    return {
        "get_caller_identity": {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/me"},
        "list_buckets": {"ResponseMetadata": {"HTTPHeaders": {"date": "Tue, 24 Nov 2026 12:00:00 GMT"}}},
        "head_bucket": {"BucketRegion": REGION},
        "get_function_configuration": {
            "FunctionArn": FUNCTION, "Role": f"arn:aws:iam::{ACCOUNT}:role/{NAME}", "Runtime": "python3.13",
            "Handler": "s3torrent.lambda_handler.handler", "Timeout": 900, "MemorySize": 1769, "State": "Active",
            "LastUpdateStatus": "Successful", "EphemeralStorage": {"Size": 512}, "Architectures": ["x86_64"],
            "Environment": {"Variables": {"DDB_TABLE": NAME, "S3_BUCKET": "films"}},
        },
        "list_event_source_mappings": {
            "EventSourceMappings": [
                {"UUID": "u-1", "EventSourceArn": QUEUE, "State": "Enabled",
                 "FunctionResponseTypes": ["ReportBatchItemFailures"]}
            ]
        },
        "get_policy": refused("ResourceNotFoundException", 404),
        "get_bucket_notification_configuration": {
            "QueueConfigurations": [{"Id": NAME, "QueueArn": QUEUE, "Events": EVENTS}]
        },
        "get_queue_url": lambda **asked: {"QueueUrl": f"{QUEUE_URL.rpartition('/')[0]}/{asked['QueueName']}"},
        "get_queue_attributes": {"Attributes": {
            "QueueArn": QUEUE, "VisibilityTimeout": "5400", "ApproximateNumberOfMessages": "0",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{QUEUE}-dlq", "maxReceiveCount": 5}),
        }},
        "simulate_principal_policy": lambda **asked: {
            "EvaluationResults": [{"EvalActionName": one, "EvalDecision": "allowed"} for one in asked["ActionNames"]]
        },
        "get_metric_statistics": {"Datapoints": []},
        "get_subscription_attributes": {"Attributes": {"RawMessageDelivery": "false"}},
        "get_function_concurrency": {},
        "get_bucket_policy": refused("NoSuchBucketPolicy", 404),
        "get_bucket_encryption": {"ServerSideEncryptionConfiguration": {"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]}},
    }  # fmt: skip


class Answers:
    """``wiring.Clients`` whose every operation answers as ``told``: a value, an error, or what a function gives."""

    endpoint_url: str | None = None

    def __init__(self, told: Mapping[str, Any], region: str | None = REGION) -> None:
        self.told, self.asked = told, []
        self._region = region

    def client(self, service: str) -> Any:
        return _Client(self, self._region)


class _Client:
    def __init__(self, answers: Answers, region: str | None) -> None:
        self._answers, self.meta = answers, SimpleNamespace(region_name=region)

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            self._answers.asked.append((operation, arguments))
            answer = self._answers.told.get(operation, refused("AccessDenied", 403))
            if isinstance(answer, Exception):
                raise answer
            return answer(**arguments) if callable(answer) else answer

        return call


def case(
    told: Mapping[str, Any] | None = None,
    *,
    function: str | None = NAME,
    sizes: tuple[int, ...] = (),
    items: tuple[StatusItem, ...] = (),
    variables: Mapping[str, str] | None = None,
    configuration: Mapping[str, Any] | None = None,
    machine: Mapping[str, str] | None = None,
    endpoint: str | None = None,
    region: str | None = REGION,
    **given: str,
) -> Case:
    """A function as ``well`` has it, but for what is ``told``; ``variables`` and ``configuration`` are added to its."""
    answers = well()
    if configuration:
        answers["get_function_configuration"] |= configuration
    if variables:
        answers["get_function_configuration"]["Environment"]["Variables"] |= variables
    clients = Answers({**answers, **(told or {})}, region)
    clients.endpoint_url = endpoint
    objects = [
        ObjectVersion(ObjectRef("films", f"{n}.mkv"), None, "e", size, NOW) for n, size in enumerate(sizes)
    ]
    return Case(
        clients, machine or {}, lambda: NOW, function=function,
        objects=lambda _: objects, items=lambda _table, _most: list(items), left_out=left_out, **given,
    )  # fmt: skip
