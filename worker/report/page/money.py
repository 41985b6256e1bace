"""What a run closed, by account period."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from worker.rules.period import read_period
from worker.rules.summary import Closed, printable, two_places
from worker.rules.summary.forms import WIDE
from worker.words.model import Outcome, Result

_MOST: Final = 500
OTHERS: Final = "others"
UNTOLD: Final = "not told"


class PeriodAmount(NamedTuple):
    """What was closed of one account period."""

    period: str
    closed: Closed


class Money:
    """A fold of results into amounts by account period, bounded in number."""

    def __init__(self) -> None:
        self._by_period: dict[str, Closed] = {}

    def add(self, result: Result) -> None:
        """Count a result, if the run closed the batch."""
        if result.outcome is not Outcome.CLOSED:
            return
        period = printable(result.account_period or "", 60) or UNTOLD
        if period not in self._by_period and len(self._by_period) >= _MOST:
            period = OTHERS
        batches, bills, total = self._by_period.get(period, Closed(0, 0, Decimal("0.00")))
        told = two_places(result.running_total) or Decimal(0)
        self._by_period[period] = Closed(batches + 1, bills + (result.bill_count or 0), WIDE.add(total, told))

    def sorted(self) -> list[PeriodAmount]:
        """The amounts: account periods in order, then other names."""
        return [
            PeriodAmount(period, self._by_period[period]) for period in sorted(self._by_period, key=_order)
        ]


def _order(period: str) -> tuple[int, str]:
    place = {OTHERS: 2, UNTOLD: 3}.get(period, 0 if read_period(period) else 1)
    return place, period


def largest(amounts: Iterable[PeriodAmount]) -> Decimal:
    """The largest amount, credits too."""
    return max((abs(each.closed.running_total) for each in amounts), default=Decimal(0))
