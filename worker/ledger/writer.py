"""The ledger during a run: an asyncio face over one writing thread.

While one commit runs the next group gathers on the event loop; all state here is the loop's own,
and the thread sees only groups handed over whole. So an fsync is shared by all who wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio

from worker.ledger.ballast import BALLAST_BYTES
from worker.ledger.group import Group, Record
from worker.ledger.journal import Journal, Recorded
from worker.words.errors import LedgerError
from worker.words.model import Outcome

EVERY_S = 0.005
"""Commits begin no closer together, unless all closers wait: each costs what ten closes do."""
WITHIN_S = 0.1
"""Nothing waits longer for others to share its commit; so much later may a result be shown."""
LATE_S = 0.02
"""What is durable is told no later than this, though another commit be on its way."""

OnDurable = Callable[[Sequence[object]], None]
OnFailure = Callable[[LedgerError], None]


def _ignore(_: object) -> None:
    """Nobody asked to be told."""


class LedgerWriter:
    """Records the intents and results of one session of a run. Used from one event loop.

    ``on_durable(tokens)`` is called on the loop after each commit that held results, with their
    tokens in the order of their ``settle``; ``on_failure(error)`` once, when the ledger first
    can't be written. From then on intents are refused, while results go on being tried.
    ``counters()`` gives the session's counters (JSON) as of a commit. ``closers`` is how many can
    wait for an intent at once: when so many do, nobody else will come.
    """

    def __init__(
        self,
        folder: Path,
        session: int,
        *,
        on_durable: OnDurable = _ignore,
        on_failure: OnFailure = _ignore,
        counters: Callable[[], bytes] | None = None,
        ballast_bytes: int = BALLAST_BYTES,
        closers: int | None = None,
    ) -> None:
        self._folder = folder
        self._session = session
        self._on_durable = on_durable
        self._on_failure = on_failure
        self._counters = counters
        self._ballast_bytes = ballast_bytes
        self._failed: LedgerError | None = None
        self._gathering = Group()
        self._committing: Group | None = None
        self._closers = closers
        self._due: asyncio.TimerHandle | None = None
        self._untold: list[object] = []
        self._late: asyncio.TimerHandle | None = None
        self._closed = False
        self._handed_at = float("-inf")

    async def __aenter__(self) -> Self:
        """Open the ledger in the writing thread. Raises LedgerError."""
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        try:
            self._journal = await self._loop.run_in_executor(
                self._thread, Journal, self._folder, self._session, self._ballast_bytes
            )
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record what is queued, as far as that is possible, and close; see ``unrecorded``."""
        try:
            with anyio.CancelScope(shield=True):
                await self.flush()
        except asyncio.CancelledError:  # not by a scope: there is no turn of the loop left to wait for
            self._record_now()
            raise
        finally:
            self._closed = True
            self._tell_durable()
            self._thread.submit(self._journal.close)
            self._thread.shutdown()

    @property
    def failed(self) -> LedgerError | None:
        """Why the ledger can't be written any more, when it can't."""
        return self._failed

    @property
    def unrecorded(self) -> Sequence[object]:
        """The tokens of results that are not durable yet; after closing, of those that never became so."""
        committing = self._committing.tokens if self._committing else []
        return (*committing, *self._gathering.tokens)

    def intend(self, seq: int, attempts: int, at: float, needed_in_s: float = 0.0) -> asyncio.Future[None]:
        """Say that attempt number ``attempts`` of a batch is about to be sent, in so long at the earliest.

        The future resolves when that is durable, and not before; a LedgerError means: do not send.
        """
        future: asyncio.Future[None] = self._loop.create_future()
        if self._failed is not None:
            future.set_exception(LedgerError(str(self._failed)))
            return future
        self._gathering.intend(seq, attempts, at, future)
        self._schedule(min(needed_in_s / 2, WITHIN_S))  # the other half is for the commit itself
        return future

    def settle(self, seq: int, outcome: Outcome, *, final: bool, record: Record, token: object) -> None:
        """Queue a batch's result. Not ``final``: a resumed run is to try the batch again."""
        self._gathering.settle(seq, outcome, final, record, token)
        self._schedule(WITHIN_S)

    async def flush(self) -> None:
        """Wait until everything queued so far was recorded or, once the ledger has failed, tried again."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._gathering.flushes.append(future)
        self._schedule(0.0)
        await future

    def _schedule(self, within_s: float) -> None:
        """Hand the group over within so long, and once this turn has added all it has; now if all wait."""
        group = self._gathering
        group.due_at = min(group.due_at, self._loop.time() + within_s)
        if self._committing is None:
            self._hand_over_when_due()

    def _hand_over_when_due(self) -> None:
        if len(self._gathering.waiting) == self._closers:
            return self._hand_over()
        due_at = max(self._gathering.due_at, self._handed_at + EVERY_S)
        if self._due is None or due_at < self._due.when():
            if self._due is not None:
                self._due.cancel()
            self._due = self._loop.call_at(due_at, self._hand_over)
        return None

    def _hand_over(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._closed:
            return
        self._handed_at = self._loop.time()
        if self._counters is not None:
            self._gathering.counters = self._counters()
        if self._untold:
            self._gathering.on_way = self._on_way
        group = self._committing = self._gathering
        self._gathering = Group()
        self._thread.submit(self._journal.record, group).add_done_callback(self._back_to_loop)

    def _back_to_loop(self, done: Future[Recorded]) -> None:
        """Runs in the writing thread; the loop may be closed already when a run is torn down."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._recorded, done)

    def _record_now(self) -> None:
        group, self._gathering = self._gathering, Group()
        if self._thread.submit(self._journal.record, group).result().results is not None:
            self._gathering.put_back(group)

    def _recorded(self, done: Future[Recorded]) -> None:
        group, self._committing = self._committing, None
        assert group is not None
        fault = done.exception()
        if fault is None:
            recorded = done.result()
        else:
            error = LedgerError(f"ledger {self._folder}: its writer failed ({fault!r}); please report this")
            recorded = Recorded(error, error)
        has_come = self._gathering.is_wanted  # what could not be recorded waits for whoever comes next
        if recorded.results is not None:
            self._gathering.put_back(group)
        if has_come:
            self._hand_over_when_due()
        self._tell(group, recorded)

    def _tell(self, group: Group, recorded: Recorded) -> None:
        error = recorded.intents
        newly_failed = error is not None and self._failed is None
        if error is not None:
            self._failed = self._failed or error
        for future in group.waiting:
            _resolve(future, error)
        for future in group.flushes:
            _resolve(future, None)
        if newly_failed and error is not None:
            self._on_failure(error)
        if group.tokens and recorded.results is None:
            self._untold += group.tokens
            if group.flushes or len(group.waiting) != self._closers:
                self._tell_durable()
            else:  # all closers go on at once: their next commit leaves time to tell, while the disk writes
                self._late = self._loop.call_later(LATE_S, self._tell_durable)

    def _on_way(self) -> None:
        """Runs in the writing thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell_durable)

    def _tell_durable(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        untold, self._untold = self._untold, []
        if untold:
            self._on_durable(untold)


def _resolve(future: asyncio.Future[None], error: LedgerError | None) -> None:
    if future.done():  # whoever waited was cancelled
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(LedgerError(str(error)))
