"""The ledger is lost, and the folders of its runs are there still: what they hold is evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.program import Bench
from worker.simulator.options import Options, Population
from worker.simulator.running import simulator_thread

OPTIONS = Options(population=Population(batches=6, closed=0.0, missing=0.0, pending=0.0))
CLOSE = ("--yes", "--rate", 1000, "--burst", 10)


def _lose_ledger(bench: Bench) -> None:
    for file in bench.state.glob("ledger.db*"):
        file.unlink()


def _files(bench: Bench) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in bench.folder("full").iterdir()}


@pytest.mark.parametrize("also", [(), ("--resume",), ("--again",)])
def test_a_run_of_the_same_name_is_refused(tmp_path: Path, also: tuple[str, ...]) -> None:
    """One line, before anything is sent; the files stay as they are, and another name will do."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        first, second, *_ = simulator.world.ids()
        assert bench.run("close", first, *CLOSE, "--run-id", "full").process.returncode == 0
        before, requests = _files(bench), len(simulator.requests)
        _lose_ledger(bench)
        refused = bench.run("close", second, *CLOSE, "--run-id", "full", *also)
        assert refused.process.returncode == 2
        (line,) = refused.complaints
        assert f"folder {bench.folder('full')} holds results" in line
        assert "choose another --run-id, or move the folder away" in line
        assert _files(bench) == before
        assert len(simulator.requests) == requests
        assert bench.json("runs", "list") == []
        assert bench.run("close", second, *CLOSE, "--run-id", "other", *also).process.returncode == 0


def test_a_worker_takes_nothing_for_it(tmp_path: Path) -> None:
    """What waits goes on waiting, until the folder is moved away."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        first, second, *_ = simulator.world.ids()
        bench.run("close", first, *CLOSE, "--run-id", "full")
        before = _files(bench)
        _lose_ledger(bench)
        bench.run("enqueue", second, "--yes")
        refused = bench.run("work", "--once", "--run-id", "full")
        assert refused.process.returncode == 2
        assert "move the folder away" in refused.complaints[-1]
        assert _files(bench) == before
        bench.folder("full").rename(tmp_path / "kept")
        assert bench.run("work", "--once", "--run-id", "full").process.returncode == 0
        assert [line["batch_id"] for line in bench.lines("full")] == [second]


def test_a_folder_without_results_is_no_hindrance(tmp_path: Path) -> None:
    """A run that was killed before the ledger knew of its beginning is begun by the same command."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.folder("full").mkdir(parents=True)
        (bench.folder("full") / "log.jsonl").touch()
        assert (
            bench.run("close", simulator.world.ids()[0], *CLOSE, "--run-id", "full").process.returncode == 0
        )
