"""The phases of a session, one after the other on one event loop: a look, the closes, the proof."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from worker.cli.settings import LimitSettings
from worker.engine.pacer import Pacer
from worker.engine.ports import Log

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Phases:
    """What they share: the loop, and the pacer, for the API counts all their requests together."""

    runner: asyncio.Runner
    pacer: Pacer

    @classmethod
    @contextmanager
    def open(cls, limits: LimitSettings, log: Log) -> Iterator[Phases]:
        """A loop of their own for as long as this is open."""
        with asyncio.Runner() as runner:
            clock = runner.get_loop().time
            yield cls(runner, Pacer(limits.rate_per_s, limits.burst, log, clock))

    def run(self, phase: Coroutine[Any, Any, T]) -> T:
        """Perform a phase to its end."""
        return self.runner.run(phase)
