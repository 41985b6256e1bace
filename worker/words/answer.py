"""What one request brought back, in our own words: the edge translates, the rules decide."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from worker.words.model import Batch


class Heard(Enum):
    """How far a request got, as far as this side can know."""

    ANSWER = "answer"  # a status came, and for a 2xx the body asked for
    LOST = "lost"  # the request may have reached the server; no whole answer came back
    NOT_SENT = "not_sent"  # it can't have reached the server


class Answer(NamedTuple):
    """One request's answer, or what is known of its loss.

    ``batch`` is there only for a 2xx whose body is a BatchResponse of the batch asked for.
    ``error`` is a stable snake_case word: why there is no answer, or no batch in it.
    """

    heard: Heard
    status: int | None = None
    batch: Batch | None = None
    message: str | None = None  # the server's words: shortened, without control characters or the key
    error: str | None = None
    retry_after_s: float | None = None
    server_at: float | None = None  # the Date header
    sent_at: float = 0.0
    received_at: float = 0.0
    elapsed_s: float = 0.0

    def timed(self, sent_at: float, received_at: float, elapsed_s: float) -> Answer:
        """The answer with its times."""
        return Answer(*self[:-3], sent_at, received_at, elapsed_s)

    @property
    def reason(self) -> str:
        """A stable word for why this answer did not settle the batch."""
        return self.error or (f"http_{self.status}" if self.status else "lost")


class KeyState(Enum):
    """What ``GET /api/v3/me`` says of the key after a 401."""

    WORKS = "works"
    DEAD = "dead"  # a 401 here too: the key is not valid
    UNCLEAR = "unclear"


class Identity(NamedTuple):
    """Whose the key is and what it may do with bills and batches, as ``GET /api/v3/me`` says (source: SDK).

    None: the API did not say.
    """

    user_id: int | None = None
    user_code: str | None = None
    full_name: str | None = None
    environment: str | None = None
    may_create: bool | None = None  # close own batches
    may_manage: bool | None = None  # change other users' batches
    may_view: bool | None = None


class Page(NamedTuple):
    """A page of ``GET /api/v3/batch``. The totals are None where the headers do not say them."""

    batches: tuple[Batch, ...]
    number: int  # from 1, as the server says; else as it was asked for
    total_pages: int | None = None
    total_records: int | None = None
    skipped: int = 0  # rows that are no batch
