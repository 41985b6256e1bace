"""A worker's shift: many closers over the leases that a queue gives, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from worker.engine.closer import Closer
from worker.engine.leases import Holdings, LeaseAgenda
from worker.engine.ports import Clocks, Log
from worker.engine.queue import Lease, Queue
from worker.engine.requests import Requests
from worker.engine.stop import Stop
from worker.words.model import Result

FEW_S = 2.0
"""So long the queue may take, at least, for what is to be told it at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """How much at once, and how long."""

    concurrency: int
    grace_s: float
    lease_s: float  # how long a lease lasts unless it is kept alive
    once: bool = False  # end when the queue is empty


class Shift:
    """One worker's work on a queue, for runs of any number. ``await perform()`` once."""

    def __init__(
        self,
        hours: Hours,
        *,
        queue: Queue,
        requests: Requests,
        stop: Stop,
        log: Log,
        clocks: Clocks,
        on_recorded: Callable[[Result], None],
    ) -> None:
        self._hours = hours
        self._queue = queue
        self._stop = stop
        self._log = log
        self._clocks = clocks
        self._taking = asyncio.Lock()
        self._ends_at = 0.0  # what is still in flight then is given up
        self._agenda = LeaseAgenda(clocks.steady)
        self._holdings = Holdings(queue, hours.lease_s, log=log, clocks=clocks, on_recorded=on_recorded)
        self._closer = Closer(
            agenda=self._agenda,
            requests=requests,
            memory=self._holdings,
            stop=stop,
            policy=requests.policy,
            on_settled=lambda _: None,
            on_progress=lambda: None,
            log=log,
            clocks=clocks,
        )

    @property
    def leases(self) -> list[Lease]:
        """What is in hand."""
        return self._holdings.leases

    def run_stopped(self, stop: Stop) -> None:
        """A run was stopped: nothing more is sent for it, and what waits ends now."""
        self._agenda.hurry(stop)
        self._closer.drain()

    async def perform(self) -> None:
        """Work until stopped, or with ``once`` until the queue is empty; then give back what is left."""
        async with anyio.create_task_group() as watchers:
            watchers.start_soon(self._keep)
            watchers.start_soon(self._feed)
            watchers.start_soon(self._watch_stop)
            async with anyio.create_task_group() as closers:
                watchers.start_soon(self._end_at_once, closers.cancel_scope)
                for _ in range(self._hours.concurrency):
                    closers.start_soon(self._closer.work)
            self._closer.give_up()
            for job in self._agenda.leftovers():
                self._closer.end(job)
            for job in self._agenda.unbegun():
                self._holdings.give_back(job)
            await self._tell_all()
            watchers.cancel_scope.cancel()

    async def _tell_all(self) -> None:
        """Let the queue know of everything; what comes of the last take is given back by the feeder."""
        with anyio.move_on_after(FEW_S):
            async with self._taking:
                pass
        left_s = 0.0 if self._stop.at_once.is_set() else self._ends_at - self._clocks.steady()
        await self._holdings.told(max(left_s, FEW_S))

    async def _feed(self) -> None:
        """Take leases whenever a closer stands idle."""
        while True:
            most = await self._agenda.wanted()
            if self._stop.draining:
                return None
            async with self._taking:
                asked_at = self._clocks.steady()
                leases = await self._queue.take(most)
                for lease in leases:
                    self._begin(lease, asked_at)
            if self._hours.once and not leases and await self._queue.is_empty():
                return self._agenda.finish()

    def _begin(self, lease: Lease, asked_at: float) -> None:
        job = self._holdings.hold(lease, asked_at)
        if self._stop.draining:
            self._holdings.give_back(job)
        else:
            self._agenda.add(job)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._hours.lease_s / 3)
            await self._holdings.keep()

    async def _watch_stop(self) -> None:
        await self._stop.requested.wait()
        self._ends_at = self._clocks.steady() + self._hours.grace_s
        self._agenda.close()
        self._closer.drain()
        await asyncio.sleep(self._hours.grace_s)
        self._stop.at_once.set()

    async def _end_at_once(self, closers: anyio.CancelScope) -> None:
        await self._stop.at_once.wait()
        closers.cancel()
