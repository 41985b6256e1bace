"""How far a run had come at each time, gathered from its results in one pass."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from worker.rules.summary import Span, Summary
from worker.words.model import Outcome, Result

_MOST_BINS: Final = 120
_WIDTHS_S: Final = (
    *(0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 14_400.0, 43_200.0, 86_400.0),
)
_NEVER_TRIED: Final = frozenset({Outcome.NOT_ATTEMPTED, Outcome.INVALID})


class Working:
    """A clock that runs only while a session of the run was at work: seconds from the first one's start."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = sorted(spans)
        self._from = [span.from_at for span in self.spans]
        self.starts_s = [0.0]
        for span in self.spans:
            self.starts_s.append(self.starts_s[-1] + max(0.0, span.length_s))

    @classmethod
    def of(cls, summary: Summary) -> Working:
        """The working time of a run."""
        return cls(summary.worked or (Span(summary.started_at, summary.last_at),))

    @property
    def total_s(self) -> float:
        """How long all sessions took together."""
        return self.starts_s[-1]

    def at(self, instant: float) -> float:
        """An instant on this clock; one at which nothing ran is the end of the session before it."""
        place = max(0, bisect_right(self._from, instant) - 1)
        into_s = min(max(0.0, instant - self._from[place]), max(0.0, self.spans[place].length_s))
        return self.starts_s[place] + into_s


class Timeline:
    """How many batches settled in each stretch of the working time, all of them equally long."""

    def __init__(self, working: Working) -> None:
        self.working = working
        total_s = max(working.total_s, _WIDTHS_S[0])
        self.width_s = next(
            (width for width in _WIDTHS_S if total_s / width <= _MOST_BINS), total_s / _MOST_BINS
        )
        self.counts = [0] * (int(total_s / self.width_s) + 1)

    def add(self, result: Result) -> None:
        """Count a result, unless nothing was ever done about it."""
        if result.outcome not in _NEVER_TRIED:
            self.counts[int(self.working.at(result.settled_at) / self.width_s)] += 1

    @property
    def settled(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    @property
    def span_s(self) -> float:
        """How much time all stretches cover."""
        return len(self.counts) * self.width_s
