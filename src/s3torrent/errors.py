"""Every error the program can meet, and nothing else.

    S3TorrentError
    ├── UsageError                exit 2   what was asked for cannot be done as asked
    │   ├── ConfigError                    a setting is missing or malformed
    │   ├── PieceLengthError               not a power of two, or outside 16 KiB..128 MiB
    │   ├── UrlError                       a tracker or web seed is not a URL of its kind
    │   ├── OutputExists                   a file that would be overwritten
    │   └── NotTorrentable                 no torrent can be made of this object, ever -> SKIPPED
    │       ├── EmptyContent               0 bytes: clients refuse such a torrent
    │       ├── KeyTooLong                 KEY.torrent would pass 1,024 bytes
    │       ├── BadName                    no usable file name in the key or path
    │       ├── CataloguePage              a file of a catalogue that we wrote ourselves
    │       ├── ForeignTorrent             KEY.torrent is there and is not ours
    │       ├── TooLarge                   no piece length keeps the .torrent loadable
    │       ├── Archived                   in GLACIER or DEEP_ARCHIVE: cannot be read until restored
    │       └── PathConflict               the same path twice, or a file that is also a folder
    ├── EventError                exit 2   a payload of no known kind, or a known kind cut short
    ├── Mismatch                  exit 1   content and torrent disagree
    ├── MetainfoError             exit 3   not a torrent
    │   ├── BencodeError                   malformed bencoding, with its byte offset
    │   └── InvalidMetainfo                well-formed, but breaks a named rule of a BEP
    ├── SourceError               exit 4   the bytes cannot be had
    │   ├── NoSuchBucket
    │   ├── WrongRegion                    the bucket lies in another region than the client asks
    │   ├── NoSuchObject                   no such key, version or file
    │   ├── ObjectGone                     deleted while it was read
    │   ├── AccessDenied                   which action on which resource
    │   ├── KeyUnusable                    the KMS key is disabled, deleted, or of the wrong kind
    │   ├── ObjectChanged        retry     another version lies there now
    │   ├── UploadGone                     the multipart upload was completed or aborted by another
    │   ├── WriteConflict        retry     another writer was first (412) or is at it (409)
    │   ├── ReadInterrupted      retry     the connection broke more often than we resume
    │   ├── Throttled            retry     SlowDown, 503, throughput exceeded
    │   └── EndpointUnreachable  retry     nothing answers at the address, or no credentials do
    ├── EngineError               exit 4   the torrent cannot be made here
    │   ├── ProgramMissing                 transmission-create is not found, or cannot be run
    │   ├── ProgramFailed                  it ran and left no torrent, or a wrong one
    │   ├── NoSpace                        temporary space too small for the object
    │   └── OutOfTime            retry     the invocation ends before the object is hashed
    ├── StatusError               exit 4   the status table cannot be used
    │   ├── TableMissing
    │   ├── TableSchemaMismatch            another key schema under our table's name
    │   ├── LeaseLost            retry     another worker has taken the object over
    │   └── HeldByAnother        retry     another worker holds the object
    └── StackError                exit 4   the embedded stack cannot be started, set up or used

``retryable`` tells the pipeline whether the same event may succeed later; ``hint`` is the mend.
A message names the thing, what was found and what was expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime


class S3TorrentError(Exception):
    """Root of the tree; ``code`` is the name used in JSON, logs and the status item."""

    bytes_read: int | None = None  # of the content, where this broke off its hashing
    exit_code: ClassVar[int] = 4
    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint

    def __str__(self) -> str:
        return self.message

    @property
    def code(self) -> str:
        return type(self).__name__

    def as_dict(self) -> dict[str, str | bool]:
        """``{type, message, retryable, hint}``, the ``error`` attribute of a status item."""
        return {"type": self.code, "message": self.message, "retryable": self.retryable, "hint": self.hint}


class UsageError(S3TorrentError):
    exit_code = 2


class ConfigError(UsageError):
    default_hint = "correct the environment variable; docs/configuration.md lists them all"


class PieceLengthError(UsageError):
    default_hint = "give auto, by-size, or a power of two from 16KiB to 128MiB"


class UrlError(UsageError):
    default_hint = "write SCHEME://HOST[:PORT]/PATH, the port from 1 to 65535, % only before two hex digits"


class OutputExists(UsageError):
    default_hint = "name another file with --output, or pass --force"


class NotTorrentable(UsageError):
    pass


class EmptyContent(NotTorrentable):
    default_hint = "upload content; BitTorrent has no torrent of 0 bytes"


class KeyTooLong(NotTorrentable):
    default_hint = "shorten the key to at most 1,016 bytes, so that KEY.torrent fits S3's 1,024"


class BadName(NotTorrentable):
    default_hint = "rename it: a torrent needs a last path segment that is a file name"


class CataloguePage(NotTorrentable):
    default_hint = "set TORRENT_EXCLUDE to the catalogue's prefix, such as catalog/*, to spend no event on it"


class ForeignTorrent(NotTorrentable):
    default_hint = "move or delete that .torrent, then send the event again; s3torrent never overwrites it"


class TooLarge(NotTorrentable):
    default_hint = "split the content, or name a piece length that keeps the .torrent under 10,000,000 bytes"


class Archived(NotTorrentable):
    default_hint = "restore it (aws s3api restore-object), wait until that is done, then send the event again"


class PathConflict(NotTorrentable):
    default_hint = "rename one of the two; a torrent cannot hold both"


class EventError(S3TorrentError):
    exit_code = 2
    default_hint = 'send an S3 notification (also by SQS, SNS, EventBridge) or {"bucket": ..., "key": ...}'


class Mismatch(S3TorrentError):
    exit_code = 1
    default_hint = "fetch the content again, or make a torrent of what it is now"


class MetainfoError(S3TorrentError):
    exit_code = 3


class BencodeError(MetainfoError):
    """``offset`` is the byte at which decoding stopped."""

    default_hint = "it is no .torrent, or was cut or altered on its way: fetch or make it again"

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} at byte {offset}")
        self.offset = offset


class InvalidMetainfo(MetainfoError):
    """``rule`` is the name of the broken rule, as listed in metainfo/validate.py."""

    default_hint = "make it again from its content (s3torrent create): clients refuse it, too"

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule


class SourceError(S3TorrentError):
    default_hint = "mend what the answer names, then try again"


class NoSuchBucket(SourceError):
    default_hint = "check the bucket's name and region"


class WrongRegion(SourceError):
    default_hint = "set AWS_REGION to the bucket's region"


class NoSuchObject(SourceError):
    default_hint = "check the key (it is case-sensitive) or the path"


class ObjectGone(SourceError):
    default_hint = "nothing to do: the object was deleted; upload it again if that was not meant"


class AccessDenied(SourceError):
    default_hint = "allow the named action on the named resource in the role's policy"


class KeyUnusable(SourceError):
    default_hint = (
        "enable the KMS key or cancel its deletion (aws kms describe-key), or encrypt under another"
    )


class ObjectChanged(SourceError):
    retryable = True
    default_hint = "nothing to do: the newer upload gets its own torrent"


class UploadGone(SourceError):
    default_hint = "start again; a lifecycle rule or another program ended the upload"


class WriteConflict(SourceError):
    retryable = True
    default_hint = "nothing to do: the event is taken up again and sees what the other writer left"


class ReadInterrupted(SourceError):
    retryable = True
    default_hint = "try again; if it persists, look at the network between here and S3"


class Throttled(SourceError):
    retryable = True
    default_hint = "try again later, or lower the function's concurrency"


class EndpointUnreachable(SourceError):
    retryable = True
    default_hint = "check AWS_ENDPOINT_URL, the region, the credentials and the network"


class EngineError(S3TorrentError):
    pass


class ProgramMissing(EngineError):
    default_hint = (
        "attach the transmission-tools layer, put transmission-create on PATH, or name it in "
        "TRANSMISSION_CREATE; TORRENT_ENGINE=native needs none"
    )


class ProgramFailed(EngineError):
    default_hint = "look at what it printed; TORRENT_ENGINE=native does without it"


class NoSpace(EngineError):
    default_hint = (
        "raise the function's ephemeral storage (up to 10,240 MB), or use TORRENT_ENGINE=native, "
        "which needs none"
    )


class OutOfTime(EngineError):
    """``progressed``: the bytes this try has hashed and kept for the next; None where it was not begun."""

    retryable = True
    progressed: int | None = 0
    default_hint = "raise the function's timeout (up to 900 s), or its memory, which brings CPU and bandwidth"


class StatusError(S3TorrentError):
    default_hint = "mend what DynamoDB's answer names, then send the event again"


class TableMissing(StatusError):
    default_hint = "create the table, or allow dynamodb:CreateTable so that it is made on first use"


class TableSchemaMismatch(StatusError):
    default_hint = "name another table in DDB_TABLE, or recreate this one with partition key jobId (S)"


class LeaseLost(StatusError):
    retryable = True
    default_hint = "nothing to do: the worker that took over finishes the object"


class HeldByAnother(StatusError):
    """``until`` is when the other's lease ends, if it is not renewed; None where that is not known."""

    retryable = True
    default_hint = "nothing to do: the event comes back after the other worker's lease"

    def __init__(self, message: str, *, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class StackError(S3TorrentError):
    default_hint = "stop the stack and start it anew (s3torrent dev); docs/local.md says what it needs"


def described(error: BaseException) -> dict[str, str | bool]:
    """``{type, message, retryable, hint}`` also of what is none of ours: the ``error`` of status and log."""
    told = {"type": type(error).__name__, "message": str(error) or "interrupted"}
    return error.as_dict() if isinstance(error, S3TorrentError) else {**told, "retryable": True, "hint": ""}
