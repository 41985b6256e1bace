"""Account periods: what a run may be told, and what a batch tells."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.period import Period, parse_period, period_of, read_period
from worker.words.errors import ConfigurationError
from worker.words.model import Batch

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "today", "period"),
    [
        ("2026-10", TODAY, (2026, 10)),
        (" 2026-01 ", TODAY, (2026, 1)),
        ("this-month", TODAY, (2026, 11)),
        ("last-month", TODAY, (2026, 10)),
        ("LAST-MONTH", date(2026, 1, 31), (2025, 12)),
        ("last-month", date(2026, 3, 31), (2026, 2)),
    ],
)
def test_periods_that_can_be_told(text: str, today: date, period: tuple[int, int]) -> None:
    """A period is written as a year and a month, or as a month seen from today."""
    assert parse_period(text, today) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "2026-1",
        "26-10",
        "10-2026",
        "next-month",
        "2026-10-01",
        "\uff12026-10",
    ],
)
def test_periods_that_cannot_be_told(text: str) -> None:
    """Anything else is refused by name, in one line, with the forms."""
    with pytest.raises(ConfigurationError, match=r"^period .* write 2026-10, this-month or last-month$"):
        parse_period(text, TODAY)


@pytest.mark.parametrize(
    ("year", "number", "name", "period"),
    [
        (2026, 10, "Sep 2026", (2026, 10)),
        (2026, 13, None, (2026, 13)),
        (None, 10, "Oct 2026", (2026, 10)),
        (2026, None, "2026-10", (2026, 10)),
        (None, None, "October 2026", (2026, 10)),
        (None, None, "sept. 2026", (2026, 9)),
        (None, None, "MAY-2026", (2026, 5)),
        (None, None, "2026/1", (2026, 1)),
        (None, None, "Okt 2026", None),
        (None, None, "Mayor 2026", None),
        (None, None, "ma 2026", None),
        (None, None, "2026", None),
        (None, None, "FY26 P4", None),
        (None, None, "", None),
        (None, None, None, None),
        (0, 0, None, None),
        (2026, 0, None, None),
        (2026, 100, None, None),
        (-1, 10, None, None),
    ],
)
def test_period_of_a_batch(
    year: int | None, number: int | None, name: str | None, period: tuple[int, int] | None
) -> None:
    """Year and number decide; the name is read where one of them is missing."""
    batch = Batch(
        batch_id=1, account_period_year=year, account_period_number=number, account_period_name=name
    )
    assert period_of(batch) == period


@given(st.builds(Period, st.integers(1, 9999), st.integers(1, 99)))
def test_what_is_written_is_read_again(period: Period) -> None:
    """Every period that a batch can have survives its text."""
    assert read_period(str(period)) == period


@given(st.text(max_size=30) | st.from_regex(r"[0-9a-z]{0,9}[-/ .]?[0-9]{0,9}"))
def test_any_name_is_survived(name: str) -> None:
    """Whatever stands in accountPeriodName, it is a period or none."""
    found = read_period(name)
    assert found is None or (1 <= found.year <= 9999 and 1 <= found.month <= 99)


@given(st.dates(min_value=date(2, 1, 1)))
def test_last_month_is_the_month_before_this_one(today: date) -> None:
    """Between this month and the last one lies no other."""
    now, last = parse_period("this-month", today), parse_period("last-month", today)
    assert now.year * 12 + now.month - (last.year * 12 + last.month) == 1
    assert 1 <= last.month <= 12
