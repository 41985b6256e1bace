"""Throttling pauses everyone and costs nothing; what goes on without end is stopped, and says so."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest

from tests.e2e.laws import check_laws, check_truth
from tests.e2e.support import FIRST, QUICK, Program, a_world
from worker.simulator.options import Options, Pace
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import fault_plan, script, scripted
from worker.simulator.world import State


@pytest.mark.parametrize(
    ("kind", "attempts"), [("429", 1), ("429:0", 1), ("429:soon", 1), ("close_then_503:0", 1), ("503:0", 7)]
)
def test_throttling_ends_in_a_close(program: Program, kind: str, attempts: int) -> None:
    """Throttled six times, each batch is closed: 429 costs no attempt, 503 with Retry-After does."""
    ids = range(FIRST, FIRST + 5)
    faults = scripted(by_id={i: script(put=[kind] * 6, get=["429:0", "503:0"]) for i in ids})
    with simulator_thread(Options(faults=faults), world=a_world(5)) as simulator:
        ran = program.close(simulator, "--max-attempts", str(attempts), ids=ids)
        check_laws(simulator, ran, attempts)
        check_truth(simulator, ran, attempts)
    assert ran.summary["outcomes"]["closed"] == 5
    assert ran.summary["requests"]["throttled"] >= 5


@pytest.mark.parametrize("kind", ["429:1", "503:1", "429:date"])
def test_retry_after_pauses_everyone(program: Program, kind: str) -> None:
    """Once one batch is told to wait, no request of any batch is sent until then."""
    ids = range(FIRST, FIRST + 40)
    faults = scripted(by_id={FIRST + 20: script(put=[kind])})
    with simulator_thread(Options(faults=faults), world=a_world(40)) as simulator:
        ran = program.close(simulator, "--concurrency", "4", ids=ids)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
        instants = [request.at for request in simulator.requests]
        told_at = next(request.at for request in simulator.requests if request.fault == kind)
    gap_s, begun = max((after - before, before) for before, after in pairwise(instants))
    # The date has whole seconds: it lies between one and two seconds ahead, less what was cut off.
    assert gap_s > (0.5 if kind == "429:date" else 0.95)
    assert begun - told_at < 0.2, "only what was in flight is still seen"
    assert ran.events("run.paused")
    assert ran.events("run.rate_changed")


def test_endless_throttling_ends_with_the_stall(program: Program) -> None:
    """429 to everything: exit 4, stopped by ``stall``, nothing attempted, nothing lost."""
    options = Options(faults=fault_plan(shares=["429=100%"]))
    with simulator_thread(options, world=a_world(20)) as simulator:
        ran = program.close(simulator, "--stall", "0.5", ids=range(FIRST, FIRST + 20))
        check_laws(simulator, ran)
    assert (ran.code, ran.summary["stopped"], ran.summary["stopped_by"]) == (4, "abort", "stall=0.5")
    assert ran.summary["outcomes"]["not_attempted"] == 20
    assert len((ran.folder / "retry.txt").read_text().split()) == 20


def test_endless_failure_is_not_hammered(program: Program) -> None:
    """An outage answers 500 to everything: batches end unknown, and the run is stopped by its abort rule."""
    options = Options(faults=fault_plan(shares=["500=100%"]))
    with simulator_thread(options, world=a_world(200)) as simulator:
        ran = program.close(simulator, "--concurrency", "8", ids=range(FIRST, FIRST + 200))
        check_laws(simulator, ran)
    assert (ran.code, ran.summary["stopped"], ran.summary["stopped_by"]) == (4, "abort", "same=20")
    assert any(event["reason"] == "outage" for event in ran.events("run.paused"))
    assert ran.summary["outcomes"]["not_attempted"] > 100


def test_a_port_where_nobody_listens_and_a_resume(program: Program) -> None:
    """Exit 5, all not attempted; once the API is there, ``resume`` closes them all."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    told = ("--base-url", f"http://127.0.0.1:{port}", "--state", str(program.state))
    program.environment(ENERGYCAP_API_KEY="simulator-key")
    ids = [str(i) for i in range(FIRST, FIRST + 20)]
    ran = program.raw("close", *ids, *told, "--yes", "--run-id", "r", *QUICK)
    folder = program.state / "runs" / "r"
    ran = type(ran)(ran.code, ran.out, ran.err, folder)
    assert (ran.code, ran.summary["stopped"]) == (5, "unreachable")
    assert ran.summary["outcomes"]["not_attempted"] == 20
    assert "Traceback" not in ran.err
    with simulator_thread(world=a_world(20), port=port) as simulator:
        assert program.raw("resume", *told, *QUICK).code == 0
        assert all(row["closed_by_us"] for row in simulator.world.truth().values())
    assert ran.summary["outcomes"]["closed"] == 20


