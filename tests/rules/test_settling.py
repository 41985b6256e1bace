"""One batch's course: the laws over every sequence of answers, and the turns by name."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.course import Course, Step
from worker.rules.gate import begin, begin_after_interruption
from worker.rules.settling import (
    after_close,
    after_key,
    after_look_up,
    put_cut_off,
    when_stopped,
)
from worker.rules.verdict import Verdict, of_close
from worker.words.answer import Answer, Heard, KeyState
from worker.words.model import Batch, ConfirmedBy, Outcome

T0 = 1_800_000_000.0
LATER = "2027-01-15T08:00:05Z"  # T0 + 5 s
LONG_AGO = "2026-01-01T00:00:00Z"


def answer(
    status: int | None = None,
    word: str | None = None,
    *,
    end_date: str | None = None,
    heard: Heard = Heard.ANSWER,
    retry_after_s: float | None = None,
    error: str | None = None,
) -> Answer:
    shown = Batch(batch_id=7, batch_status=word, end_date=end_date) if word else None
    return Answer(
        heard,
        status=status,
        batch=shown,
        retry_after_s=retry_after_s,
        error=error,
        sent_at=T0,
        received_at=T0 + 6,
    )


CLOSED = answer(200, "closed", end_date=LATER)
CLOSED_BEFORE = answer(200, "closed", end_date=LONG_AGO)
CLOSED_SOME_TIME = answer(200, "closed", end_date="2027-01-15")
OPEN = answer(200, "open", error="not_closed")
LOST = answer(heard=Heard.LOST, error="disconnected")
NOT_SENT = answer(heard=Heard.NOT_SENT, error="connection_refused")
HTML = answer(200, error="not_a_batch")


def follow(course: Course, answers: Iterable[Answer | KeyState], most: int = 3) -> Course:
    for each in answers:
        assert course.step is not Step.SETTLED
        if isinstance(each, KeyState):
            assert course.step is Step.ASK_KEY
            course = after_key(course, each, most)
        elif course.step is Step.PUT:
            course = after_close(course, each, most)
        else:
            assert course.step is Step.LOOK_UP
            course = after_look_up(course, each, most)
    return course


WORKS, DEAD, UNCLEAR = KeyState.WORKS, KeyState.DEAD, KeyState.UNCLEAR
By = ConfirmedBy


@pytest.mark.parametrize(
    ("answers", "outcome", "confirmed_by", "reason"),
    [
        ([CLOSED], Outcome.CLOSED, By.RESPONSE, None),
        ([CLOSED_BEFORE], Outcome.ALREADY_CLOSED, None, "end_date_before_run"),
        ([answer(404), answer(404)], Outcome.NOT_FOUND, None, "http_404"),
        ([answer(404), CLOSED_BEFORE], Outcome.ALREADY_CLOSED, None, "http_404"),
        ([answer(404), OPEN], Outcome.NOT_FOUND, None, "http_404_though_open"),
        ([answer(404), LOST, LOST, LOST], Outcome.NOT_FOUND, None, "http_404"),
        ([answer(403), OPEN], Outcome.FORBIDDEN, None, "http_403"),
        ([answer(403), answer(403)], Outcome.FORBIDDEN, None, "http_403"),
        ([answer(403), CLOSED_BEFORE], Outcome.ALREADY_CLOSED, None, "http_403"),
        ([answer(409), CLOSED_BEFORE], Outcome.ALREADY_CLOSED, None, "http_409"),
        ([answer(409), CLOSED], Outcome.CLOSED, By.LOOKUP, "http_409"),
        ([answer(429), answer(409), CLOSED], Outcome.CLOSED, By.LOOKUP, "http_409"),
        ([NOT_SENT, answer(409), CLOSED_SOME_TIME], Outcome.ALREADY_CLOSED, None, "http_409"),
        ([answer(400), OPEN], Outcome.REJECTED, None, "http_400"),
        ([answer(400), answer(404), answer(404)], Outcome.NOT_FOUND, None, "http_404"),
        ([answer(400), *[answer(403)] * 3], Outcome.UNKNOWN, None, "http_400"),
        ([answer(302), OPEN], Outcome.REJECTED, None, "redirect"),
        ([answer(302), answer(302)], Outcome.REJECTED, None, "redirect"),
        ([answer(302), LOST, LOST, LOST], Outcome.UNKNOWN, None, "redirect"),
        ([answer(302), CLOSED], Outcome.CLOSED, By.LOOKUP, None),
        ([answer(302), CLOSED_BEFORE], Outcome.ALREADY_CLOSED, None, "end_date_before_run"),
        ([LOST, CLOSED], Outcome.CLOSED, By.LOOKUP, None),
        ([LOST, CLOSED_BEFORE], Outcome.ALREADY_CLOSED, None, "end_date_before_run"),
        ([LOST, OPEN, CLOSED], Outcome.CLOSED, By.RESPONSE, None),
        ([LOST, OPEN, answer(409), CLOSED_BEFORE], Outcome.CLOSED, By.LOOKUP, "seen_open_after_end_date"),
        ([LOST, LOST, LOST, LOST], Outcome.UNKNOWN, None, "disconnected"),
        ([LOST, answer(403), answer(400), answer(302)], Outcome.UNKNOWN, None, "disconnected"),
        ([LOST, answer(302), answer(403), CLOSED], Outcome.CLOSED, By.LOOKUP, None),
        ([LOST, answer(404), CLOSED], Outcome.CLOSED, By.LOOKUP, None),
        ([LOST, answer(404), OPEN, CLOSED], Outcome.CLOSED, By.RESPONSE, None),
        ([LOST, answer(404), answer(404)], Outcome.NOT_FOUND, None, "http_404"),
        ([LOST, OPEN, LOST, OPEN, LOST, OPEN], Outcome.FAILED, None, "disconnected"),
        ([HTML, OPEN, HTML, OPEN, HTML, OPEN], Outcome.FAILED, None, "not_a_batch"),
        ([answer(500), CLOSED], Outcome.CLOSED, By.LOOKUP, None),
        ([answer(429)] * 9 + [CLOSED], Outcome.CLOSED, By.RESPONSE, None),
        ([answer(503, retry_after_s=1), OPEN] * 2 + [CLOSED], Outcome.CLOSED, By.RESPONSE, None),
        ([answer(503, retry_after_s=1), OPEN] * 3, Outcome.FAILED, None, "http_503"),
        ([NOT_SENT, NOT_SENT, CLOSED], Outcome.CLOSED, By.RESPONSE, None),
        ([NOT_SENT] * 3 + [OPEN], Outcome.FAILED, None, "connection_refused"),
        ([NOT_SENT] * 3 + [CLOSED], Outcome.ALREADY_CLOSED, None, None),
        ([NOT_SENT] * 6, Outcome.UNKNOWN, None, "connection_refused"),
        ([answer(401), WORKS, OPEN], Outcome.FORBIDDEN, None, "http_401"),
        ([answer(401), WORKS, answer(401)], Outcome.FORBIDDEN, None, "http_401"),
        ([answer(401), WORKS, CLOSED_BEFORE], Outcome.ALREADY_CLOSED, None, "http_401"),
        ([LOST, OPEN, answer(401), WORKS, CLOSED], Outcome.CLOSED, By.LOOKUP, None),
        ([LOST, OPEN, answer(403), OPEN], Outcome.FORBIDDEN, None, "http_403"),
        ([LOST, OPEN, answer(404), answer(404)], Outcome.NOT_FOUND, None, "http_404"),
        ([LOST, OPEN, answer(404), LOST, LOST, LOST], Outcome.UNKNOWN, None, "http_404"),
        ([LOST, OPEN, answer(403), LOST, LOST, LOST], Outcome.UNKNOWN, None, "http_403"),
        ([answer(403), answer(401), WORKS], Outcome.FORBIDDEN, None, "http_403"),
        ([LOST, *[answer(401), WORKS] * 3], Outcome.UNKNOWN, None, "http_401"),
        ([answer(401), UNCLEAR, OPEN, CLOSED], Outcome.CLOSED, By.RESPONSE, None),
        ([answer(401), UNCLEAR, OPEN] * 3, Outcome.FAILED, None, "http_401"),
    ],
)
def test_a_course_by_its_answers(
    answers: list[Answer | KeyState], outcome: Outcome, confirmed_by: ConfirmedBy | None, reason: str | None
) -> None:
    """Each sequence of answers ends in the outcome that is so."""
    ending = follow(begin(), answers).ending
    assert ending is not None
    assert ending.final
    assert (ending.outcome, ending.confirmed_by, ending.reason) == (outcome, confirmed_by, reason)


def test_throttling_costs_no_attempt_and_failing_does() -> None:
    """429 is free; what may have closed the batch counts, and so does 503 with Retry-After."""
    assert follow(begin(), [answer(429)]).attempts == 0
    assert follow(begin(), [answer(503, retry_after_s=1)]).attempts == 1
    assert follow(begin(), [LOST]).attempts == 1
    assert follow(begin(), [NOT_SENT]).attempts == 1


def test_a_dead_key_ends_nothing_for_good() -> None:
    """A batch whose 401 came from a dead key was not tried; one whose look-up met it may be closed."""
    ending = follow(begin(), [answer(401), DEAD]).ending
    assert ending is not None
    assert (ending.outcome, ending.final) == (Outcome.NOT_ATTEMPTED, False)
    ending = follow(begin(), [answer(409), answer(401), DEAD]).ending
    assert ending is not None
    assert (ending.outcome, ending.final) == (Outcome.UNKNOWN, False)


@pytest.mark.parametrize(
    ("course", "outcome"),
    [
        (begin(), Outcome.NOT_ATTEMPTED),
        (follow(begin(), [answer(429)]), Outcome.NOT_ATTEMPTED),
        (follow(begin(), [NOT_SENT]), Outcome.NOT_ATTEMPTED),
        (follow(begin(), [answer(401)]), Outcome.UNKNOWN),
        (follow(begin(), [answer(401), UNCLEAR]), Outcome.UNKNOWN),
        (follow(begin(), [answer(403)]), Outcome.UNKNOWN),
        (follow(begin(), [answer(404)]), Outcome.UNKNOWN),
        (follow(begin(), [LOST]), Outcome.UNKNOWN),
        (follow(begin(), [answer(409)]), Outcome.UNKNOWN),
        (follow(begin(), [LOST, OPEN]), Outcome.FAILED),
        (put_cut_off(begin(), T0), Outcome.UNKNOWN),
        (begin_after_interruption(1, T0), Outcome.UNKNOWN),
    ],
)
def test_what_is_said_of_a_batch_when_only_the_run_ends(course: Course, outcome: Outcome) -> None:
    """A stop says no more than is known, and is not final."""
    ending = when_stopped(course, "stopped_by_signal").ending
    assert ending is not None
    assert (ending.outcome, ending.reason, ending.final) == (outcome, "stopped_by_signal", False)


def test_a_settled_batch_stays_as_it_is_when_the_run_stops() -> None:
    """A stop takes nothing back."""
    settled = follow(begin(), [CLOSED])
    assert when_stopped(settled, "stopped_by_signal") is settled


def test_an_interrupted_batch_is_looked_up_first() -> None:
    """After a crash an intent without a result means a look-up, and a close found then is ours."""
    course = begin_after_interruption(1, T0)
    assert course.step is Step.LOOK_UP
    ending = follow(course, [CLOSED]).ending
    assert ending is not None
    assert (ending.outcome, ending.confirmed_by) == (Outcome.CLOSED, ConfirmedBy.LOOKUP)


statuses = st.sampled_from([200, 204, 302, 400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503])
answers = st.builds(
    answer,
    status=statuses,
    word=st.sampled_from([None, "open", "pending", "closed", "odd"]),
    end_date=st.sampled_from([None, LATER, LONG_AGO, "2027-01-15"]),
    heard=st.sampled_from([Heard.ANSWER, Heard.ANSWER, Heard.ANSWER, Heard.LOST, Heard.NOT_SENT]),
    retry_after_s=st.sampled_from([None, 0.0, 1.0]),
    error=st.sampled_from([None, "timeout"]),
)
CLEAR = {Verdict.CLOSED, Verdict.THROTTLED, Verdict.NOT_SENT}


@given(st.lists(st.tuples(answers, st.sampled_from(list(KeyState))), max_size=60), st.integers(1, 6))
def test_no_put_without_a_look_up_after_an_unclear_one(
    script: list[tuple[Answer, KeyState]], most: int
) -> None:
    """Over any answers: never PUT, unclear, PUT; never more counted attempts than allowed."""
    course, unclear_since_look = begin(), False
    for heard, key in script:
        match course.step:
            case Step.SETTLED:
                break
            case Step.PUT:
                assert not unclear_since_look
                course = after_close(course, heard, most)
                unclear_since_look = of_close(heard) not in CLEAR
            case Step.LOOK_UP:
                unclear_since_look = False
                course = after_look_up(course, heard, most)
            case Step.ASK_KEY:
                course = after_key(course, key, most)
        assert course.attempts <= most
        assert (course.ending is not None) == (course.step is Step.SETTLED)


@given(
    st.lists(answers.filter(lambda a: a.status not in {429, 503}), min_size=1, max_size=12), st.integers(1, 6)
)
def test_every_course_ends(script: list[Answer], most: int) -> None:
    """Without throttling, a course ends within a bounded number of requests, whatever comes."""
    course = begin()
    for heard in islice(cycle(script), 200):
        if course.step is Step.SETTLED:
            return
        if course.step is Step.ASK_KEY:
            course = after_key(course, KeyState.UNCLEAR, most)
        elif course.step is Step.PUT:
            course = after_close(course, heard, most)
        else:
            course = after_look_up(course, heard, most)
    assert course.step is Step.SETTLED


@given(st.lists(answers, max_size=30), st.integers(1, 6))
def test_closed_is_only_said_after_a_put_that_may_have_reached_the_server(
    script: list[Answer], most: int
) -> None:
    """A batch is never said to be closed by us unless one of our PUTs can have done it."""
    course, reached = begin(), False
    for heard in script:
        if course.step is Step.SETTLED:
            break
        if course.step is Step.ASK_KEY:
            course = after_key(course, KeyState.WORKS, most)
        elif course.step is Step.PUT:
            reached |= of_close(heard) is not Verdict.NOT_SENT
            course = after_close(course, heard, most)
        else:
            course = after_look_up(course, heard, most)
    if course.ending is not None and course.ending.outcome is Outcome.CLOSED:
        assert reached
