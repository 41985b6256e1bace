"""When a run was at work, and when nothing was sent because the API asked for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

from pydantic import BeforeValidator

from worker.rules.summary.forms import at_of, instant

MOST_PAUSES: Final = 100

Instant: TypeAlias = Annotated[
    float, BeforeValidator(lambda value: at_of(value) if isinstance(value, str) else value)
]
"""A Unix time, also read from RFC 3339."""


class Span(NamedTuple):
    """A time from one instant to another."""

    from_at: Instant
    until_at: Instant

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return self.until_at - self.from_at

    def to_json_dict(self) -> dict[str, str]:
        """What summary.json holds."""
        return {"from_at": instant(self.from_at), "until_at": instant(self.until_at)}


@dataclass(slots=True)
class Pauses:
    """A fold of pauses that keeps their number and length, and where the hundred longest lie."""

    count: int = 0
    total_s: float = 0.0
    longest: list[Span] = field(default_factory=list)  # in the order of their instants

    def add(self, from_at: float, until_at: float) -> None:
        """Count a pause (Unix times); one that is asked for during the last one prolongs that."""
        last = self.longest[-1] if self.longest else None
        if last is None or from_at > last.until_at:
            self.count += 1
            self.total_s += max(0.0, until_at - from_at)
            self._keep([*self.longest, Span(from_at, max(from_at, until_at))])
        elif until_at > last.until_at:
            self.total_s += until_at - last.until_at
            self.longest[-1] = last._replace(until_at=until_at)

    def cut(self, at: float) -> Pauses:
        """These pauses where nothing lasts beyond an instant, for a session may end in a pause."""
        if not self.longest or self.longest[-1].until_at <= at:
            return self
        last = self.longest[-1]
        ended = last._replace(until_at=max(at, last.from_at))
        return Pauses(self.count, self.total_s - last.length_s + ended.length_s, [*self.longest[:-1], ended])

    def merge(self, other: Pauses) -> None:
        """Add another session's pauses to these."""
        self.count += other.count
        self.total_s += other.total_s
        self._keep(sorted([*self.longest, *other.longest]))

    def _keep(self, spans: list[Span]) -> None:
        """Let go of the shortest, but not of the last one, which may grow."""
        for _ in range(len(spans) - MOST_PAUSES):
            spans.remove(min(spans[:-1], key=lambda span: span.length_s))
        self.longest = spans

    def to_json_dict(self) -> dict[str, Any]:
        """What summary.json and the ledger hold."""
        longest = [span.to_json_dict() for span in self.longest]
        return {"count": self.count, "total_s": round(self.total_s, 3), "longest": longest}

    @classmethod
    def from_json_dict(cls, data: Mapping[str, Any]) -> Pauses:
        """What ``to_json_dict`` wrote."""
        longest = [Span(at_of(span["from_at"]), at_of(span["until_at"])) for span in data["longest"]]
        return cls(int(data["count"]), float(data["total_s"]), longest)
