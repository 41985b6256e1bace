"""The totals of a run, folded from its results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from worker.rules.summary.forms import WIDE, two_places
from worker.rules.summary.problems import Problem, Problems
from worker.words.model import ConfirmedBy, Outcome, Result


class Closed(NamedTuple):
    """What this run closed. The API names no currency."""

    batches: int
    bills: int
    running_total: Decimal


class Tally:
    """An order-free fold of results: any order, and any split and merge, gives the same totals."""

    def __init__(self, ok: Collection[Outcome], messages_per_kind: int = 50) -> None:
        self._ok = frozenset(ok)
        self._outcomes = dict.fromkeys(Outcome, 0)
        self._confirmed_by = dict.fromkeys(ConfirmedBy, 0)
        self._bills = 0
        self._untold = 0
        self._warnings: Counter[str] = Counter()
        self._running_total = Decimal("0.00")
        self._problems = Problems(messages_per_kind)

    def add(self, result: Result) -> None:
        """Count one result."""
        self._outcomes[result.outcome] += 1
        if result.warnings:
            self._warnings.update(result.warnings)
        if result.outcome is Outcome.CLOSED:
            self._add_closed(result)
        if result.outcome not in self._ok:
            self._problems.add(result)

    def _add_closed(self, result: Result) -> None:
        if result.confirmed_by is not None:
            self._confirmed_by[result.confirmed_by] += 1
        self._bills += result.bill_count or 0
        total = two_places(result.running_total)
        if total is not None:
            self._running_total = WIDE.add(self._running_total, total)
        if total is None or result.bill_count is None:
            self._untold += 1

    def merge(self, other: Tally) -> None:
        """Add another tally, of other results with the same ``ok``, to this one."""
        for outcome, count in other._outcomes.items():
            self._outcomes[outcome] += count
        for how, count in other._confirmed_by.items():
            self._confirmed_by[how] += count
        self._bills += other._bills
        self._untold += other._untold
        self._warnings.update(other._warnings)
        self._running_total = WIDE.add(self._running_total, other._running_total)
        self._problems.merge(other._problems)

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """How many ended in each of the ten outcomes, zeros included."""
        return dict(self._outcomes)

    @property
    def confirmed_by(self) -> dict[ConfirmedBy, int]:
        """How it is known that the closed ones are closed."""
        return dict(self._confirmed_by)

    @property
    def closed(self) -> Closed:
        """What this run closed: batches, their bills and the sum of their running totals."""
        return Closed(self._outcomes[Outcome.CLOSED], self._bills, self._running_total)

    @property
    def untold(self) -> int:
        """Closed batches of which the API told no bill count or no total, so that the sums lack them."""
        return self._untold

    @property
    def warnings(self) -> dict[str, int]:
        """Of how many batches each guard warned, the most first."""
        return dict(sorted(self._warnings.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What did not end fine, grouped; the largest group first."""
        return self._problems.sorted()
