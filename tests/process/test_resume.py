"""What a killed or stopped run leaves, and who may take it up."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

from tests.process.program import Bench, until
from tests.process.truth import check_report, closed_by_us, of_outcome, puts_seen
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import Simulator, simulator_thread

BATCHES = 80
OPTIONS = Options(population=Population(batches=BATCHES), pace=Pace(latency_s=(0.02, 0.02)))


def _close(simulator: Simulator, name: str = "run") -> list[object]:
    speed = ("--rate", 300, "--burst", 5, "--concurrency", 4, "--abort", "none")
    return ["close", *simulator.world.ids(), "--yes", "--run-id", name, *speed]


def _kill_a_run(bench: Bench) -> None:
    """Leave a run behind that was killed in the middle."""
    with bench.start(*_close(bench.simulator)) as program:
        until(lambda: len(closed_by_us(bench.simulator)) >= 20, "closes under way")
        program.kill()


def test_a_killed_run_is_shown_as_it_is(tmp_path: Path) -> None:
    """``runs`` tells what is known of a killed run, claims nothing, and changes nothing."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        _kill_a_run(bench)
        (row,) = bench.json("runs", "list")
        assert (row["state"], row["exit_code"], row["finished_at"]) == ("unfinished", None, None)
        shown = bench.json("runs", "show", "run")
        assert shown["closed"]["batches"] <= len(closed_by_us(simulator))
        assert shown["outcomes"]["unknown"] <= 4
        assert sum(shown["outcomes"].values()) == BATCHES
        bench.run("runs", "report", "run")
        check_report(simulator, bench.lines("run"), bench.summary("run"))
        assert len(of_outcome(bench.lines("run"), "unknown")) == shown["outcomes"]["unknown"]
        assert bench.run("resume").process.returncode == 3
        check_report(simulator, bench.lines("run"), bench.summary("run"))
        assert closed_by_us(simulator) == of_outcome(bench.lines("run"), "closed")


def test_the_same_input_again(tmp_path: Path) -> None:
    """A close of the same input names the resume command and sends nothing; ``--again`` begins a new run."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        _kill_a_run(bench)
        first, before = closed_by_us(simulator), puts_seen(simulator)
        refused = bench.run(*_close(simulator, "second"))
        assert refused.process.returncode == 2
        (line,) = refused.complaints
        assert "batch-closer resume run" in line
        assert puts_seen(simulator) == before
        assert [run["run_id"] for run in bench.json("runs", "list")] == ["run"]
        assert bench.run(*_close(simulator, "third"), "--again").process.returncode == 3
        closed = of_outcome(bench.lines("third"), "closed")
        assert closed == closed_by_us(simulator) - first
        assert of_outcome(bench.lines("third"), "already_closed") >= first


def test_nothing_to_resume(tmp_path: Path) -> None:
    """Without an unfinished run, or for one that is finished or unknown, one line says so."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.run(*_close(simulator))
        for name, words in {"": "no unfinished run", "run": "is finished", "other": "no run other"}.items():
            program = bench.run("resume", *filter(None, [name]))
            assert program.process.returncode == 2
            (line,) = program.complaints
            assert words in line


def test_a_newer_ledger(tmp_path: Path) -> None:
    """A ledger from a newer version is refused in one line, by every verb that opens it; nothing is sent."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.json("runs", "list")
        with sqlite3.connect(bench.state / "ledger.db") as ledger:
            ledger.execute("PRAGMA user_version = 999")
        ledger.close()
        for arguments in (_close(simulator), ["resume"], ["runs", "list"], ["runs", "show", "run"]):
            program = bench.run(*arguments)
            assert program.process.returncode == 1
            (line,) = program.complaints
            assert "newer version" in line
            assert "999" in line
        assert not len(simulator.requests)


@pytest.mark.parametrize("verb", ["close", "retry"])
def test_without_yes(verb: str, tmp_path: Path) -> None:
    """Off a terminal a close that was not agreed to is refused, and no run is left behind."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        runs = []
        if verb == "retry":
            bench.run(*_close(simulator))
            runs = ["run"]
        before = len(simulator.requests)
        arguments = ["close", 1001] if verb == "close" else ["runs", "retry", "run"]
        program = bench.run(*arguments)
        assert program.process.returncode == 2
        (line,) = program.complaints
        assert "--yes" in line
        assert len(simulator.requests) == before
        assert [run["run_id"] for run in bench.json("runs", "list")] == runs


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permission bits")
def test_what_is_left_is_private(tmp_path: Path) -> None:
    """Whatever a killed and resumed run leaves is its owner's alone."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        _kill_a_run(bench)
        bench.run("resume")
        found = [bench.state, *bench.state.rglob("*")]
        assert {path.stat().st_mode & 0o077 for path in found} == {0}
