"""Slots of a shared pace, booked in the store: all who wait in one process book together, in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from worker.fleet.line import Line
from worker.rules.pace import GROWTH_PER_S, STEP_SLOTS


class Slot(NamedTuple):
    """A slot that is booked."""

    due_at: float  # on the steady clock
    late_s: float  # how late the booking itself came


class Bookings:
    """Books for everyone in this process. ``on_told`` takes the share in force, and seconds of a pause."""

    def __init__(
        self,
        line: Line,
        key: str,
        *,
        rate_per_s: float,
        burst: int,
        clock: Callable[[], float],
        on_told: Callable[[float, float], object],
    ) -> None:
        self._line = line
        self._key = key
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clock = clock
        self._on_told = on_told
        self._round_trip_s = 0.001
        self._booking: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[Slot]] = []

    async def book(self) -> Slot:
        """The next slot; it may be due later, or now."""
        booked: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._waiting.append(booked)
        if self._booking is None or self._booking.done():
            self._booking = asyncio.create_task(self._book_all())
        return await booked

    async def _book_all(self) -> None:
        """Book for all who wait; those who come meanwhile are next."""
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            sent_at = self._clock()
            share, paused_us, *waits_us = await self._line.script(
                "pace_book",
                repr(self._rate_per_s),
                self._burst,
                len(waiting),
                GROWTH_PER_S,
                STEP_SLOTS,
                key=self._key,
            )
            now = self._clock()
            usual_s = self._round_trip_s
            self._round_trip_s += (min(now - sent_at, 4 * usual_s) - usual_s) / 8
            self._on_told(float(share), float(paused_us) / 1e6)
            for booked, wait_us in zip(waiting, waits_us, strict=True):
                if not booked.done():
                    due_at = max(sent_at + usual_s / 2 + float(wait_us) / 1e6, now)
                    late_s = max(now - sent_at - usual_s - float(wait_us) / 1e6, 0.0)
                    booked.set_result(Slot(due_at, late_s))

    async def close(self) -> None:
        """Give up what is under way."""
        if self._booking is not None:
            self._booking.cancel()
            await asyncio.gather(self._booking, return_exceptions=True)
