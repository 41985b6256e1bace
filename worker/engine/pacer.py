"""The pacer: one slot per request of any kind, a pause for everyone, a rate that gives way.

aiolimiter is the bucket. Only the head of the queue waits at it, so that slots are given in order
and at most one timer is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiolimiter import AsyncLimiter

from worker.engine.ports import Log
from worker.rules.pace import Bucket, Pace

_HAIR = 1e-6


class Pacer:
    """Gives slots at a rate (per second); belongs to one event loop."""

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        log: Log,
        clock: Callable[[], float],
    ) -> None:
        self.pace = Pace(rate_per_s, rate_per_s)
        self._burst = burst
        self._log = log
        self._clock = clock
        self._on_pause: Callable[[float], None] = lambda _: None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._paused_until = 0.0
        self._bucket = Bucket.of(rate_per_s, burst)
        self._limiter = AsyncLimiter(self._bucket.capacity, self._bucket.period_s)

    @property
    def paused_for_s(self) -> float:
        """Seconds until slots are given again."""
        return max(self._paused_until - self._clock(), 0.0)

    @property
    def asked_per_s(self) -> float:
        """The rate that was asked for."""
        return self.pace.asked_per_s

    @property
    def rate_per_s(self) -> float:
        """The rate that is in force."""
        return self.pace.rate_per_s

    @property
    def wait_s(self) -> float:
        """Seconds until whoever asks for a slot now gets one, at the least."""
        before = self._waiting + 1 - self._bucket.capacity
        in_line_s = before / self.pace.rate_per_s if before > 0 else 0.0
        return in_line_s + self.paused_for_s

    def tell_pauses(self, on_pause: Callable[[float], None]) -> None:
        """Tell pauses there from now on, as the instant on the clock when they end; one under way at once."""
        self._on_pause = on_pause
        if self.paused_for_s:
            on_pause(self._paused_until)

    async def slot(self) -> None:
        """Wait for the next slot. A cancelled wait takes none."""
        quiet = not self._turn.locked()
        if quiet and self._flows and self._limiter.has_capacity():
            # Nothing to wait for, so nobody comes between: the turn need not be taken.
            await self._drop_surplus()
            return await self._limiter.acquire()
        self._waiting += 1
        try:
            async with self._turn:
                if quiet:
                    await self._drop_surplus()
                return await self._head()
        finally:
            self._waiting -= 1

    async def _head(self) -> None:
        """Wait at the bucket, once nobody is before us."""
        while True:
            await self._outlast_pause()
            if self.pace.rate_per_s < self.pace.asked_per_s:
                await self._adopt(self.pace.grown(self._clock()))
            await self._limiter.acquire()
            if not self.paused_for_s:
                return

    @property
    def _flows(self) -> bool:
        """Whether slots are given at the rate that was asked for."""
        return self.pace.rate_per_s >= self.pace.asked_per_s and self._paused_until <= self._clock()

    async def _outlast_pause(self) -> None:
        if not self.paused_for_s:
            return
        while (wait_s := self.paused_for_s) > 0:
            await asyncio.sleep(wait_s)
        await self._drop_surplus()

    async def _drop_surplus(self) -> None:
        """After a quiet time only ``burst`` may go at once; the rest of the bucket is for late timers."""
        if self._limiter.has_capacity(self._bucket.capacity - _HAIR):
            await self._limiter.acquire(self._bucket.surplus)

    def pause(self, wait_s: float, reason: str) -> None:
        """Let nobody start a request for so many seconds from now; never shortens a pause."""
        until = self._clock() + wait_s
        if until <= self._paused_until:
            return
        if until - max(self._paused_until, self._clock()) > _HAIR:
            self._log.warning("run.paused", wait_s=round(wait_s, 3), reason=reason)
        self._paused_until = until
        self._on_pause(until)

    def throttled(self, sent_at: float, wait_s: float, reason: str) -> None:
        """Lower the rate and pause: a request, sent then by the pacer's clock, was throttled."""
        self.slow_down(sent_at)
        self.pause(wait_s, reason)

    def slow_down(self, sent_at: float) -> None:
        """Lower the rate after a request, sent then by the pacer's clock, was throttled."""
        self.pace, before = self.pace.slowed(self._clock(), sent_at), self.pace
        if self.pace.rate_per_s != before.rate_per_s:
            self._log_change(before, "throttled")
            self._rebuild()

    async def _adopt(self, pace: Pace) -> None:
        if pace.rate_per_s != self.pace.rate_per_s:
            before, self.pace = self.pace, pace
            self._log_change(before, "quiet")
            self._rebuild()
            # Nothing is known of the old bucket's level: a full one can't let too much through.
            await self._limiter.acquire(self._bucket.capacity)

    def _rebuild(self) -> None:
        self._bucket = Bucket.of(self.pace.rate_per_s, self._burst)
        self._limiter = AsyncLimiter(self._bucket.capacity, self._bucket.period_s)

    def _log_change(self, before: Pace, reason: str) -> None:
        self._log.info(
            "run.rate_changed",
            rate_per_s=round(self.pace.rate_per_s, 4),
            before_per_s=round(before.rate_per_s, 4),
            asked_per_s=self.pace.asked_per_s,
            reason=reason,
        )
