"""A run over a fleet, from enqueuing to its report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.fleet.fleet import Fleet, ids_file
from tests.process.program import until
from tests.process.truth import check_report, closed_by_us, of_outcome, puts_seen
from tests.process.within import call
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import Simulator, simulator_thread


def options(batches: int, latency_s: float = 0.0, **shares: float) -> Options:
    names = ("closed", "missing", "pending", "flagged", "analyzing", "foreign", "kickouts", "empty")
    plain = Population(**dict.fromkeys(names, 0.0))  # type: ignore[arg-type]  # shares alone
    population = replace(plain, batches=batches, **shares)  # type: ignore[arg-type]  # as above
    return Options(population=population, pace=Pace(latency_s=(latency_s, latency_s)))


@contextmanager
def fleet_on(folder: Path, queue: str, options: Options, *settings: object) -> Iterator[Fleet]:
    with simulator_thread(options) as simulator, Fleet(folder, simulator, queue, *settings) as fleet:
        fleet.bench.environ["BATCH_CLOSER_SNAPSHOT"] = "1"
        yield fleet


def enqueue(fleet: Fleet, ids: Path, *arguments: object) -> tuple[int, str, str]:
    said = call(fleet.bench, "enqueue", ids, *arguments)
    return said.code, said.out, "\n".join(said.complaints)


def test_a_run_is_reported_as_if_it_were_run_here(tmp_path: Path, queue: str) -> None:
    """Two workers; the same files, code and totals as a local run; the same again is known and added once."""
    mixed = options(40, closed=0.2, missing=0.1, pending=0.1, flagged=0.2)
    with fleet_on(tmp_path, queue, mixed) as fleet:
        ids = fleet.simulator.world.ids()
        file = ids_file(tmp_path, [*ids, ids[0], "n/a"])
        fleet.work()
        fleet.work()
        code, shown, _ = enqueue(fleet, file, "--run-id", "r", "--guard", "flags=hold", "--wait", "--json")
        summary = fleet.bench.summary("r")
        assert code == summary["exit_code"] == 3
        assert json.loads(shown) == summary
        lines = fleet.bench.lines("r")
        assert of_outcome(lines, "held")
        check_lines(fleet.simulator, [line for line in lines if line["outcome"] != "held"])
        assert summary["requests"]["put"] == puts_seen(fleet.simulator)
        assert {path.name for path in fleet.bench.folder("r").iterdir()} == {
            *("results.jsonl", "results.csv", "summary.json", "summary.md", "retry.txt", "log.jsonl"),
            "report.html",
        }
        assert [worker.events("batch.settled") for worker in fleet.workers]
        code, shown, _ = enqueue(fleet, file, "--run-id", "r")
        assert (code, "is finished" in shown) == (3, True)
        code, _, said = enqueue(fleet, ids_file(tmp_path, ids[1:]), "--run-id", "r")
        assert (code, "taken by a run of other batches" in said) == (2, True)
        told = call(fleet.bench, "runs", "show", "r", "--queue", queue, "--json")
        assert told.code == 0
        assert json.loads(told.out) == summary | {"duration_s": summary["duration_s"]}


def test_a_run_that_is_under_way_has_no_end_yet(tmp_path: Path, queue: str) -> None:
    """It is shown and reported as one that goes on in the queue; nothing of it is to be tried again."""
    with fleet_on(tmp_path, queue, options(4)) as fleet:
        enqueue(fleet, ids_file(tmp_path, fleet.simulator.world.ids()), "--run-id", "r")
        told = call(fleet.bench, "runs", "show", "r", "--queue", queue, "--json")
        summary = json.loads(told.out)
        assert (summary["finished_at"], summary["exit_code"]) == (None, None)
        for verb in ("show", "report"):
            shown = call(fleet.bench, "runs", verb, "r", "--queue", queue)
            assert shown.code == 0
            assert "Under way: 4 of 4 are not settled." in shown.out
            assert "--run-id r --wait" in shown.out
            assert "retry.txt)" not in shown.out
            assert ("Files: " in shown.out) is (verb == "report")
        assert fleet.bench.summary("r")["exit_code"] is None


def check_lines(simulator: Simulator, lines: list[dict[str, object]]) -> None:
    closed = {line["batch_id"] for line in lines if line["outcome"] == "closed"}
    assert closed == closed_by_us(simulator)


def test_an_abort_rule_counts_over_the_fleet_and_the_run_is_taken_up_again(
    tmp_path: Path, queue: str
) -> None:
    """Two workers see four alike each: the run stops, code 4; what was left is closed when it goes on."""
    with fleet_on(tmp_path, queue, options(80, 0.01, pending=0.5), "--rate", 400, "--burst", 5) as fleet:
        ids = fleet.simulator.world.ids()
        pending = [i for i in ids if fleet.simulator.world.batches[i].state == "pending"]
        file = ids_file(tmp_path, [*pending, *sorted(set(ids) - set(pending))])
        fleet.work("--concurrency", 2)
        fleet.work("--concurrency", 2)
        rules = ("--guard", "pending=ignore", "--abort", "same=8")
        code, _, _ = enqueue(fleet, file, "--run-id", "r", "--wait", *rules)
        summary = fleet.bench.summary("r")
        assert (code, summary["stopped"], summary["stopped_by"]) == (4, "abort", "same=8")
        assert len(summary["stopped_by_ids"]) >= 8
        assert 8 <= summary["outcomes"]["rejected"] <= 8 + 3
        assert summary["outcomes"]["not_attempted"] >= 60
        check_report(fleet.simulator, fleet.bench.lines("r"), summary)
        code, _, _ = enqueue(fleet, file, "--run-id", "r", "--wait", *rules[:2], "--abort", "none")
        summary = fleet.bench.summary("r")
        assert (code, summary["sessions"], summary["stopped"]) == (3, 2, None)
        assert summary["outcomes"]["rejected"] == len(pending)
        check_report(fleet.simulator, fleet.bench.lines("r"), summary)
        assert len(fleet.bench.lines("r")) == 80


def test_a_deadline_passes_without_any_worker(tmp_path: Path, queue: str) -> None:
    """Nobody serves the queue: at the deadline the run ends with code 4, and nothing of it waits any more."""
    with fleet_on(tmp_path, queue, options(5)) as fleet:
        file = ids_file(tmp_path, fleet.simulator.world.ids())
        code, _, _ = enqueue(fleet, file, "--run-id", "r", "--wait", "--deadline", 0.3)
        summary = fleet.bench.summary("r")
        assert (code, summary["stopped"], summary["outcomes"]["not_attempted"]) == (4, "deadline", 5)
        with fleet.client() as client:
            assert client.xlen(fleet.name) == 0
        assert len(fleet.simulator.requests) == 0


def test_giving_up_waiting_leaves_the_run_alone(tmp_path: Path, queue: str) -> None:
    """Ctrl-C ends the waiting with code 130, says that nobody works and how it goes on; all of it waits."""
    with fleet_on(tmp_path, queue, options(5)) as fleet:
        file = ids_file(tmp_path, fleet.simulator.world.ids())
        with fleet.enqueue(file, "--run-id", "r", "--wait") as waiter:
            until(lambda: waiter.events("queue.no_worker"), "the waiter to miss a worker")
            waiter.signal(2)
            assert waiter.exit_code() == 130
        assert "run r goes on in the queue" in waiter.complaints[-1]
        with fleet.client() as client:
            assert client.xlen(fleet.name) == 5
            assert client.hget(fleet.key("run:r"), "stop_kind") is None


def test_a_dead_key_stops_worker_and_run(tmp_path: Path, queue: str) -> None:
    """A 401 that GET /api/v3/me confirms: the worker ends with code 5, and so does the run."""
    with fleet_on(tmp_path, queue, options(40, 0.02)) as fleet:
        worker = fleet.work("--concurrency", 2)
        file = ids_file(tmp_path, fleet.simulator.world.ids())
        with fleet.enqueue(file, "--run-id", "r", "--wait") as waiter:
            until(lambda: puts_seen(fleet.simulator) >= 5, "some closes")
            fleet.simulator.kill_key()
            assert worker.exit_code() == 5
            assert waiter.exit_code() == 5
        summary = fleet.bench.summary("r")
        assert summary["stopped"] == "key"
        check_report(fleet.simulator, fleet.bench.lines("r"), summary)


def test_two_runs_of_the_same_batches_tell_one_truth(tmp_path: Path, queue: str) -> None:
    """Each batch is closed by one of the runs, and was closed before the other; no PUT is in vain."""
    with fleet_on(tmp_path, queue, options(30, 0.03)) as fleet:
        file = ids_file(tmp_path, fleet.simulator.world.ids())
        for run in ("a", "b"):
            assert enqueue(fleet, file, "--run-id", run)[0] == 0
        for _ in range(2):
            fleet.work("--once", "--concurrency", 16)
        for worker in fleet.workers:
            assert worker.exit_code() == 0
        found = {}
        for run in ("a", "b"):
            assert call(fleet.bench, "runs", "report", run, "--queue", queue).code == 0
            found[run] = of_outcome(fleet.bench.lines(run), "closed")
            assert found[run] | of_outcome(fleet.bench.lines(run), "already_closed") == {
                *fleet.simulator.world.ids()
            }
        assert found["a"] | found["b"] == closed_by_us(fleet.simulator)
        assert not found["a"] & found["b"]
        assert puts_seen(fleet.simulator) == 30
