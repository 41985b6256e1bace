"""The rate after throttling, and the bucket for a rate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.rules.pace import LOWEST_SHARE, Bucket, Pace

rates = st.floats(0.01, 10_000)


@given(rates, st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_the_rate_stays_between_the_floor_and_what_was_asked(
    asked: float, events: list[tuple[float, bool]]
) -> None:
    """However often it is throttled and left alone, never above what was asked, never stuck at nothing."""
    pace, now = Pace(asked, asked), 0.0
    for wait_s, throttled in events:
        now += wait_s
        pace = pace.slowed(now, now) if throttled else pace.grown(now)
        assert asked * LOWEST_SHARE <= pace.rate_per_s <= asked


def test_requests_under_way_when_it_slowed_do_not_slow_it_again() -> None:
    """A volley that was sent before the rate was lowered counts once."""
    once = Pace(10, 10).slowed(now=5.0, sent_at=4.0)
    assert once.slowed(now=5.1, sent_at=4.5) == once
    assert once.slowed(now=6.0, sent_at=5.5).rate_per_s < once.rate_per_s


def test_growth_is_slow_and_ends_at_what_was_asked() -> None:
    """A quiet second adds 2 % of the asked rate; an hour adds no more than was lost."""
    low = Pace(100, 100).slowed(now=0.0, sent_at=0.0)
    assert low.grown(0.5) == low
    assert low.grown(1.0).rate_per_s == low.rate_per_s + 2
    assert low.grown(3600.0).rate_per_s == 100


@given(rates, st.integers(1, 1000))
def test_the_bucket_keeps_the_rate_and_little_surplus(rate: float, burst: int) -> None:
    """It leaks at the rate, holds a burst and one late slot, and its surplus stays within the 1 %."""
    bucket = Bucket.of(rate, burst)
    assert bucket.capacity >= 1 + bucket.surplus
    assert abs(bucket.capacity / bucket.period_s - rate) <= rate * 1e-9
    assert bucket.surplus <= 1 + rate * 0.01
