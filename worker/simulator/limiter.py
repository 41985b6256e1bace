"""The server's own rate limit: a sliding window. Time is handed in."""

from __future__ import annotations

from collections import deque


class SlidingWindow:
    """Lets ``rate_per_s`` requests plus burst through in any second (below 1: one, plus burst, in 1/rate)."""

    def __init__(self, rate_per_s: float, burst: int = 0) -> None:
        whole = max(1, int(rate_per_s))
        self._window_s = whole / rate_per_s
        self._most = whole + burst
        self._taken: deque[float] = deque()

    def wait_s(self, now: float) -> float:
        """0 if a request is let through now, and it is counted; else the seconds until one could be."""
        taken = self._taken
        while taken and taken[0] <= now - self._window_s:
            taken.popleft()
        if len(taken) < self._most:
            taken.append(now)
            return 0.0
        return max(taken[0] + self._window_s - now, 1e-9)
