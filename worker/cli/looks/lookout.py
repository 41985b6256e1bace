"""Before a run's first close and after its last: whose the key is, and what the batches are."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from worker.cli.looks.proving import Prover
from worker.cli.looks.reading import ApiTroubleError, Reading
from worker.cli.naming import Wish
from worker.cli.settings.bounds import bounds_of, today
from worker.cli.settings.tree import Settings
from worker.engine.asking import Asking
from worker.engine.run import Care
from worker.engine.stop import Stop
from worker.engine.survey import FEW, Snapshot, Survey
from worker.ledger import RunRow, Store
from worker.rules.plan import PlanTally, Wanted, decide_seen
from worker.rules.proof import Proof
from worker.rules.selection import Selection, is_selected
from worker.rules.summary import Counters, KeyOwner, printable
from worker.sources import Listed
from worker.telemetry import Log
from worker.words.answer import Answer, Identity
from worker.words.errors import BatchCloserError, ConfigurationError
from worker.words.model import Batch

_PAGE: Final = 1000
_MAX_INT: Final = 2**53  # what every reader of JSON can hold

Work: TypeAlias = Callable[[Asking], Awaitable[None]]


@dataclass(slots=True)
class Looked:
    """What was learned before the first close."""

    identity: Identity | None = None
    can_export: dict[str, str | None] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    requests: Counters = field(default_factory=Counters)
    took_s: float = 0.0
    stop: Stop | None = None  # requested meanwhile: the run is over before it began

    @property
    def key_owner(self) -> KeyOwner | None:
        """Whose the key is, for the run's record."""
        who = self.identity
        if who is None:
            return None
        user_id = None if who.user_id is None or abs(who.user_id) > _MAX_INT else who.user_id
        return KeyOwner(user_id, who.user_code, who.full_name, who.environment)

    def care(self, settings: Settings) -> Care | None:
        """How the run is to look at its batches; None where it closes them unseen."""
        if not settings.api.snapshot:
            return None
        bounds = bounds_of(settings.guards, settings.bounds, today(), self.identity)
        return Care(bounds=bounds, wait_analyzing_s=settings.bounds.wait_analyzing_s)


class Preview:
    """What a run would do, as far as the list of batches tells."""

    def __init__(self, store: Store, run: RunRow, care: Care) -> None:
        self.tally = PlanTally()
        self.unseen = 0
        after = 0
        while page := store.pending(run, after_seq=after, limit=_PAGE):
            after = page[-1].seq
            for planned in page:
                if planned.look is None:
                    self.unseen += 1
                    continue
                wanted = Wanted(planned.batch_id, planned.source, planned.line, planned.controls)
                wanted = wanted._replace(before=planned.before)
                self.tally.add(decide_seen(planned.look.batch, wanted, care.bounds, planned.look.at))


