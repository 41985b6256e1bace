"""What a worker counted since it last told the store: so a run's requests add up over the fleet."""

from __future__ import annotations

from worker.rules.summary import Counters, Latency
from worker.words.model import Result


class Meter:
    """Counts of requests and answers' times. They go to the run whose batch settles next."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.latency = Latency()
        self._told: dict[str, int] = {}

    @property
    def slowest_us(self) -> int:
        """The longest that an answer to a PUT took."""
        return round(self.latency.max_s * 1e6)

    def taken(self, result: Result, *, final: bool) -> dict[str, int]:
        """What is new since the last call, by the name of the count; and the result's own outcome."""
        now = {f"req:{name}": count for name, count in self.counters.to_json_dict().items()}
        now |= {f"lat:{bucket}": count for bucket, count in self.latency.counts.items()}
        told, self._told = self._told, now
        more = {name: count - told.get(name, 0) for name, count in now.items()}
        more = {name: count for name, count in more.items() if count}
        return more | {f"out:{result.outcome}": 1} if final else more
