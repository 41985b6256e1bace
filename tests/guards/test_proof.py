"""The proof: after the run it is read again whether what was closed is closed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import a_batch
from tests.guards.support import Between, Looking, changing, open_batches, seen, world_of, written
from tests.plan.support import faults
from tests.process.program import Bench, until
from worker.simulator.faults import Route
from worker.simulator.options import Options, Pace, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted
from worker.simulator.world import SimBatch, State

IDS = [1001, 1002, 1003]
PROOF, SINGLE = 5, 6
"""Of three batches: the key, the list and the closes; then the list again, and a read of what it shows."""
OPEN, CLOSED, GONE = ({"state": state} for state in (State.OPEN, State.CLOSED, State.MISSING))
PENDING = {"state": State.PENDING}


def test_all_is_as_it_was_reported(program: Looking) -> None:
    """As many verified as closed, none disagreeing: after the last close, in one request."""
    world = world_of(*open_batches(1001, 3), a_batch(1, State.CLOSED), a_batch(2, State.PENDING))
    with simulator_thread(world=world) as simulator:
        ran = program.close(simulator, ids=world.targets)
        routes = [request.route for request in simulator.requests]
        assert routes[-2:] == [Route.PUT, Route.LIST] or routes[-1] is Route.LIST
    assert ran.summary["verified"] == {"batches": 3, "disagreeing": 0}
    assert not ran.events("proof.disagrees")
    assert not ran.events("proof.unavailable")


@pytest.mark.parametrize(
    ("later", "disagreeing", "reason"),
    [
        ({PROOF: OPEN}, 1, "still_open"),
        ({PROOF: PENDING}, 1, "still_open"),
        ({PROOF: OPEN, SINGLE: GONE}, 1, "gone"),
        ({PROOF: OPEN, SINGLE: CLOSED}, 0, None),  # the list lags behind
    ],
)
def test_what_is_read_again(
    program: Looking, later: Mapping[int, dict[str, Any]], disagreeing: int, reason: str | None
) -> None:
    """A server that said closed and shows otherwise: a problem, exit 3; a single read has the last word."""
    batch, *rest = open_batches(1001, 3)
    clock = Between({turn: changing(batch, **fields) for turn, fields in later.items()})
    with simulator_thread(world=world_of(batch, *rest), clock=clock) as simulator:
        ran = program.close(simulator, ids=IDS)
        assert (seen(simulator, Route.LIST), seen(simulator, Route.GET)) == (2, 1)
    check(ran, 3, disagreeing, reason)


def check(ran: Any, batches: int, disagreeing: int, reason: str | None) -> None:
    """The summary, the log and the exit code say the same."""
    summary = ran.summary
    assert summary["verified"] == {"batches": batches, "disagreeing": disagreeing}
    assert (ran.code, summary["exit_code"]) == ((3, 3) if disagreeing else (0, 0))
    assert summary["outcomes"]["closed"] == 3, "what the API answered stays reported"
    found = [
        (each["outcome"], each["reason"], each["count"], each["first_ids"]) for each in summary["problems"]
    ]
    assert found == ([("closed", reason, 1, [1001])] if disagreeing else [])
    events = [(each["reason"], each["ids"]) for each in ran.events("proof.disagrees")]
    assert events == ([(reason, [1001])] if disagreeing else [])


@pytest.mark.parametrize("fields", [OPEN, GONE])
def test_without_a_list_each_is_read_again(program: Looking, fields: dict[str, Any]) -> None:
    """Up to a hundred closed batches are read one by one where there is no list."""
    batch, *rest = open_batches(1001, 3)
    clock = Between({1 + 1 + 3 + 3: changing(batch, **fields)})  # the key, no list, reads, closes
    options = Options(unknowns=Unknowns(listing=False))
    with simulator_thread(options, world=world_of(batch, *rest), clock=clock) as simulator:
        ran = program.close(simulator, ids=IDS)
        assert seen(simulator, Route.GET) == 6
    check(ran, 3, 1, "gone" if fields is GONE else "still_open")


@pytest.mark.parametrize(
    ("count", "kinds", "verified"),
    [
        (101, "ok,403", None),
        (101, "ok," + ",".join(["500"] * 5), None),
        (100, "ok,403", {"batches": 100, "disagreeing": 0}),
        (2, "403", {"batches": 2, "disagreeing": 0}),
    ],
)
def test_where_there_is_no_list_any_more(
    program: Looking, count: int, kinds: str, verified: dict[str, int] | None
) -> None:
    """Too many to be read singly are not verified, which is said once and is no failure."""
    world = world_of(*open_batches(1001, count))
    with simulator_thread(Options(faults=faults(list=kinds)), world=world) as simulator:
        ran = program.close(simulator, ids=world.targets)
    assert (ran.code, ran.summary["verified"]) == (0, verified)
    assert len(ran.events("proof.unavailable")) == (verified is None)


def _script(*reads: str) -> Options:
    return Options(faults=scripted(by_id={1001: script(get=reads)}))


def test_what_can_not_be_read_is_not_called_verified(program: Looking) -> None:
    """The list shows it open and the read is refused: it is not counted as verified."""
    batch, *rest = open_batches(1001, 3)
    clock = Between({PROOF: changing(batch, **OPEN)})
    with simulator_thread(_script("403"), world=world_of(batch, *rest), clock=clock) as simulator:
        ran = program.close(simulator, ids=IDS)
        assert seen(simulator, Route.GET) == 1
    assert ran.summary["verified"] == {"batches": 2, "disagreeing": 0}


def test_a_run_that_was_stopped_is_not_proven_until_it_is_resumed(program: Looking) -> None:
    """Then the proof is over all that the run closed, in whichever session."""
    options = Options(pace=Pace(latency_s=(0.02, 0.02)))
    batches = open_batches(1001, 40)
    with simulator_thread(options, world=world_of(*batches)) as simulator:
        told = ("--rate", "15", "--burst", "1", "--deadline", "1.5")
        ran = program.close(simulator, *told, ids=range(1001, 1041))
        first = ran.summary["outcomes"]["closed"]
        assert (ran.code, ran.summary["verified"], 0 < first < 40) == (4, None, True)
        assert seen(simulator, Route.LIST) == 1
        _reopen(next(batch for batch in batches if batch.state is State.CLOSED))
        again = program.verb(simulator, "resume", "--deadline", "60")
        assert seen(simulator, Route.LIST) == 3
    assert again.code == ran.summary["exit_code"] == 3
    assert ran.summary["verified"] == {"batches": 40, "disagreeing": 1}


def _reopen(batch: SimBatch) -> None:
    changing(batch, **OPEN)()


def test_killed_between_the_last_close_and_the_proof(tmp_path: Path) -> None:
    """``resume`` has nothing left to close, and proves the whole run."""
    with simulator_thread(
        Options(faults=faults(list="ok,hang")), world=world_of(*open_batches(1001, 30))
    ) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.environ.pop("BATCH_CLOSER_SNAPSHOT")
        told = ("--yes", "--run-id", "run", "--rate", 500, "--burst", 50)
        with bench.start("close", *simulator.world.ids(), *told) as program:
            until(lambda: seen(simulator, Route.LIST) == 2, "the proof under way")
            program.kill()
        assert bench.run("resume").process.returncode == 0
        assert (len(written(simulator)), seen(simulator, Route.LIST)) == (30, 3)
        summary = bench.summary("run")
    assert (summary["sessions"], summary["verified"]) == (2, {"batches": 30, "disagreeing": 0})