def test_the_deadline(program: Program) -> None:
    """What is in flight is finished, nothing new is begun, and a resume does the rest."""
    options = Options(pace=Pace(latency_s=(0.05, 0.05)))
    with simulator_thread(options, world=a_world(100)) as simulator:
        ran = program.close(simulator, *("--rate", "20", "--deadline", "1"), ids=range(FIRST, FIRST + 100))
        check_laws(simulator, ran)
        assert (ran.code, ran.summary["stopped"], ran.summary["stopped_by"]) == (
            4,
            "deadline",
            "deadline=1",
        )
        outcomes = ran.summary["outcomes"]
        assert outcomes["closed"] > 0
        assert outcomes["closed"] + outcomes["not_attempted"] == 100
        assert (
            sum(bool(row["closed_by_us"]) for row in simulator.world.truth().values()) == outcomes["closed"]
        )
        assert program.raw("resume", "--state", str(program.state), "--deadline", "60", *QUICK).code == 0
    assert ran.summary["outcomes"]["closed"] == 100


MISSING, OPEN = State.MISSING, State.OPEN


@pytest.mark.parametrize(
    ("rule", "fate", "every", "settled"),
    [
        ("failed=3", "403", 2, 5),
        ("failed=50%/6", "403", 2, 6),
        ("failed=3", "400", 1, 3),
        ("not_found=2", "404", 3, 4),
        ("not_found=30%/10", "404", 3, 10),
        ("same=4", "404", 1, 4),
    ],
)
def test_abort_rules(program: Program, rule: str, fate: str, every: int, settled: int) -> None:
    """Every so many batches end badly: the run stops just when the rule fires, and names it."""
    ids = range(FIRST, FIRST + 40)
    faults = scripted(by_id={i: script(put=[fate]) for i in ids[::every]})
    with simulator_thread(Options(faults=faults), world=a_world(40)) as simulator:
        ran = program.close(simulator, "--concurrency", "1", "--abort", rule, ids=ids)
        check_laws(simulator, ran)
    summary = ran.summary
    assert (ran.code, summary["stopped"], summary["stopped_by"]) == (4, "abort", rule)
    assert summary["outcomes"]["not_attempted"] == 40 - settled
    bad = {i for i, line in ran.by_id.items() if line["outcome"] not in {"closed", "not_attempted"}}
    assert set(summary["stopped_by_ids"]) == bad
    assert rule in ran.out


def test_no_abort_rule(program: Program) -> None:
    """``none`` lets a hopeless list run to its end."""
    world = a_world(dict.fromkeys(range(FIRST, FIRST + 80), MISSING))
    with simulator_thread(world=world) as simulator:
        ran = program.close(simulator, "--abort", "none", ids=world.batches)
        check_laws(simulator, ran)
    assert (ran.code, ran.summary["stopped"]) == (3, None)
    assert ran.summary["outcomes"]["not_found"] == 80


def test_the_default_rules(program: Program) -> None:
    """Without --abort twenty alike in a row are enough."""
    world = a_world(dict.fromkeys(range(FIRST, FIRST + 80), MISSING))
    with simulator_thread(world=world) as simulator:
        ran = program.close(simulator, "--concurrency", "1", ids=world.batches)
    assert (ran.code, ran.summary["stopped_by"]) == (4, "same=20")
