"""What a worker does about runs, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.working import LONGEST_PAUSE_S, Next, is_continued, is_over, next_after, pause_s, worst_of
from worker.words.model import Stopped

AFTER = {
    None: (Next.GO_ON, Next.GO_ON),
    Stopped.ABORT: (Next.LEAVE, Next.LEAVE),
    Stopped.DEADLINE: (Next.LEAVE, Next.END),
    Stopped.UNREACHABLE: (Next.PAUSE, Next.END),
    Stopped.KEY: (Next.END, Next.END),
    Stopped.SIGNAL: (Next.END, Next.END),
    Stopped.DISK: (Next.END, Next.END),
    Stopped.QUEUE: (Next.END, Next.END),
}


@pytest.mark.parametrize("stopped", [None, *Stopped], ids=str)
def test_after_a_run(stopped: Stopped | None) -> None:
    """What a worker does that goes on for days, and one that is to end when nothing waits."""
    assert tuple(next_after(stopped, once=once) for once in (False, True)) == AFTER[stopped]


@pytest.mark.parametrize("stopped", [None, *Stopped], ids=str)
def test_a_run_that_was_cut_short(stopped: Stopped | None) -> None:
    """Is continued by the next worker, unless an abort rule or a stall ended it."""
    assert is_continued(stopped) is (stopped is not Stopped.ABORT)


@pytest.mark.parametrize(
    ("finished", "ended", "stopped", "over"),
    [
        (True, True, None, True),
        (False, False, None, False),  # under way, or killed
        (False, True, Stopped.SIGNAL, False),  # the worker is started again
        (False, True, Stopped.ABORT, True),
        (False, True, Stopped.KEY, True),
        (False, False, Stopped.ABORT, False),
    ],
)
def test_who_waits_need_wait_no_longer(
    finished: bool, ended: bool, stopped: Stopped | None, over: bool
) -> None:
    """Once nothing is left, or once the run won't be continued without somebody doing something."""
    assert is_over(finished=finished, ended=ended, stopped=stopped) is over


@given(st.floats(0.001, 86_400), st.integers(0, 10_000))
def test_pauses_grow_up_to_a_bound(poll_s: float, failures: int) -> None:
    """Never shorter than a poll, never longer than a quarter of an hour unless a poll is."""
    pause = pause_s(poll_s, failures)
    assert poll_s <= pause <= max(poll_s, LONGEST_PAUSE_S)
    assert pause <= pause_s(poll_s, failures + 1)


@pytest.mark.parametrize(
    ("codes", "worst"),
    [([], 0), ([0, 0], 0), ([0, 3], 3), ([4, 3], 4), ([3, 5, 4], 5), ([5, 1], 1), ([3, 143], 143)],
)
def test_the_worst_exit_code(codes: list[int], worst: int) -> None:
    """Stopped counts more than not fine, a fault more than that, a signal most."""
    assert worst_of(codes) == worst
