"""``--limiter``: workers whose queue keeps no pace share one that a Redis keeps."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path

from tests.brokers.conftest import rabbit
from tests.brokers.test_brokers import IDS, message
from tests.lag import Lag
from tests.process.program import Bench
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
