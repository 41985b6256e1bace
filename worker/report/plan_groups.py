"""What a plan would not close, and what it warns of, in groups with their first ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from worker.report.advice import first_of
from worker.rules.guards import GUARDS
from worker.rules.plan import PlanDecision, PlanEntry
from worker.rules.summary import printable

_FIRST: Final = 10
_UNTROUBLED: Final = frozenset({PlanDecision.CLOSE, PlanDecision.ALREADY_CLOSED})
_MEANINGS: Final = {guard.name: guard.help for guard in GUARDS}


class Group(NamedTuple):
    """Entries that are alike."""

    title: str
    entries: int
    first: tuple[str, ...]  # ids, or where invalid lines stand
    detail: str | None = None  # of the first one

    @property
    def where(self) -> str:
        """``ids 3, 4, 5, ...``, or ``ids.txt line 4: 'n/a'``."""
        return first_of(self.first, self.entries) if self.first[0].isdigit() else "; ".join(self.first)


class Groups(NamedTuple):
    """The groups of a plan, the largest first."""

    held: list[Group]  # by guard
    others: list[Group]  # by decision and reason
    warnings: list[Group]  # by guard, of those that would be closed


def groups_of(entries: Iterable[PlanEntry]) -> Groups:
    """Group the entries of a plan in one pass."""
    held, others, warned = _Gathering(), _Gathering(), _Gathering()
    for entry in entries:
        if entry.decision is PlanDecision.HOLD:
            held.add(_guard(entry.reason or "unknown"), entry)
        elif entry.decision not in _UNTROUBLED:
            others.add(_why(entry), entry)
        elif entry.decision is PlanDecision.CLOSE:
            for name in entry.warnings:
                warned.add(_guard(name), entry)
    return Groups(held.groups(), others.groups(), warned.groups())


class _Gathering:
    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, list[PlanEntry]] = {}

    def add(self, title: str, entry: PlanEntry) -> None:
        self._counts[title] = self._counts.get(title, 0) + 1
        first = self._first.setdefault(title, [])
        if len(first) < _FIRST:
            first.append(entry)

    def groups(self) -> list[Group]:
        found = [
            Group(title, count, _places(self._first[title]), self._first[title][0].detail)
            for title, count in self._counts.items()
        ]
        return sorted(found, key=lambda group: (-group.entries, group.title))


def _places(entries: list[PlanEntry]) -> tuple[str, ...]:
    if entries[0].batch_id is not None:
        return tuple(str(entry.batch_id) for entry in entries)
    return tuple(
        f"{printable(entry.source, 40)} line {entry.line}: {printable(entry.detail or '', 30)!r}"
        for entry in entries[:3]
    )


def _guard(name: str) -> str:
    return f"{name}: {_MEANINGS[name]}" if name in _MEANINGS else name


def _why(entry: PlanEntry) -> str:
    if entry.decision is PlanDecision.INVALID:
        return "invalid: the line is no batch id"
    reason = printable(entry.reason or "", 60)
    shown = f"HTTP {reason[5:]}" if reason.startswith("http_") else reason
    return f"{entry.decision.value}, {shown}" if shown else entry.decision.value
