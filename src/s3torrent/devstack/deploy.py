"""The whole deployment by API calls: bucket, queues, table, role, function, and the wires between them.

For an endpoint that is ours alone (MiniStack, LocalStack); AWS itself is set up by Terraform. Run again on
what exists, it mends what differs and leaves the rest, other people's notifications and statements too.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from s3torrent.errors import StackError
from s3torrent.wiring import status_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from s3torrent.wiring import Clients

OURS = "s3torrent"
"""Id of our notification and our policy statements: what a second run replaces."""

RUNTIME = "python3.13"
HANDLER = "s3torrent.lambda_handler.handler"
MEMORY_MB = 1769  # from here on Lambda gives a whole CPU
MAX_RECEIVE_COUNT = 5
VISIBILITY_PER_TIMEOUT = 6  # what AWS asks for: "Using Lambda with Amazon SQS"
ROLE_SECONDS = 30.0  # a new role is not known everywhere at once
WAIT = {"Delay": 0.25, "MaxAttempts": 240}
EVENTS = [
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:LifecycleExpiration:*",
    "s3:ObjectRestore:Completed",
]


@dataclass(frozen=True, slots=True)
class Names:
    bucket: str = "s3torrent-demo"
    table: str = OURS
    queue: str = OURS
    dead_letter_queue: str = f"{OURS}-dlq"
    function: str = OURS


@dataclass(frozen=True, slots=True)
class Deployment:
    """What stands: the names it was made under, and where messages go."""

    names: Names
    endpoint: str
    queue_url: str
    dead_letter_queue_url: str
    function_arn: str


def deploy(
    clients: Clients,
    names: Names,
    archive: Path,
    *,
    environment: Mapping[str, str],
    versioned: bool = True,
    timeout: int = 60,
    batch_size: int = 1,
    concurrency: int = 2,
) -> Deployment:
    """Make or mend everything, and wait until the function is ready.

    ``environment`` is the function's, beside ``DDB_TABLE`` and ``S3_BUCKET``; ``timeout`` is in seconds.
    One object an invocation, so that none eats the time of another; two invocations at once (the fewest AWS
    allows), because the functions share this machine and each starts with a second of imports.
    Raises StackError that names the resource.
    """
    with step("bucket", names.bucket):
        _bucket(clients.client("s3"), names.bucket, versioned=versioned)
    sqs = clients.client("sqs")
    with step("queue", names.dead_letter_queue):
        dead_letter_url, dead_letter_arn = _queue(sqs, names.dead_letter_queue, {})
    with step("queue", names.queue):
        redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
        attributes = {
            "VisibilityTimeout": str(VISIBILITY_PER_TIMEOUT * timeout),
            "RedrivePolicy": json.dumps(redrive),
        }
        queue_url, queue_arn = _queue(sqs, names.queue, attributes)
        _allow_bucket(sqs, queue_url, queue_arn, names.bucket)
    with step("table", names.table):
        status_store(clients, names.table).ensure()
    with step("role", names.function):
        role_arn = _role(clients.client("iam"), names, queue_arn)
    with step("function", names.function):
        configuration = {
            "Role": role_arn,
            "Runtime": RUNTIME,
            "Handler": HANDLER,
            "Timeout": timeout,
            "MemorySize": MEMORY_MB,
            "Environment": {
                "Variables": {"DDB_TABLE": names.table, "S3_BUCKET": names.bucket, **environment},
            },
        }
        function_arn = _function(clients.client("lambda"), names.function, archive, configuration)
    with step("event source mapping", names.queue):
        _mapping(clients.client("lambda"), names.function, queue_arn, batch_size, concurrency)
    with step("notification", names.bucket):
        _notify(clients.client("s3"), names.bucket, queue_arn)
    return Deployment(names, sqs.meta.endpoint_url, queue_url, dead_letter_url, function_arn)


@contextlib.contextmanager
def step(kind: str, name: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError, WaiterError) as error:
        raise StackError(f"{kind} {name}: {error}") from error


@contextlib.contextmanager
def _already(*codes: str) -> Iterator[None]:
    """What is to be made is there already: these error codes say so."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def _bucket(s3: Any, name: str, *, versioned: bool) -> None:
    region = s3.meta.region_name
    # us-east-1 is the one region that may not be named.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with _already("BucketAlreadyOwnedByYou"):
        s3.create_bucket(Bucket=name, **where)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def _queue(sqs: Any, name: str, attributes: Mapping[str, str]) -> tuple[str, str]:
    """Its URL and ARN. Attributes are set apart: CreateQueue refuses a queue whose attributes differ."""
    with _already("QueueAlreadyExists", "QueueNameExists", "AWS.SimpleQueueService.QueueNameExists"):
        sqs.create_queue(QueueName=name)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    if attributes:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=dict(attributes))
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _allow_bucket(sqs: Any, url: str, arn: str, bucket: str) -> None:
    """Let S3 send for this bucket (https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html)."""
    statement = {
        "Sid": OURS,
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
    policy = json.loads(attributes.get("Policy") or '{"Version": "2012-10-17", "Statement": []}')
    policy["Statement"] = [s for s in policy["Statement"] if s.get("Sid") != OURS] + [statement]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})


