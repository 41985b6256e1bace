"""Whether a rate is reached and kept: the whole program against a server that notes every arrival."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import Final

from tests.bench.contenders.job import Job
from tests.bench.contenders.shell import batch_closer
from tests.bench.figures import Kept
from tests.bench.servers import small
from tests.bench.stand import Amount, Stand, say

RATES: Final = (0.5, 5.0, 50.0, 200.0, 1000.0)
FEWEST: Final = 3


def measure(stand: Stand, amount: Amount) -> tuple[Kept, ...]:
    """A run at each rate. Raises FailedError."""
    start_cpu_s = median(stand.closing(batch_closer, 1).cpu_s for _ in range(amount.rounds))
    sizes = [max(int(rate * amount.seconds), FEWEST) + 1 for rate in RATES]
    return tuple(_kept(stand, rate, closes, start_cpu_s) for rate, closes in zip(RATES, sizes, strict=True))


def _kept(stand: Stand, rate: float, closes: int, start_cpu_s: float) -> Kept:
    command = partial(batch_closer, limits=("--rate", str(rate), "--concurrency", "32"))
    with small(stand.server_core) as server, stand.own_folder() as folder:
        cost = stand.run(command(Job(server.base_url, closes, folder)), folder)
        seen = server.stop()
    kept = Kept(rate_per_s=rate, cpu_s=cost.cpu_s, start_cpu_s=start_cpu_s, **seen._asdict())
    say(f"{rate:g} a second: {kept.reached_per_s:.2f} reached, {kept.busiest} in the busiest second")
    return kept
