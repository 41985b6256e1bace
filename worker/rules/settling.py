"""One batch's course from its first look or PUT to its outcome: a pure state machine.

    LOOK_UP -- not fit, closed, gone --------------> SETTLED
     |  fit (rules.gate)
    PUT ---- closed -------------------------------> SETTLED
     |  401 ---> ASK_KEY --- works -----> LOOK_UP
     |  refused, redirect, any doubt ---> LOOK_UP -- closed, gone, refused for good, attempts out --> SETTLED
     |  throttled, never sent ---> PUT       |  still open after bad luck, and fit
     +<--------------------------------------+

The law it keeps: after a PUT that may have reached the server without a clear answer, the next
step is never a PUT but a look-up. The engine performs the steps and feeds the answers back.
"""

from __future__ import annotations

from worker.rules.course import Course, Ending, Step, ending_of, settled
from worker.rules.evidence import Touch, who_closed
from worker.rules.gate import ask_guards
from worker.rules.verdict import Sight, Verdict, of_close, of_look_up
from worker.words.answer import Answer, KeyState
from worker.words.model import ConfirmedBy, Look, Outcome


def after_close(course: Course, answer: Answer, max_attempts: int) -> Course:
    """The course after the answer to a PUT."""
    verdict = of_close(answer)
    course = course._replace(first_attempt_at=course.first_attempt_at or answer.sent_at, failures=0)
    match verdict:
        case Verdict.CLOSED:
            return _closed_by_response(_counted(course), answer)
        case Verdict.THROTTLED:
            return course
        case Verdict.BUSY:
            return _doubted(course, answer, failures=0)
        case Verdict.UNCLEAR:
            course = _counted(course)
            return _doubted(course, answer, failures=course.attempts)
        case Verdict.NOT_SENT:
            return _not_sent(_counted(course), answer, max_attempts)
        case Verdict.UNAUTHORIZED:
            refusal = ending_of(Outcome.FORBIDDEN, answer)
            return _counted(course)._replace(step=Step.ASK_KEY, asking=Step.PUT, refusal=refusal)
        case _:
            return _refused(_counted(course), answer, verdict)


def _counted(course: Course) -> Course:
    return course._replace(attempts=course.attempts + 1)


def _closed_by_response(course: Course, answer: Answer) -> Course:
    since = answer.sent_at if course.reached_since is None else course.reached_since
    return _found_closed(course._replace(reached_since=since), answer, ConfirmedBy.RESPONSE)


def _found_closed(course: Course, answer: Answer, confirmed_by: ConfirmedBy) -> Course:
    if course.reached_since is None:
        reason = course.refusal.reason if course.refusal else None
        return settled(course, _already_closed(answer, reason), answer.batch)
    touch = Touch(course.reached_since, answer.received_at, answer.server_at, course.open_at)
    end_date = answer.batch.end_date if answer.batch else None
    by = who_closed(end_date, touch)
    if not by.ours:
        return settled(course, _already_closed(answer, "end_date_before_run"), answer.batch)
    # A 200 that says closed is the API's own word; only what was read needs its weakness told.
    weakness = by.weakness if confirmed_by is ConfirmedBy.LOOKUP else None
    ending = Ending(Outcome.CLOSED, weakness, confirmed_by, http_status=answer.status)
    return settled(course, ending, answer.batch)


def _already_closed(answer: Answer, reason: str | None) -> Ending:
    return Ending(Outcome.ALREADY_CLOSED, reason, http_status=answer.status)


def _doubted(course: Course, answer: Answer, failures: int) -> Course:
    return course._replace(
        step=Step.LOOK_UP,
        reached_since=answer.sent_at if course.reached_since is None else course.reached_since,
        unresolved=True,
        failures=failures,
        looks=0,
        last=ending_of(Outcome.FAILED, answer),
    )


def _not_sent(course: Course, answer: Answer, max_attempts: int) -> Course:
    last = ending_of(Outcome.FAILED, answer)
    step = Step.PUT if course.attempts < max_attempts else Step.LOOK_UP
    return course._replace(step=step, failures=course.attempts, looks=0, last=last)


_REFUSALS = {
    Verdict.NOT_FOUND: Outcome.NOT_FOUND,
    Verdict.FORBIDDEN: Outcome.FORBIDDEN,
    Verdict.REDIRECT: Outcome.REJECTED,
    Verdict.REFUSED: Outcome.REJECTED,
}


def _refused(course: Course, answer: Answer, verdict: Verdict) -> Course:
    reason = "redirect" if verdict is Verdict.REDIRECT else None
    refusal = ending_of(_REFUSALS[verdict], answer, reason)
    if verdict is Verdict.REDIRECT and course.reached_since is None:
        course = course._replace(reached_since=answer.sent_at)  # it may follow a close that worked
    # What a closed batch answers is not documented, so no 4xx explains itself, 404 and 403 included.
    return course._replace(step=Step.LOOK_UP, refusal=refusal, looks=0)


