"""Progress: right numbers, a line now and then, a bar that fits the terminal."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from worker.telemetry import Progress, open_log
from worker.telemetry.bar import bar_line
from worker.telemetry.pace import Mark, Pace, View, clock_text, is_due, view_of
from worker.words.model import Outcome

from .support import Clock, Terminal


def events(stderr: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        (Mark(10.0, 0), Mark(0.0, 0), True),
        (Mark(9.9, 9), Mark(0.0, 0), False),
        (Mark(2.0, 10), Mark(0.0, 9), True),
        (Mark(0.9, 10), Mark(0.0, 9), False),
        (Mark(2.0, 19), Mark(0.0, 10), False),
    ],
)
def test_due(now: Mark, last: Mark, due: bool) -> None:
    """A line is due every ten seconds, or at every tenth if a second has passed."""
    assert is_due(now, last, total=100) is due


def test_plain_lines() -> None:
    """Off a terminal, a log event comes now and then, and the last one says where things stand."""
    stderr, clock = io.StringIO(), Clock()
    progress = Progress(100, open_log(stderr), clock=clock)
    with progress:
        for number in range(55):
            clock.at += 0.25
            progress.settled(Outcome.CLOSED if number else Outcome.HELD)
    said = events(stderr)
    assert [each["done"] for each in said] == [10, 20, 30, 40, 50, 55]
    assert said[-1]["outcomes"] == {"closed": 54, "held": 1}
    assert (said[-1]["per_s"], said[-1]["left_s"]) == (4.0, 11.2)


def test_what_was_not_attempted_is_no_progress() -> None:
    """A run that is stopped settles the rest at once: that is no rate, and it is not done."""
    stderr, clock = io.StringIO(), Clock()
    with Progress(100, open_log(stderr), clock=clock) as progress:
        clock.at += 2
        for outcome in [Outcome.CLOSED] * 8 + [Outcome.NOT_ATTEMPTED] * 92:
            progress.settled(outcome)
    (said,) = events(stderr)
    assert (said["done"], said["per_s"], said["outcomes"]) == (8, 4.0, {"closed": 8})


def test_earlier_sessions() -> None:
    """What earlier sessions settled counts as done, but not for the rate."""
    stderr, clock = io.StringIO(), Clock()
    with Progress(100, open_log(stderr), before={Outcome.CLOSED: 90}, clock=clock) as progress:
        clock.at += 10
        progress.settled(Outcome.FAILED)
    (said,) = events(stderr)
    assert (said["done"], said["per_s"], said["outcomes"]) == (91, 0.1, {"closed": 90, "failed": 1})


def test_pace_forgets() -> None:
    """The rate is that of the last twenty seconds or so, so that a pause long ago doesn't show."""
    pace = Pace()
    assert pace.per_s(Mark(0.0, 0)) is None
    rates = [pace.per_s(Mark(float(at), 0 if at < 100 else (at - 100) * 5)) for at in range(1, 141)]
    assert (rates[98], rates[139]) == (0.0, 5.0)
    assert len(pace.marks) < 110


def test_words() -> None:
    """The words beside the bar name outcomes, several that aren't fine together, rate or pause, time left."""
    counts = {Outcome.CLOSED: 1200, Outcome.HELD: 3, Outcome.FAILED: 0}
    view = view_of(counts, 2403, per_s=10.0, paused_s=-1)
    assert view == View("1,203/2,403", "1,200 closed, 3 held", "10.0/s", "2:00 left")
    assert view_of(counts, 2403, None, 0.2)[2:] == ("paused 1 s", "")
    more = counts | {Outcome.ALREADY_CLOSED: 2, Outcome.FAILED: 4}
    assert view_of(more, 2403, None, 0)[1] == "1,200 closed, 2 already_closed, 7 others"


@given(st.integers(20, 200), st.floats(0, 1), st.integers(0, 10**6), st.floats(0, 1000))
def test_bar_fits(width: int, share: float, count: int, per_s: float) -> None:
    """The bar is one line, never wider than the terminal."""
    view = view_of(dict.fromkeys(Outcome, count), 10**7, per_s, 0)
    console = Console(file=io.StringIO(), width=width, legacy_windows=False)
    lines = console.render_lines(bar_line(share, view, width))
    assert len(lines) == 1
    assert sum(segment.cell_length for segment in lines[0]) <= width


def test_live() -> None:
    """On a terminal the bar ends at the final numbers, and warnings stand above it."""
    terminal = Terminal()
    log = open_log(terminal, fmt="console")
    progress = Progress(2, log, terminal)
    progress.start()
    progress.settled(Outcome.CLOSED)
    log.settled(b'{"batch_id":77,"outcome":"held"}\n', fine=False)
    progress.settled(Outcome.HELD)
    progress.paused(0.0)
    progress.stop()
    log.info("run.finished")
    shown = terminal.getvalue()
    assert shown.index("77") < shown.rindex("2/2") < shown.index("ended after")
    assert log.broken == ()


def test_live_on_a_broken_terminal() -> None:
    """A terminal that goes away ends the bar, not the run."""
    terminal = Terminal()
    log = open_log(Terminal(), fmt="console")
    with Progress(2, log, terminal) as progress:
        terminal.close()
        progress.settled(Outcome.CLOSED)
        log.warning("run.paused")
    assert len(log.broken) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (65, "1:05"),
        (7384, "2:03:04"),
        (400_000, "4 days"),
        (3599.7, "1:00:00"),
        (float("inf"), "11,574 days"),
    ],
)
def test_clock_text(seconds: float, text: str) -> None:
    """Time left is written as on a clock."""
    assert clock_text(seconds) == text
