"""The queue as a worker sees it: leases, intents, results. ``engine.queue`` has what each verb promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from worker.engine.ports import Hindrance, Log
from worker.engine.queue import Lease
from worker.engine.stop import Stop
from worker.fleet.known_runs import KnownRuns
from worker.fleet.line import Line
from worker.fleet.losses import Losses
from worker.fleet.meter import Meter
from worker.fleet.recording import Recorder
from worker.fleet.rejecting import Rejecter
from worker.fleet.run_stop import RunStop
from worker.fleet.taking import Delivery, Taker
from worker.fleet.worker import Worker
from worker.rules.message import Message
from worker.words.errors import ConfigurationError
from worker.words.model import Result, Stopped

_KEEP_AT_ONCE = 200
_FORGOTTEN_AFTER_MS = 3_600_000


class RedisQueue:
    """A queue on Redis or Valkey Streams, for one worker."""

    def __init__(self, line: Line, worker: Worker, meter: Meter, log: Log) -> None:
        self._line = line
        self._worker = worker
        self._touches: dict[Delivery, int] = {}  # of each lease: as known when its batch was last looked at
        self._runs = runs = KnownRuns(line, worker, log)
        self._losses = losses = Losses(line, worker.base_url, log, on_lost=runs.forget)
        self._taker = Taker(
            line,
            worker,
            runs,
            losses=losses,
            rejecter=Rejecter(line, worker, runs, log),
            touches=self._touches,
        )
        self._recorder = Recorder(line, worker, runs, meter=meter, log=log)

    def tell_stops(self, on_stopped: Callable[[Stop], None]) -> None:
        """Have the stop of each run told there, whoever requested it."""
        self._runs.on_stopped = on_stopped

    def heard_stop(self, run_id: str | None) -> None:
        """A run was stopped by somebody; None: perhaps one was."""
        self._runs.heard_stop(run_id)

    async def open(self, within_s: float) -> str:
        """Make the queue, or find it; give the environment that it is for, if that is known.

        Raises QueueError where the store can't be used, ConfigurationError where the queue is another API's.
        """
        line, given = self._line, self._worker.base_url
        await line.first_call(line.redis.ping, within_s)
        base_url, environment = await self._losses.make()
        if base_url != given:
            raise ConfigurationError(
                f"queue {line.address.shown} holds batches of {base_url}, and the base URL given is "
                f"{given}: give that, or another queue (redis://...?queue=NAME)"
            )
        return environment

    async def claim_environment(self, name: str) -> str:
        """Have the queue serve this environment alone, unless it serves one; that one."""
        meta = self._line.names.meta
        await self._line.ask("HSETNX", meta, "environment", name)
        return str((await self._line.ask("HGET", meta, "environment") or b"").decode())

    async def take(self, most: int) -> Sequence[Lease]:
        """Up to so many leases; none after a short wait."""
        return await self._taker.take(most)

    async def leases_of(self, messages: Sequence[tuple[str, int, Message]]) -> Sequence[Lease]:
        """Leases of messages in hand (id, deliveries, content), with what is known of their batches."""
        return await self._taker.leases_of(messages)

    async def is_empty(self) -> bool:
        """Whether nothing waits and nobody holds anything: what is settled is no longer in the stream."""
        return not await self._line.ask("XLEN", self._line.names.queue)

    async def keep(self, leases: Collection[Lease]) -> Collection[Lease]:
        """Prolong the leases; those that are lost."""
        held, lost = list(leases), list[Lease]()
        for start in range(0, len(held), _KEEP_AT_ONCE):
            page = held[start : start + _KEEP_AT_ONCE]
            told = [part for lease in page for part in (lease.tag, lease.deliveries)]
            epoch, *places = await self._line.script("keep", self._worker.name, *told)
            self._losses.heard_epoch(epoch.decode())
            lost += [page[int(place)] for place in places]
        return lost

    async def intend(self, lease: Lease, attempts: int, first_attempt_at: float) -> Hindrance | None:
        """Record that an attempt is about to be sent, unless something stands against it."""
        word, *told = await self._line.script(
            "intend",
            self._worker.name,
            lease.tag,
            lease.deliveries,
            lease.terms.run_id,
            lease.planned.batch_id,
            attempts,
            repr(first_attempt_at),
            self._touches.get(_delivery(lease), 0),
        )
        if word in {b"go", b"busy"}:
            self._touches[_delivery(lease)] = int(told[-1])
        if word == b"go":
            self._losses.heard_tick(int(told[0]))
        elif word == b"stopped":
            stop = lease.terms.stop  # its own: the run may have been taken up again since, with another
            assert isinstance(stop, RunStop)
            stop.heard(Stopped(told[0].decode()), told[1].decode())
        elif word == b"lost":
            self._touches.pop(_delivery(lease), None)
        return {b"lost": Hindrance.LOST, b"busy": Hindrance.BUSY}.get(word)

    async def settle(self, lease: Lease, result: Result, *, final: bool) -> bool:
        """Record the result, acknowledge the message and count it, in one step."""
        self._touches.pop(_delivery(lease), None)
        return await self._recorder.record(lease, result, final=final)

    async def give_back(self, lease: Lease) -> None:
        """Leave the message to others at once."""
        self._touches.pop(_delivery(lease), None)
        await self._line.script("give_back", self._worker.name, lease.tag, lease.deliveries)

    async def leave(self, within_s: float) -> None:
        """Say good-bye, as far as that is possible within so many seconds."""
        await self._runs.told(within_s)
        try:
            async with asyncio.timeout(within_s):
                await self._line.script("leave", self._worker.name, _FORGOTTEN_AFTER_MS)
        except TimeoutError:
            return


def _delivery(lease: Lease) -> Delivery:
    return lease.tag, lease.deliveries
