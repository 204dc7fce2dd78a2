"""Write docs/troubleshooting.md from the error tree: ``python docs/make_troubleshooting.py``. A test compares."""

import inspect
from pathlib import Path

from s3torrent import errors

HEAD = """# Troubleshooting

Every error says what it found and what it expected; this is the mend for each. The command line prints it as `hint:`, the
status item and the log carry it as `hint`. *Retried* means that the same event may succeed later, so it goes back to the
queue; the others go there too, and end in the dead-letter queue. SKIPPED is not an error of the
function: no torrent can be made of such an object, and its status item says so.

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
        f"| `{error.__name__}` | {error.exit_code} | {ends_as(error)} | {error.default_hint or 'the message says it'} |\n"
        for error in concrete()
    ]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    Path(__file__).with_name("troubleshooting.md").write_text(page())
