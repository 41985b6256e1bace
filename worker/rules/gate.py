"""Before a PUT: is the batch fit to be closed, is it to be looked at again, or is it held?"""

from __future__ import annotations

from typing import Final

from worker.rules.course import Course, Ending, Gate, Step, settled
from worker.rules.guards import judge_all
from worker.words.model import Batch, BatchState, Look, Outcome

_SOONEST_S: Final = 1.0
_LATEST_S: Final = 30.0
_UNTOUCHED: Final = Course()


def begin(gate: Gate | None = None) -> Course:
    """A batch that no one has touched or seen yet: with a gate it is looked at first."""
    return _UNTOUCHED if gate is None else Course(step=Step.LOOK_UP, gate=gate)


def begin_seen(gate: Gate, look: Look, ago_s: float = 0.0) -> Course:
    """A batch that this session saw so long ago, in the list of batches, and no one has touched yet."""
    if look.batch.state not in {BatchState.OPEN, BatchState.PENDING}:
        return begin(gate)
    course = ask_guards(Course(gate=gate, open_at=look.at), look)
    return course._replace(wait_s=max(course.wait_s - max(ago_s, 0.0), 0.0))


def begin_after_interruption(attempts: int, first_attempt_at: float, gate: Gate | None = None) -> Course:
    """A batch whose last session recorded an intent and no result: it is looked up before it is touched."""
    return Course(
        step=Step.LOOK_UP,
        attempts=attempts,
        first_attempt_at=first_attempt_at,
        reached_since=first_attempt_at,
        unresolved=True,
        last=Ending(Outcome.UNKNOWN, reason="interrupted"),
        gate=gate,
    )


def begin_spent(attempts: int, first_attempt_at: float | None, reason: str) -> Course:
    """A batch that no PUT may be sent for any more, for that reason: only a look-up says how it ends."""
    touched = first_attempt_at is not None
    return Course(
        step=Step.LOOK_UP,
        attempts=attempts,
        first_attempt_at=first_attempt_at,
        reached_since=first_attempt_at,
        unresolved=touched,
        spent=True,
        last=Ending(Outcome.UNKNOWN, reason=reason),
    )


def look_later(course: Course, wait_s: float) -> Course:
    """The course of a batch that someone else may be closing just now: wait, and look before the PUT."""
    return course._replace(step=Step.LOOK_UP, looks=0, wait_s=wait_s)


def ask_guards(course: Course, look: Look) -> Course:
    """The course of a batch that was just seen not closed: a PUT next, another look, or held."""
    gate = course.gate
    course = course._replace(step=Step.PUT, batch=look.batch, wait_s=0.0)
    if gate is None:
        return course
    judgement = judge_all(look.batch, gate.controls, gate.bounds, look.at, _before(course))
    if judgement.held is None:
        warnings = tuple(finding.guard for finding in judgement.warnings)
        return _quiet(course._replace(warnings=warnings), gate, look)
    if judgement.held.guard == "analyzing" and (wait_s := _analysis_wait_s(course, gate, look.at)) > 0:
        since = look.at if course.analyzed_since is None else course.analyzed_since
        return course._replace(step=Step.LOOK_UP, wait_s=wait_s, analyzed_since=since)
    held = Ending(Outcome.HELD, judgement.held.guard, message=judgement.held.detail)
    return settled(course, held, look.batch)


def _before(course: Course) -> Batch | None:
    """What the batch must not differ from: as the plan saw it, or the first of two looks."""
    first = course.first_look
    if course.gate is not None and course.gate.before is not None:
        return course.gate.before
    return first.batch if first is not None and course.analyzed_since is None else None


def _analysis_wait_s(course: Course, gate: Gate, now: float) -> float:
    """How long to wait before the next look at a batch under analysis; 0 once time is up."""
    since = now if course.analyzed_since is None else course.analyzed_since
    left_s = since + gate.wait_analyzing_s - now
    return max(min(left_s, _LATEST_S, max(_SOONEST_S, gate.wait_analyzing_s / 20)), 0.0)


def _quiet(course: Course, gate: Gate, look: Look) -> Course:
    """Let it through once two looks, so far apart as asked, show no change."""
    # Analysis may well raise flags: what must not change counts from its end.
    first = look if course.first_look is None or course.analyzed_since is not None else course.first_look
    course = course._replace(analyzed_since=None)
    if gate.bounds.quiet_for_s is None:
        return course
    left_s = first.at + gate.bounds.quiet_for_s - look.at
    if left_s <= 0:
        return course
    return course._replace(step=Step.LOOK_UP, wait_s=left_s, first_look=first)
