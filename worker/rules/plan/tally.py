"""The totals of a plan, folded from its entries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from worker.rules.period import Period
from worker.rules.plan.entry import Owner, PlanDecision, PlanEntry
from worker.rules.summary.forms import WIDE, two_places

_Key = TypeVar("_Key")


class Amount(NamedTuple):
    """Batches with their bills and money. The API names no currency."""

    batches: int = 0
    bills: int = 0
    running_total: Decimal = Decimal("0.00")
    unknown: int = 0  # batches whose bill count or total is not known, and so not in the sums

    def plus(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(
            self.batches + other.batches,
            self.bills + other.bills,
            WIDE.add(self.running_total, other.running_total),
            self.unknown + other.unknown,
        )

    def to_json_dict(self) -> dict[str, Any]:
        """The amount as JSON holds it: money as text."""
        return self._asdict() | {"running_total": str(self.running_total)}


_NOTHING: Final = Amount()
_NOBODY: Final = Owner()


@dataclass(slots=True)
class PlanTally:
    """An order-free fold of entries: any order, and any split and merge, gives the same totals."""

    decisions: Counter[PlanDecision] = field(default_factory=Counter)
    to_close: Amount = _NOTHING
    by_period: dict[Period | None, Amount] = field(default_factory=dict)  # of those to close
    by_owner: dict[Owner, Amount] = field(default_factory=dict)  # of those to close
    held_by: Counter[str] = field(default_factory=Counter)  # by guard
    warned_by: Counter[str] = field(default_factory=Counter)  # by guard, of those to close

    def add(self, entry: PlanEntry) -> None:
        """Count one entry."""
        self.decisions[entry.decision] += 1
        if entry.decision is PlanDecision.HOLD:
            self.held_by[entry.reason or "unknown"] += 1
        if entry.decision is PlanDecision.CLOSE:
            amount = _amount_of(entry)
            self.to_close = self.to_close.plus(amount)
            _grow(self.by_period, entry.period, amount)
            _grow(self.by_owner, entry.owner or _NOBODY, amount)
            self.warned_by.update(set(entry.warnings))

    def merge(self, other: PlanTally) -> None:
        """Add the tally of other entries to this one."""
        self.decisions.update(other.decisions)
        self.to_close = self.to_close.plus(other.to_close)
        for period, amount in other.by_period.items():
            _grow(self.by_period, period, amount)
        for owner, amount in other.by_owner.items():
            _grow(self.by_owner, owner, amount)
        self.held_by.update(other.held_by)
        self.warned_by.update(other.warned_by)

    @property
    def requests(self) -> int:
        """The least that closing these takes: a PUT for each."""
        return self.to_close.batches

    def seconds_at(self, rate_per_s: float) -> float:
        """The least time that ``requests`` take at a rate above 0."""
        return self.requests / rate_per_s

    def to_json_dict(self) -> dict[str, Any]:
        """The totals in a settled order: periods and owners ascending, the unknown ones last."""
        periods = sorted(self.by_period.items(), key=lambda pair: (pair[0] is None, pair[0] or ()))
        owners = sorted(self.by_owner.items(), key=lambda pair: _rank(pair[0]))
        return {
            "decisions": {decision.value: self.decisions[decision] for decision in PlanDecision},
            "to_close": self.to_close.to_json_dict(),
            "by_period": [
                {"period": str(period) if period else None} | amount.to_json_dict()
                for period, amount in periods
            ],
            "by_owner": [{"owner": owner.to_json_dict()} | amount.to_json_dict() for owner, amount in owners],
            "held_by": dict(sorted(self.held_by.items())),
            "warned_by": dict(sorted(self.warned_by.items())),
            "requests": self.requests,
        }


def _amount_of(entry: PlanEntry) -> Amount:
    total = two_places(entry.running_total)
    unknown = entry.bill_count is None or total is None
    return Amount(1, entry.bill_count or 0, Decimal("0.00") if total is None else total, int(unknown))


def _grow(amounts: dict[_Key, Amount], key: _Key, amount: Amount) -> None:
    amounts[key] = amounts.get(key, _NOTHING).plus(amount)


def _rank(owner: Owner) -> tuple[bool, int, bool, str]:
    name = owner.full_name
    return owner.user_id is None, owner.user_id or 0, name is None, name or ""
