"""Where one batch stands on its way to its outcome: the record that the deciding functions pass on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from worker.rules.guards import Bounds
from worker.words.answer import Answer
from worker.words.model import Batch, BatchState, ConfirmedBy, Control, Look, Outcome


class Step(Enum):
    """What is to be done next for a batch."""

    PUT = "put"
    LOOK_UP = "look_up"
    ASK_KEY = "ask_key"
    SETTLED = "settled"


class Ending(NamedTuple):
    """How a batch ended."""

    outcome: Outcome
    reason: str | None = None
    confirmed_by: ConfirmedBy | None = None
    http_status: int | None = None
    message: str | None = None
    final: bool = True  # False: only the run ended; a resumed run takes the batch up again


@dataclass(frozen=True, slots=True)
class Gate:
    """What a batch has to pass whenever it is seen open, before its next PUT."""

    bounds: Bounds
    controls: tuple[Control, ...] = ()
    before: Batch | None = None  # as the plan saw it
    wait_analyzing_s: float = 0.0


class Course(NamedTuple):
    """Where one batch stands."""

    step: Step = Step.PUT
    attempts: int = 0  # PUTs that count; one that was answered 429 doesn't
    first_attempt_at: float | None = None
    reached_since: float | None = None  # when the first PUT that may have closed it was sent
    open_at: float | None = None  # when a read last showed it open
    batch: Batch | None = None  # as last seen
    warnings: tuple[str, ...] = ()  # of guards, when it was let through last
    ending: Ending | None = None
    refused_since: float | None = None  # when the first PUT that was refused, or throttled, was sent
    unresolved: bool = False  # such a PUT was sent since the last look-up
    spent: bool = False  # no PUT may be sent any more: it is only looked up
    looks: int = 0  # look-ups in a row that showed nothing
    missed: bool = False  # one of them was answered 404
    failures: int = 0  # before the next step: 0 means at once, else the backoff's exponent
    wait_s: float = 0.0  # before the next step: it is not time yet
    asking: Step | None = None  # the step whose 401 GET /me is to explain
    refusal: Ending | None = None  # what it ends as once a look-up shows it not closed
    last: Ending | None = None  # the last trouble, for the record
    gate: Gate | None = None  # None: no one looks before the first PUT
    first_look: Look | None = None  # what must not have changed since
    analyzed_since: float | None = None  # since when the end of its analysis is waited for

    @property
    def is_untouched(self) -> bool:
        """Whether no PUT was ever sent for it."""
        return self.first_attempt_at is None


def ending_of(outcome: Outcome, answer: Answer, reason: str | None = None) -> Ending:
    """An ending with what the answer tells of it."""
    told = reason or ("unclear_status" if _is_unclear(answer) else answer.reason)
    return Ending(outcome, told, http_status=answer.status, message=answer.message)


def _is_unclear(answer: Answer) -> bool:
    return answer.batch is not None and answer.batch.state is BatchState.UNCLEAR


def settled(course: Course, ending: Ending, batch: Batch | None = None) -> Course:
    """The course at its end."""
    return course._replace(
        step=Step.SETTLED, ending=ending, batch=batch or course.batch, failures=0, wait_s=0.0
    )
