"""The engine wired to the edges, for one session."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from pydantic import SecretStr

from worker.cli.session.account import Account, Ending, ending_by
from worker.cli.session.recorder import Recorder, Shown, settled
from worker.cli.settings.tree import Settings
from worker.cli.signals import Ears
from worker.energycap import Connection, connect
from worker.engine.ports import Clocks, Pacing
from worker.engine.requests import RetryPolicy
from worker.engine.run import Care, Edges, Limits, Order, Run
from worker.ledger import LedgerWriter, Store
from worker.rules.abort import parse_rules
from worker.telemetry import Log
from worker.words.model import Stopped


def connection_of(settings: Settings, base_url: str, key: SecretStr) -> Connection:
    """How to reach the API."""
    return Connection(
        base_url=base_url,
        key=key,
        timeout_s=settings.api.timeout_s,
        ca_file=settings.api.ca_file,
    )


def order_of(settings: Settings, run_id: str, care: Care | None, spent_s: float) -> Order:
    """What the engine is to do, and within which bounds."""
    return Order(
        run_id=run_id,
        limits=Limits(**settings.limits.model_dump(), spent_s=spent_s),
        retry=RetryPolicy(**settings.retry.model_dump()),
        abort=parse_rules(settings.abort.rules),
        ok=settings.output.fine,
        care=care,
    )


async def close_all(
    *,
    store: Store,
    account: Account,
    session: int,
    settings: Settings,
    care: Care | None,
    spent_s: float,
    key: SecretStr,
    shown: Shown,
    provisional: set[int],
    log: Log,
    ears: Ears,
    pacer: Pacing,
    observed: Callable[[Edges], Edges],
    on_latency: Callable[[float], None],
) -> Ending:
    """Settle what is left of the run, until it is done or stopped."""
    clocks = Clocks(time.time, asyncio.get_running_loop().time, random.random)
    run = account.run

    def answered(elapsed_s: float) -> None:
        account.session.latency.add(elapsed_s)
        on_latency(elapsed_s)

    async with (
        connect(connection_of(settings, run.base_url, key)) as api,
        LedgerWriter(
            store.path.parent,
            session,
            on_durable=lambda tokens: shown.show(settled(tokens)),
            counters=lambda: account.session.to_json(time.time()),
            closers=settings.limits.concurrency,
        ) as writer,
    ):
        edges = Edges(
            api=api,
            pacer=pacer,
            memory=Recorder(store, account, writer, provisional, pacer),
            log=log,
            tallies=account.session.counters,
            on_latency=answered,
            clocks=clocks,
        )
        engine = Run(order_of(settings, run.run_id, care, spent_s), observed(edges))
        with ears.listening(engine.stop.signalled):
            stop = await engine.perform()
            await writer.flush()
    unrecorded = settled(writer.unrecorded)
    provisional.difference_update(each.seq for each in unrecorded)
    if unrecorded and stop.kind is None:
        stop.request(Stopped.DISK, str(writer.failed))
    return ending_by(stop)
