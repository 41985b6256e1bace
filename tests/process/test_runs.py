"""``runs``: what is said of runs afterwards is what was said of them at their end."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.process.program import Bench, Program, until
from tests.process.truth import check_report, of_outcome, puts_seen
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import fault_plan, script, scripted

POPULATION = Population(batches=40)
SETTINGS = ("--yes", "--run-id", "run", "--rate", 1000, "--burst", 10, "--abort", "none", "--backoff", 0.01)
WRITTEN = ("report.html", "results.csv", "results.jsonl", "retry.txt", "summary.json", "summary.md")


def _files(bench: Bench) -> dict[str, bytes]:
    return {name: (bench.folder("run") / name).read_bytes() for name in WRITTEN}


def _sorted(files: dict[str, bytes]) -> dict[str, Any]:
    """results.jsonl is in the order of settling, and in that of the input once it is written again."""
    return files | {"results.jsonl": sorted(files["results.jsonl"].splitlines())}


def _until_more_closes(simulator: Simulator) -> None:
    before = puts_seen(simulator)
    until(lambda: puts_seen(simulator) >= before + 5, "closes under way")


def test_report_of_a_finished_run(tmp_path: Path) -> None:
    """``runs report`` writes the very same files again, but for the order of lines in results.jsonl."""
    faults = fault_plan(shares=["500=5%", "put:drop_after=5%", "put:close_then_500=5%"], seed=3)
    with simulator_thread(Options(population=POPULATION, faults=faults)) as simulator:
        bench = Bench(tmp_path, simulator)
        (tmp_path / "ids.txt").write_text("\n".join([*map(str, simulator.world.ids()), "n/a", "=1+1"]))
        closed = bench.run("close", tmp_path / "ids.txt", *SETTINGS, "--json")
        assert closed.process.returncode == 3
        before, requests = _files(bench), len(simulator.requests)
        for name in WRITTEN:
            (bench.folder("run") / name).unlink()
        reported = bench.run("runs", "report", "run", "--json")
        assert reported.process.returncode == 0
        assert _sorted(_files(bench)) == _sorted(before)
        assert reported.stdout == closed.stdout == before["summary.json"].decode()
        assert bench.json("runs", "show", "run") == bench.summary("run")
        assert len(simulator.requests) == requests
        (row,) = bench.json("runs", "list")
        assert (row["state"], row["exit_code"], row["settled"]) == ("finished", 3, 40)
        assert row["input"] == bench.summary("run")["input"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send this signal")
def test_report_of_a_stopped_run(tmp_path: Path) -> None:
    """The same holds for a run that was stopped, and the list says how it stopped."""
    with simulator_thread(Options(population=POPULATION, pace=Pace(latency_s=(0.05, 0.05)))) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *simulator.world.ids(), *SETTINGS, "--concurrency", 2) as program:
            until(lambda: puts_seen(simulator) >= 5, "closes under way")
            program.signal(signal.SIGTERM)
            assert program.exit_code() == 143
        before = _files(bench)
        assert bench.run("runs", "report", "run").process.returncode == 0
        assert _sorted(_files(bench)) == _sorted(before)
        assert bench.json("runs", "show", "run") == bench.summary("run")
        (row,) = bench.json("runs", "list")
        assert (row["state"], row["exit_code"]) == ("unfinished", 143)
        assert (row["stopped"], row["stopped_by"]) == ("signal", "SIGTERM")
        refused = bench.run("runs", "retry", "run", "--yes")
        assert refused.process.returncode == 2
        assert "batch-closer resume run" in refused.complaints[0]


def test_report_of_a_resumed_run(tmp_path: Path) -> None:
    """After a kill and a resume, too."""
    with simulator_thread(Options(population=POPULATION, pace=Pace(latency_s=(0.03, 0.03)))) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *simulator.world.ids(), *SETTINGS, "--concurrency", 2) as program:
            until(lambda: puts_seen(simulator) >= 9, "closes under way")
            program.kill()
        bench.run("resume")
        before = _files(bench)
        bench.run("runs", "report", "run")
        assert _sorted(_files(bench)) == _sorted(before)
        check_report(simulator, bench.lines("run"), bench.summary("run"))


@contextmanager
def _under_way(tmp_path: Path, latency_s: float) -> Iterator[tuple[Simulator, Bench, Program]]:
    """A run that two closers are at, and some of whose closes were answered."""
    with simulator_thread(
        Options(population=POPULATION, pace=Pace(latency_s=(latency_s, latency_s)))
    ) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *simulator.world.ids(), *SETTINGS, "--concurrency", 2) as program:
            _until_more_closes(simulator)
            yield simulator, bench, program


def _words(program: Program) -> str:
    return " ".join(program.stdout.split())


def _listed(program: Program) -> list[str]:
    """The files that a summary lists."""
    return program.stdout.partition("Files: ")[2].partition("\n")[2].replace(",", "").split()


def test_a_run_that_is_not_at_its_end(tmp_path: Path) -> None:
    """Under way, and killed, it has no end and no exit code; what to do is to resume it, not to retry it."""
    with _under_way(tmp_path, 0.4) as (_, bench, program):
        under_way = bench.run("runs", "show", "run")
        assert not program.ended, "it was to be shown while it is under way"
        program.kill()
        killed = bench.run("runs", "show", "run")
        assert "Under way: " in _words(under_way)
        assert "Wait until it has ended" in _words(under_way)
        assert "Unfinished: " in _words(killed)
        assert "Continue where it stopped" in _words(killed)
        for shown in (under_way, killed):
            assert "batch-closer resume run" in _words(shown)
            assert "retry" not in _words(shown)
            assert _listed(shown) == ["results.jsonl", "log.jsonl"]
        told = bench.json("runs", "show", "run")
        assert (told["finished_at"], told["exit_code"], told["stopped"]) == (None, None, None)
        bench.run("resume", "run", "--concurrency", 40)
        ended = bench.json("runs", "show", "run")
        assert ended.keys() == told.keys()
        assert (ended["exit_code"], bench.summary("run")["finished_at"]) == (3, ended["finished_at"])
        assert _listed(bench.run("runs", "show", "run")) == [*WRITTEN, "log.jsonl"]


def test_report_of_a_run_that_is_not_at_its_end(tmp_path: Path) -> None:
    """Its files are written, and say the same."""
    with _under_way(tmp_path, 0.05) as (_, bench, program):
        program.kill()
        reported = bench.run("runs", "report", "run")
        assert reported.process.returncode == 0, reported.complaints
        assert _listed(reported) == [*WRITTEN, "log.jsonl"]
        assert bench.summary("run").keys() >= {"finished_at", "exit_code"}
        assert (bench.summary("run")["finished_at"], bench.summary("run")["exit_code"]) == (None, None)
        (unfinished,) = re.findall(r"Unfinished: \d+ of 40 are not settled", _words(reported))
        for name in ("summary.md", "report.html"):
            text = (bench.folder("run") / name).read_text(encoding="utf-8")
            assert unfinished in text
            assert "batch-closer resume run" in text
            assert "runs retry" not in text
            assert "none yet" in text
        assert len(bench.lines("run")) == 40


def test_a_report_while_the_run_is_under_way(tmp_path: Path) -> None:
    """It leaves results.jsonl to the run, whose lines are all there at its end."""
    with _under_way(tmp_path, 0.3) as (simulator, bench, program):
        reported = bench.run("runs", "report", "run")
        assert not program.ended, "it was to be reported while it is under way"
        program.exit_code()
        assert "Under way: " in _words(reported)
        check_report(simulator, bench.lines("run"), bench.summary("run"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send this signal")
def test_killed_after_it_was_stopped(tmp_path: Path) -> None:
    """A run that was stopped, resumed and killed is not told as stopped by the signal."""
    with simulator_thread(Options(population=POPULATION, pace=Pace(latency_s=(0.05, 0.05)))) as simulator:
        bench = Bench(tmp_path, simulator)
        for arguments in (["close", *simulator.world.ids(), *SETTINGS, "--concurrency", 2], ["resume"]):
            with bench.start(*arguments) as program:
                _until_more_closes(simulator)
                if arguments == ["resume"]:
                    program.kill()
                else:
                    program.signal(signal.SIGTERM)
                    program.exit_code()
        (row,) = bench.json("runs", "list")
        assert (row["stopped"], row["exit_code"], row["finished_at"]) == (None, None, None)
        shown = bench.json("runs", "show", "run")
        assert (shown["stopped"], shown["sessions"]) == (None, 2)
        assert sum(shown["outcomes"].values()) == 40


def test_retry(tmp_path: Path) -> None:
    """``runs retry`` takes up what failed and no more, in a run of its own."""
    first = POPULATION.first_id
    ids = [first, first + 1, first + 2]
    shares = {"closed": 0.0, "missing": 0.0, "pending": 0.0}
    open_ones = Population(batches=10, **shares)  # type: ignore[arg-type]  # shares alone
    faults = scripted(by_id={i: script(put=["500", "500"]) for i in ids})
    with simulator_thread(Options(population=open_ones, faults=faults)) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.run("close", *simulator.world.ids(), *SETTINGS, "--max-attempts", 2)
        assert of_outcome(bench.lines("run"), "failed") == set(ids)
        again = bench.json("runs", "retry", "run", "--yes", "--run-id", "again")
        assert again["input"]["ids"] == again["outcomes"]["closed"] == 3
        assert of_outcome(bench.lines("again"), "closed") == set(ids)
        assert {line["source"] for line in bench.lines("again")} == {"arguments"}
        assert bench.json("runs", "show", "run")["outcomes"]["failed"] == 3
        assert bench.json("runs", "retry", "again", "--yes", "--run-id", "none")["input"]["ids"] == 0


def test_unknown_run(tmp_path: Path) -> None:
    """A run that isn't there is one line for every verb, and nothing is written."""
    with simulator_thread(Options(population=POPULATION)) as simulator:
        bench = Bench(tmp_path, simulator)
        for verb in (["runs", "show"], ["runs", "report"], ["runs", "retry"]):
            program = bench.run(*verb, "no-such-run")
            assert program.process.returncode == 2
            assert len(program.complaints) == 1
        assert not (bench.state / "runs").exists()
        assert bench.json("runs", "list") == []