class Lookout:
    """Reads what a run has to know; what it sees of batches is kept for as long as the ledger is open."""

    def __init__(self, reading: Reading, store: Store) -> None:
        self._reading = reading
        self._settings = reading.settings
        self._store = store

    def before(self, run: RunRow, *, asks: bool) -> Looked:
        """Look at the batches that are left of a run; ``asks``: a person is to be told all about them.

        Raises ConfigurationError where the key is of another environment than expected.
        """

        async def look(asking: Asking) -> None:
            if asks or self._settings.api.snapshot or self._settings.api.expect_environment is not None:
                looked.identity = await asking.identity()
            check_environment(self._settings, looked.identity)
            if self._settings.api.snapshot:
                await self._list(run, asking, looked)
                if asks and looked.snapshot is None:
                    await self._read_few(run, asking)
            if asks:
                await _ask_what_is_released(asking, looked)

        looked = Looked()
        return self._perform(look, looked)

    def expect(self) -> None:
        """Raise ConfigurationError where the key is of another environment than expected.

        What can't be learned now is left to ``before``.
        """

        async def look(asking: Asking) -> None:
            check_environment(self._settings, await asking.identity())

        if self._settings.api.expect_environment is not None:
            self._perform(look, Looked())

    def anew(self, run: RunRow, looked: Looked) -> Looked:
        """Look again, because what was seen is old by now."""
        self._store.forget_looks()
        again = self.before(run, asks=False)
        again.requests.merge(looked.requests)
        again.took_s += looked.took_s
        return again

    async def _list(self, run: RunRow, asking: Asking, looked: Looked) -> None:
        left = self._store.left(run)

        def show(batches: Sequence[Batch]) -> int:
            nonlocal left
            left -= self._store.note_looks(batches, time.time(), run)
            return left

        # One request more than it takes to read one or two, for the proof of what earlier sessions closed.
        if left >= FEW or (left and self._store.closed(run, 1)):
            looked.snapshot = await Survey(asking).snapshot(show)
            if looked.snapshot.reason is not None:
                asking.log.warning("list.unavailable", reason=looked.snapshot.reason, instead="single reads")

    async def _read_few(self, run: RunRow, asking: Asking) -> None:
        """Too few for the list: what is asked about them is read one by one."""

        def keep(_: int, __: Answer, batch: Batch | None) -> None:
            if batch is not None:
                self._store.note_looks([batch], time.time())

        few = [planned.batch_id for planned in self._store.pending(run, after_seq=0, limit=FEW)]
        await Survey(asking).read_each(few, len(few), keep)

    def select(self, wish: Wish, *, asks: bool) -> tuple[Looked, list[Listed]]:
        """The open batches that are wished for, all of them before any is closed.

        Raises BatchCloserError where there is no list of batches, or the key is not the one expected.
        """
        selected: dict[int, Listed] = {}

        async def look(asking: Asking) -> None:
            looked.identity = await asking.identity()
            check_environment(self._settings, looked.identity)
            await self._select(wish.of(looked.identity), asking, looked, selected)
            if asks and selected:
                await _ask_what_is_released(asking, looked)

        looked = Looked()
        return self._perform(look, looked), list(selected.values())

    async def _select(
        self, selection: Selection, asking: Asking, looked: Looked, selected: dict[int, Listed]
    ) -> None:
        def show(batches: Sequence[Batch]) -> None:
            now = time.time()
            fit = [batch for batch in batches if is_selected(batch, selection, now)]
            self._store.note_looks(fit, now)
            for batch in fit:
                selected.setdefault(batch.batch_id, Listed(batch.batch_id, "--open", len(selected) + 1))

        looked.snapshot = await Survey(asking).snapshot(show)
        if not looked.snapshot.whole:
            raise no_list(looked.snapshot)

    def _perform(self, look: Work, looked: Looked) -> Looked:
        began = time.monotonic()
        looked.stop = self._reading.perform(look, looked.requests)
        looked.took_s = time.monotonic() - began
        return looked

    def after(self, run: RunRow, closed: int, looked: Looked, tallies: Counters) -> Proof | None:
        """Read again what the run closed; None where that can't be done."""
        works = looked.snapshot is not None and looked.snapshot.batches > 0
        return Prover(self._reading, self._store, run, closed, list_works=works).perform(tallies)


def no_list(found: Snapshot) -> BatchCloserError:
    """Why a selection can't be made without the list of batches."""
    kind = ApiTroubleError if found.trouble else ConfigurationError
    return kind(
        f"--open needs the list of batches, and the API does not give it ({found.reason}): "
        f"{'try again later' if found.trouble else 'name the batches instead'}"
    )


def warn_of_untold(log: Log, looked: Looked) -> None:
    """Say where the list did not show all that it counts: it changed while it was read."""
    untold = looked.snapshot.untold if looked.snapshot else 0
    if untold:
        log.warning("list.incomplete", batches=untold, remedy="close --open again afterwards")


async def _ask_what_is_released(asking: Asking, looked: Looked) -> None:
    looked.can_export["AP"] = await asking.can_export("AP")
    looked.can_export["GL"] = await asking.can_export("GL")


def check_environment(settings: Settings, identity: Identity | None) -> None:
    """Raise ConfigurationError where another environment than the key's is expected."""
    expected = settings.api.expect_environment
    found = identity.environment if identity else None
    if expected is None or (found or "").strip().casefold() == expected.strip().casefold():
        return
    told = f"the key's is {printable(found, 60)!r}" if found else "the API does not say which is the key's"
    raise ConfigurationError(
        f"environment {printable(expected, 60)!r} is expected (by api.expect_environment or the plan), "
        f"and {told}: give the key and base URL of the environment you mean (nothing was closed)"
    )