def after_look_up(course: Course, answer: Answer, max_attempts: int) -> Course:
    """The course after the answer to a look-up."""
    course = course._replace(failures=0, wait_s=0.0)
    match of_look_up(answer):
        case Sight.CLOSED:
            return _found_closed(course, answer, ConfirmedBy.LOOKUP)
        case Sight.OPEN:
            return _found_open(course, answer, max_attempts)
        case Sight.NOT_FOUND:
            return settled(course, ending_of(Outcome.NOT_FOUND, answer))
        case Sight.UNAUTHORIZED:
            if course.refusal is not None and course.refusal.outcome is Outcome.FORBIDDEN:
                return _unreadable(course, answer)
            last = ending_of(Outcome.UNKNOWN, answer)
            return course._replace(step=Step.ASK_KEY, asking=Step.LOOK_UP, last=last)
        case Sight.UNREADABLE:
            return _unreadable(course, answer)
        case Sight.THROTTLED:
            return course
        case Sight.UNCLEAR:
            return _look_again(course, max_attempts, answer)


def _found_open(course: Course, answer: Answer, max_attempts: int) -> Course:
    assert answer.batch is not None
    look = Look(answer.batch, answer.received_at)
    course = course._replace(batch=look.batch, open_at=look.at, unresolved=False, looks=0)
    if course.refusal is not None:
        refusal = course.refusal
        if refusal.outcome is Outcome.NOT_FOUND:  # the API's word for the close, and the read is told too
            refusal = refusal._replace(reason="http_404_though_open")
        return settled(course, refusal)
    if course.spent or course.attempts >= max_attempts:
        last = course.last or Ending(Outcome.FAILED)
        return settled(course, last._replace(outcome=Outcome.FAILED))
    return ask_guards(course, look)


def _look_again(course: Course, max_attempts: int, answer: Answer | None = None) -> Course:
    looks = course.looks + 1
    if looks >= max_attempts:
        return _unreadable(course, answer)
    return course._replace(step=Step.LOOK_UP, looks=looks, failures=looks)


def _unreadable(course: Course, answer: Answer | None = None) -> Course:
    """No read will tell: what the PUT's own answer proves still counts."""
    if course.is_untouched:
        return settled(course, _unseen(course, answer))
    refusal = course.refusal
    if refusal is not None and (refusal.outcome is not Outcome.REJECTED or _redirected(refusal, answer)):
        return settled(course, refusal)
    trouble = refusal or course.last or (ending_of(Outcome.UNKNOWN, answer) if answer else None)
    return settled(course, (trouble or Ending(Outcome.UNKNOWN))._replace(outcome=Outcome.UNKNOWN))


def _unseen(course: Course, answer: Answer | None) -> Ending:
    """A batch that can't be looked at is not closed unseen."""
    if answer is None:
        return course.last or Ending(Outcome.UNKNOWN)
    if answer.status == 403:
        return ending_of(Outcome.FORBIDDEN, answer)
    if answer.status is not None and 300 <= answer.status < 400:
        return ending_of(Outcome.REJECTED, answer, "redirect")
    return ending_of(Outcome.UNKNOWN, answer)


def _redirected(refusal: Ending, answer: Answer | None) -> bool:
    """Whether all leads elsewhere, so that nothing here can have closed the batch."""
    elsewhere = answer is not None and answer.status is not None and 300 <= answer.status < 400
    return refusal.reason == "redirect" and elsewhere


def after_key(course: Course, key: KeyState, max_attempts: int) -> Course:
    """The course after ``GET /api/v3/me`` explained a 401."""
    asking = course.asking
    course = course._replace(asking=None, failures=0)
    if key is KeyState.DEAD:
        return when_stopped(course, "key_refused")
    if asking is Step.LOOK_UP:
        return _unauthorized_look(course) if key is KeyState.WORKS else _look_again(course, max_attempts)
    if key is KeyState.WORKS:
        return course._replace(step=Step.LOOK_UP, looks=0)
    course = course._replace(last=course.refusal, refusal=None, looks=0, failures=course.attempts)
    return course._replace(step=Step.PUT if course.attempts < max_attempts else Step.LOOK_UP)


def _unauthorized_look(course: Course) -> Course:
    if course.is_untouched:
        return settled(course, (course.last or Ending(Outcome.UNKNOWN))._replace(outcome=Outcome.FORBIDDEN))
    return _unreadable(course)


def when_stopped(course: Course, reason: str) -> Course:
    """How a batch ends when only the run ends: nothing more than is known is said of it."""
    if course.step is Step.SETTLED:
        return course
    last = course.last or course.refusal or Ending(Outcome.UNKNOWN)
    unexplained = course.refusal is not None and course.refusal.outcome is Outcome.REJECTED
    if course.unresolved or unexplained:
        outcome = Outcome.UNKNOWN
    elif course.reached_since is not None:
        outcome = Outcome.FAILED  # a look-up after our last PUT showed it open
    else:
        outcome = Outcome.NOT_ATTEMPTED
    return settled(course, last._replace(outcome=outcome, reason=reason, final=False))


def put_cut_off(course: Course, sent_at: float) -> Course:
    """The course when this side cut a PUT off in flight: it may have reached the server."""
    return course._replace(
        step=Step.LOOK_UP,
        attempts=course.attempts + 1,
        first_attempt_at=course.first_attempt_at or sent_at,
        reached_since=sent_at if course.reached_since is None else course.reached_since,
        unresolved=True,
    )
