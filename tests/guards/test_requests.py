"""What it costs to know before one closes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.support import a_world
from tests.guards.support import Looking, seen, written
from worker.simulator.faults import Route
from worker.simulator.options import Options, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.world import State

MANY = int(os.environ.get("MANY_BATCHES", "2000"))
"""The law is the same for ten thousand, which take a while: MANY_BATCHES=10000."""
SPEED = ("--rate", "100000", "--burst", "10000", "--concurrency", "16")


def test_very_many_batches(program: Looking) -> None:
    """Planned in two requests and one a thousand, closed and proven with at most 1 % more than closes."""
    Path("ids.txt").write_text("".join(f"{batch_id}\n" for batch_id in range(1001, 1001 + MANY)))
    with simulator_thread(world=a_world(MANY)) as simulator:
        plan = program.plan(simulator, "ids.txt", *SPEED)
        planned = len(simulator.requests)
        assert planned <= 3 + MANY / 1000 - (MANY >= 10_000)
        ran = program.close(simulator, "--plan", str(plan), *SPEED)
        assert seen(simulator, Route.PUT) == MANY
        assert len(simulator.requests) - planned <= MANY * 1.01
    assert (ran.code, ran.summary["outcomes"]["closed"]) == (0, MANY)
    assert ran.summary["verified"] == {"batches": MANY, "disagreeing": 0}
    assert ran.summary["requests"]["total"] <= MANY * 1.01


@pytest.mark.parametrize("listing", [True, False])
@pytest.mark.parametrize("count", [2, 12])
def test_what_is_closed_or_missing_settles_without_a_put(program: Looking, count: int, listing: bool) -> None:
    """A single read tells; and where nothing was closed there is nothing to prove."""
    states = {batch_id: (State.CLOSED, State.MISSING)[batch_id % 2] for batch_id in range(1, count + 1)}
    with simulator_thread(Options(unknowns=Unknowns(listing=listing)), world=a_world(states)) as simulator:
        ran = program.close(simulator, ids=states)
        assert written(simulator) == []
        assert seen(simulator, Route.GET) == count
        assert seen(simulator, Route.LIST) == (count > 2)
    assert ran.code == 3
    outcomes = ran.summary["outcomes"]
    assert (outcomes["already_closed"], outcomes["not_found"]) == (count // 2, count // 2)


def test_a_few_among_very_many(program: Looking) -> None:
    """Where the list is longer than what is left to find, it is not read to its end."""
    states = dict.fromkeys(range(1, 3501), State.OPEN)
    with simulator_thread(world=a_world(states)) as simulator:
        ran = program.close(simulator, ids=[1, 3499, 3500])
        assert sorted(map(str, written(simulator))) == ["1", "3499", "3500"]
        assert (seen(simulator, Route.LIST), seen(simulator, Route.GET)) == (2, 2 + 3)
    assert (ran.code, ran.summary["verified"]) == (0, {"batches": 3, "disagreeing": 0})
