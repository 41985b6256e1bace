"""``--limiter``: workers whose queue keeps no pace share one that a Redis keeps."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from pathlib import Path

from tests.brokers.conftest import rabbit
from tests.brokers.test_brokers import IDS, message
from tests.fleet.broker import Broker
from tests.lag import Lag
from tests.process.program import Bench, until
from tests.process.truth import check_order_of_requests, puts_seen
from worker.simulator.options import Options, Population
from worker.simulator.running import simulator_thread

RATE, BURST = 20, 2


def test_two_workers_with_one_limiter_keep_one_rate(redis_url: str, tmp_path: Path) -> None:
    """Whatever the two send, looks included, the server never sees more than the rate; all is answered."""
    pace = ("--rate", RATE, "--burst", BURST, "--limiter", redis_url)
    options = Options(population=Population(batches=len(IDS), first_id=IDS[0], seed=5))
    with ExitStack() as stack:
        simulator = stack.enter_context(simulator_thread(options))
        lag = stack.enter_context(Lag())
        peers = [stack.enter_context(rabbit(f"bc-{secrets.token_hex(4)}")) for _ in range(2)]
        workers = []
        for number, peer in enumerate(peers):
            peer.send(*map(message, IDS[number::2]))
            bench = Bench(tmp_path / f"{number}", simulator)
            bench.environ["BATCH_CLOSER_SNAPSHOT"] = "1"
            worker = bench.start("work", "--once", "--queue", peer.url, *pace)
            workers.append(stack.enter_context(worker))
        assert {worker.exit_code() for worker in workers} <= {0, 3}
        assert [len(peer.read("results")) for peer in peers] == [len(IDS) // 2] * 2
    # What was sent in time may be seen late: as much as this process was late, and one of each worker.
    most = (RATE + BURST) * 1.01 + RATE * lag.most_s + len(workers)
    assert simulator.max_seen_per_second() <= most
    assert not any(worker.events("limiter.away") for worker in workers)


def test_without_its_limiter_a_worker_sends_nothing(tmp_path: Path) -> None:
    """Said once, as is its return; the run goes on from where it was, and nothing is closed twice."""
    options = Options(population=Population(batches=len(IDS), first_id=IDS[0], seed=5))
    with ExitStack() as stack:
        simulator = stack.enter_context(simulator_thread(options))
        limiter = stack.enter_context(Broker(tmp_path / "limiter"))
        peer = stack.enter_context(rabbit(f"bc-{secrets.token_hex(4)}"))
        peer.send(*map(message, IDS))
        bench = Bench(tmp_path, simulator)
        bench.environ["BATCH_CLOSER_SNAPSHOT"] = "1"
        pace = ("--rate", RATE, "--limiter", limiter.url)
        worker = stack.enter_context(bench.start("work", "--once", "--queue", peer.url, *pace))
        until(lambda: puts_seen(simulator) > 5, "closes")
        limiter.kill()
        until(lambda: worker.events("limiter.away"), "the worker to notice")
        before = len(simulator.requests)
        time.sleep(0.5)  # ten slots' time
        assert len(simulator.requests) <= before + 8  # what was in flight already: one of each closer
        limiter.start()
        assert worker.exit_code() in {0, 3}
        assert len(peer.read("results")) == len(IDS)
    assert [len(worker.events(f"limiter.{which}")) for which in ("away", "back")] == [1, 1]
    assert worker.complaints == []
    check_order_of_requests(simulator)
