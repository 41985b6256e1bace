"""What many workers add to a batch's course: no PUT any more, or another look before it."""

from __future__ import annotations

import pytest

from worker.rules.course import Course, Step
from worker.rules.gate import begin_spent, look_later
from worker.rules.settling import after_look_up
from worker.words.answer import Answer, Heard
from worker.words.model import Batch, ConfirmedBy, Outcome

OPEN = Answer(Heard.ANSWER, 200, Batch(batch_id=1, batch_status="open"), sent_at=9.0, received_at=9.0)
CLOSED = OPEN._replace(batch=Batch(batch_id=1, batch_status="closed"))
LOST = Answer(Heard.LOST, error="timeout")
MISSING = Answer(Heard.ANSWER, 404)


@pytest.mark.parametrize("attempts", [0, 1])
@pytest.mark.parametrize(
    ("answer", "outcomes"),
    [
        (OPEN, (Outcome.FAILED, Outcome.FAILED)),
        (CLOSED, (Outcome.ALREADY_CLOSED, Outcome.CLOSED)),
        (MISSING, (Outcome.NOT_FOUND, Outcome.NOT_FOUND)),
        (LOST, (Outcome.UNKNOWN, Outcome.UNKNOWN)),
    ],
)
def test_a_spent_batch_is_only_looked_up(
    attempts: int, answer: Answer, outcomes: tuple[Outcome, Outcome]
) -> None:
    """Whatever the look shows, no PUT follows; it is ours only if an attempt of ours was recorded."""
    course = begin_spent(attempts, 5.0 if attempts else None, "too_many_deliveries")
    for _ in range(9):
        assert course.step is not Step.PUT
        if course.step is Step.SETTLED:
            break
        course = after_look_up(course, answer, max_attempts=3)
    assert course.ending is not None
    assert course.ending.outcome is outcomes[attempts]
    assert course.attempts == attempts
    if answer is OPEN:
        assert course.ending.reason == "too_many_deliveries"
    if course.ending.outcome is Outcome.CLOSED:
        assert course.ending.confirmed_by is ConfirmedBy.LOOKUP


def test_what_another_may_be_closing_is_looked_at_first() -> None:
    """It waits, then looks; found closed without a PUT of ours, it was closed before this run."""
    course = look_later(Course(), 0.5)
    assert (course.step, course.wait_s) == (Step.LOOK_UP, 0.5)
    ending = after_look_up(course, CLOSED, 3).ending
    assert ending is not None
    assert ending.outcome is Outcome.ALREADY_CLOSED
    assert after_look_up(course, OPEN, 3).step is Step.PUT
