"""How a batch ends that is found closed: by this run, or not, as the evidence says."""

from __future__ import annotations

from worker.rules.course import Course, Ending, settled
from worker.rules.evidence import Touch, shows_ours, who_closed
from worker.words.answer import Answer
from worker.words.model import ConfirmedBy, Outcome


def found_closed(course: Course, answer: Answer, confirmed_by: ConfirmedBy) -> Course:
    """The course of a batch that an answer shows closed."""
    end_date = answer.batch.end_date if answer.batch else None
    if course.reached_since is None:
        return settled(course, _closed_in_spite(course, answer, end_date), answer.batch)
    touch = Touch(course.reached_since, answer.received_at, answer.server_at, course.open_at)
    by = who_closed(end_date, touch)
    if not by.ours:
        return settled(course, _already_closed(answer, "end_date_before_run"), answer.batch)
    # A 200 that says closed is the API's own word; only what was read needs its weakness told.
    weakness = by.weakness if confirmed_by is ConfirmedBy.LOOKUP else None
    ending = Ending(Outcome.CLOSED, weakness, confirmed_by, http_status=answer.status)
    return settled(course, ending, answer.batch)


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
