"""How a batch ends that is found closed: by this run, or not, as the evidence says."""

from __future__ import annotations

from worker.rules.course import Course, Ending, Step, settled
from worker.rules.evidence import Touch, shows_ours, who_closed
from worker.words.answer import Answer
from worker.words.model import ConfirmedBy, Outcome


def found_closed(course: Course, answer: Answer) -> Course:
    """The course of a batch that a look-up shows closed."""
    end_date = answer.batch.end_date if answer.batch else None
    if course.reached_since is None:
        return settled(course, _closed_in_spite(course, answer, end_date), answer.batch)
    touch = Touch(course.reached_since, answer.received_at, answer.server_at, course.open_at)
    return settled(course, _closed(answer, end_date, touch, ConfirmedBy.LOOKUP), answer.batch)


def told_closed(course: Course, answer: Answer) -> Course:
    """The end of a course whose PUT was answered so that the batch is closed; what led there is forgotten."""
    since = answer.sent_at if course.reached_since is None else course.reached_since
    touch = Touch(since, answer.received_at, answer.server_at, course.open_at)
    end_date = answer.batch.end_date if answer.batch else None
    return Course(
        Step.SETTLED,
        course.attempts + 1,
        course.first_attempt_at or answer.sent_at,
        since,
        course.open_at,
        answer.batch,
        course.warnings,
        _closed(answer, end_date, touch, ConfirmedBy.RESPONSE),
    )


def _closed(answer: Answer, end_date: str | None, touch: Touch, confirmed_by: ConfirmedBy) -> Ending:
    by = who_closed(end_date, touch)
    if not by.ours:
        return _already_closed(answer, "end_date_before_run")
    # A 200 that says closed is the API's own word; only what was read needs its weakness told.
    weakness = by.weakness if confirmed_by is ConfirmedBy.LOOKUP else None
    return Ending(Outcome.CLOSED, weakness, confirmed_by, answer.status)


def _closed_in_spite(course: Course, answer: Answer, end_date: str | None) -> Ending:
    """Closed, and no PUT of ours was answered with anything but a refusal, if one was sent at all."""
    reason = course.refusal.reason if course.refusal else None
    if course.refused_since is not None:
        touch = Touch(course.refused_since, answer.received_at, answer.server_at, course.open_at)
        if shows_ours(end_date, touch):
            return Ending(Outcome.CLOSED, reason, ConfirmedBy.LOOKUP, http_status=answer.status)
    return _already_closed(answer, reason)


def _already_closed(answer: Answer, reason: str | None) -> Ending:
    return Ending(Outcome.ALREADY_CLOSED, reason, http_status=answer.status)
