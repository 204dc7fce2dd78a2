"""One question to AWS: its answer, or why there is none."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.exceptions import HTTPClientError as NoAnswer
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

MOST_SAID = 300
"""Characters of a foreign message that go into ours."""

ABSENT = {
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NotFound",
    "NotFoundException",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
}
DENIED = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
REFUSED = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
"""The credentials themselves, or the time they were used at."""
NOT_OFFERED = {"InvalidAction", "NotImplemented", "UnknownOperationException", "UnsupportedOperation"}


class Unseen(Exception):
    """It could not be looked at; the message says why."""


class Absent(Unseen):
    """The thing asked about does not exist."""


class Refused(Unseen):
    """There are no credentials, or AWS does not take them."""


class Unreachable(Unseen):
    """Nothing answers at the endpoint."""


class Other(Unseen):
    """An answer that means something to whoever asked: ``code`` is AWS's."""

    def __init__(self, told: str, code: str) -> None:
        super().__init__(told)
        self.code = code


def ask(action: str, about: str, call: Callable[..., Any], /, **arguments: Any) -> dict[str, Any]:
    """The answer. ``action`` is the name of the permission it takes, ``about`` the thing, for the message.

    Raises Absent, Refused, Unreachable, Other, or Unseen where the action is denied or not offered.
    """
    try:
        answer = call(**arguments)
    except ClientError as error:
        raise _meaning(action, about, error) from None
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        raise Refused(f"no credentials: {_line(error)}") from None
    except (NoConnection, NoAnswer) as error:
        raise Unreachable(_line(error)) from None
    except (BotoCoreError, ResponseParserError, NoRegionError, ValueError) as error:
        raise Unseen(f"{action} of {about}: {_line(error)}") from None
    if not isinstance(answer, dict):
        raise Unseen(f"{action} of {about}: {_line(answer)!r} is no answer of AWS's")
    return answer


def ask_for(
    name: str, action: str, about: str, call: Callable[..., Any], /, **arguments: Any
) -> dict[str, Any]:
    """As ``ask``; an answer without ``name`` in it is none of AWS's: a proxy's perhaps, or a portal's."""
    answer = ask(action, about, call, **arguments)
    if not answer.get(name):
        raise Unseen(f"{action} of {about}: the answer has no {name}; it is none of AWS's")
    return dict(answer)


def ask_or_unset(unset: str, action: str, about: str, call: Callable[..., Any], /, **arguments: Any) -> Any:
    """As ``ask``; but AWS's code ``unset`` is the answer {}: nothing was set."""
    try:
        return ask(action, about, call, **arguments)
    except Other as why:
        if why.code == unset:
            return {}
        raise


def _meaning(action: str, about: str, error: ClientError) -> Unseen:
    code = str(error.response.get("Error", {}).get("Code", ""))
    said = _line(error.response.get("Error", {}).get("Message", ""))
    if code in ABSENT:
        return Absent(f"{about} does not exist")
    if code in REFUSED:
        return Refused(f"the credentials are refused: {code}: {said}")
    if code in DENIED:
        return Unseen(f"you may not {action} on {about}")
    if code in NOT_OFFERED:
        return Unseen(f"the endpoint does not offer {action}")
    return Other(f"{action} of {about}: {code}: {said}", code)


def date_of(call: Callable[..., Any], /, **arguments: Any) -> datetime | None:
    """What the clock of the answering side said, also where it answered with an error; None if nothing.

    Raises Unreachable.
    """
    try:
        metadata = call(**arguments).get("ResponseMetadata", {})
    except ClientError as error:
        metadata = error.response.get("ResponseMetadata", {})
    except ResponseParserError:
        return None
    except (BotoCoreError, ValueError) as error:
        raise Unreachable(_line(error)) from None
    try:
        return parsedate_to_datetime(metadata.get("HTTPHeaders", {})["date"])
    except (KeyError, TypeError, ValueError):
        return None


def _line(said: object) -> str:
    return " ".join(str(said).split())[:MOST_SAID]
