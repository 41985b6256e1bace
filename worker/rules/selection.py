"""Which open batches a run takes up when it is given a selection instead of a list."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from worker.rules.age import created, parse_age
from worker.rules.period import Period, period_of
from worker.words.model import Batch, BatchState

__all__ = ["Selection", "filter_is_wrong", "is_selected", "not_closed_filters", "parse_age"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a batch must be to be taken up; None asks nothing."""

    period: Period | None = None
    code: str | None = None  # a pattern: * is any text, ? any one character; letter case makes no difference
    owner_id: int | None = None  # createdBy.userId
    older_than_s: float | None = None
    exclude: frozenset[int] = frozenset()


def is_selected(batch: Batch, selection: Selection, now: float) -> bool:
    """Whether the batch is taken up at that instant (Unix time).

    Open batches alone: a pending one is mostly a failed import that waits for a person. What a batch
    doesn't tell, it doesn't fulfil, and it is older than asked only if it is so in every time zone.
    """
    if batch.state is not BatchState.OPEN or batch.batch_id in selection.exclude:
        return False
    return (
        (selection.period is None or period_of(batch) == selection.period)
        and (selection.code is None or _has_code(batch, selection.code))
        and (selection.owner_id is None or _owner_id(batch) == selection.owner_id)
        and (selection.older_than_s is None or _is_older(batch, selection.older_than_s, now))
    )


def _has_code(batch: Batch, pattern: str) -> bool:
    return batch.batch_code is not None and _matcher(pattern).match(batch.batch_code) is not None


@lru_cache(maxsize=8)
def _matcher(pattern: str) -> re.Pattern[str]:
    """Codes may hold brackets, so they stand for themselves and not for a set of characters."""
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")), re.IGNORECASE)


def _owner_id(batch: Batch) -> int | None:
    return batch.created_by.user_id if batch.created_by else None


def _is_older(batch: Batch, age_s: float, now: float) -> bool:
    span = created(batch)
    return span is not None and now - span.latest > age_s


def not_closed_filters() -> tuple[str, ...]:
    """Filters for all batches that are not closed, to be tried in order.

    Which letter case the batchStatus filter wants is not documented. A negative filter proves itself:
    a wrong one shows closed batches, or there are none (``filter_is_wrong``).
    """
    return tuple(f"batchStatus not equals '{word}'" for word in ("closed", "Closed", "CLOSED"))


def filter_is_wrong(rows: Iterable[Batch]) -> bool:
    """Whether rows that one of ``not_closed_filters`` brought show that it does not do what it says."""
    return any(row.state is BatchState.CLOSED for row in rows)
