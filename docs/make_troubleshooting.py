"""Write docs/troubleshooting.md from the error tree: ``python docs/make_troubleshooting.py``. A test compares."""

import inspect
from pathlib import Path

from s3torrent import errors

HEAD = """# Troubleshooting

Every error says what it found and what it expected; this is the mend for each. The command line prints it as `hint:`, the
status item and the log carry it as `hint`. *Retried* means that the same event may succeed later, so it goes back to the
queue; the others go there too, and end in the dead-letter queue. SKIPPED is not an error of the
function: no torrent can be made of such an object, and its status item says so.

## Nothing happens at all

No status item and no `.torrent`. Look in this order (`s3torrent` is the deployment's `name`):

1. *Was the event dropped?* `include`, `exclude`, another bucket than `S3_BUCKET`, or a key that is itself a `.torrent`: such an event succeeds
   and leaves one line in the log, `{"event": "dropped", "id": ..., "reason": ...}`:
   `aws logs filter-log-events --log-group-name /aws/lambda/s3torrent --filter-pattern '"dropped"'`. The mend is the pattern, or the key.
2. *Did the function refuse its settings?* ConfigError: `--filter-pattern '"refused"'` shows one line with message and hint for each event. No
   status item is written, for the settings name the table. The events go back and in the end to the dead-letter queue: correct
   the variable, then redrive ([deploy](deploy.md), step 4).
3. *Are notifications not configured?* `aws s3api get-bucket-notification-configuration --bucket NAME` must list `s3:ObjectCreated:*` for the
   queue (or the function), with a filter, if any, that takes the key. Terraform's output `notification_command`, or
   `docker/localstack/s3-torrent-lambda-setup.sh` on a local stack, puts it there and leaves others' entries alone.
4. *Does the message wait?* One that failed is taken up again after the queue's visibility timeout; one in the dead-letter queue has its reason in
   the status item and in the log (`--filter-pattern '{ $.event = "object" && $.status = "FAILED" }'`).

## Resources in conflict

A table of our name with another key schema is TableSchemaMismatch, a `.torrent` of somebody else ForeignTorrent, two workers on one object
HeldByAnother or LeaseLost, two writers of one `.torrent` WriteConflict. S3 refuses a second notification for the same events that could hear of
the same keys ("overlapping"): give ours a `notification_prefix` or `notification_suffix` that no other covers. It also refuses every change
of the notifications while one target in them is missing: take that entry out ("Unable to validate the following destination configurations").

## Every error

Generated from `src/s3torrent/errors.py` by `docs/make_troubleshooting.py`.

| error | exit code | ends as | mend |
|---|---|---|---|
"""


def ends_as(error: type[errors.S3TorrentError]) -> str:
    if issubclass(error, errors.NotTorrentable | errors.NoSuchObject | errors.ObjectGone):
        return "SKIPPED"
    return "FAILED, retried" if error.retryable else "FAILED"


def concrete() -> list[type[errors.S3TorrentError]]:
    found = [
        error
        for _, error in inspect.getmembers(errors, inspect.isclass)
        if issubclass(error, errors.S3TorrentError)
    ]
    return sorted(
        (error for error in found if not error.__subclasses__()),
        key=lambda error: (error.exit_code, inspect.getsourcelines(error)[1]),
    )


def page() -> str:
    rows = [
        f"| `{error.__name__}` | {error.exit_code} | {ends_as(error)} | {error.default_hint} |\n"
        for error in concrete()
    ]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    Path(__file__).with_name("troubleshooting.md").write_text(page())
