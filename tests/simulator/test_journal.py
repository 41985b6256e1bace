"""The journal of requests, the rates it shows, and the server's own limit."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.simulator.faults import Route
from worker.simulator.journal import Journal, busiest_second
from worker.simulator.limiter import SlidingWindow


def test_a_request_is_remembered_whole() -> None:
    """What was noted of a request can be read back, the usual line or another."""
    journal = Journal()
    journal.arrived(1.0, Route.PUT, 7, "PUT", "/api/v3/batch/close/7")
    entry = journal.arrived(2.0, Route.LIST, None, "GET", "/api/v3/batch?pageSize=2")
    journal.faulted(entry, "500")
    journal.answered(entry, 500)
    assert journal[0] == (1.0, Route.PUT, "PUT", "/api/v3/batch/close/7", 7, "ok", None)
    assert journal[-1] == (2.0, Route.LIST, "GET", "/api/v3/batch?pageSize=2", None, "500", 500)
    assert len(list(journal)) == 2
    assert journal.by_route() == {Route.PUT: 1, Route.LIST: 1}
    assert journal.by_fault() == {"ok": 1, "500": 1}
    with pytest.raises(IndexError):
        journal[2]


def test_closes_cost_no_objects() -> None:
    """A close and a read leave numbers alone, so a million are fine."""
    journal = Journal()
    for batch_id in range(1, 1001):
        journal.arrived(1.0, Route.PUT, batch_id, "PUT", f"/api/v3/batch/close/{batch_id}")
        journal.arrived(1.0, Route.GET, batch_id, "GET", f"/api/v3/batch/{batch_id}")
    assert not journal._lines


@given(st.lists(st.floats(0, 5), max_size=40))
def test_the_busiest_second_is_the_busiest(instants: list[float]) -> None:
    """No window of one second that starts at a request holds more."""
    ordered = sorted(instants)
    slow = max((sum(start <= at and at - start < 1 for at in ordered) for start in ordered), default=0)
    assert busiest_second(array("d", ordered)) == slow


def test_the_average_is_between_first_and_last() -> None:
    """Five requests in two seconds are two a second."""
    journal = Journal()
    assert journal.average_per_s() == 0.0
    for at in (0.0, 0.5, 1.0, 1.5, 2.0):
        journal.arrived(at, Route.ME, None, "GET", "/api/v3/me")
    assert journal.average_per_s() == 2.0


@given(st.sampled_from([0.5, 1.0, 3.0, 10.0]), st.integers(0, 3), st.lists(st.integers(0, 400), max_size=60))
def test_the_limit_holds_in_any_window(rate: float, burst: int, gaps: list[int]) -> None:
    """Never more than rate and burst in a window, and the wait it names is enough."""
    limit, now, taken = SlidingWindow(rate, burst), 0.0, array("d")
    for gap in gaps:
        now += gap / 1024  # exact in binary, so that the window's edge is one
        wait_s = limit.wait_s(now)
        if wait_s:
            now += wait_s
            assert limit.wait_s(now) == 0.0
        taken.append(now)
    window = max(1.0, 1 / rate)
    scaled = array("d", (at / window for at in taken))
    assert busiest_second(scaled) <= max(1, rate) + burst
