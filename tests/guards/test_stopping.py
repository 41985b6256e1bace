"""What ends a run while it still looks: nothing is closed, nothing is lost, and ``resume`` does it all."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import QUICK, Ran
from tests.guards.support import Looking, open_batches, seen, world_of, written
from tests.plan.support import faults
from tests.process.program import Bench, until
from worker.simulator.faults import FaultPlan, Route
from worker.simulator.options import Options, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted

IDS = range(1001, 1021)
DEAD: dict[str, tuple[FaultPlan, bool]] = {
    "at once": (faults(me="key_dead"), True),
    "in the list": (faults(list="key_dead"), True),
    "in a single read": (scripted(by_id={1001: script(get=["key_dead"])}), False),
}


def check_untouched(ran: Ran, code: int, stopped: str) -> None:
    """Every batch is there as not attempted, and in the list of those to take up again."""
    summary = ran.summary
    assert (ran.code, summary["exit_code"], summary["stopped"]) == (code, code, stopped)
    assert summary["outcomes"]["not_attempted"] == len(ran.by_id) == len(IDS)
    assert summary["requests"]["put"] == 0
    assert {line["reason"] for line in ran.results} <= {f"stopped_by_{stopped}", "key_refused"}
    assert summary["verified"] is None
    assert len((ran.folder / "retry.txt").read_text().split()) == len(IDS)


def check_resumed(program: Looking, simulator: Any, ran: Ran) -> None:
    """All are closed in a second session, and proven."""
    again = program.verb(simulator, "resume", "--deadline", "60")
    assert (again.code, len(written(simulator))) == (0, len(IDS))
    assert ran.summary["verified"] == {"batches": len(IDS), "disagreeing": 0}
    assert ran.summary["sessions"] == 2


@pytest.mark.parametrize("when", DEAD)
def test_a_dead_key(program: Looking, when: str) -> None:
    """Exit 5, wherever the key dies."""
    plan, listing = DEAD[when]
    options = Options(faults=plan, unknowns=Unknowns(listing=listing))
    with simulator_thread(options, world=world_of(*open_batches(1001, 20))) as simulator:
        ran = program.close(simulator, ids=IDS)
        assert written(simulator) == []
        check_untouched(ran, 5, "key")
        simulator.revive_key()
        check_resumed(program, simulator, ran)


def test_an_api_that_can_not_be_reached(program: Looking) -> None:
    """Exit 5; once it is there, ``resume`` closes them all."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    program.environment(ENERGYCAP_API_KEY="simulator-key")
    told = ("--base-url", f"http://127.0.0.1:{port}", "--state", str(program.state), "--yes")
    raw = program.raw("close", *map(str, IDS), *told, "--run-id", "r", *QUICK)
    ran = Ran(raw.code, raw.out, raw.err, program.state / "runs" / "r")
    check_untouched(ran, 5, "unreachable")
    with simulator_thread(world=world_of(*open_batches(1001, 20)), port=port) as simulator:
        check_resumed(program, simulator, ran)


@pytest.mark.parametrize("route", ["me", "list"])
def test_the_deadline(program: Looking, route: str) -> None:
    """Exit 4: the time that looking takes is the run's own."""
    options = Options(faults=faults(**{route: "slow:5"}))
    with simulator_thread(options, world=world_of(*open_batches(1001, 20))) as simulator:
        ran = program.close(simulator, "--deadline", "0.3", ids=IDS)
        assert written(simulator) == []
        check_untouched(ran, 4, "deadline")
        assert ran.summary["duration_s"] < 4
        check_resumed(program, simulator, ran)


def test_a_look_without_end_is_a_stall(program: Looking) -> None:
    """Exit 4 where the list is throttled for ever."""
    options = Options(faults=faults(list=",".join(["429:0"] * 5000)))
    with simulator_thread(options, world=world_of(*open_batches(1001, 20))) as simulator:
        ran = program.close(simulator, "--stall", "0.3", "--rate", "200", ids=IDS)
        check_untouched(ran, 4, "abort")
        assert ran.summary["stopped_by"] == "stall=0.3"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send these signals")
def test_a_signal(tmp_path: Path) -> None:
    """Exit 130, and ``resume`` goes on."""
    options = Options(faults=faults(list="hang"))
    with simulator_thread(options, world=world_of(*open_batches(1001, 20))) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.environ.pop("BATCH_CLOSER_SNAPSHOT")
        told = ("--yes", "--run-id", "run", "--rate", 500, "--burst", 50)
        with bench.start("close", *IDS, *told) as program:
            until(lambda: seen(simulator, Route.LIST), "the look under way")
            program.signal(signal.SIGINT)
            assert program.exit_code() == 130
        summary = bench.summary("run")
        assert (summary["stopped"], summary["outcomes"]["not_attempted"]) == ("signal", 20)
        assert written(simulator) == []
        assert bench.run("resume").process.returncode == 0
        assert len(written(simulator)) == 20


@pytest.mark.parametrize(
    ("plan", "told", "code"),
    [
        (faults(me="key_dead"), (), 5),
        (faults(list="key_dead"), (), 5),
        (faults(list="slow:5"), ("--deadline", "0.2"), 4),
    ],
)
def test_a_selection_that_is_cut_short(
    program: Looking, plan: FaultPlan, told: tuple[str, ...], code: int
) -> None:
    """One line; part of a selection is no run, so there is nothing to resume."""
    with simulator_thread(Options(faults=plan), world=world_of(*open_batches(1001, 20))) as simulator:
        ran = program.close(simulator, "--open", *told)
        assert (ran.code, ran.out, written(simulator)) == (code, "", [])
        assert "nothing was closed" in ran.err
    assert program.raw("runs", "list", "--json", "--state", str(program.state)).out.strip() == "[]"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
@pytest.mark.parametrize("asked", [tuple(map(str, IDS)), ("--open",)])
def test_a_run_that_nobody_had_agreed_to(tmp_path: Path, asked: tuple[str, ...]) -> None:
    """Interrupted before the question: exit 130, and the run is gone."""
    from tests.process.terminal import Terminal

    options = Options(faults=faults(list="hang"))
    with simulator_thread(options, world=world_of(*open_batches(1001, 20))) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.environ.pop("BATCH_CLOSER_SNAPSHOT")
        with Terminal(bench, "close", *asked, "--rate", 500, "--burst", 50) as terminal:
            until(lambda: seen(simulator, Route.LIST), "the look under way")
            terminal.type("\x03")
            assert terminal.exit_code() == 130
            assert "nothing was closed" in " ".join(terminal.lines)
        assert written(simulator) == []
        assert bench.json("runs", "list") == []
