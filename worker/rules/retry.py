"""When to try again: full-jitter backoff, Retry-After, and the run-wide retry budget."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

LONGEST_RETRY_AFTER_S = 86400.0


def backoff_s(failures: int, base_s: float, cap_s: float, chance: float) -> float:
    """Full jitter: a share (``chance``, 0 to 1) of the exponential bound after so many failures (from 1)."""
    doublings = min(max(failures - 1, 0), 64)
    return chance * min(cap_s, base_s * 2.0**doublings)


@lru_cache(maxsize=64)
def http_date(text: str | None) -> float | None:
    """The instant of an HTTP date, or None where it is none."""
    if not text:
        return None
    try:
        parsed = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def retry_after_s(text: str | None, server_at: float | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After header (seconds or an HTTP date), None where it says nothing.

    A date is read against the server's own clock where its Date header gives it.
    """
    if not text:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST_RETRY_AFTER_S)
    until = http_date(text)
    if until is None:
        return None
    return min(max(until - (now if server_at is None else server_at), 0.0), LONGEST_RETRY_AFTER_S)


class RetryBudget(NamedTuple):
    """Tokens that failures take and good answers give back: empty means an outage, not bad luck.

    While more than half of all answers are good, it never runs out.
    """

    capacity: int
    tokens: int
    outages: int = 0  # times in a row that it ran out with no good answer since

    @classmethod
    def of(cls, concurrency: int) -> RetryBudget:
        """A full budget for so many requests at once."""
        capacity = 10 + 4 * concurrency
        return cls(capacity, capacity)

    def failed(self) -> RetryBudget:
        """After an answer that was trouble."""
        return self._replace(tokens=max(self.tokens - 1, 0))

    def succeeded(self) -> RetryBudget:
        """After any answer that shows the API at work."""
        if self.tokens >= self.capacity and not self.outages:
            return self
        return self._replace(tokens=min(self.tokens + 1, self.capacity), outages=0)

    @property
    def spent(self) -> bool:
        """Whether everyone should pause before anything is tried again."""
        return self.tokens == 0

    def paused(self) -> RetryBudget:
        """After a pause: a few requests may find out whether the outage is over."""
        return self._replace(tokens=max(self.capacity // 10, 1), outages=self.outages + 1)
