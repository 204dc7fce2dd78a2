"""The AWS Lambda function: events in, torrents out.

Environment (config.py checks it, docs/configuration.md explains it): S3_BUCKET, DDB_TABLE, TRACKERS,
AWS_ENDPOINT_URL and the TORRENT_* variables. From a queue it answers with the failed records only
(ReportBatchItemFailures), to S3 Batch Operations with a result for each task, to its state machine with what
to go on with; from anywhere else it raises, so that Lambda retries.
"""

from __future__ import annotations

import logging
import math
import os
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from s3torrent import config, wiring
from s3torrent.errors import ConfigError, EventError, HeldByAnother, OutOfTime, S3TorrentError, described
from s3torrent.intake import catalogue
from s3torrent.intake.batch import PERMANENT, SUCCEEDED, TEMPORARY
from s3torrent.intake.fanout import is_step
from s3torrent.intake.fanout import read as read_step
from s3torrent.intake.folders import FolderRules, reminder
from s3torrent.intake.parse import parse
from s3torrent.intake.rules import Rules, apply
from s3torrent.log import log, tell, visible
from s3torrent.metrics import emit, of_outcome
from s3torrent.pipeline import result
from s3torrent.pipeline.outcome import Outcome, skipped
from s3torrent.status.base import COMPLETED, DELETED, FAILED
from s3torrent.time_left import TimeLeft
from s3torrent.types import CATALOG, FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from s3torrent.catalog.duty import Duty
    from s3torrent.intake.batch import Results
    from s3torrent.intake.delivery import Parcel, Ticket
    from s3torrent.pipeline.fanout import FanOut
    from s3torrent.pipeline.folder import Folders, Remind
    from s3torrent.pipeline.make import Maker
    from s3torrent.redelivery import Redelivery
    from s3torrent.types import ObjectRef, TorrentRequest


def handler(event: object, context: Any) -> dict[str, Any]:
    """Lambda's entry point. An error of ours is told as one line of JSON and leaves without the frames below
    this one: Lambda's runtime logs a traceback of every error it gets.
    """
    try:
        return function().handle(event, context)
    except (ConfigError, EventError) as error:  # of the function or the whole event: no object told it
        tell(logging.ERROR, "refused", **error.as_dict())
        raise _to_lambda(error) from None
    except S3TorrentError as error:
        raise _to_lambda(error) from None


def _to_lambda(error: S3TorrentError) -> S3TorrentError:
    """As its runtime may log it, outside of our JSON: keys that end a line do not."""
    error.args = (visible(error.message),)
    return error.with_traceback(None)


@cache
def function() -> Function:
    """Settings and clients, made at the first invocation and kept while the environment is warm."""
    settings = config.from_environment(os.environ)
    logging.getLogger().setLevel(logging.WARNING)
    log.setLevel(settings.log_level)
    if not logging.getLogger().handlers:
        log.addHandler(logging.StreamHandler())
    rules = Rules(settings.bucket, settings.include, settings.exclude, settings.control_prefix)
    maker = wiring.maker(settings)
    return Function(
        rules,
        maker,
        wiring.redelivery(settings),
        lambda: wiring.fan_out(settings, maker),
        FolderRules(settings.prefix_rules, settings.control_prefix),
        (lambda: wiring.folders(settings, maker)) if settings.prefix_rules else None,
        _duty(settings, maker) if settings.catalog else None,
    )


def _duty(settings: config.Settings, maker: Maker) -> Duty:
    from s3torrent import catalog_wiring  # noqa: PLC0415 - few functions have a catalogue

    return catalog_wiring.duty(settings, maker.status)


