"""Whole schedules: a world, some acts, rest. Threads run in place and time is the world's, so each is repeatable."""

from __future__ import annotations

import contextlib
import logging
import random
import types
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

from state.dice import SeededDice
from state.world import RANGE, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Inline:
    """A pool that does at once what it is given, in the calling thread."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def submit(self, work: Callable[..., Any], *args: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **named))
        except BaseException as error:  # noqa: BLE001 - a future carries them all
            future.set_exception(error)
        return future

    def shutdown(self, **_: Any) -> None:
        pass


@contextlib.contextmanager
def staged() -> Iterator[None]:
    """Small ranges, no threads, no log, and the world's time in place of the machine's."""
    logging.disable(logging.CRITICAL)
    try:
        with (
            patch("concurrent.futures.ThreadPoolExecutor", Inline),  # for who imports it when it is needed
            patch("s3torrent.engine.ranges.ThreadPoolExecutor", Inline, create=True),
            patch("s3torrent.pipeline.sending.ThreadPoolExecutor", Inline),
            patch("s3torrent.engine.cut.LEAST_RANGE", RANGE),
            patch("s3torrent.engine.cut.MOST_RANGE", RANGE),
        ):
            yield
    finally:
        logging.disable(logging.NOTSET)


@contextlib.contextmanager
def timed(world: World) -> Iterator[None]:
    clock = types.SimpleNamespace(monotonic=world.seconds)
    with patch("s3torrent.lambda_handler.time", clock):
        yield


def run(seed: int) -> World:
    """One schedule; an AssertionError that is raised carries what happened."""
    return played(World(SeededDice(random.Random(seed))), f"--from {seed}")


AnyWorld = TypeVar("AnyWorld", bound=World)


def played(world: AnyWorld, which: str) -> AnyWorld:
    """``which``: the options of ``tests.state.run`` that play it again."""
    with timed(world), told(world, f"again: python -m tests.state.run --schedules 1 {which};"):
        for _ in range(world.dice.pick(world.acts)):
            world.act(world.dice.pick(world.kinds))
        world.check_at_rest()
    return world


@contextlib.contextmanager
def told(world: World, name: str = "") -> Iterator[None]:
    try:
        yield
    except Exception as error:
        about = f"{name} versioned={world.versioned} remove={world.remove} checkpoints={world.checkpoints!r}"
        error.add_note("\n".join([about, *world.trace]))
        raise
