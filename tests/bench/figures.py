"""What was measured, as records, and what is reckoned from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, hypot, sqrt
from statistics import fmean, median, stdev
from typing import NamedTuple

from tests.bench.costs import Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A contender's rounds; where it could not be run, why."""

    key: str
    title: str
    closes: int
    rounds: tuple[Cost, ...] = ()
    skipped: str | None = None

    @property
    def each_s(self) -> list[float]:
        """Seconds for a close, in each round."""
        return [cost.seconds / self.closes for cost in self.rounds]

    @property
    def each_cpu_s(self) -> list[float]:
        """CPU seconds for a close, in each round."""
        return [cost.closing_cpu_s / self.closes for cost in self.rounds]


class Ratio(NamedTuple):
    """How many times as much as another's a close takes."""

    time: float
    cpu: float
    quickest: float | None = None  # time, between the rounds that others disturbed least


def ratio_of(entry: Entry, base: Entry) -> Ratio:
    """The median of the rounds, each within itself; and the quickest round of each against the other's."""
    return Ratio(
        _ratio(entry.each_s, base.each_s),
        _ratio(entry.each_cpu_s, base.each_cpu_s),
        min(entry.each_s) / min(base.each_s),
    )


def _ratio(mine: Sequence[float], theirs: Sequence[float]) -> float:
    return median(one / other for one, other in zip(mine, theirs, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Whole runs of so many ids. Figures are means: a large run has its good minutes and its bad ones."""

    ids: int
    rounds: tuple[Cost, ...]

    @property
    def whole_s(self) -> float:
        return fmean(cost.whole_s for cost in self.rounds)

    @property
    def cpu_s(self) -> float:
        return fmean(cost.cpu_s for cost in self.rounds)

    @property
    def peak_mib(self) -> float:
        return fmean(cost.peak_mib for cost in self.rounds)

    def each_s(self, one: Size) -> float:
        """Seconds for each id, less those that a run of one id takes: start and end."""
        return (self.whole_s - one.whole_s) / (self.ids - one.ids)

    def each_cpu_s(self, one: Size) -> float:
        """CPU seconds for each id, less those of a run of one id."""
        return (self.cpu_s - one.cpu_s) / (self.ids - one.ids)

    def each_error_s(self, one: Size) -> float | None:
        """The standard error of ``each_s``; None where too few rounds tell none."""
        own_s, one_s = _standard_error(self.rounds), _standard_error(one.rounds)
        return None if own_s is None or one_s is None else hypot(own_s, one_s) / (self.ids - one.ids)


def _standard_error(rounds: Sequence[Cost]) -> float | None:
    return stdev(cost.whole_s for cost in rounds) / sqrt(len(rounds)) if len(rounds) > 1 else None


def allowed_in_a_second(rate_per_s: float) -> int:
    """The most requests in any second: the rate and a burst of one, and 1 % for late timers."""
    return floor((rate_per_s + 1) * 1.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A run at a rate (burst 1), as the server saw it; ``cpu_s`` is of all of it, its start included."""

    rate_per_s: float
    requests: int
    seconds: float
    busiest: int
    cpu_s: float
    start_cpu_s: float  # of a run of one batch

    @property
    def reached_per_s(self) -> float:
        return (self.requests - 1) / self.seconds

    @property
    def used(self) -> float:
        """The share of the rate that was reached."""
        return self.reached_per_s / self.rate_per_s

    @property
    def cpu(self) -> float:
        """The share of a core while it closes."""
        return (self.cpu_s - self.start_cpu_s) / self.seconds

    @property
    def allowed(self) -> int:
        return allowed_in_a_second(self.rate_per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run asked the API for, by route."""

    batches: int
    snapshot: bool
    by_route: Mapping[str, int]

    @property
    def each(self) -> float:
        """Requests for a batch that is closed."""
        return sum(self.by_route.values()) / self.batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A command that does next to nothing, again and again, and how many modules it loads."""

    key: str
    title: str
    rounds: tuple[Cost, ...]
    modules: int

    @property
    def seconds(self) -> float:
        return median(cost.whole_s for cost in self.rounds)


def start_times(start: Start, base: Start) -> float:
    """How many times as long as ``base`` it takes: the median of the rounds, each within itself."""
    return _ratio([cost.whole_s for cost in start.rounds], [cost.whole_s for cost in base.rounds])


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that one run of the harness learned; an empty part was not asked for."""

    machine: Mapping[str, str]
    floor_mib: float  # the harness's own peak: no process is seen to have less
    closes: Sequence[Entry] = ()
    sizes: Sequence[Size] = ()
    rates: Sequence[Kept] = ()
    asked: Sequence[Asked] = ()
    starts: Sequence[Start] = ()
    failed: Mapping[str, str] = field(default_factory=dict)  # parts that came to nothing, and why
