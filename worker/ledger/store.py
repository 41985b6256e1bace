"""The ledger before and after a run: planning, resuming, listing. Synchronous, one thread at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from worker.ledger import rows
from worker.ledger.asked import LOOKS, note_looks
from worker.ledger.connection import LEDGER_NAME, connect
from worker.ledger.delivered import Delivered
from worker.ledger.faults import told
from worker.ledger.plan import plan
from worker.ledger.queue import Queue
from worker.ledger.records import Line, ListedBatch, NewRun, RunEnd, RunRow, RunState, SessionRow
from worker.words.errors import LedgerError
from worker.words.model import Batch, Outcome, Planned, Rejected

_PAGE = 1000


def open_ledger(folder: Path) -> Store:
    """Open the ledger of the state ``folder``; both are made when missing.

    Raises LedgerError when it can't be opened, is damaged, or is from a newer version.
    """
    return Store(connect(folder), folder / LEDGER_NAME)


class Store:
    """An open ledger. Every method may raise LedgerError, one line with its remedy.

    What a method wrote is durable when it returns.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path
        with told(path):
            connection.execute(LOOKS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        self._connection.close()

    def plan(self, new: NewRun, entries: Iterable[ListedBatch | Rejected]) -> RunRow:
        """Record a run with its input, duplicates dropped; nothing remains when ``entries`` raises."""
        if self.run(new.run_id) is not None:
            raise LedgerError(f"ledger {self.path}: run {new.run_id} exists; choose another --run-id")
        with told(self.path):
            plan(self._connection, new, entries)
        return self._known(new.run_id)

    def queue(self, base_url: str) -> Queue:
        """What waits for a worker of that base URL."""
        return Queue(self._connection, self.path, base_url)

    def delivered(self, source: str, base_url: str) -> Delivered:
        """What is known of batches that a broker's queue, the source of their runs, delivered."""
        return Delivered(self._connection, self.path, source, base_url)

    def run(self, run_id: str) -> RunRow | None:
        """The run of that name."""
        return self._one("WHERE run_id = ?", run_id)

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""
        with told(self.path):
            return [rows.run_of(row) for row in self._connection.execute(rows.RUNS + "ORDER BY id")]

    def last_unfinished(self) -> RunRow | None:
        """The newest run that was begun and has batches left."""
        return self._one("WHERE state = 'open' AND started_at IS NOT NULL ORDER BY id DESC LIMIT 1")

    def last_ended(self, host: str, *, exit_code: int | None = None) -> RunRow | None:
        """The run on ``host`` whose last session ended in order last of all; with that exit code alone."""
        code, last = ("", ()) if exit_code is None else ("AND exit_code = ? ", (exit_code,))
        where = f"WHERE host = ? AND finished_at IS NOT NULL {code}ORDER BY finished_at DESC, id DESC LIMIT 1"
        return self._one(where, host, *last)

    def unfinished_like(self, host: str, input_hash: str, *, before: RunRow | None = None) -> RunRow | None:
        """The newest unfinished run on ``host`` over the same ids, planned ``before`` the given one.

        One that no session ever began is none: nothing was sent for it, and it may not have been agreed to.
        """
        last = before.id - 1 if before else rows.MAX_ID
        return self._one(
            "WHERE state = 'open' AND started_at IS NOT NULL AND host = ? AND input_hash = ? AND id <= ?"
            " ORDER BY id DESC LIMIT 1",
            host,
            input_hash,
            last,
        )

    def discard(self, run: RunRow) -> None:
        """Forget a run and everything recorded of it."""
        with self._transaction() as connection:
            for statement in rows.DISCARD:
                connection.execute(statement, {"run": run.id, "first": run.first_seq, "last": run.last_seq})

    def start_session(self, run: RunRow, *, started_at: float, pid: int, who: str) -> int:
        """Record that a process takes up ``run``; return the session's number, for the writer.

        How an earlier session ended is no longer how the run stands.
        """
        with self._transaction() as connection:
            connection.execute(
                "UPDATE runs SET started_at = coalesce(started_at, ?), state = 'open', finished_at = NULL,"
                " exit_code = NULL, stopped = NULL, stopped_by = NULL, summary = NULL WHERE id = ?",
                (started_at, run.id),
            )
            session = connection.execute(
                "INSERT INTO sessions (run, started_at, pid, who) VALUES (?, ?, ?, ?)",
                (run.id, started_at, pid, who),
            ).lastrowid
        return session or 0

    def finish_session(self, session: int, *, finished_at: float, counters: bytes | None = None) -> None:
        """Record a session's end, and its last counters when given."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE sessions SET finished_at = ?, counters = coalesce(?, counters) WHERE id = ?",
                (finished_at, counters, session),
            )

    def finish_run(self, run: RunRow, end: RunEnd) -> RunRow:
        """Record how the run stands: finished when every batch has a final result, else still open."""
        state = RunState.OPEN if self.pending(run, after_seq=0, limit=1) else RunState.FINISHED
        with self._transaction() as connection:
            connection.execute(
                "UPDATE runs SET state = ?, finished_at = ?, exit_code = ?, stopped = ?, stopped_by = ?,"
                " summary = ? WHERE id = ?",
                (
                    state.value,
                    end.finished_at,
                    end.exit_code,
                    end.stopped.value if end.stopped else None,
                    end.stopped_by,
                    end.summary,
                    run.id,
                ),
            )
        return self._known(run.run_id)

    def sessions(self, run: RunRow) -> list[SessionRow]:
        """The run's sessions, oldest first."""
        with told(self.path):
            found = self._connection.execute(
                "SELECT id, started_at, finished_at, pid, who, counters FROM sessions"
                " WHERE run = ? ORDER BY id",
                (run.id,),
            )
            return [
                SessionRow(id=i, started_at=start, finished_at=end, pid=pid, who=who, counters=counters)
                for i, start, end, pid, who, counters in found
            ]

    def pending(self, run: RunRow, *, after_seq: int, limit: int) -> list[Planned]:
        """The next batches without a final result, in input order, with all that is known of them."""
        with told(self.path):
            names = self._names(run)
            after = max(after_seq, run.first_seq - 1)
            asked = {"after": after, "last": run.last_seq, "limit": limit}
            return [rows.planned_of(row, names) for row in self._connection.execute(rows.PENDING, asked)]

    def left(self, run: RunRow) -> int:
        """How many batches have no final result."""
        with told(self.path):
            return int(self._connection.execute(rows.LEFT, (run.first_seq, run.last_seq)).fetchone()[0])

    def note_looks(self, batches: Sequence[Batch], at: float, run: RunRow | None = None) -> int:
        """Keep, for as long as the ledger is open, what was seen of batches at that instant.

        Only of the run's, where one is given. Returns of how many there was nothing before.
        """
        with told(self.path):
            return note_looks(self._connection, batches, at, None if run is None else run.id)

    def forget_looks(self) -> None:
        """Forget what was seen of batches."""
        with told(self.path):
            self._connection.execute("DELETE FROM temp.looks")

    def closed_among(self, run: RunRow, batch_ids: Sequence[int]) -> list[int]:
        """Those of ``batch_ids`` that the run has closed."""
        with told(self.path):
            asked = (run.id, orjson.dumps(batch_ids).decode())
            return [batch_id for (batch_id,) in self._connection.execute(rows.CLOSED_AMONG, asked)]

    def closed(self, run: RunRow, limit: int) -> list[int]:
        """The first batches that the run has closed, in input order."""
        with told(self.path):
            asked = (run.first_seq, run.last_seq, limit)
            return [batch_id for (batch_id,) in self._connection.execute(rows.CLOSED, asked)]

    def expects(self, run: RunRow) -> bool:
        """Whether the input expects anything of its batches, or a plan saw them before."""
        with told(self.path):
            asked = {"first": run.first_seq, "last": run.last_seq}
            return bool(self._connection.execute(rows.EXPECTS, asked).fetchone()[0])

    def results(self, run: RunRow) -> Iterator[Line]:
        """Every entry of the run in input order, batches and invalid lines, with what is recorded of it.

        Read page by page: nothing stays locked between two entries.
        """
        after = run.first_seq - 1
        with told(self.path):
            names = self._names(run)
        while True:
            asked = {"after": after, "last": run.last_seq, "limit": _PAGE}
            with told(self.path):
                page = self._connection.execute(rows.LINES, asked).fetchall()
            if not page:
                return
            after = page[-1][0]
            for row in page:
                yield rows.line_of(row, names)

    def tally(self, run: RunRow) -> dict[Outcome, int]:
        """How many of the run's batches have each recorded outcome."""
        with told(self.path):
            found = self._connection.execute(
                "SELECT outcome, count(*) FROM results WHERE batch BETWEEN ? AND ? GROUP BY outcome",
                (run.first_seq, run.last_seq),
            )
            return {Outcome(outcome): count for outcome, count in found}

    def drop_provisional(self, run: RunRow) -> int:
        """Forget the results that a resumed run is to try again; return how many there were.

        A batch that was not attempted begins anew: nothing that was intended for it was carried out. Of
        others an attempt that was intended and not made counts no more, for their results say so.
        """
        with self._transaction() as connection:
            connection.execute(rows.FORGET_UNMADE, (run.first_seq, run.last_seq))
            connection.execute(
                "DELETE FROM intents WHERE batch IN (SELECT batch FROM results"
                " WHERE batch BETWEEN ? AND ? AND final = 0 AND outcome = ?)",
                (run.first_seq, run.last_seq, Outcome.NOT_ATTEMPTED),
            )
            return connection.execute(
                "DELETE FROM results WHERE batch BETWEEN ? AND ? AND final = 0", (run.first_seq, run.last_seq)
            ).rowcount

    def _one(self, where: str, *values: str | int) -> RunRow | None:
        with told(self.path):
            row = self._connection.execute(rows.RUNS + where, values).fetchone()
        return None if row is None else rows.run_of(row)

    def _known(self, run_id: str) -> RunRow:
        run = self.run(run_id)
        if run is None:
            raise LedgerError(f"ledger {self.path}: run {run_id} is gone; see `batch-closer runs list`")
        return run

    def _names(self, run: RunRow) -> dict[int, str]:
        return dict(self._connection.execute("SELECT idx, name FROM sources WHERE run = ?", (run.id,)))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
