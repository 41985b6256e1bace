"""How a run stands, as its header and its counts tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from worker.fleet.header import Header
from worker.rules.summary import Counters, Latency


class Book(NamedTuple):
    """How a run stands."""

    header: Header
    counters: Counters
    latency: Latency
    final: int
    provisional: int
    outcomes: dict[str, int]
    rate_per_s: float | None  # as the workers were told

    @classmethod
    def of(cls, header: Header, counts: Mapping[str, str]) -> Book:
        """From what the store keeps of a run."""
        return cls(
            header,
            Counters.from_json_dict(_numbers(counts, "req:")),
            Latency(
                {int(bucket): count for bucket, count in _numbers(counts, "lat:").items()},
                int(counts.get("slowest", 0)) / 1e6,
            ),
            int(counts.get("final", 0)),
            int(counts.get("prov", 0)),
            _numbers(counts, "out:"),
            float(counts["rate"]) if "rate" in counts else None,
        )

    @property
    def left(self) -> int:
        """Batches without any result."""
        return self.header.ids - self.final - self.provisional

    @property
    def is_over(self) -> bool:
        """Whether all of its batches are in the queue, and have a result."""
        return self.left <= 0 and self.header.added >= self.header.entries


def _numbers(counts: Mapping[str, str], prefix: str) -> dict[str, int]:
    return {name[len(prefix) :]: int(count) for name, count in counts.items() if name.startswith(prefix)}
