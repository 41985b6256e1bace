"""Two looks: a batch that still changes is held, one under analysis is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.support import a_batch
from tests.guards.support import Between, Looking, changing, open_batches, world_of, written
from worker.simulator.faults import Route
from worker.simulator.options import Options, Unknowns
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.world import SimBatch, State

QUIET_S, WAIT_S = 0.15, 0.3
FIRST_LOOK = 2
"""The number of the request after the key's and the first that shows a batch."""


def looks(simulator: Simulator, batch_id: int) -> list[float]:
    """The instants at which the server showed the batch, in the list or alone, before its close."""
    found = []
    for request in simulator.requests:
        if request.route is Route.PUT and request.batch_id == batch_id:
            break
        if request.route is Route.LIST or (request.route is Route.GET and request.batch_id == batch_id):
            found.append(request.at)
    return found


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("listing", [True, False])
def test_a_batch_that_keeps_quiet_is_closed(program: Looking, count: int, listing: bool) -> None:
    """Two looks at least so far apart, and no change between them: whichever way they are made."""
    world = world_of(*open_batches(1001, count))
    with simulator_thread(Options(unknowns=Unknowns(listing=listing)), world=world) as simulator:
        ran = program.close(simulator, "--quiet-for", str(QUIET_S), ids=world.batches)
        for batch_id in world.batches:
            shown = looks(simulator, batch_id)
            assert shown[-1] - shown[0] >= QUIET_S - 0.01, "the server's clock is read a little later"
    assert (ran.code, ran.summary["outcomes"]["closed"]) == (0, count)


