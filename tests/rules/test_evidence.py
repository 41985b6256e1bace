"""By us or before us, from the evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.evidence import CONTRADICTED, SLACK_S, Touch, shows_ours, who_closed

NOW = datetime(2026, 11, 3, 2, 0, 0, tzinfo=UTC).timestamp()
TOUCH = Touch(since=NOW, until=NOW + 5)
HOUR = 3600.0


def zoned(at: float, hours: float = 0) -> str:
    return datetime.fromtimestamp(at, timezone(timedelta(hours=hours))).isoformat(timespec="milliseconds")


def naive(at: float, hours: float = 0) -> str:
    return zoned(at, hours)[: len("2026-11-03T02:00:00.000")]


@pytest.mark.parametrize(
    ("end_date", "ours", "weakness"),
    [
        (zoned(NOW + 1), True, None),
        (zoned(NOW + 1).replace("+00:00", "Z"), True, None),
        (zoned(NOW + 1, -5), True, None),
        (zoned(NOW - HOUR), False, None),
        (zoned(NOW - HOUR, 9), False, None),
        (naive(NOW + 1), True, None),
        (naive(NOW + 1, -5), True, "end_date_without_zone"),
        (naive(NOW + 1, 5.75), True, "end_date_without_zone"),
        (naive(NOW - 50 * HOUR), False, None),
        (naive(NOW - 2.6 * HOUR - 130), False, None),
        ("2026-11-03", True, "end_date_without_time"),
        ("2026-11-02", True, "end_date_without_time"),
        ("2026-11-01", False, None),
        ("2020-01-01", False, None),
        (None, True, "end_date_missing"),
        ("", True, "end_date_missing"),
        ("soon", True, "end_date_unreadable"),
        ("9999-99-99T99:99:99", True, "end_date_unreadable"),
    ],
)
def test_end_date_against_our_first_put(end_date: str | None, ours: bool, weakness: str | None) -> None:
    """An endDate that clearly lies before our PUT is another's; weak evidence is named."""
    assert who_closed(end_date, TOUCH) == (ours, weakness)


@pytest.mark.parametrize(
    ("end_date", "ours"),
    [
        (zoned(NOW + 1), True),
        (zoned(NOW - HOUR / 2), False),
        (zoned(NOW - 2 * HOUR), True),
        (naive(NOW + 1, -5), True),
        (naive(NOW - HOUR / 2 - 130), False),
        ("2020-01-01", True),
        ("2020-01-01T00:00:00Z", True),
        (None, True),
        ("soon", True),
    ],
)
def test_a_batch_seen_open_an_hour_before_our_put(end_date: str | None, ours: bool) -> None:
    """Closed after it was seen open and before our PUT: another's. Before that: a wrong clock."""
    assert who_closed(end_date, TOUCH._replace(open_at=NOW - HOUR)).ours is ours


@pytest.mark.parametrize(
    ("end_date", "weakness"),
    [
        (zoned(NOW + 1), None),
        (naive(NOW + 1, -5), None),
        (None, None),
        ("2020-01-01T00:00:00Z", CONTRADICTED),
        ("2020-01-01", CONTRADICTED),
    ],
)
def test_seen_open_after_its_end_date(end_date: str | None, weakness: str | None) -> None:
    """A list that is behind, or a date that is no close's: which of them, nobody can know, so it is named."""
    assert who_closed(end_date, TOUCH._replace(open_at=NOW - HOUR)) == (True, weakness)


def test_seen_open_after_our_put() -> None:
    """Open after a PUT of ours and closed now: ours, whatever endDate says."""
    touch = TOUCH._replace(open_at=NOW + 2)
    assert all(
        who_closed(text, touch).ours for text in (zoned(NOW - HOUR), naive(NOW - 2.6 * HOUR), "2020-01-01")
    )


@pytest.mark.parametrize("ahead_s", [-7200.0, -300.0, 300.0, 86400.0])
def test_a_server_with_another_clock(ahead_s: float) -> None:
    """endDate is compared in the server's time, which its Date header tells."""
    touch = Touch(NOW, NOW + 5, server_at=NOW + 5 + ahead_s)
    assert who_closed(zoned(NOW + 1 + ahead_s), touch).ours
    assert not who_closed(zoned(NOW + ahead_s - HOUR), touch).ours


@given(
    since=st.floats(0, 60),
    took=st.floats(0, 100),
    share=st.floats(0, 1),
    quarter=st.integers(-48, 56),
    form=st.sampled_from([zoned, naive]),
)
def test_what_we_closed_is_never_given_away(
    since: float, took: float, share: float, quarter: int, form: object
) -> None:
    """Whatever the form and zone of endDate: a close within our own time is never said to be another's."""
    touch = Touch(NOW + since, NOW + since + took)
    closed_at = touch.since + share * took
    write = zoned if form is zoned else naive
    assert who_closed(write(closed_at, quarter / 4), touch).ours


@given(st.floats(SLACK_S + 1, 1e8), st.integers(-48, 56))
def test_an_older_zoned_close_is_never_claimed(before_s: float, quarter: int) -> None:
    """With a zone in endDate, what was closed before our PUT is never claimed as ours."""
    assert not who_closed(zoned(NOW - before_s, quarter / 4), TOUCH).ours


@pytest.mark.parametrize(
    ("end_date", "shown", "shown_if_seen_open"),
    [
        (zoned(NOW + 1), True, True),
        (zoned(NOW + 1, -5), True, True),
        (zoned(NOW - 1), False, False),
        (zoned(NOW + 60), False, False),
        (zoned(NOW).replace(".000", ""), True, True),
        (naive(NOW + 1), False, True),
        (naive(NOW + 1, 5.75), False, True),
        (naive(NOW - 60), False, False),
        ("2026-11-03", False, False),
        ("soon", False, False),
        (None, False, False),
    ],
)
def test_a_close_that_was_refused_and_done(
    end_date: str | None, shown: bool, shown_if_seen_open: bool
) -> None:
    """Only an instant within the time of our PUTs shows it; without a zone it may be one of long ago."""
    assert shows_ours(end_date, TOUCH) is shown
    assert shows_ours(end_date, TOUCH._replace(open_at=NOW - HOUR)) is shown_if_seen_open


@given(st.text(max_size=40))
def test_any_text_is_survived(text: str) -> None:
    """Whatever stands in endDate, there is a verdict."""
    assert who_closed(text, TOUCH).ours in {True, False}
    assert shows_ours(text, TOUCH) in {True, False}
