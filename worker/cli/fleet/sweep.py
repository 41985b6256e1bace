"""Laying aside what a stopped run left in the queue, where no worker does."""

from __future__ import annotations

import secrets
import time

from worker.cli.session.account import Ending, derive
from worker.fleet import Header, Lesson, Meter, RedisQueue, Runs, Worker
from worker.ledger import Line, RunRow
from worker.report import line_of
from worker.rules.message import Message, of_fields
from worker.telemetry import Log
from worker.words.model import FINE_BY_DEFAULT


class Sweeper:
    """Settles, provisionally, the messages of a stopped run that nobody works on."""

    def __init__(self, runs: Runs, run: RunRow, lease_s: float, log: Log) -> None:
        self._runs = runs
        self._run = run
        self._lease_s = lease_s
        self._worker = Worker(
            name=f"sweeper-{secrets.token_hex(6)}",
            base_url=run.base_url,
            standing="{}",
            lease_s=lease_s,
            max_deliveries=1_000_000,
            rate_per_s=None,
            learn=lambda _: Lesson(None, (), FINE_BY_DEFAULT),
            encode=line_of,
            redact=str,
            wall=time.time,
        )
        self._queue = RedisQueue(runs.line, self._worker, Meter(), log)

    async def sweep(self, header: Header) -> int:
        """Settle what can be; how many are still under way."""
        ending = Ending(at=time.time(), stopped=header.stopped, by=header.stopped_by)
        busy, claimed = await self._runs.unclaimed(self._run.run_id, self._worker.name, self._lease_s)
        messages = [
            (mid, deliveries, message)
            for mid, deliveries, fields in claimed
            if isinstance(message := of_fields(fields), Message)
        ]
        for lease in await self._queue.leases_of(messages) if messages else ():
            result = derive(Line(lease.planned), self._run, ending)
            await self._queue.settle(lease, result, final=False)
        return busy

    async def leave(self) -> None:
        """Say good-bye to the queue."""
        await self._queue.leave(1.0)
