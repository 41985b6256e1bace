"""What a worker does about a run out of its queue, now and when it meets it again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from worker.words.model import Stopped

LONGEST_PAUSE_S: Final = 900.0


class Next(StrEnum):
    """What a worker does after a run."""

    GO_ON = "go_on"  # take what waits
    PAUSE = "pause"  # try the same run again later, less and less often
    LEAVE = "leave"  # the run is left to a person, and the worker goes on
    END = "end"  # the worker ends, with the run's exit code


def is_continued(stopped: Stopped | None) -> bool:
    """Whether a worker continues an unfinished run by itself.

    Not one that an abort rule or a stall ended: a person has to see what is wrong first.
    """
    return stopped is not Stopped.ABORT


def next_after(stopped: Stopped | None, *, once: bool) -> Next:
    """What a worker does after a run that ended so; ``once``: it is to end when nothing waits."""
    match stopped:
        case None:
            return Next.GO_ON
        case Stopped.ABORT:
            return Next.LEAVE
        case Stopped.DEADLINE:
            # The deadline is the run's where a worker goes on for days, and that of one pass otherwise.
            return Next.END if once else Next.LEAVE
        case Stopped.UNREACHABLE:
            return Next.END if once else Next.PAUSE
        case Stopped.KEY | Stopped.SIGNAL | Stopped.DISK | Stopped.QUEUE:
            return Next.END


def is_over(*, finished: bool, ended: bool, stopped: Stopped | None) -> bool:
    """Whether who waits for a run need wait no longer.

    ``finished``: nothing of it is left; ``ended``: its last session ended in order. A worker that was
    told to stop is mostly started again, and then goes on with the run.
    """
    return finished or (ended and stopped not in {None, Stopped.SIGNAL})


def pause_s(poll_s: float, failures: int) -> float:
    """How long to wait, after so many failures in a row, before the API is tried again: seconds."""
    return max(poll_s, min(poll_s * 2.0 ** min(failures, 32), LONGEST_PAUSE_S))


def worst_of(exit_codes: Iterable[int]) -> int:
    """The exit code of several runs: what stopped one of them counts more than outcomes."""
    order = (0, 3, 4, 5, 1)
    return max(exit_codes, key=lambda code: order.index(code) if code in order else len(order), default=0)
