"""The ledger against a model: plans, intents, results, crashes and resumes in any order."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from worker.ledger import LedgerWriter, Line, RunRow, Store, open_ledger
from worker.words.model import Outcome, Planned, Rejected

from .support import SMALL_BALLAST, Listed, kept, new_run

ids = st.integers(min_value=1, max_value=12)
outcomes = st.sampled_from([Outcome.CLOSED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED])


class Remembered:
    """What the ledger must know of one run."""

    def __init__(self, run: RunRow, order: list[int | str]) -> None:
        self.run = run
        self.order = order  # ids and, as text, lines that are none
        self.attempts: dict[int, tuple[int, float]] = {}
        self.results: dict[int, tuple[bool, Outcome, bytes]] = {}

    def settle(self, batch_id: int, final: bool, outcome: Outcome, record: bytes) -> None:
        if final or not self.results.get(batch_id, (False,))[0]:
            self.results[batch_id] = (final, outcome, record)

    def pending(self) -> list[int]:
        batches = [entry for entry in self.order if isinstance(entry, int)]
        return [batch_id for batch_id in batches if not self.results.get(batch_id, (False,))[0]]


class LedgerMachine(RuleBasedStateMachine):
    """One session at a time works on the newest run; a crash takes a copy of the files as they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="ledger-"))
        self.folder = self.top / "0"
        self.lives = 0
        self.clock = 1.0
        self.runner = asyncio.Runner()
        self.known: list[Remembered] = []
        self.told: list[object] = []
        self.expected: list[object] = []

    def teardown(self) -> None:
        if self.known:
            self.runner.run(self.writer.__aexit__(None, None, None))
            self.store.close()
        self.runner.close()
        shutil.rmtree(self.top)

    @property
    def current(self) -> Remembered:
        return self.known[-1]

    @initialize(entries=st.lists(ids | st.just("x"), min_size=1, max_size=12))
    def begin(self, entries: list[int | str]) -> None:
        self.store: Store = open_ledger(self.folder)
        self._plan(entries)
        self._open_writer()

    @rule(entries=st.lists(ids | st.just("x"), max_size=12))
    def plan_another(self, entries: list[int | str]) -> None:
        self._end_session()
        self._plan(entries)
        self._open_writer()

    @rule(picks=st.lists(st.integers(0, 99), min_size=1, max_size=4))
    def intend(self, picks: list[int]) -> None:
        chosen = self._choose(picks)
        waits = []
        for planned in chosen:
            self.clock += 1.0
            attempts, first = self.current.attempts.get(planned.batch_id, (0, self.clock))
            self.current.attempts[planned.batch_id] = (attempts + 1, first)
            waits.append((planned.seq, attempts + 1, self.clock))

        async def wait() -> None:
            await asyncio.gather(*(self.writer.intend(*each) for each in waits))

        self.runner.run(wait())

    @rule(picks=st.lists(st.integers(0, 99), min_size=1, max_size=4), outcome=outcomes, final=st.booleans())
    def settle(self, picks: list[int], outcome: Outcome, final: bool) -> None:
        async def queue() -> None:
            for planned in self._choose(picks):
                self.clock += 1.0
                record = b"%d" % int(self.clock)
                self.writer.settle(planned.seq, outcome, final=final, record=kept(record), token=self.clock)
                self.current.settle(planned.batch_id, final, outcome, record)
                self.expected.append(self.clock)
            await self.writer.flush()

        self.runner.run(queue())

    @rule(picks=st.lists(st.integers(0, 99), max_size=4))
    def crash(self, picks: list[int]) -> None:
        """What was asked for in the same turn as the crash may be lost, and nothing else."""

        async def ask() -> None:
            for planned in self._choose(picks):
                self.writer.settle(
                    planned.seq, Outcome.NOT_FOUND, final=True, record=kept(b"lost"), token=None
                )
            after = self.top / str(self.lives + 1)
            after.mkdir()
            for name in ("ledger.db", "ledger.db-wal"):
                shutil.copyfile(self.folder / name, after / name)

        self.runner.run(ask())
        self._close()
        self.lives += 1
        self.folder = self.top / str(self.lives)
        self.store = open_ledger(self.folder)
        self._open_writer()

    @rule()
    def resume(self) -> None:
        self._end_session()
        provisional = [batch_id for batch_id, (final, *_) in self.current.results.items() if not final]
        for batch_id in provisional:
            _, outcome, _ = self.current.results.pop(batch_id)
            if outcome is Outcome.NOT_ATTEMPTED:
                self.current.attempts.pop(batch_id, None)
        assert self.store.drop_provisional(self.current.run) == len(provisional)
        self._open_writer()

    @precondition(lambda self: len(self.known) > 1)
    @rule(pick=st.integers(0, 99))
    def discard_an_old_run(self, pick: int) -> None:
        gone = self.known.pop(pick % (len(self.known) - 1))
        self.store.discard(gone.run)

    @invariant()
    def every_run_is_as_remembered(self) -> None:
        if not self.known:
            return
        assert [run.run_id for run in self.store.runs()] == [each.run.run_id for each in self.known]
        assert self.told == self.expected
        for remembered in self.known:
            lines = list(self.store.results(remembered.run))
            assert [_named(line) for line in lines] == remembered.order
            for line in lines:
                if isinstance(line.entry, Planned):
                    batch_id = line.entry.batch_id
                    attempts = (line.entry.attempts, line.entry.first_attempt_at)
                    assert attempts == remembered.attempts.get(batch_id, (0, None))
                    recorded = (line.final, line.outcome, line.record)
                    assert recorded == remembered.results.get(batch_id, (False, None, None))
            assert _ids(self.store, remembered.run) == remembered.pending()

    def _choose(self, picks: list[int]) -> list[Planned]:
        batches = [line.entry for line in self.store.results(self.current.run)]
        planned = [entry for entry in batches if isinstance(entry, Planned)]
        return [planned[pick % len(planned)] for pick in picks] if planned else []

    def _plan(self, entries: list[int | str]) -> None:
        sourced = [
            Listed(entry, "f", line) if isinstance(entry, int) else Rejected("f", line, entry)
            for line, entry in enumerate(entries, start=1)
        ]
        self.clock += 1.0
        run = self.store.plan(new_run(f"run-{self.clock}"), sourced)
        order: list[int | str] = []
        for entry in entries:
            if isinstance(entry, str) or entry not in order:
                order.append(entry)
        self.known.append(Remembered(run, order))

    def _open_writer(self) -> None:
        session = self.store.start_session(self.current.run, started_at=self.clock, pid=1, who="ops@server")

        async def enter() -> LedgerWriter:
            def durable(tokens: Sequence[object]) -> None:
                self.told.extend(token for token in tokens if token is not None)

            writer = LedgerWriter(
                self.folder, session, on_durable=durable, ballast_bytes=SMALL_BALLAST, closers=2
            )
            return await writer.__aenter__()

        self.writer = self.runner.run(enter())
        self.session = session

    def _end_session(self) -> None:
        self.runner.run(self.writer.__aexit__(None, None, None))
        self.store.finish_session(self.session, finished_at=self.clock)

    def _close(self) -> None:
        self.runner.run(self.writer.__aexit__(None, None, None))
        self.store.close()


def _named(line: Line) -> int | str:
    return line.entry.batch_id if isinstance(line.entry, Planned) else line.entry.text


def _ids(store: Store, run: RunRow) -> list[int]:
    found: list[int] = []
    after = 0
    while page := store.pending(run, after_seq=after, limit=3):
        found += [planned.batch_id for planned in page]
        after = page[-1].seq
    return found


LedgerMachine.TestCase.settings = settings(
    max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


TestLedger = LedgerMachine.TestCase
