"""How far a run has come: a live bar on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from worker.telemetry.log import Log
from worker.telemetry.pace import AT_MOST_EVERY_S, Mark, Pace, View, is_due, view_of
from worker.words.model import Outcome

if TYPE_CHECKING:
    from worker.telemetry.bar import Bar


class Progress:
    """Counts what has settled and shows it. ``settled`` is cheap enough for every batch.

    ``terminal`` is where the live bar goes; None gives ``run.progress`` log events instead.
    ``before`` counts what earlier sessions of the run settled, which is part of ``total``.
    ``clock`` is the clock of every time handed in, in seconds, and by default the event loop's.
    """

    def __init__(
        self,
        total: int,
        log: Log,
        terminal: TextIO | None = None,
        *,
        before: Mapping[Outcome, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._log, self._terminal, self._clock = total, log, terminal, clock
        self._counts = dict.fromkeys(Outcome, 0) | dict(before or {})
        self._done = sum(self._counts.values())
        self._paused_until_s = -math.inf
        self._pace = Pace()
        self._last = Mark(clock(), self._done)
        self._bar: Bar | None = None

    def start(self) -> None:
        """Begin to show progress."""
        self._last = Mark(self._clock(), self._done)
        self._pace.per_s(self._last)
        if self._terminal is not None:
            from worker.telemetry.bar import Bar

            self._bar = Bar(self._terminal, self.share_and_view, self._log)
            self._bar.start()

    def settled(self, outcome: Outcome) -> None:
        """Count a batch as settled; one that was not attempted is no progress."""
        if outcome is Outcome.NOT_ATTEMPTED:
            return
        self._counts[outcome] += 1
        self._done += 1
        if self._terminal is None and self._clock() - self._last.at >= AT_MOST_EVERY_S:
            self.tick()

    def paused(self, until_s: float) -> None:
        """Show that nothing is sent until ``until_s`` on the progress clock."""
        self._paused_until_s = until_s

    def tick(self) -> None:
        """Log ``run.progress`` if it is due; may be called as often as one likes."""
        now = Mark(self._clock(), self._done)
        if self._terminal is None and is_due(now, self._last, self._total):
            self._say(now)

    def stop(self) -> None:
        """Show where things stand, and end."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        elif self._terminal is None and self._done > self._last.done:
            self._say(Mark(self._clock(), self._done))

    def share_and_view(self) -> tuple[float, View]:
        """The share that is settled, 0 to 1, and the words beside it; the bar asks from its own thread."""
        now = Mark(self._clock(), self._done)
        view = view_of(self._counts, self._total, self._pace.per_s(now), self._paused_until_s - now.at)
        return (min(1.0, now.done / self._total) if self._total else 1.0), view

    def _say(self, now: Mark) -> None:
        self._last = now
        per_s = self._pace.per_s(now)
        left_s = round((self._total - now.done) / per_s, 1) if per_s else None
        counts = {outcome.value: count for outcome, count in self._counts.items() if count}
        self._log.info(
            "run.progress",
            done=now.done,
            total=self._total,
            per_s=None if per_s is None else round(per_s, 2),
            left_s=left_s,
            outcomes=counts,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
