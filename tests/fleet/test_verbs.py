"""The queue's verbs one by one, on a real store."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.engine.support import Ears
from worker.fleet import Lesson, Meter, RedisQueue, Runs, Worker, open_line, parse_address
from worker.words.model import FINE_BY_DEFAULT, Planned, Stopped

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
async def a_queue(address: str) -> AsyncIterator[tuple[RedisQueue, Runs]]:
    """A queue with a run of the batches 1 and 2, and a worker on it."""
    async with open_line(parse_address(address), Ears()) as line:
        queue, runs = RedisQueue(line, worker(), Meter(), Ears()), Runs(line)
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
