"""Asks the API until its answer is clear, and stops all of it where no answer is to be had."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import anyio

from worker.engine.key_check import KeyCheck
from worker.engine.ports import Clocks, Log
from worker.engine.reads import Reads
from worker.engine.stop import Stop
from worker.rules.plan import KEY_UNCLEAR
from worker.rules.verdict import asks_to_wait, is_trouble, of_key
from worker.words.answer import Answer, Heard, Identity, KeyState, Page
from worker.words.model import Batch, Stopped

T = TypeVar("T")
UNREACHABLE_AFTER_S = 40.0
"""Give up on an API that no request has reached after this; a connect in flight may take 10 s more."""
TELL_EVERY_S = 10.0


class Asking:
    """Reads with patience: each call returns once nothing is gained by asking again.

    A call that finds the key dead or the API out of reach requests the stop and never returns: it has
    to be made within ``until_stopped``, which cancels it.
    """

    def __init__(self, reads: Reads, stop: Stop, log: Log, clocks: Clocks) -> None:
        self.reads = reads
        self.stop = stop
        self.done = 0  # batches read, for the log
        self.log = log
        self._clocks = clocks
        self._key = KeyCheck(reads.me, reads.back_off, reads.policy.max_attempts)
        self._last_clear_at = clocks.steady()

    async def identity(self) -> Identity | None:
        """Whose the key is; None where the API doesn't say."""
        return (await self._ask(self.reads.identity, about_key=True))[1]

    async def can_export(self, mode: Literal["AP", "GL"]) -> str | None:
        """When bills may be exported; None where the API doesn't say."""
        return (await self._ask(lambda: self.reads.can_export(mode)))[1]

    async def page(self, number: int, size: int, text: str) -> tuple[Answer, Page | None]:
        """A page of the list of batches, or the answer that says why there is none."""
        return await self._ask(lambda: self.reads.page(number, size, text))

    async def look_up(self, batch_id: int) -> tuple[Answer, Batch | None]:
        """A batch, or the answer that says why there is none."""

        async def send() -> tuple[Answer, Batch | None]:
            answer = await self.reads.look_up(batch_id)
            return answer, answer.batch

        found = await self._ask(send)
        self.done += 1
        return found

    async def _ask(
        self, send: Callable[[], Awaitable[tuple[Answer, T | None]]], *, about_key: bool = False
    ) -> tuple[Answer, T | None]:
        tried = 0
        while True:
            answer, value = await send()
            if asks_to_wait(answer):
                continue
            again = value is None and _may_change(answer)
            if answer.status == 401:
                again = await self._key_is_unclear(answer, about_key=about_key)
            if not again:
                self._last_clear_at = self._clocks.steady()
                return answer, value
            tried += 1
            if tried >= self.reads.policy.max_attempts:
                if not self.reads.reached:
                    await self._give_up(Stopped.UNREACHABLE, self.reads.last_error or answer.reason)
                return (answer._replace(error=KEY_UNCLEAR) if answer.status == 401 else answer), value
            self.reads.tallies.retried += 1
            await self.reads.back_off(tried)

    async def _key_is_unclear(self, answer: Answer, *, about_key: bool) -> bool:
        state = of_key(answer) if about_key else await self._key.state()
        if state is KeyState.DEAD:
            await self._give_up(Stopped.KEY, "GET /api/v3/me answered 401")
        return state is KeyState.UNCLEAR

    async def _give_up(self, kind: Stopped, by: str) -> None:
        self.stop.request(kind, by)
        await anyio.sleep_forever()

    async def until_stopped(
        self, work: Callable[[], Awaitable[None]], *, deadline_s: float | None, stall_s: float
    ) -> None:
        """Do the work, or give it up at once when the stop is requested, by whomever.

        The stop is requested here at the deadline, after ``stall_s`` seconds without a clear answer, and
        when nothing has reached the API for long.
        """
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch_time, deadline_s, stall_s)
            group.start_soon(self._cancel_on_stop, group.cancel_scope)
            await work()
            group.cancel_scope.cancel()
        self._key.cancel()

    async def _cancel_on_stop(self, scope: anyio.CancelScope) -> None:
        await self.stop.requested.wait()
        scope.cancel()

    async def _watch_time(self, deadline_s: float | None, stall_s: float) -> None:
        steady = self._clocks.steady
        began = tell_at = steady()
        while not self.stop.draining:
            now = steady()
            # At a slow rate nothing can become clear within fewer than a few slots.
            stalled_at = self._last_clear_at + max(stall_s, 3 / self.reads.pacer.asked_per_s)
            limits = [
                (stalled_at, Stopped.ABORT, f"stall={stall_s:g}"),
                (began + (deadline_s or 0.0), Stopped.DEADLINE, f"deadline={deadline_s or 0:g}"),
                (began + UNREACHABLE_AFTER_S, Stopped.UNREACHABLE, self.reads.last_error or "no_answer"),
            ]
            if self.reads.reached or self.reads.last_error is None:
                del limits[2]
            if deadline_s is None:
                del limits[1]
            for at, kind, by in limits:
                if now >= at:
                    self.stop.request(kind, by)
            if now >= tell_at + TELL_EVERY_S:
                tell_at = now
                self.log.info("reading.progress", read=self.done, pages=self.reads.tallies.list)
            next_at = min(*(at for at, _, _ in limits), tell_at + TELL_EVERY_S)
            await asyncio.sleep(min(max(next_at - now, 0.05), 1.0))


def _may_change(answer: Answer) -> bool:
    """Whether asking again may bring what this answer did not."""
    if is_trouble(answer):
        return True
    is_ok = answer.heard is Heard.ANSWER and answer.status is not None and 200 <= answer.status < 300
    return is_ok and answer.error != "too_large"
