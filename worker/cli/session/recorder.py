"""What is learned during a session, shown in the right order: the ledger first, then file, log and bar."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import cast

from worker.cli.session.account import Account
from worker.engine.ports import Hindrance, Pacing
from worker.ledger import LedgerWriter, Store
from worker.report import ResultsFile, line_of
from worker.telemetry import Log, Progress
from worker.words.errors import BatchCloserError
from worker.words.model import Outcome, Planned, Result


class Settled:
    """A result on its way through the ledger, with its line for results.jsonl."""

    __slots__ = ("_line", "result", "seq")

    def __init__(self, seq: int, result: Result) -> None:
        self.seq = seq
        self.result = result
        self._line: bytes | None = None

    def line(self) -> bytes:
        """The line, made once and late: one after the other they cost a third of what each does alone."""
        if self._line is None:
            self._line = line_of(self.result)
        return self._line


class Shown:
    """Where results are shown once they are durable: results.jsonl, the log, the bar, the totals."""

    def __init__(
        self,
        account: Account,
        results: ResultsFile,
        log: Log,
        progress: Progress,
        ok: Collection[Outcome],
        *,
        on_shown: Callable[[Result], None] = lambda _: None,
    ) -> None:
        self._account = account
        self._results = results
        self._log = log
        self._progress = progress
        self._quiet = {*ok, Outcome.NOT_ATTEMPTED}
        self._on_shown = on_shown
        self.file_failed = False

    def show(self, settled: Iterable[Settled]) -> None:
        """Show results that the ledger has, or that nothing was done about."""
        lines: list[bytes] = []
        with self._log.gathered():
            for each in settled:
                result, line = each.result, each.line()
                lines.append(line)
                self._account.tally.add(result)
                self._progress.settled(result.outcome)
                self._on_shown(result)
                self._log.settled(line, fine=result.outcome in self._quiet)
        self._write(lines)

    def _write(self, lines: list[bytes]) -> None:
        """A results file that can't be written doesn't stop the run: the ledger has it all."""
        if self.file_failed:
            return
        try:
            self._results.write(lines)
        except BatchCloserError as error:
            self.file_failed = True
            self._log.error("run.file_failed", error=str(error))


class Recorder:
    """The engine's memory: the ledger, and what is shown once the ledger has it."""

    def __init__(
        self,
        store: Store,
        account: Account,
        writer: LedgerWriter,
        provisional: set[int],
        pacer: Pacing,
    ) -> None:
        self._store = store
        self._account = account
        self._writer = writer
        self._provisional = provisional
        self._pacer = pacer

    def pending(self, after_seq: int, limit: int) -> Sequence[Planned]:
        """The next batches without a final result."""
        return self._store.pending(self._account.run, after_seq=after_seq, limit=limit)

    def intend(self, planned: Planned, attempts: int, first_attempt_at: float) -> Awaitable[Hindrance | None]:
        """Complete once the intent is durable."""
        return self._writer.intend(planned.seq, attempts, first_attempt_at, self._pacer.wait_s)

    def is_held(self, planned: Planned) -> bool:  # noqa: ARG002 - the lock of the run sees to that
        """Nobody else has the batches of this run."""
        return True

    def settle(self, planned: Planned, result: Result, *, final: bool) -> None:
        """Queue a result; what is not final is settled again by the session that takes it up."""
        if not final:
            self._provisional.add(planned.seq)
        settled = Settled(planned.seq, result)
        self._writer.settle(planned.seq, result.outcome, final=final, record=settled.line, token=settled)


def settled(tokens: Sequence[object]) -> Sequence[Settled]:
    """The tokens that ``settle`` handed to the ledger."""
    return cast("Sequence[Settled]", tokens)
