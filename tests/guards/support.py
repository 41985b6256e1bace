"""Worlds that change between two requests, and what the server saw of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.e2e.support import QUICK, Program, Ran, a_batch
from worker.simulator.faults import Route
from worker.simulator.running import Simulator
from worker.simulator.world import SimBatch, World


class Looking(Program):
    """``batch-closer``, called as a function."""

    def verb(self, simulator: Simulator, verb: str, *arguments: str) -> Ran:
        """Call a verb that takes the settings of a run; what it leaves in a run's folder isn't looked at."""
        self.environment(ENERGYCAP_API_KEY=simulator.key)
        told = ("--base-url", simulator.url, "--state", str(self.state), *QUICK)
        return self.raw(verb, *arguments, *told)

    def plan(self, simulator: Simulator, *arguments: str, ids: Iterable[int] = ()) -> Path:
        """Make ``plan.json`` of the ids and whatever else the arguments name."""
        self.environment(ENERGYCAP_API_KEY=simulator.key)
        ran = self.raw("plan", *map(str, ids), "--base-url", simulator.url, *QUICK, *arguments)
        assert ran.code in {0, 3}, ran.err
        return self.folder / "plan.json"

    def rewrite(self, plan: Path, **fields: object) -> None:
        """Put other values into the head of a plan."""
        plan.write_bytes(orjson.dumps(orjson.loads(plan.read_bytes()) | fields))


class Between:
    """The simulator's clock, read as each request arrives: a chance to change the world just before one.

    Requests are numbered from 0. A run of three batches or more sends ``me``, the list, its closes and
    look-ups, and in the end the list again.
    """

    def __init__(self, acts: Mapping[int, Callable[[], object]] | None = None) -> None:
        self._acts = acts or {}
        self._requests = 0

    def __call__(self) -> float:
        """The time; first the world is changed, if this is the request for it."""
        if act := self._acts.get(self._requests):
            act()
        self._requests += 1
        return time.time()


def world_of(*batches: SimBatch) -> World:
    """A world of just these batches."""
    return World({batch.batch_id: batch for batch in batches}, [batch.batch_id for batch in batches])


def open_batches(first: int, count: int, **given: Any) -> list[SimBatch]:
    """So many open batches, ten days old."""
    now = time.time()
    return [a_batch(batch_id, now=now, **given) for batch_id in range(first, first + count)]


def changing(batch: SimBatch, **fields: object) -> Callable[[], None]:
    """A change of a batch, to be made later."""

    def change() -> None:
        for name, value in fields.items():
            setattr(batch, name, value)

    return change


def written(simulator: Simulator) -> list[int | None]:
    """The batches of all requests that may change one, in the order they arrived."""
    return [request.batch_id for request in simulator.requests if request.method != "GET"]


def seen(simulator: Simulator, route: Route) -> int:
    """How many requests of that kind the server saw."""
    return simulator.requests.by_route()[route]


def refusal(ran: Ran) -> str:
    """The one line on standard error of a call that was refused; nothing was shown."""
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
    return ran.err
