"""Every check, in the order in which they are run: what stands on another comes after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.doctor import (
    bucket,
    calling,
    denials,
    encryption,
    function,
    notifications,
    permissions,
    programs,
    queue,
    sending,
    surroundings,
    table,
    work,
)
from s3torrent.doctor.check import Check

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding


def _time(case: Case) -> Finding | None:
    return function.time(case, RATE)


RATE = 100_000_000
"""Bytes a second, as pipeline/backfill.py reckons; a test compares."""

CHECKS = (
    Check(
        "credentials",
        "who you are to AWS",
        "no credentials, or AWS refuses them",
        "`aws configure`",
        surroundings.credentials,
    ),
    Check(
        "clock",
        "this machine's clock against S3's",
        "over 5 minutes off: signatures are refused",
        "`timedatectl set-ntp`",
        surroundings.clock,
    ),
    Check(
        "function",
        "state of the function, and of its last update",
        "it is not there, or not able to run",
        "`make package`, `terraform apply`",
        function.function,
    ),
    Check(
        "settings",
        "every variable of the environment",
        "one is malformed: every event is refused",
        "the variable is taken out, so that its default holds",
        surroundings.settings,
    ),
    Check(
        "endpoint",
        "`AWS_ENDPOINT_URL` of the function against ours",
        "the function calls somewhere else",
        "`AWS_ENDPOINT_URL` is set to ours, or taken out",
        surroundings.endpoint,
    ),
    Check(
        "handler",
        "the function's handler",
        "Lambda cannot call it",
        "`update-function-configuration`",
        function.handler,
    ),
    Check(
        "runtime",
        "the function's Python",
        "older than 3.11: the code does not run there",
        "`update-function-configuration`",
        function.runtime,
    ),
    Check(
        "version",
        "the deployed code against this command's, and `dist/s3torrent-lambda.zip`",
        "never red",
        "`make package`, `update-function-code`",
        function.version,
    ),
    Check("memory", "the function's memory", "never red", "`update-function-configuration`", function.memory),
    Check(
        "concurrency",
        "the function's reserved concurrency",
        "0: the function never runs",
        "`delete-function-concurrency`",
        function.concurrency,
    ),
    Check("bucket", "whether the bucket is there", "it is not", "`create-bucket`", bucket.bucket),
    Check(
        "region",
        "where bucket and function lie",
        "in two regions: S3 notifies only within one",
        "`terraform apply` in the bucket's region",
        surroundings.region,
    ),
    Check(
        "keys",
        "`S3_BUCKET`, `TORRENT_INCLUDE` and `TORRENT_EXCLUDE` against the first 10,000 objects",
        "it refuses the bucket, or the patterns leave out every key",
        "`s3torrent doctor` with the function's bucket; or the variable is taken out",
        bucket.keys,
    ),
    Check(
        "bucket-policy",
        "what the bucket's policy denies the function's role",
        "something that it needs, on every key",
        "none: `get-bucket-policy` shows it, for somebody means it so",
        denials.bucket_policy,
    ),
    Check(
        "bucket-key",
        "the KMS key by which the bucket encrypts what is written",
        "the function's role may not use it, or nobody can: it is disabled",
        "`put-role-policy` or `put-key-policy`: the policy that is there, and our statement; `enable-key`",
        encryption.bucket_key,
    ),
    Check(
        "queue", "whether the queue is there", "it is not: no event arrives", "`create-queue`", queue.queue
    ),
    Check(
        "queue-policy",
        "whether those may send to the queue by whom the events come: S3, an SNS topic, an EventBridge rule",
        "it may not: no event arrives",
        "`set-queue-attributes`: the policy that is there, and our statement; a Deny is only shown",
        sending.policy,
    ),
    Check(
        "queue-key",
        "the KMS key of the queue",
        "S3 may not use it, as it may never AWS's own (`alias/aws/sqs`), or it is disabled: no event arrives",
        "`set-queue-attributes`: SQS's own encryption; or `put-key-policy`, `put-role-policy`, `enable-key`",
        encryption.queue_key,
    ),
    Check(
        "queue-visibility",
        "the queue's visibility timeout against 6 times the function's timeout",
        "shorter than one run: each message is worked on twice",
        "`set-queue-attributes`",
        queue.visibility,
    ),
    Check(
        "redrive",
        "the queue's dead-letter queue, and after how many tries",
        "there is none: what fails for good is lost",
        "`set-queue-attributes`, and `create-queue` where it is missing",
        queue.redrive,
    ),
    Check(
        "dead-letters",
        "how many lie there, and how old the oldest is",
        "never red",
        "`s3torrent redrive`, once the cause is mended",
        queue.dead_letters,
    ),
    Check(
        "mapping",
        "what reads the queue: enabled, with `ReportBatchItemFailures`, no filter",
        "nothing reads it, or messages that failed are lost",
        "`create-event-source-mapping`, `update-event-source-mapping`",
        queue.mapping,
    ),
    Check(
        "invoke",
        "whether those may call the function that do: S3, an SNS topic, an EventBridge rule",
        "it may not: no event arrives",
        "`add-permission`",
        calling.invoke,
    ),
    Check(
        "notifications",
        "what the bucket tells, to whom, of which keys; also through SNS and EventBridge, which may filter",
        "objects are created and nobody hears of it",
        "`put-bucket-notification-configuration`, `put-rule`: what is there, and ours; `notification_prefix`",
        notifications.notifications,
    ),
    Check(
        "table", "state of the status table", "it is not there, or not ACTIVE", "`create-table`", table.table
    ),
    Check(
        "table-key",
        "its partition key",
        "not `jobId` (S): another program's table",
        "another table is made, and named in `DDB_TABLE`",
        table.key,
    ),
    Check(
        "table-index",
        "its index `status-updatedAt`, and what is projected into it",
        "missing or another, or not all is projected: nothing can be listed, or only in part",
        "`update-table`",
        table.index,
    ),
    Check(
        "table-expiry", "its time to live, by `expiresAt`", "never red", "`update-time-to-live`", table.expiry
    ),
    Check("table-capacity", "on demand or provisioned", "never red", "`update-table`", table.capacity),
    Check(
        "permissions",
        "each action of the function's role, simulated by IAM; without `--function` yours, tried",
        "one that is needed is not allowed",
        "`put-role-policy`: a policy of its own with what is lacking",
        permissions.permissions,
    ),
    Check(
        "layer",
        "with `TORRENT_ENGINE=transmission`: the layer with transmission-create",
        "none, the placeholder, or for another machine",
        "the newest one that is published, or one built and published, is attached",
        programs.layer,
    ),
    Check(
        "program",
        "without `--function`: transmission-create on this machine",
        "it is not there",
        "`TORRENT_ENGINE=native`",
        programs.program,
    ),
    Check(
        "storage",
        "with `TORRENT_ENGINE=transmission`: /tmp against the largest of the first 10,000 objects",
        "the object does not fit",
        "more ephemeral storage; above 10,240 MB `TORRENT_ENGINE=native`",
        programs.storage,
    ),
    Check(
        "time",
        "timeout and memory against the largest of the first 10,000 objects, at 100 MB/s",
        "under 15 s, or an object never gets done",
        "a longer timeout (and the queue's), more memory, or `fanout_enabled`",
        _time,
    ),
    Check(
        "fan-out",
        "the state machine, where one is set",
        "it is not there, or calls another function",
        "`terraform apply`",
        work.fanout,
    ),
    Check(
        "stuck",
        "of the newest 1,000 status items those in work whose lease ended an hour ago",
        "never red",
        "the event is sent again",
        work.stuck,
    ),
    Check(
        "failed",
        "of the newest 1,000 status items those that are FAILED",
        "never red",
        "the event is sent again, or with several `s3torrent backfill`",
        work.failed,
    ),
)
