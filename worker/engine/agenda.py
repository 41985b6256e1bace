"""What is to be done next: batches whose wait is over first, then new ones."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count

from worker.engine.ports import Clocks
from worker.engine.terms import Job, Terms
from worker.words.model import Planned

PAGE = 256
ROOM_FOR_WAITING = 1000
"""So many batches may wait for their backoff at once before no new one is begun."""
ROOM_FOR_RESTING = 20_000
"""So many may wait for their time to be looked at again: nothing is wrong with them."""


class Waiting(ABC):
    """Hands jobs to closers; a job is with a closer, waiting, or done. Belongs to one event loop.

    Where new jobs come from is for a subclass to say.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, Job]] = []
        self._order = count()
        self._resting = 0  # of those that wait
        self._rested_until = float("-inf")
        self._under_way = 0
        self._closed = False
        self._changed = asyncio.Event()

    async def next(self) -> Job | None:
        """The next job, waiting for one if need be; None once nothing is left that could need doing."""
        while True:
            job = self._due() or self._new()
            if job is not None and job.rests:
                self._keep(job, job.course.wait_s)
                await asyncio.sleep(0)  # there may be thousands of them
            elif job is not None:
                self._under_way += 1
                return job
            elif not self._waiting and not self._under_way and self._is_over():
                self._changed.set()
                return None
            else:
                await self._wait()

    @property
    def rested_until(self) -> float:
        """When a wait that was asked for last ended: now, while there is nothing else to be done."""
        if self._resting and self._resting == len(self._waiting) + self._under_way:
            return self._clock()
        return self._rested_until

    def _due(self) -> Job | None:
        if not self._waiting or self._waiting[0][0] > self._clock():
            return None
        job = heapq.heappop(self._waiting)[2]
        if job.rests:
            self._resting -= 1
            self._rested_until = self._clock()
            job.course = job.course._replace(wait_s=0.0)
        return job

    @abstractmethod
    def _new(self) -> Job | None:
        """A job that nobody has had yet."""

    @abstractmethod
    def _is_over(self) -> bool:
        """Whether no new job can come any more."""

    @property
    def _has_room(self) -> bool:
        """Whether a new job may be begun."""
        failing = len(self._waiting) - self._resting
        return not self._closed and failing < ROOM_FOR_WAITING and self._resting < ROOM_FOR_RESTING

    async def _wait(self) -> None:
        self._changed.clear()
        timeout = None
        if self._waiting:
            timeout = max(self._waiting[0][0] - self._clock(), 0.0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._changed.wait()

    def put_off(self, job: Job, wait_s: float) -> None:
        """Take a job back until its wait is over."""
        self._under_way -= 1
        self._keep(job, wait_s)

    def _keep(self, job: Job, wait_s: float) -> None:
        self._resting += job.rests
        heapq.heappush(self._waiting, (self._clock() + wait_s, next(self._order), job))
        self._changed.set()

    def done(self) -> None:
        """A job that ``next`` gave is settled."""
        self._under_way -= 1
        if self._closed or not self._under_way:
            self._changed.set()

    def close(self) -> None:
        """Begin nothing new; whatever waits now is due at once, so that it can end."""
        self._closed = True
        self._waiting = [(0.0, order, job) for _, order, job in sorted(self._waiting)]
        self._changed.set()

    def leftovers(self) -> list[Job]:
        """Jobs that still wait; the caller ends them."""
        jobs = [job for _, _, job in self._waiting]
        self._waiting.clear()
        self._resting = 0
        return jobs


class Agenda(Waiting):
    """The jobs of one run, page by page from what must outlive the process."""

    def __init__(
        self,
        pending: Callable[[int, int], Sequence[Planned]],
        terms: Terms,
        clocks: Clocks,
    ) -> None:
        super().__init__(clocks.steady)
        self._wall = clocks.wall
        self._pending = pending
        self._terms = terms
        self._fresh: deque[Planned] = deque()
        self._last_seq = 0
        self._exhausted = False

    def _new(self) -> Job | None:
        if not self._has_room:
            return None
        if not self._fresh and not self._exhausted:
            self._fresh.extend(self._pending(self._last_seq, PAGE))
            self._exhausted = not self._fresh
        if not self._fresh:
            return None
        planned = self._fresh.popleft()
        self._last_seq = planned.seq
        return Job(planned, self._terms.course_of(planned, self._wall()), self._clock(), self._terms)

    def _is_over(self) -> bool:
        return True  # where nothing is under way, nothing was left to be begun
