"""This program's own close with everything on, or without the ledger, in a process that has loaded it.

On are results.jsonl, log.jsonl, the ledger, the pacer with a rate that does not matter, the progress and
the totals: all that ``batch-closer close`` does between its first request and its last.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from tests.bench.contenders.given import AT_ONCE, Given, given, timed
from worker.cli.main import seek_cycles_rarely
from worker.cli.session.account import Account
from worker.cli.session.recorder import Recorder, Settled, Shown, settled
from worker.cli.session.wiring import connection_of, order_of
from worker.cli.settings.tree import Settings
from worker.energycap import connect
from worker.engine.pacer import Pacer
from worker.engine.ports import Clocks, RunMemory
from worker.engine.run import Edges, Run
from worker.ledger import LedgerWriter, NewRun, Store, open_ledger
from worker.report import ResultsFile
from worker.sources import Listed
from worker.telemetry import Log, Progress, open_log
from worker.words.model import Planned, Result


def main(order: Given) -> None:
    seek_cycles_rarely()
    settings = Settings.model_validate(
        {
            "api": {"base_url": order.base_url},
            "limits": {"rate_per_s": 1e6, "burst": 10_000, "concurrency": AT_ONCE},
        }
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        open_ledger(Path(folder)) as store,
        ResultsFile(Path(folder) / "results.jsonl") as results,
    ):
        listed = (Listed(number, "bench", number) for number in order.ids)
        run = store.plan(a_run(settings.api.base_url), listed)
        session = store.start_session(run, started_at=time.time(), pid=0, who="bench")
        log = open_log(sys.stderr, Path(folder) / "log.jsonl", "error")
        account = Account(store, run, settings.output.fine)
        shown = Shown(account, results, log, Progress(order.closes, log), settings.output.fine)
        asyncio.run(close_all(order.way, settings, store, account, session, shown, log))
        log.close()
        assert account.tally.closed.batches == order.closes


def a_run(base_url: str) -> NewRun:
    now = time.time()
    return NewRun(run_id="bench", created_at=now, base_url=base_url, host="bench", settings="{}", who="bench")


async def close_all(
    way: str, settings: Settings, store: Store, account: Account, session: int, shown: Shown, log: Log
) -> None:
    clocks = Clocks(time.time, asyncio.get_running_loop().time, random.random)
    pacer = Pacer(settings.limits.rate_per_s, settings.limits.burst, log, clocks.steady)

    async def close_with(memory: RunMemory, writer: LedgerWriter | None = None) -> None:
        async with connect(connection_of(settings, settings.api.base_url, SecretStr("bench"))) as api:
            edges = Edges(
                api=api,
                pacer=pacer,
                memory=memory,
                log=log,
                tallies=account.session.counters,
                on_latency=account.session.latency.add,
                clocks=clocks,
            )
            with timed():
                await Run(order_of(settings, "bench", None, 0.0), edges).perform()
                if writer is not None:
                    await writer.flush()

    if way == "without-ledger":
        await close_with(Forgetful(store, account, shown))
        return
    async with LedgerWriter(
        store.path.parent,
        session,
        on_durable=lambda tokens: shown.show(settled(tokens)),
        counters=lambda: account.session.to_json(time.time()),
        closers=AT_ONCE,
    ) as writer:
        await close_with(Recorder(store, account, writer, set(), pacer), writer)


class Forgetful:
    """A memory without a ledger behind it: intents are nothing, results are shown a few at a time."""

    def __init__(self, store: Store, account: Account, shown: Shown) -> None:
        self._store, self._account, self._shown = store, account, shown
        self._settled: list[Settled] = []

    def pending(self, after_seq: int, limit: int) -> Sequence[Planned]:
        return self._store.pending(self._account.run, after_seq=after_seq, limit=limit)

    def is_held(self, planned: Planned) -> bool:
        return True

    async def intend(self, planned: Planned, attempts: int, first_attempt_at: float) -> None:
        pass

    def settle(self, planned: Planned, result: Result, *, final: bool) -> None:
        if not self._settled:
            asyncio.get_running_loop().call_soon(self._show)
        self._settled.append(Settled(planned.seq, result))

    def _show(self) -> None:
        settled, self._settled = self._settled, []
        self._shown.show(settled)


if __name__ == "__main__":
    main(given())
