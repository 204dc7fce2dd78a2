"""What is on the stack at AWS_ENDPOINT_URL, and what others have put there: ``state.py VERB ARGUMENTS``."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from s3torrent.status.dynamodb import DynamoStatus
from s3torrent.wiring import Clients

sys.path.append(str(Path(__file__).parents[1]))
from support.waiting import until

CLIENTS = Clients(os.environ["AWS_ENDPOINT_URL"], "us-east-1", ("test", "test"))
BUCKET = "chronicle-recordings-dev"
VOLATILE = {"ResponseMetadata", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}


def _plain(answer: Any) -> str:
    kept = {key: value for key, value in answer.items() if key not in VOLATILE}
    return json.dumps(kept, indent=1, sort_keys=True, default=str)


def everything() -> None:
    """Of all that the set-up makes, what would tell of a change: RevisionId, LastModified and their like."""
    function, queues, iam, s3 = map(CLIENTS.client, ("lambda", "sqs", "iam", "s3"))
    print(_plain(function.get_function_configuration(FunctionName="s3torrent")))
    print(_plain(function.list_event_source_mappings(FunctionName="s3torrent")))
    print(_plain(function.list_layer_versions(LayerName="transmission-tools")))
    for name in ("s3torrent", "s3torrent-dlq"):
        url = queues.get_queue_url(QueueName=name)["QueueUrl"]
        print(_plain(queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]))
    print(_plain(iam.get_role(RoleName="s3torrent")))
    print(_plain(iam.get_role_policy(RoleName="s3torrent", PolicyName="s3torrent")))
    print(_plain(CLIENTS.client("dynamodb").describe_table(TableName="s3torrent")))
    print(_plain(s3.get_bucket_notification_configuration(Bucket=BUCKET)))


def foreign(bucket: str) -> None:
    """A bucket with somebody else's notification, which is printed."""
    s3, queues = CLIENTS.client("s3"), CLIENTS.client("sqs")
    s3.create_bucket(Bucket=bucket)
    url = queues.create_queue(QueueName="foreign")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    notification = {"Id": "somebody-elses", "QueueArn": arn, "Events": ["s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [notification]}
    )
    notifications(bucket)


def notifications(bucket: str) -> None:
    """One a line."""
    found = CLIENTS.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    for one in found["QueueConfigurations"]:
        print(json.dumps(one, sort_keys=True))


def foreign_table(name: str) -> None:
    CLIENTS.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
    )


def same_table(name: str) -> None:
    client = CLIENTS.client("dynamodb")
    DynamoStatus(client, "made-by-the-function", lambda: datetime.now(UTC)).ensure()
    assert _schema(client, name) == _schema(client, "made-by-the-function")


def _schema(client: Any, name: str) -> Any:
    table = client.describe_table(TableName=name)["Table"]
    indexes = [
        {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
        for index in table["GlobalSecondaryIndexes"]
    ]
    attributes = sorted((one["AttributeName"], one["AttributeType"]) for one in table["AttributeDefinitions"])
    lifetime = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return table["KeySchema"], attributes, indexes, table["BillingModeSummary"]["BillingMode"], lifetime


def engine_of_upload(table: str, bucket: str) -> None:
    """Upload, wait for the torrent, and print which engine its status item names."""
    CLIENTS.client("s3").put_object(Bucket=bucket, Key="test-file.txt", Body=b"hello")
    key = {"jobId": {"S": f"s3://{bucket}/test-file.txt"}}

    def ended() -> Any:
        item = CLIENTS.client("dynamodb").get_item(TableName=table, Key=key).get("Item", {})
        return item if item.get("status", {}).get("S") in ("COMPLETED", "FAILED") else None

    item = until(ended, "an end of the work on the upload")
    print(item["engine"]["S"] if item["status"]["S"] == "COMPLETED" else item)


def with_probe(table: str, bucket: str) -> None:
    """Keys and items that tell of a probe of the set-up."""
    objects = CLIENTS.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    items = CLIENTS.client("dynamodb").scan(TableName=table)["Items"]
    found = [one["Key"] for one in objects] + [item["jobId"]["S"] for item in items]
    print([name for name in found if "probe" in name])


VERBS = {
    "all": everything,
    "foreign": foreign,
    "notifications": notifications,
    "foreign-table": foreign_table,
    "same-table": same_table,
    "engine-of-upload": engine_of_upload,
    "with-probe": with_probe,
}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
    CLIENTS.close()
