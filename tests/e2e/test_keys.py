"""A 401 has two meanings: the key is dead, or only this batch may not be touched."""

from __future__ import annotations

import pytest

from tests.e2e.laws import check_laws, check_truth
from tests.e2e.support import FIRST, QUICK, Program, a_world
from worker.simulator.faults import Route
from worker.simulator.options import Options, Pace, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted


def test_single_batches_may_be_forbidden(program: Program) -> None:
    """Forty batches answer 401 at once, the key works: /me is asked for all of them together."""
    ids = range(FIRST, FIRST + 60)
    faults = scripted(by_id={i: script(put=["401"]) for i in ids[:40]})
    options = Options(faults=faults, pace=Pace(latency_s=(0.05, 0.05)))
    with simulator_thread(options, world=a_world(60)) as simulator:
        ran = program.close(simulator, "--abort", "none", "--burst", "100", ids=ids)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
        assert 1 <= simulator.requests.by_route()[Route.ME] <= 4
    assert ran.code == 3
    assert (ran.summary["outcomes"]["forbidden"], ran.summary["outcomes"]["closed"]) == (40, 20)


def test_a_key_dead_from_the_start(program: Program) -> None:
    """The first 401 and /me's are enough: nothing else is sent, every other batch is not attempted."""
    ids = range(FIRST, FIRST + 30)
    with simulator_thread(world=a_world(30)) as simulator:
        simulator.kill_key()
        ran = program.close(simulator, "--concurrency", "1", ids=ids)
        check_laws(simulator, ran)
        assert [request.route for request in simulator.requests] == [Route.PUT, Route.ME]
    assert ran.code == 5
    assert ran.summary["stopped"] == "key"
    assert ran.summary["outcomes"]["not_attempted"] >= 29
    assert len((ran.folder / "retry.txt").read_text().split()) == 30


def test_a_key_that_dies_on_the_way_and_a_resume(program: Program) -> None:
    """What was closed stays told, the rest waits for ``resume``, the totals are the whole run's."""
    ids = range(FIRST, FIRST + 60)
    faults = scripted(by_id={FIRST + 30: script(put=["key_dead"])})
    with simulator_thread(Options(faults=faults), world=a_world(60)) as simulator:
        ran = program.close(simulator, "--concurrency", "4", ids=ids)
        closed = [i for i, line in ran.by_id.items() if line["outcome"] == "closed"]
        assert (ran.code, ran.summary["stopped"]) == (5, "key")
        assert len(closed) >= 25
        assert all(simulator.world.truth()[i]["closed_by_us"] for i in closed)
        simulator.revive_key()
        resumed = program.raw("resume", "--state", str(program.state), *QUICK)
        check_laws(simulator, ran, resumed=True)
        check_truth(simulator, ran)
    assert resumed.code == 0
    assert ran.summary["outcomes"]["closed"] == 60


def test_me_is_asked_until_it_answers(program: Program) -> None:
    """An unclear answer of /me is no answer: it is asked again, throttling and all."""
    faults = scripted(by_id={FIRST: script(put=["401"])}, me=["500", "429:0", "drop_before", "ok"])
    with simulator_thread(Options(faults=faults), world=a_world(3)) as simulator:
        ran = program.close(simulator, ids=range(FIRST, FIRST + 3))
        check_laws(simulator, ran)
        check_truth(simulator, ran)
        assert simulator.requests.by_route()[Route.ME] == 4
    assert ran.by_id[FIRST]["outcome"] == "forbidden"


@pytest.mark.parametrize(("me", "outcome"), [(403, "forbidden"), (404, "failed"), (500, "failed")])
def test_me_may_be_unavailable(program: Program, me: int, outcome: str) -> None:
    """A 403 there was understood, so the key works; where nothing is learned the batch is tried and read."""
    faults = scripted(by_id={FIRST: script(put=["401"] * 9)})
    options = Options(faults=faults, unknowns=Unknowns(me=me))
    with simulator_thread(options, world=a_world(2)) as simulator:
        ran = program.close(simulator, ids=[FIRST, FIRST + 1])
        check_laws(simulator, ran)
    assert ran.code == 3
    assert [ran.by_id[i]["outcome"] for i in (FIRST, FIRST + 1)] == [outcome, "closed"]
