"""Whether the machine was quiet: what others than the harness and its children used of the processors."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import NamedTuple

QUIET = 0.03
"""With more than this share of all cores used by others, figures are not to be relied on."""


class Used(NamedTuple):
    """CPU seconds used until an instant, since whenever; None where the system doesn't tell of all."""

    at: float
    by_all_s: float | None
    by_us_s: float


def used() -> Used:
    """Of us, what is still running is not in it."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    by_us_s = sum(usage.ru_utime + usage.ru_stime for usage in both)
    return Used(time.monotonic(), _by_all_s(), by_us_s)


def by_others(before: Used, after: Used) -> float | None:
    """The share of all cores that others used in between, a hypervisor's other guests included."""
    if before.by_all_s is None or after.by_all_s is None:
        return None
    others_s = after.by_all_s - before.by_all_s - (after.by_us_s - before.by_us_s)
    return max(others_s, 0.0) / ((after.at - before.at) * (os.cpu_count() or 1))


def told(share: float | None) -> str:
    """A line for the page."""
    if share is None:
        return "not known"
    line = f"{share:.1%} of all cores"
    return line if share <= QUIET else f"{line}: **not a quiet machine, so rely on no figure here**"


def _by_all_s() -> float | None:
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return None
    user, nice, system, _idle, _iowait, *interrupts_and_stolen = map(int, first.split()[1:9])
    return (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")
