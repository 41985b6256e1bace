"""What a progress display says: pure decisions and wording, with the time handed in."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from worker.words.model import FINE_BY_DEFAULT, Outcome

EVERY_S: Final = 10.0
"""A plain progress line comes at least this often while batches settle, and at every tenth of the total."""
AT_MOST_EVERY_S: Final = 1.0
"""And never twice within this."""

_WINDOW_S: Final = 20.0
_LONGEST_S: Final = 1e9


class Mark(NamedTuple):
    """An instant of the progress clock, in seconds, and how many were settled by then."""

    at: float
    done: int


def is_due(now: Mark, last: Mark, total: int) -> bool:
    """Whether a plain line is due: ten seconds on, or one more tenth of the total and a second on."""
    waited = now.at - last.at
    if waited >= EVERY_S:
        return True
    return total > 0 and waited >= AT_MOST_EVERY_S and now.done * 10 // total > last.done * 10 // total


@dataclass(slots=True)
class Pace:
    """Batches per second over the last twenty seconds."""

    marks: deque[Mark] = field(default_factory=deque)

    def per_s(self, now: Mark) -> float | None:
        """The rate up to ``now``, which is remembered; None as long as nothing can be said."""
        while len(self.marks) > 1 and now.at - self.marks[1].at >= _WINDOW_S:
            self.marks.popleft()
        if not self.marks or now.at - self.marks[-1].at >= _WINDOW_S / 100:
            self.marks.append(now)
        first = self.marks[0]
        return (now.done - first.done) / (now.at - first.at) if now.at > first.at else None


class View(NamedTuple):
    """A progress display, in words."""

    done: str
    counts: str
    pace: str
    left: str


def view_of(counts: Mapping[Outcome, int], total: int, per_s: float | None, paused_s: float) -> View:
    """The words for what is settled so far; ``paused_s`` is how long a pause still lasts, if above 0."""
    done = sum(counts.values())
    pace = "-/s" if not per_s else f"{per_s:.1f}/s"
    left = "" if done >= total or not per_s else f"{clock_text((total - done) / per_s)} left"
    return View(
        done=f"{done:,}/{total:,}",
        counts=_shortly(counts),
        pace=f"paused {math.ceil(paused_s)} s" if paused_s > 0 else pace,
        left=left,
    )


def _shortly(counts: Mapping[Outcome, int]) -> str:
    """The outcomes that count as fine by name; the others too, unless there are several of them."""
    fine = [outcome for outcome in Outcome if outcome in FINE_BY_DEFAULT and counts.get(outcome)]
    others = [outcome for outcome in Outcome if outcome not in FINE_BY_DEFAULT and counts.get(outcome)]
    words = [
        f"{counts[outcome]:,} {outcome.value}" for outcome in (*fine, *(others if len(others) == 1 else []))
    ]
    if len(others) > 1:
        words.append(f"{sum(counts[outcome] for outcome in others):,} others")
    return ", ".join(words)


def clock_text(seconds: float) -> str:
    """``1:05``, ``2:03:04``, or whole days from 100 hours on."""
    whole = round(min(seconds, _LONGEST_S))
    if whole >= 360_000:
        return f"{whole // 86_400:,} days"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
