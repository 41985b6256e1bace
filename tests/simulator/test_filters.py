"""The filter grammar, as tables and as a law."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.simulator.filters import FilterError, predicate
from worker.simulator.options import FilterCase, Unknowns
from worker.simulator.world import SimBatch, State

from .talking import NOW

OPEN = SimBatch(
    batch_id=1,
    state=State.OPEN,
    code="UTIL-2026-10-0001",
    bill_count=12,
    total_cents=150_050,
    year=2026,
    month=10,
    control_code="it's",
    created_at=NOW - 86400,
)
CLOSED = SimBatch(batch_id=2, state=State.CLOSED, code="GAS-2026-09-0002", closed_at=NOW - 3 * 86400)


@pytest.mark.parametrize(
    ("text", "opened", "closed"),
    [
        ("batchStatus equals 'Open'", True, False),
        ("batchStatus not equals 'open'", False, True),
        ("batchCode like 'util'", True, False),
        ("batchCode like 'G%2026'", False, True),
        ("batchCode not like 'util'", False, True),
        ("batchCode one of ('x'|'UTIL-2026-10-0001')", True, False),
        ("batchCode not one of ('x'|'UTIL-2026-10-0001')", False, True),
        ("billCount greater than '11'", True, False),
        ("billCount greater than equal '12'", True, False),
        ("billCount less than '12'", False, True),
        ("billCount less than equal '12'", True, True),
        ("runningTotal between '1500.5' and '1501'", True, False),
        ("runningTotal between ('0'|'1')", False, True),
        ("isOpen equals 'true'", True, False),
        ("hasImportsWithKickout equals 'false'", True, True),
        ("accountPeriod equals '2026-10'", True, False),
        ("controlCode equals 'it''s'", True, False),
        ("controlCode not equals 'x'", True, True),
        ("endDate last 7 days", False, True),
        ("endDate last 7 days and batchStatus equals 'closed'", False, True),
        ("endDate today", False, False),
        ("endDate less than '2100-01-01T00:00:00Z'", False, True),
        ("BATCHSTATUS EQUALS 'open' AND billCount Equals '12'", True, False),
        ("batchStatus equals 'open' and billCount equals '13'", False, False),
        ("fullName like 'closer'", True, True),
    ],
)
def test_a_filter_lets_through_what_it_says(text: str, opened: bool, closed: bool) -> None:
    """Each operator, on fields of each type."""
    passes = predicate(text, Unknowns(), NOW)
    assert (passes(OPEN), passes(CLOSED)) == (opened, closed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "batchStatus",
        "batchStatus equals open",
        "billCount equals 12",
        "billCount equals 'many'",
        "batchId equals '1'",
        "flagCount equals '0'",
        "batchStatus equals 'open' or isOpen equals 'true'",
        "batchStatus equals 'open' and",
        "batchStatus equals 'open",
        "billCount between '1'",
        "batchCode today",
        "endDate equals 'soon'",
    ],
)
def test_what_the_grammar_does_not_know_is_refused(text: str) -> None:
    """Unquoted values, other fields, or: no filter."""
    with pytest.raises(FilterError):
        predicate(text, Unknowns(), NOW)


def test_the_letter_case_can_be_made_to_matter() -> None:
    """With a wanted letter case, a batchStatus in another finds nothing."""
    wants_title = Unknowns(filter_case=FilterCase.TITLE)
    assert predicate("batchStatus equals 'Open'", wants_title, NOW)(OPEN)
    assert not predicate("batchStatus equals 'open'", wants_title, NOW)(OPEN)


_PIECES = (
    *("batchStatus", "endDate", "billCount", "isOpen", "equals", "between", "last 7 days", "one of", "not"),
    *("and", "'open'", "'1'", "'", "''", "(", "('1'|'2')"),
)


@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join)))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    """Reading and applying never fail in another way."""
    try:
        passes = predicate(text, Unknowns(), NOW)
    except FilterError:
        return
    assert isinstance(passes(OPEN), bool)
    assert isinstance(passes(CLOSED), bool)
