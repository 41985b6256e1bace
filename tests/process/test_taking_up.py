"""``close --run-id NAME --resume``: one command that a scheduler may start again, come what may."""

from __future__ import annotations

from pathlib import Path

from tests.process.program import Bench, until
from tests.process.truth import check_report, closed_by_us, of_outcome, puts_seen
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import simulator_thread

BATCHES = 60
OPTIONS = Options(population=Population(batches=BATCHES), pace=Pace(latency_s=(0.02, 0.02)))
SPEED = ("--rate", 300, "--burst", 5, "--concurrency", 4, "--abort", "none")


def test_the_same_command_begins_continues_and_shows(tmp_path: Path) -> None:
    """Killed, it is continued as one run, the input not read again; finished, it is shown, nothing sent."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        ids = tmp_path / "ids.txt"
        ids.write_text("".join(f"{batch_id}\n" for batch_id in simulator.world.ids()), encoding="utf-8")
        command = ["close", ids, "--yes", "--run-id", "night", "--resume", *SPEED]
        with bench.start(*command) as program:
            until(lambda: len(closed_by_us(simulator)) >= 20, "closes under way")
            program.kill()
        ids.unlink()
        assert bench.run(*command).process.returncode == 3
        check_report(simulator, bench.lines("night"), bench.summary("night"))
        assert bench.summary("night")["sessions"] == 2
        assert closed_by_us(simulator) == of_outcome(bench.lines("night"), "closed")
        requests, puts = len(simulator.requests), puts_seen(simulator)
        shown = bench.run(*command, "--json")
        assert shown.process.returncode == 3
        assert f'"batches": {len(closed_by_us(simulator))}' in shown.stdout
        assert (len(simulator.requests), puts_seen(simulator)) == (requests, puts)


def test_without_it_a_known_run_is_refused_and_it_is_named(tmp_path: Path) -> None:
    """A scheduler that left --resume out learns what to add; whoever begins a retry needs another name."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        command = ["close", *simulator.world.ids(), "--yes", "--run-id", "night", "--again", *SPEED]
        with bench.start(*command) as program:
            until(lambda: len(closed_by_us(simulator)) >= 5, "closes under way")
            program.kill()
        requests = len(simulator.requests)
        unfinished = bench.run(*command)
        assert unfinished.process.returncode == 2
        (line,) = unfinished.complaints
        assert "'night' is taken by an unfinished run: --resume beside --run-id continues it; or" in line
        assert len(simulator.requests) == requests
        assert bench.run(*command, "--resume").process.returncode == 3
        finished = bench.run(*command)
        assert finished.process.returncode == 2
        assert "by a finished run: --resume beside --run-id shows how it ended" in finished.complaints[0]
        retry = bench.run("runs", "retry", "night", "--yes", "--run-id", "night")
        assert retry.process.returncode == 2
        assert "run id 'night' is taken: choose another with --run-id" in retry.complaints[0]


def test_it_must_be_said_which_run_is_meant(tmp_path: Path) -> None:
    """Without --run-id it is refused, before anything is read or sent."""
    with simulator_thread(OPTIONS) as simulator:
        refused = Bench(tmp_path, simulator).run("close", 1001, "--yes", "--resume")
        assert refused.process.returncode == 2
        assert "--run-id" in refused.complaints[0]
        assert not len(simulator.requests)
