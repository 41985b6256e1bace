"""What did not end fine, grouped so that a thousand alike are one line."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from worker.rules.summary.forms import printable
from worker.words.model import Outcome, Result

_FIRST_IDS: Final = 10
_VARIABLE: Final = re.compile(  # GUIDs, then hex runs of eight and more that hold a digit, then digit runs
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?=[a-f]*[0-9])[0-9a-f]{8,}\b|[0-9]+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Batches that did not end fine, alike in all but digits."""

    outcome: Outcome
    reason: str | None
    http_status: int | None
    message: str | None  # of one of them, printable
    count: int
    first_ids: tuple[int, ...]  # the ten smallest, ascending


class Kind(NamedTuple):
    """What problems of one group share, apart from the words of the message."""

    outcome: Outcome
    reason: str
    http_status: int


@dataclass(slots=True)
class _Group:
    """The batches of one problem. Smallest ids and smallest message, so that the order can't show."""

    count: int = 0
    ids: list[int] = field(default_factory=list)
    message: str | None = None

    def add(self, count: int, ids: Iterable[int], message: str | None) -> None:
        self.count += count
        for batch_id in ids:
            if len(self.ids) < _FIRST_IDS or batch_id < self.ids[-1]:
                insort(self.ids, batch_id)
                del self.ids[_FIRST_IDS:]
        if message is not None and (self.message is None or message < self.message):
            self.message = message


@dataclass(slots=True)
class _Groups:
    """The groups of one kind by the shape of their message; all in one as soon as there are too many shapes.

    Whether there are too many does not depend on the order, which a bound on all groups together would.
    """

    cap: int
    by_shape: dict[str, _Group] = field(default_factory=dict)
    collapsed: bool = False

    def add(self, shape: str, count: int, ids: Iterable[int], message: str | None) -> None:
        self._at(shape).add(count, ids, message)
        if len(self.by_shape) > self.cap:
            self.collapse()

    def merge(self, other: _Groups) -> None:
        if other.collapsed:
            self.collapse()
        for shape, group in other.by_shape.items():
            self.add(shape, group.count, group.ids, group.message)

    def collapse(self) -> None:
        """Put all groups into one, for good."""
        groups, self.by_shape, self.collapsed = self.by_shape, {}, True
        for group in groups.values():
            self._at("").add(group.count, group.ids, group.message)

    def _at(self, shape: str) -> _Group:
        return self.by_shape.setdefault("" if self.collapsed else shape, _Group())


def kind_of(outcome: Outcome, reason: str | None, http_status: int | None) -> Kind:
    """The kind of problem; what is not told is empty, so that kinds can be sorted."""
    return Kind(outcome, reason or "", http_status or 0)


def shape_of(outcome: Outcome, message: str | None) -> str:
    """A message without what differs from batch to batch, so that "Batch 12 is locked" is one problem.

    What a guard says has the guard's own words for one and for many.
    """
    return "" if outcome is Outcome.HELD else _VARIABLE.sub("#", message or "")


class Problems:
    """An order-free fold of the results that did not end fine, bounded by ``messages_per_kind``."""

    def __init__(self, messages_per_kind: int) -> None:
        self._cap = messages_per_kind
        self._by_kind: dict[Kind, _Groups] = {}

    def add(self, result: Result) -> None:
        """Count one result."""
        message = printable(result.message) if result.message else None
        kind = kind_of(result.outcome, result.reason, result.http_status)
        ids = () if result.batch_id is None else (result.batch_id,)
        self._groups(kind).add(shape_of(result.outcome, message), 1, ids, message)

    def merge(self, other: Problems) -> None:
        """Add the problems of other results to these."""
        for kind, groups in other._by_kind.items():
            self._groups(kind).merge(groups)

    def sorted(self) -> tuple[Problem, ...]:
        """The groups, largest first."""
        found = [
            (kind, group) for kind, groups in self._by_kind.items() for group in groups.by_shape.values()
        ]
        found.sort(key=lambda pair: (-pair[1].count, pair[0], pair[1].message or ""))
        return tuple(
            Problem(*_described(kind), group.message, group.count, tuple(group.ids)) for kind, group in found
        )

    def _groups(self, kind: Kind) -> _Groups:
        return self._by_kind.setdefault(kind, _Groups(self._cap))


def _described(kind: Kind) -> tuple[Outcome, str | None, int | None]:
    return kind.outcome, kind.reason or None, kind.http_status or None
