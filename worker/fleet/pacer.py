"""One pace for all who use the same API host with the same key, on the store's clock.

A slot is booked first (``bookings``) and then slept for, so that nobody tests again and nobody starves. A
pause, called out to all, makes all bookings void: everyone books anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from worker.engine.ports import Log
from worker.fleet.bookings import Bookings
from worker.fleet.ear import Ear
from worker.fleet.line import Line
from worker.rules.pace import DECREASE, LOWEST_SHARE

_LATE_S: Final = 0.008
_HAIR: Final = 1e-6
_SAME_S: Final = 0.05
"""Two ends of a pause that differ by less are one, told by two clocks."""


class SharedPacer:
    """Gives slots of the pace that the store keeps; belongs to one event loop."""

    def __init__(
        self,
        line: Line,
        key: str,
        *,
        rate_per_s: float,
        burst: int,
        log: Log,
        clock: Callable[[], float],
    ) -> None:
        self._line = line
        self._key = key
        self._rate_per_s = rate_per_s
        self._log = log
        self._clock = clock
        self._on_pause: Callable[[float], None] = lambda _: None
        # Later than this a slot is not used: in the second it slipped into there is no room for it.
        self._latest_s = _LATE_S + 0.5 / rate_per_s
        self._share = 1.0  # of the rate, as last heard
        self._paused_until = 0.0
        self._own_pause_until = 0.0
        self._void_count = 0
        self._bookings = Bookings(
            line, key, rate_per_s=rate_per_s, burst=burst, clock=clock, on_told=self._adopt
        )
        self._sleeping: set[asyncio.Future[None]] = set()
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def asked_per_s(self) -> float:
        """The rate that was asked for."""
        return self._rate_per_s

    @property
    def share(self) -> float:
        """The share of it that is in force, as last heard."""
        return self._share

    @property
    def rate_per_s(self) -> float:
        """The rate that is in force, as last heard."""
        return self._share * self._rate_per_s

    @property
    def paused_for_s(self) -> float:
        """Seconds until slots are given again."""
        return max(max(self._paused_until, self._own_pause_until) - self._clock(), 0.0)

    @property
    def wait_s(self) -> float:
        """Seconds until whoever asks for a slot now gets one, at the least."""
        return max(self.paused_for_s, len(self._sleeping) / self._rate_per_s)

    def tell_pauses(self, on_pause: Callable[[float], None]) -> None:
        """Tell pauses there from now on, as the instant on the clock when they end; one under way at once."""
        self._on_pause = on_pause
        if paused_for_s := self.paused_for_s:
            on_pause(self._clock() + paused_for_s)

    def listen(self, ear: Ear) -> None:
        """Hear of pauses that others met with."""
        ear.on(self._key, self._heard)

    async def slot(self) -> None:
        """Wait for the next slot. A cancelled wait leaves it unused."""
        while True:
            while self._telling:  # of a pause that the store has yet to learn of
                await asyncio.wait(set(self._telling))
            if (wait_s := self._own_pause_until - self._clock()) > 0:
                await asyncio.sleep(wait_s)
                continue
            voided = self._void_count
            slot = await self._bookings.book()
            await self._sleep_until(slot.due_at)
            late_s = slot.late_s + self._clock() - slot.due_at
            if voided == self._void_count and late_s <= self._latest_s:
                return

    async def _sleep_until(self, due_at: float) -> None:
        """Sleep until then, or until the booking became void."""
        if due_at <= self._clock():
            return
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(due_at - self._clock(), _wake, woken)
        self._sleeping.add(woken)
        try:
            await woken
        finally:
            timer.cancel()
            self._sleeping.discard(woken)

    def pause(self, wait_s: float, reason: str) -> None:
        """Let nobody in this process start a request for so many seconds from now; others have their own."""
        until = self._clock() + wait_s
        if until > self._own_pause_until + _HAIR:
            self._log.warning("run.paused", wait_s=round(wait_s, 3), reason=reason)
            self._own_pause_until = until
            self._on_pause(until)
            self._void()

    def throttled(self, sent_at: float, wait_s: float, reason: str) -> None:
        """Pause and slow everyone who shares the pace; here at once."""
        if self._pause_until(self._clock() + wait_s):
            self._log.warning("run.paused", wait_s=round(wait_s, 3), reason=reason)
            self._void()
        task = asyncio.create_task(self._tell(sent_at, wait_s))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, sent_at: float, wait_s: float) -> None:
        age_us, wait_us = round((self._clock() - sent_at) * 1e6), round(wait_s * 1e6)
        share, paused_us = await self._line.script(
            "pace_slow", age_us, wait_us, DECREASE, LOWEST_SHARE, self._key, key=self._key
        )
        self._adopt(float(share), float(paused_us) / 1e6)

    def _heard(self, told: str | None) -> None:
        if told is None:
            self._void()
            return
        share, paused_us = told.split()
        if self._adopt(float(share), float(paused_us) / 1e6):
            self._log.warning("run.paused", wait_s=round(float(paused_us) / 1e6, 3), reason="shared")
        self._void()

    def _adopt(self, share: float, paused_s: float) -> bool:
        """Take over what the store says; whether its pause ends later than was known here."""
        if abs(share - self._share) > _HAIR:
            before, self._share = self._share, share
            self._log.info(
                "run.rate_changed",
                rate_per_s=round(share * self._rate_per_s, 4),
                before_per_s=round(before * self._rate_per_s, 4),
                asked_per_s=self._rate_per_s,
                reason="throttled" if share < before else "quiet",
            )
        return paused_s > 0 and self._pause_until(self._clock() + paused_s)

    def _pause_until(self, until: float) -> bool:
        if until <= self._paused_until + _SAME_S:
            return False
        self._paused_until = until
        self._on_pause(until)
        return True

    def _void(self) -> None:
        """All bookings are void: their owners book anew."""
        self._void_count += 1
        for woken in self._sleeping:
            _wake(woken)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        await self._bookings.close()


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
