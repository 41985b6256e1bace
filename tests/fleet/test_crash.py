"""Workers, the broker and whoever waits killed at random moments, and the report compared with the truth."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.fleet.broker import Broker
from tests.fleet.fleet import Fleet, ids_file
from tests.process.program import Program
from tests.process.truth import check_report, closed_by_us, of_outcome
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import fault_plan

FAULTS = ("500=3%", "put:close_then_500=3%", "drop_before=2%", "put:drop_after=3%", "slow:0.1=2%")
SETTINGS = ("--rate", 2000, "--burst", 50, "--concurrency", 4, "--backoff", 0.02, "--max-attempts", 8)
FLEET = ("--lease", 2, "--max-deliveries", 100, "--grace", 5)
PATIENCE_S = 3600


@pytest.mark.timeout(0)
def test_crashes(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """However often and whoever is killed: each batch has one result, and it is the truth."""
    batches, workers = request.config.getoption("--batches", 150), request.config.getoption("--workers", 3)
    seed = request.config.getoption("--seed", 1)
    print(f"\nseed {seed}")  # shown where it fails, too
    options = Options(
        population=Population(batches=batches, seed=seed, closed=0.1, missing=0.05, pending=0.05),
        pace=Pace(latency_s=(0.005, 0.05)),
        faults=fault_plan(shares=FAULTS, seed=seed),
    )
    with simulator_thread(options) as simulator, Broker(tmp_path / "broker") as broker:
        queue = f"{broker.url}?queue=crash"
        with Fleet(tmp_path, simulator, queue, *SETTINGS, *FLEET) as fleet:
            story = Story(fleet, broker, simulator, Random(seed))
            story.tell(batches, workers)
            story.check(batches)
            print(story)


class Story:
    """A run from its first worker to its last, with whatever happens to them."""

    def __init__(self, fleet: Fleet, broker: Broker, simulator: Simulator, rng: Random) -> None:
        self._fleet = fleet
        self._broker = broker
        self._simulator = simulator
        self._rng = rng
        self._kills: Counter[str] = Counter()
        self._began = time.monotonic()

    def tell(self, batches: int, workers: int) -> None:
        """Until whoever waits for the run says that it is over."""
        ids = self._simulator.world.ids()
        self._ids = ids_file(self._fleet.bench.state.parent, [*ids, ids[0], "n/a"])
        for _ in range(workers):
            self._fleet.work()
        waiter = self._wait()
        most = 4 + batches // 40
        while waiter.process.poll() is None:
            assert time.monotonic() < self._began + PATIENCE_S, "it takes too long"
            if self._kills.total() < most and self._has_moved_on(waiter):
                waiter = self._kill_someone(waiter)
        assert waiter.exit_code() == 3, waiter.complaints

    def _wait(self) -> Program:
        return self._fleet.enqueue(self._ids, "--run-id", "crash", "--wait", "--abort", "none", "--lease", 2)

    def _has_moved_on(self, waiter: Program) -> bool:
        """So many more requests later; or the run is over."""
        seen = len(self._simulator.requests) + self._rng.randint(10, 60)
        while len(self._simulator.requests) < seen and waiter.process.poll() is None:
            if time.monotonic() > self._began + PATIENCE_S:
                return True
            time.sleep(0.005)
        return waiter.process.poll() is None

    def _kill_someone(self, waiter: Program) -> Program:
        whom = self._rng.choice(["worker", "worker", "worker", "broker", "drained", "waiter"])
        self._kills[whom] += 1
        if whom == "broker":
            self._broker.kill()
            time.sleep(self._rng.uniform(0, 0.4))
            self._broker.start()
        elif whom == "waiter":
            waiter.kill()
            return self._wait()
        else:
            worker = self._fleet.workers.pop(self._rng.randrange(len(self._fleet.workers)))
            if whom == "worker":
                worker.kill()
            else:
                worker.signal(15)
            self._fleet.work()
            if whom == "drained":
                # Negative: it had not begun to listen.
                assert worker.exit_code() in {143, -15}, worker.complaints
        return waiter

    def check(self, batches: int) -> None:
        """Assert that the files are true, and that each batch has one result in the queue."""
        lines, summary = self._fleet.bench.lines("crash"), self._fleet.bench.summary("crash")
        check_report(self._simulator, lines, summary)
        assert len(lines) == batches + 1
        assert {line["batch_id"] for line in lines} == {*self._simulator.world.ids(), None}
        assert not of_outcome(lines, "not_attempted")
        assert of_outcome(lines, "closed") == closed_by_us(self._simulator) - of_outcome(lines, "unknown")
        with self._fleet.client() as client:
            finals = [fields for _, fields in client.xrange(self._fleet.key("run:crash:out"))]
            assert max(Counter(each["batch"] for each in finals if "batch" in each).values()) == 1
            assert client.xlen("crash") == client.hlen(self._fleet.key("busy")) == 0
        self._outcomes = summary["outcomes"]

    def __str__(self) -> str:
        took = time.monotonic() - self._began
        outcomes = ", ".join(f"{count} {name}" for name, count in self._outcomes.items() if count)
        return (
            f"{took:.1f} s, killed {dict(self._kills)}, {len(self._simulator.requests)} requests: {outcomes}"
        )
