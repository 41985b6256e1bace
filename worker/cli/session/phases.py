"""The phases of a session, one after the other on one event loop: a look, the closes, the proof."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from worker.cli.serving.gear import Gear
from worker.cli.serving.watch import Paced, Watch
from worker.cli.settings.tree import LimitSettings
from worker.engine.pacer import Pacer
from worker.engine.ports import Log

if TYPE_CHECKING:
    from worker.fleet import Ear

T = TypeVar("T")


class TellingPacer(Paced, Protocol):
    """A pacer whose pauses are shown."""

    def tell_pauses(self, on_pause: Callable[[float], None]) -> None:
        """Tell pauses there from now on, as the instant on the clock when they end; one under way at once."""
        ...


@dataclass(frozen=True, slots=True)
class Phases:
    """What they share: the loop, and the pacer, for the API counts all their requests together."""

    runner: asyncio.Runner
    pacer: TellingPacer
    watch: Watch
    ear: Ear | None = None  # of a pacer that others share, too

    @classmethod
    @contextmanager
    def open(cls, limits: LimitSettings, log: Log, gear: Gear | None = None) -> Iterator[Phases]:
        """A loop of their own for as long as this is open."""
        gear = gear or Gear()
        with asyncio.Runner() as runner:
            if gear.limiter is None:
                pacer = Pacer(limits.rate_per_s, limits.burst, log, runner.get_loop().time)
                yield cls(runner, pacer, gear.watch)
            else:
                with gear.limiter.joined(runner, limits, log) as (shared, ear):
                    yield cls(runner, shared, gear.watch, ear)

    def run(self, phase: Coroutine[Any, Any, T]) -> T:
        """Perform a phase to its end."""
        self.watch.paced_by(self.pacer)
        return self.runner.run(phase if self.ear is None else _hearing(self.ear, phase))


async def _hearing(ear: Ear, phase: Coroutine[Any, Any, T]) -> T:
    """Perform a phase, and hear meanwhile of pauses that others met with."""
    listening = asyncio.create_task(ear.listen())
    try:
        return await phase
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
