"""One run at a time on a state folder and API host, as two real processes."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from tests.process.program import Bench, until
from tests.process.truth import check_report, closed_by_us, puts_seen
from worker.simulator.options import Options, Pace
from worker.simulator.running import Simulator, simulator_thread

SLOW = Options(pace=Pace(latency_s=(0.3, 0.3)))
QUICK = Options(pace=Pace(latency_s=(0.01, 0.01)))


def _close(simulator: Simulator, name: str) -> list[object]:
    speed = ("--rate", 1000, "--burst", 10, "--concurrency", 10)
    return ["close", *simulator.world.ids(), "--yes", "--run-id", name, "--abort", "none", *speed]


def test_the_second_run_names_the_first(tmp_path: Path) -> None:
    """A second run exits 75 with one line that says who holds the lock, and sends nothing."""
    with simulator_thread(SLOW) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start(*_close(simulator, "first")) as first:
            until(lambda: puts_seen(simulator), "the first run's closes")
            second = bench.run(*_close(simulator, "second"))
            assert second.process.returncode == 75
            assert not first.ended
            first.kill()
        (line,) = second.complaints
        assert re.search(rf"pid {first.process.pid} on \S+, run first, since 2\d\d\d-\d\d-\d\dT[\d:]+Z", line)
        assert platform.node() in line
        assert not second.stdout
        assert not bench.folder("second").exists()


def test_a_race(tmp_path: Path) -> None:
    """Of two processes started together one closes everything, the other exits 75."""
    with simulator_thread(SLOW) as simulator:
        bench = Bench(tmp_path, simulator)
        with (
            bench.start(*_close(simulator, "one")) as one,
            bench.start(*_close(simulator, "two")) as two,
        ):
            codes = {"one": one.exit_code(), "two": two.exit_code()}
        assert sorted(codes.values()) == [3, 75]
        (winner,) = (name for name, code in codes.items() if code == 3)
        check_report(simulator, bench.lines(winner), bench.summary(winner))
        assert all(batch.puts <= 2 for batch in simulator.world.batches.values())


def test_a_killed_holder_does_not_block(tmp_path: Path) -> None:
    """The lock of a process that was killed is free, and what is left of it names nobody."""
    with simulator_thread(QUICK) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start(*_close(simulator, "killed")) as program:
            until(lambda: len(closed_by_us(simulator)) >= 20, "closes under way")
            program.kill()
        assert bench.run("resume").process.returncode == 3
        check_report(simulator, bench.lines("killed"), bench.summary("killed"))
        assert not list(bench.state.glob("run-*.json"))


def test_other_hosts_are_free(tmp_path: Path) -> None:
    """Runs on two API hosts share a state folder at the same time."""
    with simulator_thread(SLOW) as here, simulator_thread(SLOW) as there:
        first, second = Bench(tmp_path / "a", here, tmp_path / "state"), Bench(tmp_path, there)
        with first.start(*_close(here, "here")) as one, second.start(*_close(there, "there")) as two:
            assert (one.exit_code(), two.exit_code()) == (3, 3)
        check_report(here, first.lines("here"), first.summary("here"))
        check_report(there, second.lines("there"), second.summary("there"))
