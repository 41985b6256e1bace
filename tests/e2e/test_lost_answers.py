"""Answers that never come, come too late, or whose connection the library would like to use twice."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.e2e.laws import check_laws, check_truth, visits_of
from tests.e2e.support import FIRST, Program, a_world
from worker.simulator.journal import Request
from worker.simulator.options import Options
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted


def routes(visits: Iterable[Request]) -> list[str]:
    return [request.route.value for request in visits]


def test_an_answer_that_never_comes_is_looked_up(program: Program) -> None:
    """Hanging and slow answers run into the time-out, whether the close was done or not."""
    kinds = ("hang", "hang_after", "slow:5")
    cases = [(kind, second) for kind in kinds for second in ("ok", "500", "drop_after", *kinds[:2])]
    ids = range(FIRST, FIRST + len(cases))
    faults = scripted(by_id={i: script(put=case) for i, case in zip(ids, cases, strict=True)})
    with simulator_thread(Options(faults=faults), world=a_world(len(cases))) as simulator:
        ran = program.close(simulator, "--timeout", "0.3", "--abort", "none", ids=ids)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
    assert ran.code == 0
    assert ran.summary["confirmed_by"]["lookup"] > 5


def test_a_read_that_never_comes_leaves_unknown(program: Program) -> None:
    """Five reads in vain and nobody knows; the batch goes into retry.txt."""
    faults = scripted(by_id={FIRST: script(put=["hang_after"], get=["hang"] * 5)})
    with simulator_thread(Options(faults=faults), world=a_world(1)) as simulator:
        ran = program.close(simulator, "--timeout", "0.1", ids=[FIRST])
        check_laws(simulator, ran)
        check_truth(simulator, ran)
    assert ran.by_id[FIRST]["outcome"] == "unknown"
    assert (ran.folder / "retry.txt").read_text() == f"{FIRST}\n"


def test_a_close_that_comes_late_is_ours(program: Program) -> None:
    """A PUT whose connection broke takes effect while the batch is read and tried again."""
    ids = range(FIRST, FIRST + 30)
    faults = scripted(by_id={i: script(put=["drop_late:0.005", "drop_late:0", "500"]) for i in ids})
    with simulator_thread(Options(faults=faults), world=a_world(30)) as simulator:
        ran = program.close(simulator, "--backoff", "0.05", "--max-backoff", "0.05", ids=ids)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
    assert {line["outcome"] for line in ran.results} == {"closed"}


@pytest.mark.parametrize(
    ("fault", "visits", "attempts"),
    [("drop_reused", ["put", "get", "put"], 2), ("drop_reused_after", ["put", "get"], 1)],
)
def test_a_dropped_connection_in_use_is_not_used_twice(
    program: Program, fault: str, visits: list[str], attempts: int
) -> None:
    """The second request of a kept connection is dropped: one PUT at the server for each attempt.

    aiohttp would send it again by itself: a close that worked would then be "already closed".
    """
    ids = range(FIRST, FIRST + 12)
    faults = scripted(by_id={i: script(put=["ok" if i == FIRST else fault]) for i in ids})
    with simulator_thread(Options(faults=faults), world=a_world(12)) as simulator:
        ran = program.close(simulator, "--concurrency", "1", ids=ids)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
        seen = visits_of(list(simulator.requests))
    dropped = [i for i in ids if len(seen[i]) > 1]
    assert len(dropped) >= 6, "the connection is kept and used again"
    assert all(routes(seen[i]) == visits for i in dropped)
    assert all(ran.by_id[i]["attempts"] == attempts for i in dropped)
    assert ran.summary["outcomes"]["closed"] == 12


def test_a_dropped_read_counts_too(program: Program) -> None:
    """A read on a kept connection is not re-sent behind the pacer's back either."""
    ids = range(FIRST, FIRST + 6)
    faults = scripted(by_id={i: script(put=["500"], get=["drop_reused"] * 2) for i in ids})
    with simulator_thread(Options(faults=faults), world=a_world(6)) as simulator:
        ran = program.close(simulator, "--concurrency", "1", ids=ids)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
        assert simulator.requests.by_fault()["drop_reused"] >= 6
    assert ran.code == 0
