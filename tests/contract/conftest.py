"""The second backend of the suites that run over S3 and DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.second_opinion import Moto

QUIRKS = {
    "test_an_older_version_can_be_pinned[moto]": "a version id that is none is a 400, as AWS says of a malformed one",
    "test_a_listing_goes_on_after_any_key[moto]": "echoes a StartAfter with a control character as it is, and fails on it",
    "test_a_listing_goes_on_after_any_key[moto-versioned]": "as above",
    "test_a_part_that_is_not_what_it_is_said_to_be_is_refused[moto]": "compares no checksums",
    "test_a_whole_object_that_is_not_what_it_is_said_to_be_is_refused[moto]": "compares no checksums",
    "test_an_aborted_upload_is_gone[moto]": "a part of an aborted upload is a 500",
    "test_exactly_what_was_seen_is_replaced[moto]": "completes an upload whatever its If-Match says",
}
"""Test -> what moto (5.2.5) does there otherwise than AWS, or than MiniStack."""


@pytest.fixture(scope="session")
def moto(_no_account: None) -> Iterator[Moto]:
    """One for the session; its state is shared, so use fresh names."""
    from contract.second_opinion import Moto  # two seconds that only those pay who ask

    with Moto() as server:
        yield server


@pytest.fixture(autouse=True)
def _quirks(request: pytest.FixtureRequest) -> None:
    if request.node.name in QUIRKS:
        pytest.skip(f"moto: {QUIRKS[request.node.name]}")
