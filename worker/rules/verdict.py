"""What one answer means."""

from __future__ import annotations

from enum import Enum

from worker.words.answer import Answer, Heard, KeyState
from worker.words.model import BatchState


class Verdict(Enum):
    """What the answer to a close means."""

    CLOSED = "closed"  # 200, and the body says closed
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"  # 403
    UNAUTHORIZED = "unauthorized"  # 401: the key, or only this batch; GET /me tells
    REDIRECT = "redirect"  # 3xx, never followed: the key would go along
    REFUSED = "refused"  # another 4xx; why is not documented, so a look-up must explain it
    THROTTLED = "throttled"  # 429: not processed
    BUSY = "busy"  # 503 with Retry-After: wait, but it may have been processed
    UNCLEAR = "unclear"  # it may or may not have closed the batch
    NOT_SENT = "not_sent"


class Sight(Enum):
    """What the answer to a look-up shows."""

    CLOSED = "closed"
    OPEN = "open"  # or pending: not closed
    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    UNREADABLE = "unreadable"  # refused for good
    THROTTLED = "throttled"
    UNCLEAR = "unclear"  # worth another look


def of_close(answer: Answer) -> Verdict:
    """Judge the answer to ``PUT /api/v3/batch/close/{batchId}``.

    Documented are 200 and 404 alone; the rest is read as HTTP means it.
    """
    if answer.heard is Heard.NOT_SENT:
        return Verdict.NOT_SENT
    status = answer.status
    if answer.heard is Heard.LOST or status is None:
        return Verdict.UNCLEAR
    if status == 200 and answer.batch is not None and answer.batch.state is BatchState.CLOSED:
        return Verdict.CLOSED
    return _CLOSE_BY_STATUS.get(status) or _close_by_class(status, answer.retry_after_s)


_CLOSE_BY_STATUS = {
    401: Verdict.UNAUTHORIZED,
    403: Verdict.FORBIDDEN,
    404: Verdict.NOT_FOUND,
    408: Verdict.UNCLEAR,
    429: Verdict.THROTTLED,
}


def _close_by_class(status: int, retry_after_s: float | None) -> Verdict:
    if status == 503 and retry_after_s is not None:
        return Verdict.BUSY
    if 300 <= status < 400:
        return Verdict.REDIRECT
    if 400 <= status < 500:
        return Verdict.REFUSED
    return Verdict.UNCLEAR


def of_look_up(answer: Answer) -> Sight:
    """Judge the answer to ``GET /api/v3/batch/{batchId}``."""
    status = answer.status
    if answer.heard is not Heard.ANSWER or status is None:
        return Sight.UNCLEAR
    if status == 200 and answer.batch is not None:
        return _SIGHT_BY_STATE[answer.batch.state]
    if status in _SIGHT_BY_STATUS:
        return _SIGHT_BY_STATUS[status]
    if status == 503 and answer.retry_after_s is not None:
        return Sight.THROTTLED
    return Sight.UNREADABLE if 300 <= status < 500 else Sight.UNCLEAR


_SIGHT_BY_STATE = {
    BatchState.OPEN: Sight.OPEN,
    BatchState.PENDING: Sight.OPEN,
    BatchState.CLOSED: Sight.CLOSED,
    BatchState.UNCLEAR: Sight.UNCLEAR,
}
_SIGHT_BY_STATUS = {
    401: Sight.UNAUTHORIZED,
    404: Sight.NOT_FOUND,
    408: Sight.UNCLEAR,
    429: Sight.THROTTLED,
}


def of_key(answer: Answer) -> KeyState:
    """Judge the answer to ``GET /api/v3/me``: only a 401 there proves that the key is dead.

    A 403 was understood, so the key was accepted. Anything else tells nothing of the key.
    """
    if answer.heard is not Heard.ANSWER:
        return KeyState.UNCLEAR
    if answer.status == 401:
        return KeyState.DEAD
    return KeyState.WORKS if answer.status in {200, 403} else KeyState.UNCLEAR


def asks_to_wait(answer: Answer) -> bool:
    """Whether the server asks everyone to wait: 429, or 503 with Retry-After."""
    return answer.status == 429 or (answer.status == 503 and answer.retry_after_s is not None)


def is_trouble(answer: Answer) -> bool:
    """Whether the answer is a sign of an outage (no answer, 408 or 5xx) rather than of one batch."""
    if answer.heard is not Heard.ANSWER or answer.status is None:
        return True
    return answer.status == 408 or (answer.status >= 500 and not asks_to_wait(answer))
