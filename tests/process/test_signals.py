"""Stopping by signal, in two stages, from every place a run can be in."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import pytest

from tests.process.program import Bench, Program, until
from tests.process.truth import check_report, check_totals, closed_by_us, of_outcome, puts_seen
from worker.simulator.faults import FaultPlan, Route
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import fault_plan, script, scripted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send these signals")

FIRST = Population().first_id
FAST = ("--yes", "--run-id", "run", "--rate", 500, "--burst", 10, "--concurrency", 4)
NOT_STARTED = (-signal.SIGTERM, 143)


def _open(batches: int, faults: FaultPlan | None = None, latency_s: float = 0.0) -> Options:
    """Batches without any trouble but the faults named."""
    shares = dict.fromkeys(("closed", "missing", "pending", "foreign"), 0.0)
    return Options(
        population=Population(batches=batches, **shares),  # type: ignore[arg-type]  # shares alone
        pace=Pace(latency_s=(latency_s, latency_s)),
        faults=faults or FaultPlan(),
    )


def _hanging(batches: int, *hanging: int) -> Options:
    """The first close of some batches is done, and never answered."""
    return _open(batches, scripted(by_id={i: script(put=["hang_after"]) for i in hanging}))


def _targets(simulator: Simulator) -> list[int]:
    return simulator.world.ids()


def _check(bench: Bench) -> None:
    check_report(bench.simulator, bench.lines("run"), bench.summary("run"))


def _check_resumed(bench: Bench) -> None:
    """Assert that ``resume`` finishes the run, and its totals are those of the whole run."""
    resumed = bench.run("resume")
    assert resumed.process.returncode == 0, resumed.complaints
    _check(bench)
    summary = bench.summary("run")
    assert summary["sessions"] == 2
    assert summary["stopped"] is None
    assert closed_by_us(bench.simulator) == of_outcome(bench.lines("run"), "closed")
    assert summary["requests"]["put"] == puts_seen(bench.simulator)
    assert summary["requests"]["total"] == len(bench.simulator.requests)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_once(number: int, code: int, tmp_path: Path) -> None:
    """One signal: nothing new begins, what is in flight is answered, all is written, resume does the rest."""
    with simulator_thread(_open(60, latency_s=0.03)) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *_targets(simulator), *FAST) as program:
            until(lambda: puts_seen(simulator) >= 10, "closes under way")
            program.signal(number)
            assert program.exit_code() == code
        assert [len(program.events(name)) for name in ("run.stopping", "run.finished")] == [1, 1]
        _check(bench)
        summary, lines = bench.summary("run"), bench.lines("run")
        assert (summary["stopped"], summary["stopped_by"]) == ("signal", signal.Signals(number).name)
        assert summary["exit_code"] == code
        assert summary["requests"]["put"] == puts_seen(simulator) < 60
        assert closed_by_us(simulator) == of_outcome(lines, "closed")
        assert len(of_outcome(lines, "not_attempted")) == 60 - puts_seen(simulator)
        _check_resumed(bench)


def test_in_flight_is_finished(tmp_path: Path) -> None:
    """A close whose answer takes its time is waited for within the grace, and told as closed."""
    slow = scripted(by_id={FIRST: script(put=["slow:0.5"])})
    with simulator_thread(_open(40, slow, latency_s=0.01)) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *_targets(simulator), *FAST) as program:
            until(lambda: puts_seen(simulator) >= 5, "closes under way")
            program.signal(signal.SIGTERM)
            assert program.exit_code() == 143
        (line,) = [line for line in bench.lines("run") if line["batch_id"] == FIRST]
        assert (line["outcome"], line["confirmed_by"]) == ("closed", "response")
        _check(bench)


def test_twice(tmp_path: Path) -> None:
    """The second signal stops at once, and the report still says all that is known."""
    with simulator_thread(_hanging(30, FIRST, FIRST + 1)) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *_targets(simulator), *FAST, "--grace", 600) as program:
            until(lambda: len(closed_by_us(simulator)) >= 10, "closes under way")
            program.signal(signal.SIGINT)
            until(lambda: program.events("run.stopping"), "the first signal to be heard")
            program.signal(signal.SIGINT)
            assert program.exit_code() == 130
        _check(bench)
        # Another close may have been in flight at that very moment.
        assert {FIRST, FIRST + 1} <= of_outcome(bench.lines("run"), "unknown")
        _check_resumed(bench)


def test_a_rain_of_signals(tmp_path: Path) -> None:
    """However many signals come, and whenever, the report is whole."""
    with simulator_thread(_open(300, latency_s=0.01)) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *_targets(simulator), *FAST) as program:
            until(lambda: puts_seen(simulator) >= 10, "closes under way")
            sent = count()

            def rain() -> bool:
                program.signal(signal.SIGINT if next(sent) % 2 else signal.SIGTERM)
                return program.ended

            until(rain, "the end")
            code = program.exit_code()
        assert code in {130, 143}  # two that come at once are heard in any order
        assert code == bench.summary("run")["exit_code"]
        assert not program.complaints
        assert "resume run" in program.stdout
        _check(bench)
        _check_resumed(bench)


def test_grace_runs_out(tmp_path: Path) -> None:
    """What doesn't answer within the grace is cut off and told as unknown."""
    with simulator_thread(_hanging(10, FIRST)) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *_targets(simulator), *FAST, "--grace", 0.2) as program:
            until(lambda: puts_seen(simulator) == 10, "all closes")
            program.signal(signal.SIGTERM)
            assert program.exit_code() == 143
        assert of_outcome(bench.lines("run"), "unknown") == {FIRST}
        _check(bench)
        _check_resumed(bench)


