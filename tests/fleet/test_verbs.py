"""The queue's verbs one by one, on a real store."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.engine.support import Ears
from tests.fleet.broker import Broker
from worker.engine.ports import Hindrance
from worker.engine.queue import Lease
from worker.fleet import Lesson, Meter, RedisQueue, Runs, Worker, open_line, parse_address
from worker.fleet.names import GROUP
from worker.words.model import FINE_BY_DEFAULT, Outcome, Planned, Result, Stopped

API = "http://127.0.0.1:1"
HEADER = {
    "base_url": API,
    "settings": "{}",
    "entries": 2,
    "lines": 2,
    "ids": 2,
    "duplicates": 0,
    "invalid": 0,
}


def worker() -> Worker:
    return Worker(
        name=f"worker-{secrets.token_hex(4)}",
        base_url=API,
        standing="{}",
        lease_s=60.0,
        max_deliveries=5,
        rate_per_s=None,
        learn=lambda header: Lesson(None, (), FINE_BY_DEFAULT),
        encode=lambda result: b"{}",
        redact=str,
        wall=lambda: 1000.0,
    )


@asynccontextmanager
async def a_queue(address: str, who: Worker | None = None) -> AsyncIterator[tuple[RedisQueue, Runs]]:
    """A queue with a run of the batches 1 and 2, and a worker on it."""
    async with open_line(parse_address(address), Ears()) as line:
        queue, runs = RedisQueue(line, who or worker(), Meter(), Ears()), Runs(line)
        await queue.open(5.0)
        await runs.open(API, 5.0)
        assert await runs.create("r", None, HEADER)
        await runs.add("r", 0, [Planned(1, 1, "ids", 1), Planned(2, 2, "ids", 2)])
        yield queue, runs


async def test_a_lease_hears_of_the_stop_of_its_own_session(queue: str) -> None:
    """Its run was taken up again meanwhile, unnoticed, and stopped: no PUT may follow the refused intent."""
    async with a_queue(queue) as (fleet, runs):
        (early,) = await fleet.take(1)
        await runs.line.ask("HINCRBY", runs.line.names.run("r"), "session", 1)
        (late,) = await fleet.take(1)
        assert early.terms.stop is not late.terms.stop
        await runs.stop("r", Stopped.ABORT, "failed=1")
        assert await fleet.intend(early, 1, 1000.0) is None
        assert early.terms.stop.draining
        assert not await runs.line.ask("HEXISTS", runs.line.names.run("r", "intents"), "1")


def result(lease: Lease, outcome: Outcome) -> Result:
    return Result(
        run_id="r",
        batch_id=lease.planned.batch_id,
        outcome=outcome,
        reason=None,
        settled_at=1000.0,
        source="ids",
        line=1,
    )


async def let_go(runs: Runs, lease: Lease, consumer: str) -> None:
    """Have a message look as if nobody had kept it for long."""
    store, key = runs.line.redis, runs.line.names.queue
    await store.xclaim(key, GROUP, consumer, 0, [lease.tag], idle=10**9, retrycount=1, justid=True)


async def test_a_lease_that_was_lost_is_lost_though_the_same_worker_has_the_message_again(queue: str) -> None:
    """A stalled worker takes over what it holds itself: of the two, one may send a PUT and is heard."""
    who = worker()
    async with a_queue(queue, who) as (fleet, runs):
        (first,) = await fleet.take(1)
        await let_go(runs, first, who.name)
        (again,) = await fleet.take(1)
        assert (again.tag, again.deliveries) == (first.tag, 2)
        assert [lease.deliveries for lease in await fleet.keep([first, again])] == [1]
        assert await fleet.intend(first, 1, 1000.0) is Hindrance.LOST
        assert await fleet.intend(again, 1, 1000.0) is None
        await fleet.give_back(first)
        assert not await fleet.settle(first, result(first, Outcome.NOT_FOUND), final=True)
        assert await fleet.settle(again, result(again, Outcome.CLOSED), final=True)
        assert await fleet.settle(again, result(again, Outcome.CLOSED), final=True)  # sent twice, told once
        assert not await fleet.settle(first, result(first, Outcome.ALREADY_CLOSED), final=True)
        book = await runs.book("r")
        assert (book.final, book.header.lines, book.header.duplicates) == (1, 2, 0)
        assert book.outcomes == {"closed": 1}


async def test_who_intends_a_put_has_all_of_a_lease_for_it(queue: str) -> None:
    """Though it kept neither in time, what it is about to close is not another's the moment after."""
    who = worker()
    async with a_queue(queue, who) as (fleet, runs):
        intended, other = await fleet.take(2)
        for lease in (intended, other):
            await let_go(runs, lease, who.name)
        assert await fleet.intend(intended, 1, 1000.0) is None
        another = RedisQueue(runs.line, worker(), Meter(), Ears())
        assert [lease.tag for lease in await another.take(2)] == [other.tag]


async def test_what_was_asked_for_before_the_store_went_away_takes_nothing_over(tmp_path: Path) -> None:
    """The others could not keep theirs meanwhile: for the time of a lease nobody takes anything from them."""
    with Broker(tmp_path / "broker") as broker:
        async with a_queue(f"{broker.url}?queue=q", worker()) as (fleet, runs):
            (lease,) = await fleet.take(1)
            (other,) = await fleet.take(1)
            for each in (lease, other):
                await let_go(runs, each, "somebody-else")
            broker.kill()
            taking = asyncio.create_task(fleet.take(2))
            while runs.line.is_up:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(broker.start)
            assert await taking == ()
