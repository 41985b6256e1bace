"""After a run's last close: what it closed is read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from worker.cli.looks.reading import Reading
from worker.engine.asking import Asking
from worker.engine.survey import FEW, Snapshot, Survey
from worker.ledger import RunRow, Store
from worker.rules.proof import Proof, Proving
from worker.rules.summary import Counters
from worker.words.answer import Answer
from worker.words.model import Batch

_PROVED_SINGLY: Final = 100
"""Without a list, no more closed batches than this are read again one by one."""


class Prover:
    """Proves one run: none of what it closed is on the list of what isn't closed."""

    def __init__(self, reading: Reading, store: Store, run: RunRow, closed: int, *, list_works: bool) -> None:
        self._reading = reading
        self._store = store
        self._run = run
        self._closed = closed  # how many batches
        self._list_works = list_works
        self._proving = Proving()
        self._proof: Proof | None = None
        self._why_not = "no_list"

    def perform(self, tallies: Counters) -> Proof | None:
        """Read again; None, which is said in the log, where that can't be done."""
        log = self._reading.log
        stop = self._reading.perform(self._look, tallies)
        if stop is not None or self._proof is None:
            log.warning("proof.unavailable", reason=self._why_not if stop is None else stop.by)
            return None
        for problem in self._proof.problems:
            log.error("proof.disagrees", reason=problem.reason, count=problem.count, ids=problem.first_ids)
        return self._proof

    async def _look(self, asking: Asking) -> None:
        survey = Survey(asking)
        suspects = await self._listed(survey) if self._closed >= FEW else None
        if suspects is None:
            suspects = self._store.closed(self._run, _PROVED_SINGLY + 1)
            if len(suspects) > _PROVED_SINGLY:
                return
        # The list may lag behind: a single read has the last word.
        at_once = min(self._reading.settings.limits.concurrency, len(suspects))
        await survey.read_each(suspects, at_once, self._read)
        self._proof = self._proving.proof(self._closed)

    async def _listed(self, survey: Survey) -> list[int] | None:
        """The closed batches that the list shows all the same; None where it does not show all it should."""
        suspects: dict[int, None] = {}

        def show(batches: Sequence[Batch]) -> int:
            ids = [batch.batch_id for batch in batches]
            suspects.update(dict.fromkeys(self._store.closed_among(self._run, ids)))
            return self._closed

        found = await survey.snapshot(show)
        if found.untold:  # it changed while it was read
            found = await survey.snapshot(show)
        self._why_not = _why_not(found)
        # That nothing is left is only worth believing of a list that has shown something.
        shows = found.batches > 0 or self._list_works
        return list(suspects) if found.whole and not found.untold and shows else None

    def _read(self, batch_id: int, answer: Answer, _: Batch | None) -> None:
        self._proving.read(batch_id, answer)


def _why_not(found: Snapshot) -> str:
    if found.reason is not None or not found.whole:
        return found.reason or "list_too_long"
    return "list_incomplete" if found.untold else "list_is_empty"
