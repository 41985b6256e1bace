"""How a fleet scales, and whether it keeps one rate: real workers, a real broker, a server of its own.

    python -m tests.bench.fleet [--seconds 8]

First 1 and 8 workers, each with one close at once, against a server that takes 50 ms: how many times as
much 8 close as one. Then 8 workers with one rate, each with four at once: what the server saw of it, and its
busiest second beside the most that is allowed (rate + burst, and 1 %). Burst is 1. The broker writes its
append-only file.

A close costs about 2 ms of a core in the worker, most of it for talking to the broker; broker and server run
on this machine too. Where there are two cores, and others use them, that is the bound, not the fleet.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.costs import environment
from tests.bench.figures import allowed_in_a_second
from tests.bench.servers import Seen, small
from tests.fleet.broker import Broker

WORKERS = 8
AT_ONCE = 1
AT_ONCE_FOR_RATE = 4
LATENCY_S = 0.05
NO_LIMIT = 100_000.0
RATES = (5.0, 50.0, 200.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8.0)
    seconds = parser.parse_args().seconds
    ideal = AT_ONCE / LATENCY_S
    reached = []
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    print("workers   closes  per second")
    for workers in (1, WORKERS):
        seen = measured(workers, AT_ONCE, NO_LIMIT, int(ideal * workers * seconds))
        reached.append((seen.requests - 1) / seen.seconds)
        print(f"{workers:7d} {seen.requests:8d} {reached[-1]:11.1f}")
    print(f"{WORKERS} workers close {reached[1] / reached[0]:.2f} times as much as one (goal 7)\n")
    print("  rate  closes  reached  of it   busiest second  allowed")
    for rate in RATES:
        seen = measured(WORKERS, AT_ONCE_FOR_RATE, rate, max(int(rate * seconds), 25) + 1)
        per_s = (seen.requests - 1) / seen.seconds
        print(
            f"{rate:6g} {seen.requests:7d} {per_s:8.2f} {per_s / rate:6.1%} "
            f"{seen.busiest:16d} {allowed_in_a_second(rate):8d}"
        )


def measured(workers: int, at_once: int, rate: float, closes: int) -> Seen:
    """What the server saw of a run that so many workers closed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Broker(folder / "broker", "--appendonly", "yes"))
        server = stack.enter_context(small(delay_s=LATENCY_S))
        environ = environment(
            BATCH_CLOSER_BASE_URL=server.base_url,
            BATCH_CLOSER_QUEUE=broker.url,
            BATCH_CLOSER_STATE=str(folder / "state"),
        )
        for number in range(workers):
            stack.enter_context(working(environ, at_once, rate, folder / f"{number}.log"))
        ids = "".join(f"{number}\n" for number in range(1, closes + 1))
        command = [sys.executable, "-m", "worker", "enqueue", "-", "--no-snapshot"]
        subprocess.run(command, input=ids, env=environ, text=True, capture_output=True, check=True)
        with broker.client() as client:
            while client.xlen("batch-closer"):
                time.sleep(0.2)
        seen = server.stop()
    assert seen.requests == closes
    return seen


@contextmanager
def working(environ: dict[str, str], at_once: int, rate: float, log: Path) -> Iterator[None]:
    """A worker that is ready, until the block ends."""
    command = [sys.executable, "-m", "worker", "work", "--rate", str(rate), "--concurrency", str(at_once)]
    with log.open("wb") as stderr:
        worker = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        while b"worker.started" not in log.read_bytes():
            assert worker.poll() is None, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        worker.terminate()
        worker.wait()


if __name__ == "__main__":
    main()
