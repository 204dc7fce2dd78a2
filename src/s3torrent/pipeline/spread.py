"""What is too much for one run of the function, handed over to the state machine (pipeline/fanout.py)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol

from s3torrent.errors import LeaseLost
from s3torrent.pipeline.outcome import Outcome, version_of
from s3torrent.status.base import CREATING_TORRENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.pipeline.lease import Lease
    from s3torrent.pipeline.make import Maker
    from s3torrent.status.base import Claimed

OWNER = "fanout/"
"""How the owner of a job begins that a state machine works on, or may."""
LEASE_SECONDS = 900.0
"""No invocation lasts longer, and between two of them a state machine may wait for free ones."""


class StateMachine(Protocol):
    def start(self, name: str, job: Mapping[str, Any]) -> None:
        """Start the execution of that name; nothing happens where it has been started. Raises EngineError."""
        ...


def execution_name(claim: Claimed) -> str:
    """Of the one execution that may work on this attempt: 1 to 80 characters of A-Z a-z 0-9 - _ .

    Another item of the same object, the first having been deleted, has another seal.
    """
    told = f"{claim.job_id}\0{claim.seal}"
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:40]}-{claim.attempt}"


def hand_over(maker: Maker, lease: Lease) -> Outcome:
    """The execution joins the claim, which gets a lease as long as it may have to wait."""
    assert maker.state_machine  # config.py sets no bound without one
    claim, ref = lease.claim, lease.source.ref
    name = execution_name(claim)
    try:
        lease.renew(0, seconds=LEASE_SECONDS)
        maker.state_machine.start(name, {"bucket": ref.bucket, "key": ref.key, "attempt": claim.attempt})
    except LeaseLost:
        raise
    except Exception as error:
        maker.fail(lease.claim, error)
        raise
    reason = f"the state machine is at it, execution {name}"
    return Outcome(claim.job_id, CREATING_TORRENT, reason, attributes=version_of(lease.source))