def _role(iam: Any, names: Names, queue_arn: str) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    with _already("EntityAlreadyExists"):
        iam.create_role(RoleName=names.function, AssumeRolePolicyDocument=json.dumps(trust))
    rights = {
        f"arn:aws:s3:::{names.bucket}": ["s3:ListBucket"],
        f"arn:aws:s3:::{names.bucket}/*": [
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:GetObjectAttributes",
            "s3:GetObjectVersionAttributes",
            "s3:PutObject",
            "s3:DeleteObject",
        ],
        f"arn:aws:dynamodb:*:*:table/{names.table}*": [
            "dynamodb:DescribeTable",
            "dynamodb:CreateTable",
            "dynamodb:UpdateTimeToLive",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:Query",
            "dynamodb:Scan",
        ],
        queue_arn: [
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ChangeMessageVisibility",
            "sqs:SendMessage",
        ],
        "arn:aws:logs:*:*:*": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    }
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": resource} for resource, actions in rights.items()
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName=names.function, PolicyName=OURS, PolicyDocument=json.dumps(policy))
    return str(iam.get_role(RoleName=names.function)["Role"]["Arn"])


def _function(client: Any, name: str, archive: Path, configuration: Mapping[str, Any]) -> str:
    code = archive.read_bytes()
    try:
        there = client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        _create(client, name, code, configuration)
    else:
        if there["CodeSha256"] != base64.b64encode(hashlib.sha256(code).digest()).decode():
            client.update_function_code(FunctionName=name, ZipFile=code)
            client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
        if any(there.get(key) != value for key, value in configuration.items()):
            client.update_function_configuration(FunctionName=name, **configuration)
            client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    return str(client.get_function_configuration(FunctionName=name)["FunctionArn"])


def _create(client: Any, name: str, code: bytes, configuration: Mapping[str, Any]) -> None:
    deadline = time.monotonic() + ROLE_SECONDS
    while True:
        try:
            client.create_function(FunctionName=name, Code={"ZipFile": code}, **configuration)
        except client.exceptions.InvalidParameterValueException as error:
            if "cannot be assumed" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


def _mapping(client: Any, function: str, queue_arn: str, batch_size: int, concurrency: int) -> None:
    wanted = {
        "BatchSize": batch_size,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": concurrency},
    }
    there = client.list_event_source_mappings(FunctionName=function, EventSourceArn=queue_arn)[
        "EventSourceMappings"
    ]
    if not there:
        client.create_event_source_mapping(FunctionName=function, EventSourceArn=queue_arn, **wanted)
    elif any(there[0].get(key) != value for key, value in wanted.items()):
        client.update_event_source_mapping(UUID=there[0]["UUID"], **wanted)


def _notify(s3: Any, bucket: str, queue_arn: str) -> None:
    """Add ours to what is there: the call replaces the bucket's whole configuration."""
    configuration = s3.get_bucket_notification_configuration(Bucket=bucket)
    configuration.pop("ResponseMetadata", None)
    queues = configuration.get("QueueConfigurations", [])
    ours = {"Id": OURS, "QueueArn": queue_arn, "Events": EVENTS}
    if ours in queues:
        return
    configuration["QueueConfigurations"] = [one for one in queues if one.get("Id") != OURS] + [ours]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
