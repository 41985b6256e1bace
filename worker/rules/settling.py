"""One batch's course from its first look or PUT to its outcome: a pure state machine.

    LOOK_UP -- not fit, closed, gone --------------> SETTLED
     |  fit (rules.gate)
    PUT ---- closed -------------------------------> SETTLED
     |  401 ---> ASK_KEY --- not dead --> LOOK_UP
     |  refused, redirect, any doubt ---> LOOK_UP -- closed, gone, refused for good, attempts out --> SETTLED
     |  throttled, never sent ---> PUT       |  still open after bad luck, and fit
     +<--------------------------------------+

The law it keeps: after a PUT that may have reached the server without a clear answer, the next
step is never a PUT but a look-up. The engine performs the steps and feeds the answers back.
"""

from __future__ import annotations

from worker.rules.course import Course, Ending, Step, ending_of, settled
from worker.rules.found import found_closed, told_closed
from worker.rules.gate import ask_guards
from worker.rules.verdict import Sight, Verdict, of_close, of_look_up
from worker.words.answer import Answer, KeyState
from worker.words.model import Look, Outcome


def after_close(course: Course, answer: Answer, max_attempts: int) -> Course:
    """The course after the answer to a PUT."""
    verdict = of_close(answer)
    if verdict is Verdict.CLOSED:
        return told_closed(course, answer)
    course = course._replace(first_attempt_at=course.first_attempt_at or answer.sent_at, failures=0)
    match verdict:
        case Verdict.THROTTLED:
            return _turned_away(course, answer)
        case Verdict.BUSY:
            return _doubted(_counted(course), answer, failures=0)
        case Verdict.UNCLEAR:
            course = _counted(course)
            return _doubted(course, answer, failures=course.attempts)
        case Verdict.NOT_SENT:
            return _not_sent(_counted(course), answer, max_attempts)
        case Verdict.UNAUTHORIZED:
            refusal = ending_of(Outcome.FORBIDDEN, answer)
            course = _turned_away(_counted(course), answer)
            return course._replace(step=Step.ASK_KEY, asking=Step.PUT, refusal=refusal)
        case _:
            return _refused(_turned_away(_counted(course), answer), answer, verdict)


def _turned_away(course: Course, answer: Answer) -> Course:
    since = answer.sent_at if course.refused_since is None else course.refused_since
    return course._replace(refused_since=since)


def _counted(course: Course) -> Course:
    return course._replace(attempts=course.attempts + 1)


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
            return found_closed(course, answer)
        case Sight.OPEN:
            return _found_open(course, answer, max_attempts)
        case Sight.NOT_FOUND:
            return _look_missing(course, answer, max_attempts)
        case Sight.UNAUTHORIZED:
            if course.refusal is not None and course.refusal.http_status == 401:
                return settled(course, course.refusal)  # the key was asked about it just now
            last = ending_of(Outcome.UNKNOWN, answer)
            return course._replace(step=Step.ASK_KEY, asking=Step.LOOK_UP, last=last)
        case Sight.UNREADABLE:
            return _look_refused(course, answer, max_attempts)
        case Sight.THROTTLED:
            return course
        case Sight.UNCLEAR:
            return _look_again(course, max_attempts, answer)


def _look_missing(course: Course, answer: Answer, max_attempts: int) -> Course:
    """A 404 that contradicts what is known is not believed at once.

    Gateways give one for every path while the server behind them is replaced.
    """
    is_known = course.open_at is not None or not course.is_untouched
    is_told_twice = course.missed or _was_refused(course, Outcome.NOT_FOUND)
    if is_known and not is_told_twice and course.looks + 1 < max_attempts:
        return _look_again(course._replace(missed=True), max_attempts, answer)
    return settled(course, ending_of(Outcome.NOT_FOUND, answer))


def _look_refused(course: Course, answer: Answer, max_attempts: int) -> Course:
    """Asking once more may help, unless the close was told the same, or none was sent that needs an end."""
    if course.is_untouched:
        is_clear = answer.status == 403 or _leads_elsewhere(answer)
    else:
        is_clear = answer.status == 403 and _was_refused(course, Outcome.FORBIDDEN)
        is_clear = is_clear or _redirected(course.refusal, answer)
    return _unreadable(course, answer) if is_clear else _look_again(course, max_attempts, answer)


def _was_refused(course: Course, outcome: Outcome) -> bool:
    return course.refusal is not None and course.refusal.outcome is outcome


def _found_open(course: Course, answer: Answer, max_attempts: int) -> Course:
    assert answer.batch is not None
    look = Look(answer.batch, answer.received_at)
    course = course._replace(batch=look.batch, open_at=look.at, unresolved=False, looks=0, missed=False)
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
    if refusal is not None and (_explains_itself(course, refusal) or _redirected(refusal, answer)):
        return settled(course, refusal)
    trouble = refusal or course.last or (ending_of(Outcome.UNKNOWN, answer) if answer else None)
    return settled(course, (trouble or Ending(Outcome.UNKNOWN))._replace(outcome=Outcome.UNKNOWN))


def _explains_itself(course: Course, refusal: Ending) -> bool:
    """A 404, 401 or 403 does where no earlier PUT may have closed the batch meanwhile."""
    return refusal.outcome is not Outcome.REJECTED and course.reached_since is None


def _unseen(course: Course, answer: Answer | None) -> Ending:
    """A batch that can't be looked at is not closed unseen."""
    if answer is None:
        return course.last or Ending(Outcome.UNKNOWN)
    if answer.status == 403:
        return ending_of(Outcome.FORBIDDEN, answer)
    if _leads_elsewhere(answer):
        return ending_of(Outcome.REJECTED, answer, "redirect")
    return ending_of(Outcome.UNKNOWN, answer)


def _redirected(refusal: Ending | None, answer: Answer | None) -> bool:
    """Whether all leads elsewhere, so that nothing here can have closed the batch."""
    if refusal is None or answer is None:
        return False
    return refusal.reason == "redirect" and _leads_elsewhere(answer)


def _leads_elsewhere(answer: Answer) -> bool:
    return answer.status is not None and 300 <= answer.status < 400


def after_key(course: Course, key: KeyState, max_attempts: int) -> Course:
    """The course after ``GET /api/v3/me`` explained a 401."""
    asking = course.asking
    course = course._replace(asking=None, failures=0)
    if key is KeyState.DEAD:
        if asking is Step.PUT:  # which explains its 401: nothing was done
            course = course._replace(last=course.refusal, refusal=None)
        return when_stopped(course, "key_refused")
    if asking is Step.LOOK_UP:
        if key is KeyState.WORKS and (course.is_untouched or _was_refused(course, Outcome.FORBIDDEN)):
            told = course.refusal or course.last or Ending(Outcome.UNKNOWN)
            return settled(course, told._replace(outcome=Outcome.FORBIDDEN))
        return _look_again(course, max_attempts)
    course = course._replace(step=Step.LOOK_UP, looks=0)
    if key is KeyState.WORKS:
        return course
    # Unexplained, it leaves doubt like any other answer, and after a read that shows it open another try.
    return course._replace(last=course.refusal, refusal=None, unresolved=True, failures=course.attempts)


def when_stopped(course: Course, reason: str) -> Course:
    """How a batch ends when only the run ends: nothing more than is known is said of it."""
    if course.step is Step.SETTLED:
        return course
    last = course.last or course.refusal or Ending(Outcome.UNKNOWN)
    if course.unresolved or course.refusal is not None:  # sent, and not looked up since
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
