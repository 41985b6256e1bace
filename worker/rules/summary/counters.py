"""What a session counts while it runs: requests and how long answers took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

_FLOOR_S: Final = 1e-6
_CEILING_S: Final = 1e6
_LOG_WIDTH: Final = math.log(1.02)
_COARSE: Final = 12  # narrow buckets in one of those that are shown
WIDTH: Final = 1.02**_COARSE
"""The ratio between two bounds of the buckets that are shown."""


def _bound_ms(coarse: int) -> float:
    return float(f"{_FLOOR_S * 1000 * WIDTH ** (coarse + 1):.4g}")


class LatencyMs(NamedTuple):
    """How long answers took, in milliseconds; None if there was none."""

    p50: float | None
    p90: float | None
    p99: float | None
    max: float | None


@dataclass(slots=True)
class Counters:
    """Requests sent, by kind; how many repeated one that told nothing, and how many were throttled."""

    put: int = 0
    get: int = 0
    list: int = 0
    me: int = 0
    retried: int = 0
    throttled: int = 0

    @property
    def total(self) -> int:
        """Requests of any kind."""
        return self.put + self.get + self.list + self.me

    def merge(self, other: Counters) -> None:
        """Add another session's counts to these."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def since(self, before: Counters) -> Counters:
        """What was added since they stood like that."""
        return Counters(
            **{each.name: getattr(self, each.name) - getattr(before, each.name) for each in fields(self)}
        )

    def to_json_dict(self) -> dict[str, int]:
        """The counts in summary.json's order."""
        first = {"put": self.put, "get": self.get, "list": self.list, "me": self.me, "total": self.total}
        return first | {"retried": self.retried, "throttled": self.throttled}

    @classmethod
    def from_json_dict(cls, data: Mapping[str, int]) -> Counters:
        """What ``to_json_dict`` wrote; counts that are missing are 0."""
        return cls(**{each.name: int(data.get(each.name, 0)) for each in fields(cls)})


@dataclass(slots=True)
class Latency:
    """A histogram of durations in buckets 2 % wide, so that a percentile is within about 1 %."""

    counts: dict[int, int] = field(default_factory=dict)
    max_s: float = 0.0

    def add(self, elapsed_s: float) -> None:
        """Count one duration; anything outside 1 microsecond to 11 days is counted as the nearer end."""
        bounded = min(max(_FLOOR_S, elapsed_s), _CEILING_S)  # in this order a NaN becomes the floor
        bucket = int(math.log(bounded / _FLOOR_S) / _LOG_WIDTH)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.max_s = max(self.max_s, bounded)

    def merge(self, other: Latency) -> None:
        """Add another session's durations to these."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.max_s = max(self.max_s, other.max_s)

    def percentile(self, p: float) -> float | None:
        """The nearest-rank percentile in seconds (``p`` from 0 to 100); None if nothing was counted."""
        rank = max(1, math.ceil(p / 100 * sum(self.counts.values())))
        for bucket in sorted(self.counts):
            rank -= self.counts[bucket]
            if rank <= 0:
                return min(self.max_s, _FLOOR_S * math.exp((bucket + 0.5) * _LOG_WIDTH))
        return None

    def in_ms(self) -> LatencyMs:
        """The percentiles that summary.json shows."""
        found = [self.percentile(50), self.percentile(90), self.percentile(99), self.max_s]
        return LatencyMs(*(round(each * 1000, 1) if each and self.counts else None for each in found))

    def buckets(self) -> dict[float, int]:
        """How many answers came within so many milliseconds, but not within the bound before, 27 % lower."""
        coarse: dict[int, int] = {}
        for bucket, count in self.counts.items():
            coarse[bucket // _COARSE] = coarse.get(bucket // _COARSE, 0) + count
        found = range(min(coarse), max(coarse) + 1) if coarse else range(0)
        return {_bound_ms(each): coarse.get(each, 0) for each in found}

    def to_json_dict(self) -> dict[str, Any]:
        """What ``from_json_dict`` reads; the buckets are numbers here and text in JSON."""
        return {"counts": self.counts, "max_s": self.max_s}

    @classmethod
    def from_json_dict(cls, data: Mapping[str, Any]) -> Latency:
        """What ``to_json_dict`` wrote."""
        return cls(
            {int(bucket): int(count) for bucket, count in data["counts"].items()}, float(data["max_s"])
        )
