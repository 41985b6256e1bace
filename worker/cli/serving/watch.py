"""What is seen of a worker's runs, one after the other, by whoever looks at its port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from worker.engine.ports import Pacing
from worker.rules.summary import Counters
from worker.words.model import Result

if TYPE_CHECKING:
    from worker.telemetry.port_metrics import Metrics


class Paced(Pacing, Protocol):
    """A pacer that tells how it stands."""

    @property
    def rate_per_s(self) -> float:
        """The rate that is in force."""
        ...

    @property
    def paused_for_s(self) -> float:
        """Seconds until slots are given again."""
        ...


class Watch:
    """Nobody looks."""

    def settled(self, result: Result) -> None:
        """A result is recorded."""

    def answered(self, elapsed_s: float) -> None:
        """The answer to a close took so long."""

    def paced_by(self, pacer: Paced) -> None:
        """The next requests are paced by this one."""

    @contextmanager
    def counting(self, tallies: Counters) -> Iterator[None]:
        """What is added to ``tallies`` within are requests."""
        del tallies
        yield


class PortWatch(Watch):
    """Keeps what the port shows. Told by the thread of the runs, read by that of the port."""

    def __init__(self) -> None:
        from worker.telemetry.port_metrics import Metrics

        self.metrics: Metrics = Metrics(self._counted)
        self._lock = threading.Lock()
        self._done = Counters()
        self._now: tuple[Counters, Counters] | None = None  # being counted, and as it was before
        self._pacer: Paced | None = None

    def settled(self, result: Result) -> None:
        """A result is recorded."""
        self.metrics.settled(result)

    def answered(self, elapsed_s: float) -> None:
        """The answer to a close took so long."""
        self.metrics.answered(elapsed_s)

    def paced_by(self, pacer: Paced) -> None:
        """The next requests are paced by this one."""
        self._pacer = pacer

    @contextmanager
    def counting(self, tallies: Counters) -> Iterator[None]:
        """What is added to ``tallies`` within are requests."""
        before = replace(tallies)
        self._now = tallies, before
        try:
            yield
        finally:
            with self._lock:
                self._done.merge(tallies.since(before))
                self._now = None

    def _counted(self) -> Counters:
        with self._lock:
            counted = replace(self._done)
            if self._now is not None:
                tallies, before = self._now
                counted.merge(tallies.since(before))
        return counted

    def paused_for_s(self) -> float:
        """Seconds until requests are sent again."""
        return 0.0 if self._pacer is None else self._pacer.paused_for_s

    def rate_per_s(self) -> float:
        """The rate that is in force; 0 before the first run."""
        return 0.0 if self._pacer is None else self._pacer.rate_per_s
