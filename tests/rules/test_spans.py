"""Pauses are counted whole and kept in bounded number; sessions add up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.summary import Pauses, Span
from worker.rules.summary.spans import MOST_PAUSES

pauses_told = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 100)), max_size=20)


def fold(told: list[tuple[float, float]]) -> Pauses:
    folded = Pauses()
    for from_at, length_s in sorted(told):
        folded.add(from_at, from_at + length_s)
    return folded


@given(pauses_told)
def test_pauses_are_the_time_nothing_was_sent(told: list[tuple[float, float]]) -> None:
    """Pauses that overlap are one; those kept lie apart, in order, and make up the total."""
    folded = fold(told)
    assert len(folded.longest) == folded.count
    assert sum(span.length_s for span in folded.longest) == pytest.approx(folded.total_s, abs=1e-6)
    for before, after in zip(folded.longest, folded.longest[1:], strict=False):
        assert before.until_at < after.from_at


def test_the_longest_are_kept() -> None:
    """Of more than a hundred pauses the longest are known by their instants; number and total stay right."""
    folded = fold([(n * 100.0, 50.0 if n % 3 else 1.0) for n in range(300)])
    assert (folded.count, folded.total_s) == (300, 200 * 50 + 100)
    assert len(folded.longest) == MOST_PAUSES
    assert {span.length_s for span in folded.longest} == {50.0}
    assert folded.longest == sorted(folded.longest)


def test_a_session_ends_in_a_pause() -> None:
    """A pause lasts no longer than the session."""
    folded = fold([(10, 5), (20, 60)])
    assert folded.cut(30) == Pauses(2, 15, [Span(10, 15), Span(20, 30)])
    assert folded.cut(5).total_s == 5
    assert folded.cut(90) is folded


@given(pauses_told, pauses_told)
def test_sessions_add_up(first: list[tuple[float, float]], second: list[tuple[float, float]]) -> None:
    """What two sessions paused, one of them stored as JSON between, is counted together."""
    one, other = fold(first), fold(second)
    count, total_s = one.count + other.count, one.total_s + other.total_s
    one.merge(Pauses.from_json_dict(json.loads(json.dumps(other.to_json_dict()))))
    assert one.count == count
    assert one.total_s == pytest.approx(total_s, abs=0.001)
    assert one.longest == sorted(one.longest)