@dataclass(frozen=True)
class Function:
    rules: Rules
    maker: Maker
    redelivery: Redelivery | None = None
    fan_out: Callable[[], FanOut] | None = None
    folder_rules: FolderRules = field(default_factory=FolderRules)
    folders: Callable[[], Folders] | None = None
    catalog: Duty | None = None

    def handle(self, event: object, context: Any) -> dict[str, Any]:
        if is_step(event):
            return self._step(event, context)
        delivery = apply(parse(event), self.rules)
        time_left = TimeLeft(context.get_remaining_time_in_millis if context else lambda: math.inf)
        if delivery.results:
            return self._batch(delivery.parcels, delivery.results, time_left)
        failed: list[str] = []
        outcomes: list[Outcome] = []
        for parcel in delivery.parcels:
            try:
                outcomes += self._take(parcel, time_left)
            except Exception as error:
                if parcel.message_id is None:
                    raise
                if self._handed_on(parcel, error):
                    continue
                tell(logging.ERROR, "record failed", messageId=parcel.message_id, **described(error))
                self._hasten(parcel, error)
                failed.append(parcel.message_id)
        if delivery.kind == "sqs":
            return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
        dropped = [
            {"id": str(drop.ref or ""), "status": "DROPPED", "reason": drop.reason}
            for parcel in delivery.parcels
            for drop in parcel.dropped
        ]
        return {"results": [*map(result.of_outcome, outcomes), *dropped]}

    def _batch(self, parcels: Sequence[Parcel], results: Results, time_left: TimeLeft) -> dict[str, Any]:
        """Of S3 Batch Operations: what there is nothing to do for has succeeded, too, and says why."""
        for parcel in parcels:
            task_id = str(parcel.message_id)
            try:
                outcomes = self._take(parcel, time_left)
            except Exception as error:  # noqa: BLE001 - told as the task's result
                told = described(error)
                tell(logging.ERROR, "task failed", taskId=task_id, **told)
                code = TEMPORARY if told["retryable"] else PERMANENT
                results.add(task_id, code, f"{told['type']}: {told['message']}")
            else:
                said = [f"{outcome.status} {outcome.reason}".strip() for outcome in outcomes]
                said += [f"DROPPED {dropped.reason}" for dropped in parcel.dropped]
                results.add(task_id, SUCCEEDED, "; ".join(said))
        return results.answer()

    def _step(self, event: Any, context: Any) -> dict[str, Any]:
        """Of the state machine, which gets what it is to go on with."""
        assert self.fan_out
        call = read_step(event)
        time_left = TimeLeft(context.get_remaining_time_in_millis if context else lambda: math.inf)
        started = time.monotonic()
        answer = self.fan_out().run(call, started + time_left.seconds())
        milliseconds = round((time.monotonic() - started) * 1000)
        told = {name: value for name, value in answer.items() if name != "slices"}
        tell(logging.INFO, call.action, id=str(call.ref), slice=call.slice, ms=milliseconds, **told)
        return answer

    def _handed_on(self, parcel: Parcel, error: Exception) -> bool:
        """Whether what ran out of time, but got on or was not begun, is on the queue again."""
        if not (self.redelivery and parcel.ticket and isinstance(error, OutOfTime)) or error.progressed == 0:
            return False
        try:
            self.redelivery.hand_on(parcel.ticket)
        except Exception as second:  # noqa: BLE001 - the record fails then, and comes back later
            tell(logging.WARNING, "not handed on", messageId=parcel.message_id, **described(second))
            return False
        tell(logging.INFO, "handed on", messageId=parcel.message_id, **described(error))
        return True

    def _hasten(self, parcel: Parcel, error: Exception) -> None:
        """A held record comes back when the other's lease ends; where that cannot be had, later."""
        if not (self.redelivery and parcel.ticket and isinstance(error, HeldByAnother)):
            return
        try:
            self.redelivery.hasten(parcel.ticket, error)
        except Exception as second:  # noqa: BLE001 - the record comes back in any case
            tell(logging.WARNING, "not hastened", messageId=parcel.message_id, **described(second))

    def _take(self, parcel: Parcel, time_left: TimeLeft) -> list[Outcome]:
        """Every request of the parcel is tried; then the first error is raised."""
        for dropped in parcel.dropped:
            tell(logging.INFO, "dropped", id=str(dropped.ref or ""), reason=dropped.reason)
        if parcel.error:
            raise parcel.error
        errors: list[Exception] = []
        outcomes: list[Outcome] = []
        for request in parcel.requests:
            started = time.monotonic()
            try:
                outcome = self._make(request, started + time_left.for_one_more(request), parcel.ticket)
            except Exception as error:  # noqa: BLE001 - the next request must have its turn; raised below
                self._tell_error(request, error, round((time.monotonic() - started) * 1000))
                errors.append(error)
                continue
            self._tell(request, outcome, round((time.monotonic() - started) * 1000))
            outcomes.append(outcome)
        if errors:
            raise errors[0]
        self._stir(parcel)
        self._stir_catalog(parcel, outcomes)
        return outcomes

    def _tell(self, request: TorrentRequest, outcome: Outcome, milliseconds: int) -> None:
        """One line with all of it, and the metrics; a catalogue is no object, and counts as none."""
        self._line(logging.INFO, request, milliseconds, result.of_outcome(outcome))
        if request.event != CATALOG:
            made, attributes = outcome.made, outcome.attributes
            emit(**of_outcome(outcome.status, made=made, attributes=attributes, milliseconds=milliseconds))

    def _tell_error(self, request: TorrentRequest, error: Exception, milliseconds: int) -> None:
        """The same line, of a try that came to nothing, with what is known by then."""
        fields = result.of_error(str(request.ref), error)
        level = logging.ERROR if fields["status"] == FAILED else logging.WARNING
        self._line(level, request, milliseconds, fields)
        if not isinstance(error, HeldByAnother | OutOfTime):
            emit(Failed=1)

    def _line(self, level: int, request: TorrentRequest, milliseconds: int, fields: dict[str, Any]) -> None:
        if request.event == CATALOG:
            tell(level, "catalogue", ms=milliseconds, **fields)
            return
        how = {"engine": self.maker.engine.name, "kernel": wiring.kernel_name()}
        tell(level, "object", ms=milliseconds, **how, **fields)

    def _make(self, request: TorrentRequest, deadline: float, ticket: Ticket | None) -> Outcome:
        if request.event == CATALOG:
            return self._publish(request)
        if request.event != FOLDER:
            return self.maker.make(request, deadline)
        ours = self.rules.bucket in (None, request.ref.bucket) and self.folder_rules.has(request.ref)
        if not (self.folders and ours):
            return skipped(str(request.ref), "TORRENT_PREFIX_RULES names no such folder")
        return self.folders().take(request.ref, self._remind(ticket), deadline)

    def _stir(self, parcel: Parcel) -> None:
        """The folders in which something changed, whether or not the object itself gets a torrent."""
        if not (self.folders and parcel.ticket):
            return
        refs = [request.ref for request in parcel.requests if request.event not in (FOLDER, CATALOG)]
        refs += [dropped.ref for dropped in parcel.dropped if dropped.ref]
        if self.catalog:
            own = str(self.catalog.place)
            refs = [ref for ref in refs if not str(ref).startswith(own)]
        found = dict.fromkeys(filter(None, map(self.folder_rules.folder_of, refs)))
        for folder in found:
            if self.rules.bucket in (None, folder.bucket) and self.folders().stir(
                folder, self._remind(parcel.ticket)
            ):
                tell(logging.INFO, "stirred", id=str(folder))

    def _publish(self, request: TorrentRequest) -> Outcome:
        if not self.catalog or request.ref != self.catalog.place:
            return skipped(str(request.ref), "TORRENT_CATALOG names no such place")
        summary = self.catalog.take(self.maker.owner)
        told = f"{summary.count:,} torrents; {summary.written:,} files written, {summary.removed:,} removed"
        return Outcome(str(request.ref), COMPLETED, told, made=True)

    def _stir_catalog(self, parcel: Parcel, outcomes: Sequence[Outcome]) -> None:
        """A torrent was made, by whichever way in, or its object went."""
        ticket = parcel.ticket
        if not (self.catalog and self.redelivery and ticket):
            return
        own, redelivery = str(self.catalog.place), self.redelivery
        if any(one.job_id != own and one.status in (COMPLETED, DELETED) for one in outcomes):
            stirred = self.catalog.stir(
                lambda place, seconds: redelivery.later(ticket, catalogue.reminder(place), seconds)
            )
            if stirred:
                tell(logging.INFO, "stirred", id=own)

    def _remind(self, ticket: Ticket | None) -> Remind:
        def remind(folder: ObjectRef, seconds: float) -> None:
            if self.redelivery and ticket:
                self.redelivery.later(ticket, reminder(folder), seconds)

        return remind
