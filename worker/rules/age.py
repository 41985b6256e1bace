"""How old a batch is, as far as its ``startDate`` tells."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from worker.rules.summary.forms import printable
from worker.words.errors import ConfigurationError
from worker.words.model import Batch

_AGE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([dhms])")
_UNIT_S: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_WESTMOST_S: Final = 12 * 3600.0  # behind UTC
_EASTMOST_S: Final = 14 * 3600.0  # ahead of UTC
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """The instants (Unix times) between which something happened; alike where it is known exactly."""

    earliest: float
    latest: float


def parse_age(text: str) -> float:
    """Seconds in an age: a number and d, h, m (minutes) or s, as ``7d``, ``12h``, ``90m``, ``45s``.

    Raises ConfigurationError, naming the text and the form.
    """
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        shown = printable(text, 60)
        raise ConfigurationError(
            f"age {shown!r} can't be used: write a number and d, h, m or s, as 7d or 12h"
        )
    return float(match[1]) * _UNIT_S[match[2]]


def created(batch: Batch) -> Span | None:
    """When the batch was created, None where ``startDate`` is missing or can't be read.

    Its form and time zone are not documented: without a zone it may be any, and a bare date is a whole day.
    """
    text = (batch.start_date or "").strip()
    try:
        if len(text) <= len("2026-10-31"):
            day = date.fromisoformat(text)
            midnight = _stamp(datetime(day.year, day.month, day.day, tzinfo=UTC))
            return Span(midnight - _EASTMOST_S, midnight + _UNIT_S["d"] + _WESTMOST_S)
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    if instant.tzinfo is not None:
        return Span(_stamp(instant), _stamp(instant))
    as_utc = _stamp(instant.replace(tzinfo=UTC))
    return Span(as_utc - _EASTMOST_S, as_utc + _WESTMOST_S)


def _stamp(instant: datetime) -> float:
    return (instant - _EPOCH).total_seconds()
