"""Where two truths look the same from outside: what is said then, and the word that tells of the doubt."""

from __future__ import annotations

import time

import pytest

from tests.e2e.laws import check_laws
from tests.e2e.support import FIRST, Program, a_batch
from worker.simulator.options import EndDate, Nulls, Options, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted
from worker.simulator.world import State, World

TWO_HOURS_S = 7200.0


def test_another_closes_it_right_after_our_lost_close(program: Program) -> None:
    """Seen open after our PUT and closed a moment later: a late arrival of ours looks the same."""
    faults = scripted(by_id={FIRST: script(put=["500", "rival"])})
    with simulator_thread(Options(faults=faults), world=World({FIRST: a_batch(FIRST)})) as simulator:
        ran = program.close(simulator, ids=[FIRST])
        check_laws(simulator, ran)
    line = ran.by_id[FIRST]
    assert (line["outcome"], line["confirmed_by"]) == ("closed", "lookup")


@pytest.mark.parametrize(("end_date", "outcome"), [(EndDate.UTC, "closed"), (EndDate.DATE, "already_closed")])
@pytest.mark.parametrize("fault", ["close_then_409", "rival"])
def test_a_refusal_and_a_close_at_once(program: Program, fault: str, end_date: EndDate, outcome: str) -> None:
    """Closed and refused all the same, or closed by another at that instant: only endDate has a say."""
    faults = scripted(by_id={FIRST: script(put=[fault])})
    options = Options(faults=faults, unknowns=Unknowns(end_date=end_date, already_closed=409))
    with simulator_thread(options, world=World({FIRST: a_batch(FIRST)})) as simulator:
        ran = program.close(simulator, ids=[FIRST])
        check_laws(simulator, ran)
    assert (ran.by_id[FIRST]["outcome"], ran.by_id[FIRST]["reason"]) == (outcome, "http_409")


@pytest.mark.parametrize(
    ("unknowns", "reason"),
    [
        (Unknowns(end_date=EndDate.NULL), "end_date_missing"),
        (Unknowns(nulls=Nulls.BARE), "end_date_missing"),
        (Unknowns(end_date=EndDate.DATE), "end_date_without_time"),
        (Unknowns(end_date=EndDate.NAIVE_UTC), "end_date_without_zone"),
    ],
)
def test_an_end_date_that_tells_too_little(program: Program, unknowns: Unknowns, reason: str) -> None:
    """A lost answer, and an end date that fits a close of ours: said to be ours, with the doubt named.

    It was closed whole hours ago, which without a zone may as well be now in another one.
    """
    now = time.time()
    batch = a_batch(FIRST, State.CLOSED, now, closed_at=now - TWO_HOURS_S)
    faults = scripted(by_id={FIRST: script(put=["drop_before"])})
    with simulator_thread(
        Options(faults=faults, unknowns=unknowns), world=World({FIRST: batch})
    ) as simulator:
        ran = program.close(simulator, ids=[FIRST])
        check_laws(simulator, ran)
    line = ran.by_id[FIRST]
    assert (line["outcome"], line["confirmed_by"], line["reason"]) == ("closed", "lookup", reason)