def _paused(program: Program) -> bool:
    return bool(program.events("run.paused"))


def _all_back_off(program: Program) -> bool:
    waits = [event["wait_s"] for event in program.events("batch.retry_scheduled")]
    return len(waits) == 20 and max(waits) > 10


WAITS: Mapping[str, tuple[str, Callable[[Program], bool]]] = {
    "a long Retry-After": ("put:429:600=100%", _paused),
    "a backoff": ("put:500=100%", _all_back_off),
}


@pytest.mark.parametrize("wait", WAITS)
def test_while_waiting(wait: str, tmp_path: Path) -> None:
    """A run that waits for something long stops as soon as it is told to."""
    fault, is_waiting = WAITS[wait]
    settings = ("--backoff", 100, "--max-backoff", 100, "--abort", "none", "--stall", 1000, "--grace", 20)
    with simulator_thread(_open(20, fault_plan(shares=[fault]))) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", *_targets(simulator), *FAST, *settings) as program:
            until(lambda: is_waiting(program), f"the run to be held up by {wait}")
            program.signal(signal.SIGINT)
            assert program.exit_code() == 130
        _check(bench)
        assert not closed_by_us(simulator)
        lines = bench.lines("run")
        assert of_outcome(lines, "failed") | of_outcome(lines, "not_attempted") == {*_targets(simulator)}
        assert bench.summary("run")["duration_s"] < 15


@pytest.mark.parametrize(("number", "codes"), [(signal.SIGINT, (130,)), (signal.SIGTERM, NOT_STARTED)])
def test_while_reading_standard_input(number: int, codes: tuple[int, ...], tmp_path: Path) -> None:
    """Nothing was agreed on yet, so nothing is sent and no run is left behind."""
    with simulator_thread(_open(3)) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("close", "-", *FAST, stdin=-1) as program:
            assert program.process.stdin is not None
            program.process.stdin.write(b"1001\n")
            program.process.stdin.flush()
            until(lambda: list(bench.state.glob("run-*.lock")), "the run to begin reading")
            program.signal(number)
            assert program.exit_code() in codes
        assert program.complaints in ([], ["batch-closer: interrupted"])
        assert not program.stdout
        assert not len(simulator.requests)
        assert bench.json("runs", "list") == []


def test_deadline(tmp_path: Path) -> None:
    """At its deadline a run stops as for a signal, exits 4, and can be resumed."""
    with simulator_thread(_open(60, latency_s=0.02)) as simulator:
        bench = Bench(tmp_path, simulator)
        slow = ("--yes", "--run-id", "run", "--rate", 20, "--deadline", 0.6)
        program = bench.run("close", *_targets(simulator), *slow)
        assert program.process.returncode == 4
        summary = bench.summary("run")
        assert (summary["stopped"], summary["stopped_by"]) == ("deadline", "deadline=0.6")
        assert summary["closed"]["batches"] < 60
        _check(bench)
        resumed = bench.run("resume", "--rate", 1000, "--deadline", 60)
        assert resumed.process.returncode == 0
        _check(bench)
        check_totals(bench.lines("run"), bench.summary("run"))
        assert simulator.requests.by_route()[Route.PUT] == 60
