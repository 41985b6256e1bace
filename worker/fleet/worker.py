"""What a worker brings along to a queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from worker.fleet.header import Header, Lesson
from worker.words.model import Result

KEPT_S: Final = 30 * 86400
"""So long a run that is done can be asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Who serves a queue, how, and by what means."""

    name: str  # unique: a lease belongs to it
    base_url: str
    standing: str  # settings, as JSON, of messages that belong to no run
    lease_s: float
    max_deliveries: int
    rate_per_s: float | None  # as asked for; None: it sends nothing
    learn: Callable[[Header], Lesson]
    encode: Callable[[Result], bytes]  # a result as a line
    redact: Callable[[str], str]
    wall: Callable[[], float]
