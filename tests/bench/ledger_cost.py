"""What the ledger costs: the same closes with it and without, a process each, in turn.

    python tests/bench/ledger_cost.py [--closes 20000] [--rounds 5] [--concurrency 32]

Everything else is on in both: results.jsonl, log.jsonl, the pacer without a limit that matters.
Prints the seconds of the closing itself in each round, and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from worker.cli.account import Account
from worker.cli.recorder import Recorder, Settled, Shown, settled
from worker.cli.settings import Settings
from worker.cli.wiring import connection_of, order_of
from worker.energycap import connect
from worker.engine.pacer import Pacer
from worker.engine.ports import Clocks, RunMemory
from worker.engine.run import Edges, Run
from worker.ledger import LedgerWriter, NewRun, Store, open_ledger
from worker.report import ResultsFile
from worker.sources import Listed
from worker.telemetry import Log, Progress, open_log
from worker.words.model import Planned, Result

HERE = Path(__file__).parent
GOAL = 1.15


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--closes", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--contender", choices=["with", "without"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        print(json.dumps(contend(given.contender, given.port, given.closes, given.concurrency)))
        return
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    with server() as port:
        for number in range(given.rounds + 1):
            for contender, taken in seconds.items():
                took = measured(contender, port, given)
                if number:  # the first round warms up
                    taken.append(took)
    for contender, taken in seconds.items():
        print(f"{contender:>8} ledger: " + " ".join(f"{took:6.2f}" for took in taken) + " s")
    ratio = statistics.median(seconds["with"]) / statistics.median(seconds["without"])
    per_close = statistics.median(seconds["with"]) / given.closes * 1e6
    print(f"ratio of medians {ratio:.3f} (goal: at most {GOAL}); {per_close:.0f} µs a close with the ledger")


@contextmanager
def server() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "quick_server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def measured(contender: str, port: int, given: argparse.Namespace) -> float:
    command = [sys.executable, __file__, "--contender", contender, "--port", str(port)]
    command += ["--closes", str(given.closes), "--concurrency", str(given.concurrency)]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def contend(contender: str, port: int, closes: int, concurrency: int) -> float:
    """Close ids 1 to ``closes``; the seconds that the closing took."""
    settings = Settings.model_validate(
        {
            "api": {"base_url": f"http://127.0.0.1:{port}"},
            "limits": {"rate_per_s": 1e6, "burst": 10_000, "concurrency": concurrency},
        }
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        open_ledger(Path(folder)) as store,
        ResultsFile(Path(folder) / "results.jsonl") as results,
    ):
        listed = (Listed(number, "bench", number) for number in range(1, closes + 1))
        run = store.plan(a_run(settings.api.base_url), listed)
        number = store.start_session(run, started_at=time.time(), pid=0, who="bench")
        log = open_log(sys.stderr, Path(folder) / "log.jsonl", "error")
        account = Account(store, run, settings.output.fine)
        shown = Shown(account, results, log, Progress(closes, log), settings.output.fine)
        took = asyncio.run(close_all(contender, settings, store, account, number, shown, log))
        log.close()
        assert account.tally.closed.batches == closes
    return took


def a_run(base_url: str) -> NewRun:
    now = time.time()
    return NewRun(run_id="bench", created_at=now, base_url=base_url, host="bench", settings="{}", who="bench")


async def close_all(
    contender: str, settings: Settings, store: Store, account: Account, session: int, shown: Shown, log: Log
) -> float:
    async def close_with(memory: RunMemory) -> float:
        clocks = Clocks(time.time, asyncio.get_running_loop().time, random.random)
        async with connect(connection_of(settings, settings.api.base_url, SecretStr("bench"))) as api:
            edges = Edges(
                api=api,
                pacer=Pacer(settings.limits.rate_per_s, settings.limits.burst, log, clocks.steady),
                memory=memory,
                log=log,
                tallies=account.session.counters,
                on_latency=account.session.latency.add,
                clocks=clocks,
            )
            begun = time.perf_counter()
            await Run(order_of(settings, "bench", None, 0.0), edges).perform()
        return time.perf_counter() - begun

    if contender == "without":
        return await close_with(Forgetful(store, account, shown))
    async with LedgerWriter(
        store.path.parent, session, on_durable=lambda tokens: shown.show(settled(tokens))
    ) as writer:
        return await close_with(Recorder(store, account, writer, set(), time.time))


class Forgetful:
    """A memory without a ledger behind it: intents are nothing, results are shown at once."""

    def __init__(self, store: Store, account: Account, shown: Shown) -> None:
        self._store, self._account, self._shown = store, account, shown

    def pending(self, after_seq: int, limit: int) -> Sequence[Planned]:
        return self._store.pending(self._account.run, after_seq=after_seq, limit=limit)

    def is_held(self, planned: Planned) -> bool:
        return True

    async def intend(self, planned: Planned, attempts: int, first_attempt_at: float) -> None:
        pass

    def settle(self, planned: Planned, result: Result, *, final: bool) -> None:
        self._shown.show([Settled.of(planned.seq, result)])


if __name__ == "__main__":
    main()
