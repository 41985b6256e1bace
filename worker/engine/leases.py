"""The leases of a worker: taken only as many as can be started, kept alive, settled or given back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

from worker.engine.agenda import Waiting
from worker.engine.ports import Clocks, Hindrance, Log
from worker.engine.queue import Lease, Queue
from worker.engine.stop import Stop
from worker.engine.terms import Job
from worker.words.model import Outcome, Planned, Result

TRUSTED_SHARE = 2 / 3
"""Of the time that a lease lasts: after that another may have it soon, so it is asked for before a PUT."""


class LeaseAgenda(Waiting):
    """Jobs made of leases. ``wanted`` says how many closers stand idle."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._fresh: deque[Job] = deque()
        self._idle = 0
        self._someone_idle = asyncio.Event()
        self._finished = False

    async def wanted(self) -> int:
        """How many more jobs could be started now; waits until it is at least one."""
        while (most := self._idle - len(self._fresh)) <= 0 or not self._has_room:
            self._someone_idle.clear()
            await self._someone_idle.wait()
        return most

    def add(self, job: Job) -> None:
        """Have a job begun."""
        self._fresh.append(job)
        self._changed.set()

    def finish(self) -> None:
        """No new job will come."""
        self._finished = True
        self._changed.set()

    def close(self) -> None:
        """Begin nothing new; whatever waits now is due at once."""
        super().close()
        self._finished = True
        self._someone_idle.set()

    def hurry(self, stop: Stop) -> None:
        """What waits, of the run that this stop is of, is due at once, so that it can end."""
        due = [(0.0 if job.terms.stop is stop else at, order, job) for at, order, job in self._waiting]
        self._waiting = sorted(due, key=lambda entry: entry[:2])
        self._changed.set()

    def unbegun(self) -> list[Job]:
        """Jobs that nobody began; the caller gives them back."""
        jobs, self._fresh = list(self._fresh), deque()
        return jobs

    def _new(self) -> Job | None:
        return self._fresh.popleft() if self._fresh and not self._closed else None

    def _is_over(self) -> bool:
        return self._finished and (self._closed or not self._fresh)

    async def _wait(self) -> None:
        self._idle += 1
        self._someone_idle.set()
        try:
            await super()._wait()
        finally:
            self._idle -= 1


class Holdings:
    """The leases in hand, and the engine's memory: what is learned goes to the queue.

    Whatever is not final goes back to the queue, unless its run is stopped: then that is recorded. What was
    cut off in flight goes back when its lease ends.
    """

    def __init__(
        self, queue: Queue, lease_s: float, *, log: Log, clocks: Clocks, on_recorded: Callable[[Result], None]
    ) -> None:
        self._queue = queue
        self._log = log
        self._clocks = clocks
        self._trusted_s = lease_s * TRUSTED_SHARE
        self._known_at: dict[int, float] = {}  # when it was last asked for what showed the lease to be ours
        self._on_recorded = on_recorded
        self._numbers = count(1)
        self._held: dict[int, Lease] = {}
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def leases(self) -> list[Lease]:
        """All leases in hand, those included whose result is on its way."""
        return list(self._held.values())

    def hold(self, lease: Lease, asked_at: float) -> Job:
        """Take a lease in hand that was asked for then: a job with a number of its own."""
        clocks, number = self._clocks, next(self._numbers)
        self._held[number] = lease
        self._known_at[number] = asked_at
        planned = lease.planned._replace(seq=number)
        course = lease.terms.course_of(planned, clocks.wall(), lease.spent)
        return Job(planned, course, clocks.steady(), lease.terms)

    async def intend(self, planned: Planned, attempts: int, first_attempt_at: float) -> Hindrance | None:
        """Have the queue record that an attempt is about to be sent."""
        lease, asked_at = self._held[planned.seq], self._clocks.steady()
        hindrance = await self._queue.intend(lease, attempts, first_attempt_at)
        self._known_at[planned.seq] = asked_at
        if hindrance is Hindrance.LOST:
            self._forget(planned.seq)
            self._log.warning("lease.lost", batch_id=planned.batch_id, run_id=lease.terms.run_id)
        return hindrance

    def is_held(self, planned: Planned) -> bool:
        """Whether no other worker can have the lease by now, even if the queue was out of reach."""
        return self._clocks.steady() - self._known_at[planned.seq] < self._trusted_s

    async def keep(self) -> None:
        """Prolong all leases."""
        held, asked_at = dict(self._held), self._clocks.steady()
        gone = await self._queue.keep(held.values()) if held else ()
        lost = {(lease.tag, lease.deliveries) for lease in gone}
        for number, lease in held.items():
            is_lost = (lease.tag, lease.deliveries) in lost
            if number in self._held:
                self._known_at[number] = float("-inf") if is_lost else asked_at
            if is_lost:
                self._log.warning("lease.lost", batch_id=lease.planned.batch_id, run_id=lease.terms.run_id)

    def _forget(self, number: int) -> None:
        self._held.pop(number, None)
        self._known_at.pop(number, None)

    def settle(self, planned: Planned, result: Result, *, final: bool) -> None:
        """Have the queue record a result, or take the batch back."""
        lease = self._held[planned.seq]
        if final or lease.terms.stop.draining:
            self._tell(planned.seq, self._record(lease, result, final=final))
        elif result.outcome is Outcome.UNKNOWN:
            self._forget(planned.seq)  # its PUT may be under way yet: who looks now might look too soon
        else:
            self._tell(planned.seq, self._queue.give_back(lease))

    def give_back(self, job: Job) -> None:
        """Give a lease back whose batch nobody touched."""
        self._tell(job.planned.seq, self._queue.give_back(self._held[job.planned.seq]))

    async def _record(self, lease: Lease, result: Result, *, final: bool) -> None:
        if await self._queue.settle(lease, result, final=final):
            self._on_recorded(result)

    def _tell(self, number: int, telling: Coroutine[Any, Any, None]) -> None:
        async def tell() -> None:
            await telling
            self._forget(number)

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def told(self, within_s: float) -> None:
        """Wait until the queue has all, or time is up; then it learns no more."""
        if self._telling:
            _, late = await asyncio.wait(set(self._telling), timeout=within_s)
            for task in late:
                task.cancel()
            if late:
                self._log.warning("lease.untold", count=len(late))
                await asyncio.wait(late)
