"""What holds for every batch of a run, and one batch under way."""

from __future__ import annotations

from dataclasses import dataclass

from worker.engine.stop import Stop
from worker.rules.course import Course, Gate
from worker.rules.gate import begin, begin_after_interruption, begin_seen, begin_spent
from worker.rules.guards import Bounds
from worker.words.model import Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """How batches are looked at before they are closed."""

    bounds: Bounds
    wait_analyzing_s: float = 0.0

    def gate_of(self, planned: Planned) -> Gate:
        """What this batch has to pass."""
        return Gate(self.bounds, planned.controls, planned.before, self.wait_analyzing_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for every batch of one run."""

    run_id: str
    stop: Stop  # the run's own; a worker that serves many runs has another for itself
    care: Care | None = None  # None: the closes are sent straight away

    def course_of(self, planned: Planned, now: float, spent: str | None = None) -> Course:
        """Where a batch begins, now (Unix time); ``spent`` says why no PUT may be sent for it any more."""
        gate = None if self.care is None else self.care.gate_of(planned)
        if spent is not None:
            return begin_spent(planned.attempts, planned.first_attempt_at, spent)
        if planned.first_attempt_at is not None:
            return begin_after_interruption(planned.attempts, planned.first_attempt_at, gate)
        if gate is None or planned.look is None:
            return begin(gate)
        return begin_seen(gate, planned.look, ago_s=now - planned.look.at)


@dataclass(slots=True)
class Job:
    """A batch under way."""

    planned: Planned
    course: Course
    begun_at: float  # on the monotonic clock
    terms: Terms
    lost: bool = False  # another has it now: nothing of it is to be recorded here

    @property
    def rests(self) -> bool:
        """Whether it waits because it is not time yet, rather than because something failed."""
        return self.course.wait_s > 0
