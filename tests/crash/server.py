"""A server in memory: what it does to a batch, and whether anyone hears of it, is chosen for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from worker.words.answer import Answer, Heard
from worker.words.model import Batch


class Fate(Enum):
    """What becomes of a request."""

    ANSWERED = auto()
    ANSWERED_500 = auto()  # done, and told as failed
    FAILED = auto()  # not done, 500
    THROTTLED = auto()  # not done, 429
    LOST = auto()  # done, no answer
    NOT_ARRIVED = auto()  # not done, no answer
    NOT_SENT = auto()  # not done, and this side knows it


DONE = frozenset({Fate.ANSWERED, Fate.ANSWERED_500, Fate.LOST})
STATUS = {Fate.ANSWERED_500: 500, Fate.FAILED: 500, Fate.THROTTLED: 429}


@dataclass
class Server:
    """Batches that are open, closed by us, closed by others, or missing."""

    state: dict[int, str]
    closed_at: dict[int, float] = field(default_factory=dict)
    doubtful: set[int] = field(default_factory=set)  # had a PUT whose effect nobody has read since

    def close(self, batch_id: int, fate: Fate, now: float) -> Answer:
        """A PUT; a second one before the doubt about the first was cleared is a fault of the client."""
        if fate is Fate.NOT_SENT:
            return self._unheard(Heard.NOT_SENT, now)
        assert batch_id not in self.doubtful, f"a second blind PUT for {batch_id}"
        if fate is not Fate.THROTTLED:
            self.doubtful.add(batch_id)
        answer = self._act(batch_id, now) if fate in DONE else self._refusal(400, now)
        return self._told(fate, answer, now)

    def look_up(self, batch_id: int, fate: Fate, now: float) -> Answer:
        """A GET."""
        if fate is Fate.NOT_SENT:
            return self._unheard(Heard.NOT_SENT, now)
        answer = self._told(fate, self._shown(batch_id, now), now)
        if answer.status in {200, 404}:
            self.doubtful.discard(batch_id)
        return answer

    def _act(self, batch_id: int, now: float) -> Answer:
        if self.state[batch_id] == "open":
            self.state[batch_id], self.closed_at[batch_id] = "us", now
            return self._shown(batch_id, now)
        return self._refusal(404 if self.state[batch_id] == "missing" else 400, now)

    def _shown(self, batch_id: int, now: float) -> Answer:
        state = self.state[batch_id]
        if state == "missing":
            return self._refusal(404, now)
        is_open = state == "open"
        end = None if is_open else f"1970-01-01T{_clock(self.closed_at.get(batch_id, 0.0))}Z"
        status = "open" if is_open else "closed"
        batch = Batch(batch_id=batch_id, batch_status=status, bill_count=batch_id, end_date=end)
        return Answer(Heard.ANSWER, 200, batch, sent_at=now, received_at=now)

    def _told(self, fate: Fate, answer: Answer, now: float) -> Answer:
        if fate in {Fate.LOST, Fate.NOT_ARRIVED}:
            return self._unheard(Heard.LOST, now)
        return self._refusal(STATUS[fate], now) if fate in STATUS else answer

    def _refusal(self, status: int, now: float) -> Answer:
        return Answer(Heard.ANSWER, status, sent_at=now, received_at=now)

    def _unheard(self, heard: Heard, now: float) -> Answer:
        return Answer(heard, error="lost", sent_at=now, received_at=now)


def _clock(at: float) -> str:
    minutes, seconds = divmod(at, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02}:{minutes:02}:{seconds:09.6f}"
