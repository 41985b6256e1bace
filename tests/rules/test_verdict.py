"""What one answer means, as tables."""

from __future__ import annotations

import pytest

from worker.rules.verdict import Sight, Verdict, asks_to_wait, is_trouble, of_close, of_key, of_look_up
from worker.words.answer import Answer, Heard, KeyState
from worker.words.model import Batch


def batch(status: str | None) -> Batch:
    return Batch(batch_id=7, batch_status=status)


def answered(status: int, word: str | None = None, retry_after_s: float | None = None) -> Answer:
    shown = batch(word) if word is not None else None
    return Answer(Heard.ANSWER, status=status, batch=shown, retry_after_s=retry_after_s)


LOST = Answer(Heard.LOST, error="disconnected")
LOST_IN_BODY = Answer(Heard.LOST, status=200, error="truncated")
NOT_SENT = Answer(Heard.NOT_SENT, error="connection_refused")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (answered(200, "closed"), Verdict.CLOSED),
        (answered(200, "Closed"), Verdict.CLOSED),
        (answered(200, " CLOSED "), Verdict.CLOSED),
        (answered(200, "open"), Verdict.UNCLEAR),
        (answered(200, "pending"), Verdict.UNCLEAR),
        (answered(200, "archived"), Verdict.UNCLEAR),
        (answered(200), Verdict.UNCLEAR),
        (answered(204), Verdict.UNCLEAR),
        (answered(201, "closed"), Verdict.UNCLEAR),
        (answered(301), Verdict.REDIRECT),
        (answered(302), Verdict.REDIRECT),
        (answered(304), Verdict.REDIRECT),
        (answered(400), Verdict.REFUSED),
        (answered(401), Verdict.UNAUTHORIZED),
        (answered(403), Verdict.FORBIDDEN),
        (answered(404), Verdict.NOT_FOUND),
        (answered(405), Verdict.REFUSED),
        (answered(408), Verdict.UNCLEAR),
        (answered(409), Verdict.REFUSED),
        (answered(422), Verdict.REFUSED),
        (answered(429), Verdict.THROTTLED),
        (answered(429, retry_after_s=3), Verdict.THROTTLED),
        (answered(500), Verdict.UNCLEAR),
        (answered(502), Verdict.UNCLEAR),
        (answered(503), Verdict.UNCLEAR),
        (answered(503, retry_after_s=0), Verdict.BUSY),
        (answered(599), Verdict.UNCLEAR),
        (LOST, Verdict.UNCLEAR),
        (LOST_IN_BODY, Verdict.UNCLEAR),
        (NOT_SENT, Verdict.NOT_SENT),
    ],
)
def test_answer_to_a_close(answer: Answer, verdict: Verdict) -> None:
    """Only 200 with a closed batch settles as closed; whatever leaves doubt is unclear."""
    assert of_close(answer) is verdict


@pytest.mark.parametrize(
    ("answer", "sight"),
    [
        (answered(200, "closed"), Sight.CLOSED),
        (answered(200, "OPEN"), Sight.OPEN),
        (answered(200, "Pending"), Sight.OPEN),
        (answered(200, "archived"), Sight.UNCLEAR),
        (answered(200), Sight.UNCLEAR),
        (answered(204), Sight.UNCLEAR),
        (answered(302), Sight.UNREADABLE),
        (answered(400), Sight.UNREADABLE),
        (answered(401), Sight.UNAUTHORIZED),
        (answered(403), Sight.UNREADABLE),
        (answered(404), Sight.NOT_FOUND),
        (answered(408), Sight.UNCLEAR),
        (answered(429), Sight.THROTTLED),
        (answered(500), Sight.UNCLEAR),
        (answered(503), Sight.UNCLEAR),
        (answered(503, retry_after_s=1), Sight.THROTTLED),
        (LOST, Sight.UNCLEAR),
        (LOST_IN_BODY, Sight.UNCLEAR),
        (NOT_SENT, Sight.UNCLEAR),
    ],
)
def test_answer_to_a_look_up(answer: Answer, sight: Sight) -> None:
    """A look-up shows closed or open only by a batch whose status says so."""
    assert of_look_up(answer) is sight


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (answered(200), KeyState.WORKS),
        (answered(403), KeyState.WORKS),
        (answered(401), KeyState.DEAD),
        (answered(404), KeyState.UNCLEAR),
        (answered(302), KeyState.UNCLEAR),
        (answered(429), KeyState.UNCLEAR),
        (answered(500), KeyState.UNCLEAR),
        (LOST, KeyState.UNCLEAR),
        (NOT_SENT, KeyState.UNCLEAR),
    ],
)
def test_answer_about_the_key(answer: Answer, state: KeyState) -> None:
    """Only a 401 of GET /me proves that the key is dead."""
    assert of_key(answer) is state


def test_who_is_asked_to_wait() -> None:
    """429 always asks everyone to wait, 503 only with Retry-After."""
    assert asks_to_wait(answered(429))
    assert asks_to_wait(answered(503, retry_after_s=0))
    assert not asks_to_wait(answered(503))
    assert not asks_to_wait(answered(500, retry_after_s=5))


def test_what_counts_as_an_outage() -> None:
    """Lost answers, 408 and 5xx drain the retry budget; refusals and throttling don't."""
    assert all(is_trouble(each) for each in (LOST, NOT_SENT, answered(408), answered(500), answered(503)))
    calm = (answered(200), answered(404), answered(409), answered(429), answered(503, retry_after_s=1))
    assert not any(is_trouble(each) for each in calm)
