"""A run that is resumed, or retried, is as careful as it was told to be in the beginning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import QUICK, Ran, a_batch
from tests.guards.support import Looking, changing, open_batches, world_of, written
from worker.cli.settings.bounds import today
from worker.simulator.options import Options
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import script, scripted
from worker.simulator.world import SimBatch, State, World

ODD, FIT = 1001, [1002, 1003]
IDS = [ODD, *FIT]


def stopped(program: Looking, simulator: Simulator, *told: str) -> Ran:
    """A run that was given up before its first close, because the key was dead."""
    simulator.kill_key()
    ran = program.close(simulator, *told)
    assert (ran.code, ran.summary["outcomes"]["not_attempted"]) == (5, 3)
    simulator.revive_key()
    return ran


def three(**odd: Any) -> tuple[SimBatch, World]:
    """A batch that something is the matter with, and two without trouble."""
    month = last_month()
    batch = a_batch(ODD, **({"year": month.year, "month": month.month} | odd))
    return batch, world_of(batch, *open_batches(1002, 2, year=month.year, month=month.month))


def last_month() -> date:
    """A day of the month before this one."""
    return date.fromordinal(today().replace(day=1).toordinal() - 1)


KEPT: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "a guard": ({"flags": 1}, ("--guard", "flags=hold"), "flags"),
    "a period": ({"year": 1999}, ("--period", "last-month"), "period"),
    "a total": ({"total_cents": 1_000_001}, ("--max-total", "10000.00"), "total"),
    "control totals": ({"bill_count": 4}, (), "control"),
}


def targets(name: str) -> tuple[str, ...]:
    """The three batches; one of which is expected to hold three bills."""
    if name != "control totals":
        return "1001", "1002", "1003"
    Path("input.csv").write_text("id,expected_bills\n1001,3\n1002,\n1003,\n")
    return ("input.csv",)


@pytest.mark.parametrize("name", KEPT)
def test_what_was_asked_for_holds_when_resumed(
    program: Looking, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards, bounds and control totals, without being told again, in whichever month."""
    fields, told, guard = KEPT[name]
    _, world = three(**fields)
    with simulator_thread(world=world) as simulator:
        ran = stopped(program, simulator, *targets(name), *told)
        monkeypatch.setattr("worker.cli.looks.lookout.today", lambda: date(2001, 2, 3))
        assert program.verb(simulator, "resume").code == 3
        assert sorted(map(str, written(simulator))) == ["1002", "1003"]
    assert (ran.by_id[ODD]["outcome"], ran.by_id[ODD]["reason"]) == ("held", guard)
    assert ran.summary["outcomes"]["held"] == 1


def test_a_month_is_kept_as_that_month(program: Looking) -> None:
    """What ``last-month`` meant is in the run's settings, so that it means the same for ever."""
    _, world = three()
    with simulator_thread(world=world) as simulator:
        ran = stopped(program, simulator, *targets(""), "--period", "last-month")
    (event,) = ran.events("run.started")
    assert event["settings"]["bounds"]["period"] == f"{last_month():%Y-%m}"


def test_what_a_plan_saw_holds_when_resumed(program: Looking) -> None:
    """A batch that changed after the plan is held, however much later that is."""
    batch, world = three()
    with simulator_thread(world=world) as simulator:
        plan = program.plan(simulator, ids=IDS)
        ran = stopped(program, simulator, "--plan", str(plan))
        changing(batch, bill_count=7)()
        assert program.verb(simulator, "resume").code == 3
        assert sorted(map(str, written(simulator))) == ["1002", "1003"]
    assert ran.by_id[ODD]["reason"] == "changed"


def test_unseen_stays_unseen(program: Looking) -> None:
    """``--no-snapshot`` is kept as well: the resumed run sends its closes and nothing else."""
    _, world = three(flags=1)
    with simulator_thread(world=world) as simulator:
        ran = program.close(simulator, *targets(""), "--no-snapshot", "--deadline", "0.000001")
        assert (ran.code, len(simulator.requests)) == (4, 0)
        assert program.verb(simulator, "resume", "--deadline", "60").code == 0
        assert len(simulator.requests) == len(written(simulator)) == 3


def retried(program: Looking, simulator: Simulator, *told: str) -> Ran:
    """``runs retry`` of the first run, as a run of its own."""
    where = ("--base-url", simulator.url, "--state", str(program.state), "--run-id", "again", "--yes", *QUICK)
    ran = program.raw("runs", "retry", "run-1", *where, *told)
    return Ran(ran.code, ran.out, ran.err, program.state / "runs" / "again")


def failed_once() -> Options:
    """The first close of the odd batch fails as often as it is tried."""
    return Options(faults=scripted(by_id={ODD: script(put=["500"] * 2)}))


@pytest.mark.parametrize("name", KEPT)
def test_what_was_asked_for_holds_when_retried(program: Looking, name: str) -> None:
    """A batch that failed, and is unfit by the time it is tried again, is held."""
    fields, told, guard = KEPT[name]
    batch, world = three()
    with simulator_thread(failed_once(), world=world) as simulator:
        ran = program.close(simulator, *targets(name), *told, "--max-attempts", "2")
        assert ran.by_id[ODD]["outcome"] == "failed"
        changing(batch, **fields)()
        again = retried(program, simulator)
        assert written(simulator).count(ODD) == 2
    assert (again.code, again.by_id[ODD]["reason"]) == (3, guard)


def by_resume(program: Looking, simulator: Simulator) -> Ran:
    return program.verb(simulator, "resume", "--no-snapshot")


def by_retry(program: Looking, simulator: Simulator) -> Ran:
    return retried(program, simulator, "--no-snapshot")


@pytest.mark.parametrize("name", [name for name in KEPT if name != "a guard"])
@pytest.mark.parametrize("verb", [by_resume, by_retry])
def test_what_was_asked_for_can_not_be_left_out_later(
    program: Looking, name: str, verb: Callable[[Looking, Simulator], Ran]
) -> None:
    """``--no-snapshot`` on a run with bounds is refused there as it is for ``close``: nothing is closed."""
    fields, told, _ = KEPT[name]
    batch, world = three()
    with simulator_thread(failed_once(), world=world) as simulator:
        if verb is by_resume:
            stopped(program, simulator, *targets(name), *told)
        else:
            program.close(simulator, *targets(name), *told, "--max-attempts", "2")
        changing(batch, **fields)()
        before = written(simulator)
        ran = verb(program, simulator)
        assert written(simulator) == before, ran.err
    assert (ran.code, batch.state) == (2, State.OPEN)
    assert "--no-snapshot" in ran.err


def test_a_plan_can_not_be_left_out_later(program: Looking) -> None:
    """Nor does a resumed run of a plan close what the plan did not see."""
    batch, world = three()
    with simulator_thread(world=world) as simulator:
        plan = program.plan(simulator, ids=IDS)
        stopped(program, simulator, "--plan", str(plan))
        changing(batch, bill_count=7)()
        ran = by_resume(program, simulator)
        assert written(simulator) == [], ran.err
    assert ran.code == 2
