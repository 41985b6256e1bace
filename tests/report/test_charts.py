"""Charts are well-formed, stay in their room, and put things where they belong."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.pages import START, mixed, result, summary_of
from worker.report.page.charts import latency_chart, outcome_bar, progress_chart
from worker.report.page.charts.progress import clock
from worker.report.page.money import OTHERS, UNTOLD, Money
from worker.report.page.svg import ticks
from worker.report.page.timeline import Timeline, Working
from worker.rules.summary import Latency, LatencyMs, Span
from worker.words.model import Outcome


def shares(svg: str) -> list[float]:
    """Every place and width across."""
    ET.fromstring(svg)
    return [float(each) for each in re.findall(r'(?:x|x1|x2|width)="([\d.-]+)%"', svg)]


@given(st.dictionaries(st.sampled_from(Outcome), st.integers(0, 10**6)))
def test_the_outcome_bar(outcomes: dict[Outcome, int]) -> None:
    """A stretch for each outcome that occurred, together the whole width, and none too thin to be seen."""
    svg = str(outcome_bar(outcomes))
    widths = [float(each) for each in re.findall(r'<rect[^>]* width="([\d.]+)%"', svg)]
    assert len(widths) == sum(count > 0 for count in outcomes.values())
    if widths:
        ET.fromstring(svg)
        assert sum(widths) == pytest.approx(100, abs=0.1)
        assert min(widths) > 0.5


@given(
    st.lists(st.tuples(st.floats(0, 1e7), st.floats(0, 1e5)), min_size=1, max_size=4),
    st.lists(st.floats(0, 2e7), max_size=30),
    st.lists(st.tuples(st.floats(0, 1e7), st.floats(0, 1e4)), max_size=4),
)
def test_progress(
    spans: list[tuple[float, float]], settled: list[float], paused: list[tuple[float, float]]
) -> None:
    """Whatever the sessions, instants and pauses, every batch is counted and nothing is out of the room."""
    timeline = Timeline(Working([Span(at, at + length_s) for at, length_s in spans]))
    for at in settled:
        timeline.add(result(1, settled_at=at))
    assert timeline.settled == len(settled)
    assert len(timeline.counts) <= 121
    svg = str(progress_chart(timeline, len(settled), [Span(at, at + s) for at, s in paused]))
    assert bool(svg) is bool(settled)
    if settled:
        assert all(0 <= share <= 100 for share in shares(svg))
        assert svg.count('class="pause"') == len(paused)
        assert svg.count('class="session"') == len(spans) - 1


def test_the_working_clock_stands_between_sessions() -> None:
    """Between two sessions no time passes; before the first one it is its start."""
    working = Working([Span(100, 110), Span(1000, 1020)])
    assert [working.at(at) for at in (0, 105, 110, 500, 1000, 1015, 9999)] == [0, 5, 10, 10, 10, 25, 30]
    assert Working.of(summary_of(mixed(40))).total_s == pytest.approx(1.2)


def test_not_tried_is_not_progress() -> None:
    """Entries of which nothing was ever done don't count as settled."""
    timeline = Timeline(Working([Span(START, START + 10)]))
    for outcome in Outcome:
        timeline.add(result(1, outcome))
    assert timeline.settled == len(Outcome) - 2


@given(st.lists(st.floats(1e-5, 1e3), max_size=50))
def test_latency(durations: list[float]) -> None:
    """Every answer is in a column, whatever it took."""
    latency = Latency()
    for each in durations:
        latency.add(each)
    buckets = latency.buckets()
    assert sum(buckets.values()) == len(durations)
    svg = str(latency_chart(buckets, latency.in_ms()))
    assert bool(svg) is bool(durations)
    if durations:
        assert all(0 <= share <= 100 for share in shares(svg))
        told = [int(each) for each in re.findall(r"<title>([\d]+) within", svg)]
        assert sum(told) == len(durations)


def test_no_answers() -> None:
    """A run without answers has no chart of them."""
    assert not latency_chart({}, LatencyMs(None, None, None, None))


@pytest.mark.parametrize(
    ("highest", "expected"),
    [(7, [5, 10]), (400, [200, 400]), (1, [1]), (3, [2, 4]), (0, [1]), (99_999, [50_000, 100_000])],
)
def test_ticks(highest: float, expected: list[float]) -> None:
    """Values on an axis are round, and the last one is not below the highest."""
    assert ticks(highest, 2, whole=True) == expected


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0"), (0.25, "0.25 s"), (9, "9 s"), (65, "1:05"), (7384, "2:03:04")]
)
def test_clock(seconds: float, text: str) -> None:
    """Times after the start are short."""
    assert clock(seconds) == text


def test_money_by_period() -> None:
    """Periods stand in order, then other names; the sums hold what was closed alone; names are bounded."""
    money = Money()
    for each in mixed(50):
        money.add(each)
    money.add(result(1, account_period=None))
    money.add(result(1, account_period="P3\x1b[2J"))
    periods = [each.period for each in money.sorted()]
    assert periods == ["2026-10", "2026-11", "P3?[2J", UNTOLD]
    for n in range(600):
        money.add(result(n, account_period=f"P{n}"))
    assert len(money.sorted()) == 501
    assert money.sorted()[-2].period == OTHERS
    assert sum(each.closed.batches for each in money.sorted()) == 44 + 2 + 600
