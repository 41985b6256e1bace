"""What a plan has to learn: whose the key is, the list, single reads, the releases."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from worker.cli.looks.lookout import check_environment, no_list
from worker.cli.looks.reading import Reading
from worker.cli.naming import Named, Wish
from worker.cli.settings.bounds import bounds_of, today
from worker.engine.asking import Asking
from worker.engine.stop import Stop
from worker.engine.survey import FEW, Survey
from worker.rules.guards import Bounds
from worker.rules.plan import PlanDecision, PlanEntry, Wanted, decide_seen, decide_unseen
from worker.rules.selection import is_selected
from worker.rules.summary import Counters
from worker.words.answer import Answer, Identity
from worker.words.model import Batch

LONG_LIST: Final = 10
"""After so many pages or more only AP is asked about: a request per thousand batches, and two more."""


@dataclass(slots=True)
class Seen:
    """What was learned, and what is to be said of it."""

    entries: dict[int, PlanEntry] = field(default_factory=dict)
    identity: Identity | None = None
    can_export: dict[str, str | None] = field(default_factory=dict)
    untold: int = 0  # open batches that the list counts and did not show, where they were to be selected
    requests: Counters = field(default_factory=Counters)
    stop: Stop | None = None  # requested: nothing of this may be used


def look(wish: Wish | None, named: Named, reading: Reading) -> Seen:
    """Look at what is named, or wished for. Sends nothing but GET.

    Raises BatchCloserError where a selection can't be made.
    """
    seen = Seen()
    seen.stop = reading.perform(_Looker(wish, named, reading, seen).look, seen.requests)
    return seen


class _Looker:
    """One plan's looking."""

    def __init__(self, wish: Wish | None, named: Named, reading: Reading, seen: Seen) -> None:
        self._wish = wish
        self._named = named
        self._reading = reading
        self._seen = seen
        self._bounds = Bounds()

    async def look(self, asking: Asking) -> None:
        """Learn everything the plan needs. Raises BatchCloserError where that can't be."""
        settings = self._reading.settings
        identity = self._seen.identity = await asking.identity()
        check_environment(settings, identity)
        self._bounds = bounds_of(settings.guards, settings.bounds, today(), identity)
        if self._wish is None:
            await self._look_at_named(asking)
        else:
            await self._select(self._wish, asking)
        if self._would_close():
            await self._ask_what_is_released(asking)

    async def _look_at_named(self, asking: Asking) -> None:
        entries, wanted = self._seen.entries, self._named.wanted
        survey = Survey(asking)

        def show(batches: Sequence[Batch]) -> int:
            now = time.time()
            for batch in batches:
                if batch.batch_id in wanted:
                    entries[batch.batch_id] = decide_seen(batch, wanted[batch.batch_id], self._bounds, now)
            return len(wanted) - len(entries)

        if len(wanted) >= FEW:
            found = await survey.snapshot(show)
            if found.reason is not None:
                asking.log.warning("list.unavailable", reason=found.reason, instead="single reads")
        left = [batch_id for batch_id in wanted if batch_id not in entries]
        at_once = min(self._reading.settings.limits.concurrency, len(left))
        await survey.read_each(left, at_once, self._read)

    def _read(self, batch_id: int, answer: Answer, batch: Batch | None) -> None:
        wanted = self._named.wanted[batch_id]
        if batch is None:
            self._seen.entries[batch_id] = decide_unseen(answer, wanted)
        else:
            self._seen.entries[batch_id] = decide_seen(batch, wanted, self._bounds, time.time())

    async def _select(self, wish: Wish, asking: Asking) -> None:
        selection, named = wish.of(self._seen.identity), self._named

        def show(batches: Sequence[Batch]) -> None:
            now = time.time()
            for batch in batches:
                if batch.batch_id in named.wanted or not is_selected(batch, selection, now):
                    continue
                wanted = Wanted(batch.batch_id, "--open", len(named.order) + 1)
                named.wanted[batch.batch_id] = wanted
                named.order.append(batch.batch_id)
                self._seen.entries[batch.batch_id] = decide_seen(batch, wanted, self._bounds, now)

        found = await Survey(asking).snapshot(show)
        self._seen.untold = found.untold
        if not found.whole:
            raise no_list(found)

    def _would_close(self) -> bool:
        return any(entry.decision is PlanDecision.CLOSE for entry in self._seen.entries.values())

    async def _ask_what_is_released(self, asking: Asking) -> None:
        told = self._seen.can_export
        told["AP"] = await asking.can_export("AP")
        if self._seen.requests.list < LONG_LIST:
            told["GL"] = await asking.can_export("GL")
