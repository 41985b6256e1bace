"""The proof after a run: is what it closed closed, when it is read again?"""

from __future__ import annotations

from typing import Final, NamedTuple

from worker.rules.summary import Problem, Verified
from worker.rules.verdict import Sight, of_look_up
from worker.words.answer import Answer
from worker.words.model import Outcome

_FIRST_IDS: Final = 1000  # more than of other problems: nothing is more urgent, and no result names them
STILL_OPEN: Final = "still_open"
GONE: Final = "gone"


class Proof(NamedTuple):
    """What reading again showed of the batches that the run closed."""

    verified: Verified
    still_open: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What disagrees with the outcome ``closed``, for the summary."""
        found = ((STILL_OPEN, self.still_open), (GONE, self.gone))
        return tuple(
            Problem(Outcome.CLOSED, reason, None, None, len(ids), tuple(sorted(ids)[:_FIRST_IDS]))
            for reason, ids in found
            if ids
        )


class Proving:
    """Gathers what single reads show; every other batch was shown closed by its absence from a list."""

    def __init__(self) -> None:
        self._still_open: list[int] = []
        self._gone: list[int] = []
        self.unread = 0

    def read(self, batch_id: int, answer: Answer) -> None:
        """Take what a read shows of a batch that the run closed."""
        sight = of_look_up(answer)
        if sight is Sight.OPEN:
            self._still_open.append(batch_id)
        elif sight is Sight.NOT_FOUND:
            self._gone.append(batch_id)
        elif sight is not Sight.CLOSED:
            self.unread += 1

    def proof(self, batches: int) -> Proof:
        """The proof over so many closed batches, less those that could not be read."""
        disagreeing = len(self._still_open) + len(self._gone)
        verified = Verified(batches - self.unread, disagreeing)
        return Proof(verified, tuple(self._still_open), tuple(self._gone))
