"""No second sees more requests than the rate and the burst allow, look-ups and all."""

from __future__ import annotations

from math import ceil

import pytest

from tests.e2e.laws import check_laws, check_truth
from tests.e2e.support import FIRST, Program, a_world
from worker.ledger.group import Group
from worker.ledger.journal import Journal, Recorded
from worker.simulator.options import Options, Pace
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import fault_plan


@pytest.mark.parametrize(
    ("rate", "burst", "batches", "shares"),
    [
        (50, 1, 120, ()),
        (50, 10, 120, ("put:500=20%",)),
        (1000, 1, 1500, ("put:close_then_500=10%",)),
    ],
)
def test_the_rate_is_never_exceeded(
    program: Program, rate: int, burst: int, batches: int, shares: tuple[str, ...]
) -> None:
    """In any sliding second at most rate + burst, and 1 % for late timers, as the server sees it."""
    ids = range(FIRST, FIRST + batches)
    options = Options(faults=fault_plan(shares=shares, seed=1), pace=Pace(latency_s=(0.0, 0.002)))
    with simulator_thread(options, world=a_world(batches)) as simulator:
        ran = program.close(simulator, "--rate", str(rate), "--burst", str(burst), ids=ids)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
        # The server shares this process: what a busy machine lets pile up before it, it notes as one. To the
        # slot the pacer is tried in virtual time (tests/engine), and by servers of their own (make bench).
        assert simulator.max_seen_per_second() <= ceil((rate + burst) * 1.01) + rate / 4
    assert ran.summary["outcomes"]["closed"] == batches
    assert ran.summary["rate"]["achieved_per_s"] > rate * 0.1


def test_closers_that_wait_for_the_rate_share_their_commits(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not sent yet need not be durable yet, and a commit costs more than a close."""
    commits = 0
    record = Journal.record

    def counted(journal: Journal, group: Group) -> Recorded:
        nonlocal commits
        commits += 1
        return record(journal, group)

    monkeypatch.setattr(Journal, "record", counted)
    with simulator_thread(Options(), world=a_world(80)) as simulator:
        paced = ("--rate", "100", "--burst", "1", "--concurrency", "16")
        ran = program.close(simulator, *paced, ids=range(FIRST, FIRST + 80))
        check_laws(simulator, ran)
    assert ran.summary["outcomes"]["closed"] == 80
    assert commits < 40
