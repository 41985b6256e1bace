"""Which batches a selection takes up, ages, and filters that prove themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.age import created
from worker.rules.period import Period
from worker.rules.selection import Selection, filter_is_wrong, is_selected, not_closed_filters, parse_age
from worker.words.errors import ConfigurationError
from worker.words.model import Batch, Person

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86400.0
ALL = Selection()


def batch(**facts: Any) -> Batch:
    return Batch(**{"batch_id": 7, "batch_status": "Open"} | facts)


def started(age_s: float, form: str = "zoned") -> Batch:
    moment = datetime.fromtimestamp(NOW - age_s, UTC)
    text = {
        "zoned": moment.isoformat(),
        "utc": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "west": moment.astimezone(timezone(timedelta(hours=-8))).isoformat(),
        "naive": moment.replace(tzinfo=None).isoformat(),
        "date": moment.date().isoformat(),
    }[form]
    return batch(start_date=text)


@pytest.mark.parametrize(
    ("status", "taken"),
    [("open", True), ("OPEN", True), ("pending", False), ("closed", False), ("Void", False), (None, False)],
)
def test_only_open_batches(status: str | None, taken: bool) -> None:
    """A selection that asks nothing takes every open batch and no other."""
    assert is_selected(batch(batch_status=status), ALL, NOW) is taken


@pytest.mark.parametrize(
    ("selection", "facts", "taken"),
    [
        (Selection(period=Period(2026, 10)), {"account_period_name": "Oct 2026"}, True),
        (Selection(period=Period(2026, 10)), {"account_period_name": "Sep 2026"}, False),
        (Selection(period=Period(2026, 10)), {}, False),
        (Selection(owner_id=11), {"created_by": Person(user_id=11)}, True),
        (Selection(owner_id=11), {"created_by": Person(user_id=12)}, False),
        (Selection(owner_id=11), {"created_by": Person()}, False),
        (Selection(owner_id=11), {}, False),
        (Selection(exclude=frozenset({7})), {}, False),
        (Selection(exclude=frozenset({8})), {}, True),
        (Selection(code="UTIL-*"), {}, False),
        (
            Selection(code="a*", owner_id=1),
            {"batch_code": "ab", "created_by": Person(user_id=1)},
            True,
        ),
        (
            Selection(code="a*", owner_id=2),
            {"batch_code": "ab", "created_by": Person(user_id=1)},
            False,
        ),
    ],
)
def test_what_is_asked(selection: Selection, facts: dict[str, Any], taken: bool) -> None:
    """Everything that is asked must be so; what a batch does not tell is not so."""
    assert is_selected(batch(**facts), selection, NOW) is taken


@pytest.mark.parametrize(
    ("pattern", "code", "taken"),
    [
        ("UTIL-*", "util-2026-10", True),
        ("util-*", "UTIL-", True),
        ("UTIL-*", "XUTIL-1", False),
        ("UTIL", "UTIL-1", False),
        ("UTIL-?", "UTIL-12", False),
        ("*-10", "a\nb-10", True),
        ("UTIL[1]", "UTIL[1]", True),
        ("UTIL[1]", "UTIL1", False),
        ("[!a]", "b", False),
        ("a.c", "abc", False),
        ("a+", "aa", False),
        ("", "", True),
        ("*", "", True),
        ("ÄB*", "äb1", True),
    ],
)
def test_codes(pattern: str, code: str, taken: bool) -> None:
    """Star and question mark are wild, letter case is not looked at, any other character is itself."""
    assert is_selected(batch(batch_code=code), Selection(code=pattern), NOW) is taken


@given(st.text(max_size=20).filter(lambda text: "*" not in text and "?" not in text))
def test_a_code_without_wild_characters_selects_itself(code: str) -> None:
    """No character of a code but the two wild ones means something else than itself."""
    assert is_selected(batch(batch_code=code), Selection(code=code), NOW)
    assert not is_selected(batch(batch_code=code + "x"), Selection(code=code), NOW)


@pytest.mark.parametrize(
    ("seen", "taken"),
    [
        (started(7 * DAY + 1), True),
        (started(7 * DAY - 1), False),
        (started(7 * DAY + 1, "utc"), True),
        (started(7 * DAY + 1, "west"), True),
        (started(7 * DAY - 1, "west"), False),
        (started(7 * DAY + 13 * HOUR, "naive"), True),
        (started(7 * DAY + 11 * HOUR, "naive"), False),
        (started(9 * DAY, "date"), True),
        (started(8 * DAY, "date"), False),
        (started(-DAY), False),
        (batch(start_date=None), False),
        (batch(start_date=""), False),
        (batch(start_date="last week"), False),
        (batch(start_date="99999-01-01"), False),
    ],
)
def test_older_than(seen: Batch, taken: bool) -> None:
    """A batch is old enough only if it is so in every zone its startDate may be in."""
    assert is_selected(seen, Selection(older_than_s=7 * DAY), NOW) is taken


@given(
    at=st.integers(0, int(NOW)),
    quarter=st.integers(-48, 56),
    form=st.sampled_from(["zoned", "naive", "date"]),
)
def test_the_true_instant_lies_in_the_span(at: int, quarter: int, form: str) -> None:
    """Whatever zone startDate is written in, the instant it was written of is among the possible ones."""
    local = datetime.fromtimestamp(at, timezone(timedelta(minutes=15 * quarter)))
    text = local.isoformat()
    text = {"zoned": text, "naive": text[: len("2026-10-31T12:00:00")], "date": text[: len("2026-10-31")]}[
        form
    ]
    span = created(batch(start_date=text))
    assert span is not None
    assert span.earliest <= at <= span.latest


@given(st.text(max_size=30))
def test_any_start_date_is_survived(text: str) -> None:
    """Whatever stands in startDate, the batch is selected or not."""
    assert is_selected(batch(start_date=text), Selection(older_than_s=0), NOW) in {True, False}


@pytest.mark.parametrize(
    ("text", "age_s"),
    [("7d", 7 * DAY), ("12h", 12 * HOUR), ("90m", 5400.0), ("45s", 45.0), (" 1.5D ", 1.5 * DAY)],
)
def test_ages_that_can_be_used(text: str, age_s: float) -> None:
    """An age is a number with its unit."""
    assert parse_age(text) == age_s


@pytest.mark.parametrize(
    "text", ["", "7", "d", "-7d", "7w", "7 d", "1e3s", "nan", "infs", "7d12h", "\u0667d"]
)
def test_ages_that_cannot_be_used(text: str) -> None:
    """Anything else is refused by name, with the form."""
    with pytest.raises(ConfigurationError, match=r"^age .* write a number and d, h, m or s"):
        parse_age(text)


def test_filters_in_every_letter_case() -> None:
    """The documentation does not say which case the filter wants, so each is there to be tried."""
    assert not_closed_filters() == (
        "batchStatus not equals 'closed'",
        "batchStatus not equals 'Closed'",
        "batchStatus not equals 'CLOSED'",
    )


@pytest.mark.parametrize(
    ("statuses", "wrong"),
    [([], False), (["open", "Pending", None, "void"], False), (["open", "CLOSED"], True), (["closed"], True)],
)
def test_a_filter_that_shows_closed_batches_is_wrong(statuses: list[str | None], wrong: bool) -> None:
    """One closed row is enough to prove a filter wrong; anything else proves nothing."""
    assert filter_is_wrong(batch(batch_status=status) for status in statuses) is wrong
