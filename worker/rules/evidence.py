"""By us or before us: who closed a batch that is found closed.

``endDate`` says when a batch was closed, but its form and time zone are not documented
(the documented sample shows a bare date), so it is read as a span of possible instants.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import ceil, floor
from typing import NamedTuple

SAME_CLOCK_S = 2.0
"""Clocks that agree within this are taken to agree: a Date header has whole seconds."""
SLACK_S = 30.0
"""An endDate may be so much before our PUT and still be ours: the database may have a clock of its own."""
_WHOLE_S, _FRACTION_S = (
    1.0,
    0.005,
)  # how coarse an instant may be that is written without, or with, a fraction
CONTRADICTED = "seen_open_after_end_date"
_QUARTER_S = 900.0
_WESTMOST, _EASTMOST = -12 * 4, 14 * 4  # the offsets from UTC in use, in quarters of an hour
_DAY_S = 86400.0


class Touch(NamedTuple):
    """When this run may have closed the batch, by this side's clock."""

    since: float  # the first PUT that may have reached the server was sent then
    until: float  # the answer that shows it closed came then
    server_at: float | None = None  # that answer's Date header
    open_at: float | None = None  # a read showed it open then

    def in_server_time(self) -> Touch:
        """The same by the server's clock, where its Date header shows that it has another time."""
        if self.server_at is None or abs(self.server_at - self.until) <= SAME_CLOCK_S:
            return self
        ahead = self.server_at - self.until
        open_at = None if self.open_at is None else self.open_at + ahead
        return Touch(self.since + ahead, self.until + ahead, self.server_at, open_at)

    def leaves_room_at(self, instant: float) -> bool:
        """Whether another may have closed it then: before our PUTs, and not before it was seen open."""
        return instant < self.since - SLACK_S and (self.open_at is None or instant >= self.open_at)


class Ownership(NamedTuple):
    """Who closed it, and a word on the evidence where it is weak."""

    ours: bool
    weakness: str | None = None


_OURS, _NOT_OURS = Ownership(ours=True), Ownership(ours=False)


def who_closed(end_date: str | None, touch: Touch) -> Ownership:
    """Decide whether a batch found closed was closed by one of our PUTs that may have reached the server.

    Its endDate decides where it clearly lies before our first such PUT. Where it is missing or too
    coarse, our PUT is the likeliest cause, and unless the run saw the batch open the weakness is named.
    Seen open after its endDate, the one or the other is wrong, which is named too.
    """
    text = (end_date or "").strip()
    touch = touch.in_server_time()
    if touch.open_at is None:
        return _by_end_date(text, touch)
    if _by_end_date(text, touch._replace(open_at=None)).ours:
        return _OURS
    return Ownership(ours=True, weakness=CONTRADICTED) if _by_end_date(text, touch).ours else _NOT_OURS


def shows_ours(end_date: str | None, touch: Touch) -> bool:
    """Whether endDate lies within the time of our PUTs, although they were refused or throttled.

    A gateway may send a PUT on twice: the first closes the batch, and we hear how the second was refused.
    Nothing but an instant shows that; without a zone it takes a batch that the run saw open before.
    """
    instant = _parse((end_date or "").strip())
    if not isinstance(instant, datetime):
        return False
    touch = touch.in_server_time()
    earliest = touch.since - (_FRACTION_S if instant.microsecond else _WHOLE_S)
    latest = touch.until + SAME_CLOCK_S
    stamp = _stamp(instant)
    if instant.tzinfo is not None:
        return earliest < stamp <= latest
    first, last = ceil((stamp - latest) / _QUARTER_S), floor((stamp - earliest) / _QUARTER_S)
    return touch.open_at is not None and max(first, _WESTMOST) <= min(last, _EASTMOST)


def _by_end_date(text: str, touch: Touch) -> Ownership:
    if not text:
        return Ownership(ours=True, weakness="end_date_missing")
    instant = _parse(text)
    if instant is None:
        return Ownership(ours=True, weakness="end_date_unreadable")
    if not isinstance(instant, datetime):
        return _bare_date(instant, touch)
    if instant.tzinfo is None:
        return _naive(_stamp(instant), touch)
    return _NOT_OURS if touch.leaves_room_at(_stamp(instant)) else _OURS


def _parse(text: str) -> datetime | date | None:
    try:
        if len(text) <= len("2026-10-31"):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _stamp(instant: datetime) -> float:
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.timestamp()


def _naive(as_utc: float, touch: Touch) -> Ownership:
    """Real offsets from UTC are multiples of a quarter of an hour: is there one that fits?"""
    first = ceil((as_utc - touch.until - SLACK_S) / _QUARTER_S)
    last = floor((as_utc - touch.since + SLACK_S) / _QUARTER_S)
    if max(first, _WESTMOST) <= min(last, _EASTMOST):
        return Ownership(ours=True, weakness=None if first <= 0 <= last else "end_date_without_zone")
    earlier = (as_utc - quarter * _QUARTER_S for quarter in range(_WESTMOST, _EASTMOST + 1))
    return Ownership(ours=not any(touch.leaves_room_at(instant) for instant in earlier))


def _bare_date(day: date, touch: Touch) -> Ownership:
    """Not ours if the day was over everywhere before our PUT, and the batch was not seen open since."""
    midnight = _stamp(datetime(day.year, day.month, day.day, tzinfo=UTC))
    if touch.leaves_room_at(midnight + _DAY_S - _WESTMOST * _QUARTER_S):
        return Ownership(ours=False)
    return Ownership(ours=True, weakness="end_date_without_time")
