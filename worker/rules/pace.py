"""How fast: the rate after throttling (multiplicative down, slow growth up) and the bucket for it."""

from __future__ import annotations

from typing import NamedTuple

DECREASE = 0.7
GROWTH_PER_S = 0.02  # of the asked rate
STEP_SLOTS = 10  # between two steps up, for each costs the bucket up to a slot
LOWEST_SHARE = 1 / 64


class Pace(NamedTuple):
    """The rate now in force; never above what was asked."""

    asked_per_s: float
    rate_per_s: float
    changed_at: float = float("-inf")  # on the pacer's own clock

    def slowed(self, now: float, sent_at: float) -> Pace:
        """After a throttled request: one lowering for all that were sent before the last one."""
        if sent_at < self.changed_at and self.rate_per_s < self.asked_per_s:
            return self
        lowest = self.asked_per_s * LOWEST_SHARE
        return self._replace(rate_per_s=max(self.rate_per_s * DECREASE, lowest), changed_at=now)

    def grown(self, now: float) -> Pace:
        """A step back up once it has been quiet for a while."""
        quiet_s = now - self.changed_at
        if self.rate_per_s >= self.asked_per_s or quiet_s < max(1.0, STEP_SLOTS / self.rate_per_s):
            return self
        rate = min(self.rate_per_s + self.asked_per_s * GROWTH_PER_S * quiet_s, self.asked_per_s)
        return self._replace(rate_per_s=rate, changed_at=now)


class Bucket(NamedTuple):
    """A leaky bucket that holds the rate although timers fire late.

    A bucket of ``burst`` alone loses what late timers cost; ``surplus`` on top lets a late slot be
    made up for, and is small enough that no second sees more than rate + burst (and 1 %).
    """

    capacity: float
    period_s: float
    surplus: float

    @classmethod
    def of(cls, rate_per_s: float, burst: int) -> Bucket:
        """The bucket for a rate and the number of requests that may go at once after a quiet time."""
        surplus = 0.5 + 0.003 * rate_per_s
        capacity = burst + surplus
        return cls(capacity, capacity / rate_per_s, surplus)
