"""Every fault the simulator knows, in every position of a retry sequence: the report is the truth."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random
from typing import NamedTuple

import pytest

from tests.e2e.laws import check_laws, check_truth
from tests.e2e.support import FIRST, Program, a_batch
from worker.simulator.faults import BY_NAME
from worker.simulator.options import Options, Unknowns
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import script, scripted
from worker.simulator.world import State, World

UNCLEAR = (
    *("500", "502", "503", "408", "close_then_500", "close_then_503", "close_then_408", "drop_before"),
    *("drop_after", "reset_before", "reset_after", "drop_headers", "truncated", "truncated_before"),
    *("html", "html_after", "garbage", "garbage_after", "empty", "empty_after", "not_closed", "wrong_id"),
    *("bad_http", "bad_http_after", "huge", "gzip_bomb"),
)
"""After these a batch is looked up, and tried again if it is still open."""
DECIDING = (
    *("ok", "slow:0.01", "400", "409", "422", "echo_key", "redirect", "redirect_after"),
    *("401", "403", "404", "close_then_409", "close_then_401"),
)
FIRST_ONLY = ("rival:3",)
"""Another's close right after our lost one can't be told from ours: see test_what_nobody_can_know."""
ELSEWHERE = {"hang", "hang_after", "drop_reused", "drop_reused_after", "key_dead", "rival"}
"""These have tests of their own: they take their time, or are about more than one batch."""
READS = (
    *("ok", "500", "503", "408", "400", "403", "401", "drop_before", "reset_before", "drop_headers"),
    *("truncated", "html", "garbage", "empty", "wrong_id", "redirect", "bad_http", "huge"),
)


class Case(NamedTuple):
    """A batch and what happens to its requests; after the scripts come true answers."""

    put: Sequence[str]
    get: Sequence[str] = ()
    state: State = State.OPEN


def single_and_paired() -> Iterator[Case]:
    """One fault alone in each state of the batch, then each second fault after each that is retried."""
    for kind in UNCLEAR + DECIDING + FIRST_ONLY:
        for state in State:
            if kind not in FIRST_ONLY or state is not State.CLOSED:
                yield Case((kind,), (), state)
    for first in UNCLEAR:
        for second in UNCLEAR + DECIDING:
            yield Case((first, second))


def with_faulty_reads() -> Iterator[Case]:
    """Each fault of a close with each of a read; then with reads that fail until nobody asks again."""
    for put in UNCLEAR + DECIDING + FIRST_ONLY:
        for get in READS:
            yield Case((put,), (get,))
    for turn, put in enumerate(UNCLEAR + DECIDING):
        for last in range(turn % 3, len(READS), 3):
            yield Case((put,), (READS[last],) * 5)


def chosen(seed: int) -> Iterator[Case]:
    """Longer sequences, chosen at random."""
    rng = Random(seed)
    while True:
        put = [rng.choice(UNCLEAR) for _ in range(rng.randint(2, 4))] + [rng.choice(DECIDING + UNCLEAR)]
        get = [rng.choice(READS) if rng.random() < 0.5 else "ok" for _ in range(rng.randint(0, 8))]
        state = rng.choices(tuple(State), (8, 1, 1, 1))[0]
        yield Case(put, get, state)


def run_cases(program: Program, cases: Sequence[Case], *arguments: str) -> tuple[Simulator, object]:
    """All cases in one run, and every law over it."""
    now = time.time()
    ids = range(FIRST, FIRST + len(cases))
    world = World(
        {i: a_batch(i, case.state, now) for i, case in zip(ids, cases, strict=True)},
        list(ids),
    )
    faults = scripted(by_id={i: script(put=c.put, get=c.get) for i, c in zip(ids, cases, strict=True)})
    options = Options(faults=faults, huge_bytes=1_500_000, unknowns=Unknowns(already_closed=409))
    with simulator_thread(options, world=world) as simulator:
        ran = program.close(simulator, "--abort", "none", *arguments, ids=ids)
        assert ran.code == 3, ran.err
        check_laws(simulator, ran)
        check_truth(simulator, ran)
    return simulator, ran


def test_no_fault_is_left_out() -> None:
    """A fault that the simulator learns must be put into a position here, or have a test of its own."""
    assert set(BY_NAME) <= {*UNCLEAR, *DECIDING, *FIRST_ONLY, *ELSEWHERE}


def test_each_fault_alone_and_each_pair(program: Program) -> None:
    """All sequences of one and of two faults of a close end as the server's truth says."""
    simulator, _ = run_cases(program, list(single_and_paired()))
    seen = simulator.requests.by_fault()
    assert all(seen[kind] >= len(UNCLEAR) for kind in UNCLEAR)


def test_each_fault_with_faulty_reads(program: Program) -> None:
    """Whatever a close and then its look-up meet, nothing is said that isn't so."""
    run_cases(program, list(with_faulty_reads()))


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_longer_sequences(program: Program, seed: int) -> None:
    """Three to five faults in a row, reads failing in between, in every state of the batch."""
    run_cases(program, list(islice(chosen(seed), 350)))


@pytest.mark.parametrize("attempts", [1, 2])
def test_few_attempts(program: Program, attempts: int) -> None:
    """With the last attempt allowed spent, a look-up has the last word."""
    cases = list(islice(chosen(3), 150))
    now = time.time()
    world = World({i: a_batch(i, c.state, now) for i, c in enumerate(cases, FIRST)})
    faults = scripted(by_id={i: script(put=c.put, get=c.get) for i, c in enumerate(cases, FIRST)})
    options = Options(faults=faults, huge_bytes=1_500_000)
    with simulator_thread(options, world=world) as simulator:
        ran = program.close(simulator, "--abort", "none", "--max-attempts", str(attempts), ids=world.batches)
        check_laws(simulator, ran, attempts)
        check_truth(simulator, ran, attempts)
    assert ran.summary["outcomes"]["failed"] > 0
