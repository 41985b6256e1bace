"""Backoff, Retry-After and the retry budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.retry import LONGEST_RETRY_AFTER_S, RetryBudget, backoff_s, retry_after_s

unit = st.floats(0, 1)
seconds = st.floats(0, 1e6)


@given(st.integers(-5, 10_000), seconds, seconds, unit)
def test_backoff_stays_within_its_bounds(failures: int, base: float, cap: float, chance: float) -> None:
    """Full jitter lies between nothing and the exponential bound, and never above the cap."""
    wait = backoff_s(failures, base, cap, chance)
    assert 0 <= wait <= cap
    if failures <= 1:
        assert wait <= base


@given(st.integers(1, 40), st.floats(0.001, 10), st.floats(10, 100), unit)
def test_backoff_never_shrinks_with_more_failures(
    failures: int, base: float, cap: float, chance: float
) -> None:
    """For the same chance, one failure more never waits less."""
    assert backoff_s(failures, base, cap, chance) <= backoff_s(failures + 1, base, cap, chance)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("-3", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 500, LONGEST_RETRY_AFTER_S),
        ("Tue, 03 Nov 2026 02:00:10 GMT", 10.0),
        ("Tue, 03 Nov 2026 01:00:00 GMT", 0.0),
        ("Tue, 03 Nov 2099 01:00:00 GMT", LONGEST_RETRY_AFTER_S),
        ("Tue, 99 Nov 2026 02:00:10 GMT", None),
    ],
)
def test_retry_after(text: str | None, wait: float | None) -> None:
    """Seconds or an HTTP date, against the server's own clock; anything else says nothing."""
    server_at = 1793671200.0  # Tue, 03 Nov 2026 02:00:00 GMT
    assert retry_after_s(text, server_at, now=0.0) == wait


def test_retry_after_date_without_a_date_header() -> None:
    """Without a Date header our own clock has to do."""
    assert retry_after_s("Tue, 03 Nov 2026 02:00:10 GMT", None, now=1793671205.0) == 5.0


@given(st.text(max_size=60))
def test_any_retry_after_is_survived(text: str) -> None:
    """Whatever a server writes there, the wait is bounded."""
    wait = retry_after_s(text, 0.0, 0.0)
    assert wait is None or 0 <= wait <= LONGEST_RETRY_AFTER_S


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 64))
def test_the_budget_runs_out_only_when_most_answers_fail(answers: list[bool], concurrency: int) -> None:
    """Tokens stay between 0 and the capacity; while good answers keep up with failures it holds."""
    budget = RetryBudget.of(concurrency)
    lead = worst = 0
    for good in answers:
        budget = budget.succeeded() if good else budget.failed()
        lead = max(lead + (-1 if good else 1), 0)
        worst = max(worst, lead)
        assert 0 <= budget.tokens <= budget.capacity
    assert budget.spent <= (worst >= budget.capacity)


def test_an_outage_is_probed_ever_more_rarely() -> None:
    """Each pause in a row lets fewer requests find out, until a good answer ends it."""
    budget = RetryBudget.of(8)
    while not budget.spent:
        budget = budget.failed()
    budget = budget.paused()
    assert (budget.outages, budget.spent) == (1, False)
    budget = budget.failed()
    while not budget.spent:
        budget = budget.failed()
    assert budget.paused().outages == 2
    assert budget.paused().succeeded().outages == 0
