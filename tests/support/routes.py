"""The ways an S3 event may take to the function: each wires one bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.deployed import AT_ONCE, fresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.deployed import Deployed

EVENTS = [
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:LifecycleExpiration:*",
    "s3:ObjectRestore:Completed",
]


def notify(deployed: Deployed, bucket: str, **configuration: Any) -> None:
    deployed.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration
    )


def queue(deployed: Deployed, **attributes: str) -> tuple[str, str]:
    """A queue that feeds nothing yet: URL and ARN."""
    sqs = deployed.client("sqs")
    url = sqs.create_queue(QueueName=fresh("queue"), Attributes=attributes)["QueueUrl"]
    return url, arn_of(deployed, url)


def arn_of(deployed: Deployed, queue_url: str) -> str:
    answer = deployed.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def counts(sqs: Any, queue_url: str) -> tuple[int, int]:
    """How many messages wait in the queue, and how many are out and not yet done."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def feed(deployed: Deployed, queue_arn: str, *, batch_size: int = 10) -> None:
    deployed.client("lambda").create_event_source_mapping(
        FunctionName=deployed.function,
        EventSourceArn=queue_arn,
        BatchSize=batch_size,
        ScalingConfig={"MaximumConcurrency": AT_ONCE},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )


def fed_queue(deployed: Deployed) -> str:
    """The ARN of a fresh queue that feeds the function."""
    arn = queue(deployed)[1]
    feed(deployed, arn)
    return arn


def s3_sqs(deployed: Deployed, bucket: str) -> None:
    arn = arn_of(deployed, deployed.deployment.queue_url)
    notify(deployed, bucket, QueueConfigurations=[{"QueueArn": arn, "Events": EVENTS}])


def s3_lambda(deployed: Deployed, bucket: str) -> None:
    deployed.client("lambda").add_permission(
        FunctionName=deployed.function,
        StatementId=bucket,
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
    )
    target = {"LambdaFunctionArn": deployed.deployment.function_arn, "Events": EVENTS}
    notify(deployed, bucket, LambdaFunctionConfigurations=[target])


def s3_sns_sqs(deployed: Deployed, bucket: str) -> None:
    _topic(deployed, bucket, "sqs", fed_queue(deployed), {})


def s3_sns_raw_sqs(deployed: Deployed, bucket: str) -> None:
    _topic(deployed, bucket, "sqs", fed_queue(deployed), {"RawMessageDelivery": "true"})


def s3_sns_lambda(deployed: Deployed, bucket: str) -> None:
    _topic(deployed, bucket, "lambda", deployed.deployment.function_arn, {})


def s3_eventbridge_sqs(deployed: Deployed, bucket: str) -> None:
    _rule(deployed, bucket, fed_queue(deployed))


def s3_eventbridge_lambda(deployed: Deployed, bucket: str) -> None:
    _rule(deployed, bucket, deployed.deployment.function_arn)


def _topic(deployed: Deployed, bucket: str, protocol: str, endpoint: str, attributes: dict[str, str]) -> None:
    sns = deployed.client("sns")
    topic = sns.create_topic(Name=fresh("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)
    notify(deployed, bucket, TopicConfigurations=[{"TopicArn": topic, "Events": EVENTS}])


def _rule(deployed: Deployed, bucket: str, target: str) -> None:
    events, name = deployed.client("events"), fresh("rule")
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "function", "Arn": target}])
    notify(deployed, bucket, EventBridgeConfiguration={})


ROUTES: dict[str, Callable[[Deployed, str], None]] = {
    "S3 -> SQS -> Lambda": s3_sqs,
    "S3 -> Lambda": s3_lambda,
    "S3 -> SNS -> SQS -> Lambda": s3_sns_sqs,
    "S3 -> SNS (raw) -> SQS -> Lambda": s3_sns_raw_sqs,
    "S3 -> SNS -> Lambda": s3_sns_lambda,
    "S3 -> EventBridge -> SQS -> Lambda": s3_eventbridge_sqs,
    "S3 -> EventBridge -> Lambda": s3_eventbridge_lambda,
}