CHANGES: dict[str, tuple[dict[str, Any], tuple[str, str | None], str]] = {
    "bills": ({"bill_count": 4}, ("held", "changed"), "bill count from 3 to 4"),
    "total": ({"total_cents": 12_346}, ("held", "changed"), "running total from 123.45 to 123.46"),
    "flags": ({"flags": 1}, ("held", "changed"), "flag count from 0 to 1"),
    "pending": ({"state": State.PENDING}, ("held", "pending"), "pending"),
    "analysis": ({"analyzing": 1}, ("held", "analyzing"), "being analysed"),
    "closed": ({"state": State.CLOSED, "closed_by": "them", "closed_at": 1.0}, ("already_closed", None), ""),
    "gone": ({"state": State.MISSING}, ("not_found", "http_404"), ""),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_that_moves_between_two_looks(program: Looking, name: str, count: int) -> None:
    """It is not closed, and its line says what moved; the others are closed."""
    fields, told, words = CHANGES[name]
    batch, *others = batches = open_batches(1001, count)

    class Filled(Between):
        """The batch moves once it was shown: in the list, or alone."""

        def __call__(self) -> float:
            shown = looks(simulator, 1001) if self._requests >= FIRST_LOOK else []
            if shown and time.time() - shown[0] > QUIET_S / 2:
                changing(batch, **fields)()
            return super().__call__()

    with simulator_thread(world=world_of(*batches), clock=Filled()) as simulator:
        ran = program.close(simulator, "--quiet-for", str(QUIET_S), ids=[each.batch_id for each in batches])
        assert sorted(map(str, written(simulator))) == [str(each.batch_id) for each in others]
    line = ran.by_id[1001]
    assert (line["outcome"], line["reason"]) == told
    assert words in (line["message"] or "")


def test_a_batch_that_was_just_created(program: Looking) -> None:
    """Being created is a change too: it is held, and an old enough one is not."""
    now = time.time()
    batches = [a_batch(1001, created_at=now), a_batch(1002, created_at=now - 60), a_batch(1003, created_at=1)]
    with simulator_thread(world=world_of(*batches)) as simulator:
        ran = program.close(
            simulator, "--quiet-for", "0.2", "--guard", "empty=ignore", ids=[1001, 1002, 1003]
        )
        assert len(written(simulator)) == 3 - (ran.by_id[1001]["outcome"] == "held")
    assert ran.by_id[1002]["outcome"] == ran.by_id[1003]["outcome"] == "closed"


def waiting(
    program: Looking, act: Callable[[SimBatch], None], *told: str
) -> tuple[Any, list[int | None], list[float]]:
    """Close three batches, the first of which is under analysis; when it was shown until it was closed.

    ``act`` is what becomes of it before it is looked at again.
    """
    batches = open_batches(1001, 3)
    batches[0].analyzing = 2

    def clock() -> float:
        shown = looks(simulator, 1001) if len(simulator.requests) >= FIRST_LOOK else []
        if len(shown) == 1 and time.time() - shown[0] > WAIT_S / 2:
            act(batches[0])
        return time.time()

    with simulator_thread(world=world_of(*batches), clock=clock) as simulator:
        told = ("--wait-analyzing", str(WAIT_S), "--concurrency", "1", *told)
        ran = program.close(simulator, *told, ids=[1001, 1002, 1003])
        return ran, written(simulator), looks(simulator, 1001)


def test_analysis_that_ends_is_waited_for(program: Looking) -> None:
    """The batch is closed once it is through, and others before it: a single closer is not kept busy."""
    ran, put, _ = waiting(program, lambda batch: changing(batch, analyzing=0)())
    assert (put[0], sorted(map(str, put))) == (1002, ["1001", "1002", "1003"])
    assert (ran.code, ran.by_id[1001]["warnings"]) == (0, [])


def test_analysis_that_does_not_end_is_held(program: Looking) -> None:
    """Time is up: looked at a last time, the batch is held; the others were not kept waiting."""
    ran, put, shown = waiting(program, lambda _: None)
    line = ran.by_id[1001]
    assert put == [1002, 1003]
    assert (ran.code, line["outcome"], line["reason"]) == (3, "held", "analyzing")
    assert WAIT_S - 0.01 <= shown[-1] - shown[0] < WAIT_S + 1


@pytest.mark.parametrize(
    ("fields", "told", "outcome"),
    [
        ({"flags": 1}, ("--guard", "flags=hold"), ("held", "flags")),
        ({"flags": 1}, ("--quiet-for", "0.05"), ("closed", None)),  # quiet counts from the end of analysis
        ({"state": State.CLOSED, "closed_by": "them", "closed_at": 1.0}, (), ("already_closed", None)),
        ({"state": State.PENDING}, (), ("held", "pending")),
    ],
)
def test_what_analysis_brought(
    program: Looking, fields: dict[str, Any], told: tuple[str, ...], outcome: tuple[str, str | None]
) -> None:
    """All guards are asked again once it has ended."""
    ran, _, _ = waiting(program, lambda batch: changing(batch, analyzing=0, **fields)(), *told)
    assert (ran.by_id[1001]["outcome"], ran.by_id[1001]["reason"]) == outcome


@pytest.mark.parametrize("action", ["warn", "ignore"])
def test_what_is_not_held_is_not_waited_for(program: Looking, action: str) -> None:
    """Where analysis holds no batch, there is nothing to wait for."""
    _, put, _ = waiting(program, lambda _: None, "--guard", f"analyzing={action}")
    assert put == [1001, 1002, 1003]


@pytest.mark.parametrize("told", [("--quiet-for", "0.6"), ("--wait-analyzing", "0.6")])
def test_waiting_as_asked_is_no_stall(program: Looking, told: tuple[str, str]) -> None:
    """A wait that was asked for may be longer than ``--stall``: nothing is wrong with the run."""
    batches = open_batches(1001, 3)
    batches[0].analyzing = "--wait-analyzing" in told
    with simulator_thread(world=world_of(*batches)) as simulator:
        ran = program.close(simulator, *told, "--stall", "0.2", ids=[1001, 1002, 1003])
    assert ran.summary["stopped"] is None, ran.summary["stopped_by"]


def test_no_look_is_wasted(program: Looking) -> None:
    """The list was the first look: one more for each batch is enough."""
    with simulator_thread(world=world_of(*open_batches(1001, 20))) as simulator:
        ran = program.close(simulator, "--quiet-for", str(QUIET_S), ids=range(1001, 1021))
    assert ran.summary["requests"]["get"] == 20
