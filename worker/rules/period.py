"""Account periods: the one a run is told, and the one a batch belongs to."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from worker.rules.summary.forms import printable
from worker.words.errors import ConfigurationError
from worker.words.model import Batch

_LAST_NUMBER: Final = 99
_TOLD: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_WRITTEN: Final = re.compile(r"([0-9]{4})[-/ ]([0-9]{1,2})")
_NAMED: Final = re.compile(r"([a-z]{3,9})\.?[-/ ]*([0-9]{4})")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


class Period(NamedTuple):
    """An account period. A batch's may have a number above 12: accounts of 13 periods a year exist."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def parse_period(text: str, today: date) -> Period:
    """Read ``2026-10``, ``this-month`` or ``last-month``; ``today`` says what the last two mean.

    Raises ConfigurationError, naming the text and the forms that are known.
    """
    word = text.strip().lower()
    if match := _TOLD.fullmatch(word):
        return Period(int(match[1]), int(match[2]))
    if word == "this-month":
        return Period(today.year, today.month)
    if word == "last-month":
        return Period(today.year, today.month - 1) if today.month > 1 else Period(today.year - 1, 12)
    shown = printable(text, 60)
    raise ConfigurationError(f"period {shown!r} can't be used: write 2026-10, this-month or last-month")


def period_of(batch: Batch) -> Period | None:
    """The account period of a batch, None where it can't be told.

    ``accountPeriodYear`` and ``accountPeriodNumber`` say it (documented); where one of them is missing,
    ``accountPeriodName`` is read, whose form is not documented: ``Oct 2026`` or ``2026-10``.
    """
    year, number = batch.account_period_year, batch.account_period_number
    if year is not None and number is not None:
        return _possible(year, number)
    return read_period(batch.account_period_name or "")


def told_period(batch: Batch) -> str | None:
    """The account period of a batch as a result tells it: ``2026-10``, else its name; None: not told."""
    year, number = batch.account_period_year, batch.account_period_number
    if year is not None and number is not None and (told := _as_text(year, number)):
        return told
    period = period_of(batch)
    return str(period) if period else printable(batch.account_period_name or "", 60) or None


@lru_cache(maxsize=64)
def _as_text(year: int, number: int) -> str | None:
    """One text for the many batches of a period."""
    period = _possible(year, number)
    return None if period is None else str(period)


def read_period(name: str) -> Period | None:
    """The period that a name tells: ``2026-10``, ``Oct 2026`` or ``October 2026``. None for others."""
    word = name.strip().lower()
    if match := _WRITTEN.fullmatch(word):
        return _possible(int(match[1]), int(match[2]))
    match = _NAMED.fullmatch(word)
    months = [month for month in _MONTHS if month.startswith(match[1])] if match else []
    return _possible(int(match[2]), _MONTHS.index(months[0]) + 1) if match and months else None


def _possible(year: int, number: int) -> Period | None:
    """Zeros and the like are how a record says that it has no period."""
    return Period(year, number) if 1 <= year <= 9999 and 1 <= number <= _LAST_NUMBER else None
