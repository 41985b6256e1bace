"""Looking at batches without a way to write: whose the key is, the list, single reads, the releases."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import SecretStr

from worker.cli.naming import Named, Wish
from worker.cli.settings import Settings
from worker.cli.signals import Ears
from worker.cli.wiring import connection_of
from worker.energycap import connect_reader
from worker.engine.asking import Asking
from worker.engine.pacer import Pacer
from worker.engine.ports import Clocks
from worker.engine.reads import Reads, RetryPolicy
from worker.engine.stop import Stop
from worker.engine.survey import Survey
from worker.rules.guards import Bounds
from worker.rules.plan import PlanDecision, PlanEntry, Wanted, decide_seen, decide_unseen
from worker.rules.retry import RetryBudget
from worker.rules.selection import is_selected
from worker.rules.summary import Counters
from worker.telemetry import Log
from worker.words.answer import Answer, Identity
from worker.words.errors import BatchCloserError, ConfigurationError
from worker.words.model import Batch

FEW: Final = 3
"""Fewer batches than this are read one by one: a list is no cheaper."""
LONG_LIST: Final = 10
"""After so many pages or more only AP is asked about: a request per thousand batches, and two more."""


class ApiTroubleError(BatchCloserError):
    """The API could not be read."""

    exit_code = 5


@dataclass(slots=True)
class Seen:
    """What was learned, and what is to be said of it."""

    entries: dict[int, PlanEntry] = field(default_factory=dict)
    identity: Identity | None = None
    can_export: dict[str, str | None] = field(default_factory=dict)
    untold: int = 0  # open batches that the list counts and did not show, where they were to be selected
    requests: Counters = field(default_factory=Counters)
    stop: Stop | None = None  # requested: nothing of this may be used


class _Silence:
    """A stopped plan says so in one line of its own."""

    def info(self, event: str, **fields: object) -> None:
        """Say nothing."""

    def warning(self, event: str, **fields: object) -> None:
        """Say nothing."""


def look(wish: Wish, named: Named, *, settings: Settings, key: SecretStr, log: Log, ears: Ears) -> Seen:
    """Look at what is wished for. Sends nothing but GET.

    Raises BatchCloserError where a selection can't be made.
    """
    return asyncio.run(_look(wish, named, settings=settings, key=key, log=log, ears=ears))


async def _look(
    wish: Wish, named: Named, *, settings: Settings, key: SecretStr, log: Log, ears: Ears
) -> Seen:
    clocks = Clocks(time.time, asyncio.get_running_loop().time, random.random)
    limits, seen = settings.limits, Seen()
    async with connect_reader(connection_of(settings, settings.api.base_url, key)) as api:
        reads = Reads(
            api=api,
            pacer=Pacer(limits.rate_per_s, limits.burst, log, clocks.steady, lambda _: None),
            policy=RetryPolicy(**settings.retry.model_dump()),
            budget=RetryBudget.of(limits.concurrency),
            tallies=seen.requests,
            clocks=clocks,
        )
        stop = Stop(_Silence())
        asking = Asking(reads, stop, log, clocks)
        looker = _Looker(wish, named, asking, limits.concurrency, seen)
        with ears.listening(stop.signalled):
            await asking.until_stopped(looker.look, deadline_s=limits.deadline_s, stall_s=limits.stall_s)
    seen.stop = stop if stop.draining else None
    if looker.trouble is not None and seen.stop is None:
        raise looker.trouble
    return seen


class _Looker:
    """One plan's looking."""

    def __init__(self, wish: Wish, named: Named, asking: Asking, at_once: int, seen: Seen) -> None:
        self.trouble: BatchCloserError | None = None
        self._wish = wish
        self._named = named
        self._asking = asking
        self._survey = Survey(asking)
        self._at_once = at_once
        self._seen = seen
        self._bounds = Bounds()

    async def look(self) -> None:
        """Learn everything the plan needs; ``trouble`` says why that can't be, if it can't."""
        identity = self._seen.identity = await self._asking.identity()
        self._bounds = self._wish.bounds(identity)
        if self._wish.selection is None:
            await self._look_at_named()
        else:
            self.trouble = await self._select()
        if self.trouble is None and self._would_close():
            await self._ask_what_is_released()

    async def _look_at_named(self) -> None:
        entries, wanted = self._seen.entries, self._named.wanted

        def show(batches: Sequence[Batch]) -> int:
            now = time.time()
            for batch in batches:
                if batch.batch_id in wanted:
                    entries[batch.batch_id] = decide_seen(batch, wanted[batch.batch_id], self._bounds, now)
            return len(wanted) - len(entries)

        if len(wanted) >= FEW:
            found = await self._survey.snapshot(show)
            if found.reason is not None:
                self._asking.log.warning("list.unavailable", reason=found.reason, instead="single reads")
        left = [batch_id for batch_id in wanted if batch_id not in entries]
        await self._survey.read_each(left, min(self._at_once, len(left)), self._read)

    def _read(self, batch_id: int, answer: Answer, batch: Batch | None) -> None:
        wanted = self._named.wanted[batch_id]
        if batch is None:
            self._seen.entries[batch_id] = decide_unseen(answer, wanted)
        else:
            self._seen.entries[batch_id] = decide_seen(batch, wanted, self._bounds, time.time())

    async def _select(self) -> BatchCloserError | None:
        selection, identity = self._wish.selection, self._seen.identity
        assert selection is not None
        if self._wish.owner_is_me:
            if identity is None or identity.user_id is None:
                return ConfigurationError(
                    "--owner me can't be used: the API does not say whose the key is; give the user's number"
                )
            selection = replace(selection, owner_id=identity.user_id)
        named = self._named

        def show(batches: Sequence[Batch]) -> None:
            now = time.time()
            for batch in batches:
                if batch.batch_id in named.wanted or not is_selected(batch, selection, now):
                    continue
                wanted = Wanted(batch.batch_id, "--open", len(named.order) + 1)
                named.wanted[batch.batch_id] = wanted
                named.order.append(batch.batch_id)
                self._seen.entries[batch.batch_id] = decide_seen(batch, wanted, self._bounds, now)

        found = await self._survey.snapshot(show)
        self._seen.untold = found.untold
        if found.whole:
            return None
        kind = ApiTroubleError if found.trouble else ConfigurationError
        return kind(
            f"--open needs the list of batches, and the API does not give it ({found.reason}): "
            f"{'try again later' if found.trouble else 'name the batches instead'}"
        )

    def _would_close(self) -> bool:
        return any(entry.decision is PlanDecision.CLOSE for entry in self._seen.entries.values())

    async def _ask_what_is_released(self) -> None:
        told = self._seen.can_export
        told["AP"] = await self._asking.can_export("AP")
        if self._seen.requests.list < LONG_LIST:
            told["GL"] = await self._asking.can_export("GL")
