"""The error tree as a whole."""

import inspect

import pytest

from s3torrent import errors
from s3torrent.errors import S3TorrentError

ALL = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, S3TorrentError) and error is not S3TorrentError
]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_is_drawn_and_says_whether_it_is_retried(error: type[S3TorrentError]) -> None:
    assert errors.__doc__
    (line,) = [
        line for line in errors.__doc__.splitlines() if line.strip("│├└─ ").split(" ")[0] == error.__name__
    ]
    assert error.__subclasses__() or ("retry" in line.split()) == error.retryable


@pytest.mark.parametrize(
    "error", [error for error in ALL if not error.__subclasses__()], ids=lambda error: error.__name__
)
def test_every_error_has_a_mend_of_its_own(error: type[S3TorrentError]) -> None:
    assert "default_hint" in vars(error)
    assert error.default_hint
