"""Reading the API for a verb, by a client that has no way to write."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import SecretStr

from worker.cli.session.phases import Phases
from worker.cli.settings.tree import Settings
from worker.cli.signals import Ears, restored
from worker.engine.asking import Asking
from worker.engine.ports import Clocks
from worker.engine.ports import Log as Words
from worker.engine.reads import Reads, RetryPolicy
from worker.engine.stop import Stop
from worker.rules.retry import RetryBudget
from worker.rules.summary import Counters
from worker.telemetry import Log
from worker.words.errors import BatchCloserError


class ApiTroubleError(BatchCloserError):
    """The API could not be read."""

    exit_code = 5


class _Silence:
    """Where a stopped reading is told in one line of its own."""

    def info(self, event: str, **fields: object) -> None:
        """Say nothing."""

    def warning(self, event: str, **fields: object) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """With what a verb reads."""

    settings: Settings
    key: SecretStr
    log: Log
    ears: Ears
    phases: Phases
    tells_stop: bool = True  # in the log

    def perform(self, work: Callable[[Asking], Awaitable[None]], tallies: Counters) -> Stop | None:
        """Do the work; the Stop where it was given up, so that nothing it learned may be relied on.

        Raises what BatchCloserError the work raises.
        """
        with restored(), self.phases.watch.counting(tallies):
            self.ears.open()
            return self.phases.run(self._perform(work, tallies))

    async def _perform(self, work: Callable[[Asking], Awaitable[None]], tallies: Counters) -> Stop | None:
        from worker.cli.session.wiring import connection_of  # aiohttp takes its time to load
        from worker.energycap import connect_reader

        settings, limits = self.settings, self.settings.limits
        clocks = Clocks(time.time, asyncio.get_running_loop().time, random.random)
        async with connect_reader(connection_of(settings, settings.api.base_url, self.key)) as api:
            reads = Reads(
                api=api,
                pacer=self.phases.pacer,
                policy=RetryPolicy(**settings.retry.model_dump()),
                budget=RetryBudget.of(limits.concurrency),
                tallies=tallies,
                clocks=clocks,
            )
            words: Words = self.log if self.tells_stop else _Silence()
            stop = Stop(words)
            asking = Asking(reads, stop, self.log, clocks)
            trouble: BatchCloserError | None = None

            async def contained() -> None:  # a task group would wrap it
                nonlocal trouble
                try:
                    await work(asking)
                except BatchCloserError as error:
                    trouble = error

            with self.ears.listening(stop.signalled):
                await asking.until_stopped(contained, deadline_s=limits.deadline_s, stall_s=limits.stall_s)
        if trouble is not None and not stop.draining:
            raise trouble
        return stop if stop.draining else None
