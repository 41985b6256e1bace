"""The writer's thread side: one group of intents and results, one commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from errno import ENOENT
from functools import cache
from pathlib import Path
from typing import NamedTuple

from worker.ledger import ballast
from worker.ledger.connection import LEDGER_NAME, connect, identity
from worker.ledger.faults import RESUME, explain
from worker.ledger.group import COUNTERS, INTENT, PADDING, RESULT, ROW_WIDTH, Group, Value
from worker.words.errors import LedgerError

_MOST_ROWS = 128  # in one statement; 640 parameters are within any SQLite's limit

# A group goes in as one statement, and that is its commit. Each further statement would make the
# thread give up and retake the GIL under a busy event loop, which costs more than SQLite's own work.
_ENTRY = "CREATE TEMP VIEW entry AS SELECT 0 AS kind, 0 AS key, NULL AS a, NULL AS b, NULL AS c"
_SORTED = {
    INTENT: """INSERT INTO intents (batch, attempts, first_at) VALUES (new.key, new.a, new.b)
        ON CONFLICT (batch) DO UPDATE SET attempts = excluded.attempts""",
    RESULT: """INSERT INTO results (batch, final, outcome, record) VALUES (new.key, new.a, new.b, new.c)
        ON CONFLICT (batch) DO UPDATE
        SET final = excluded.final, outcome = excluded.outcome, record = excluded.record
        WHERE excluded.final >= final""",  # a provisional result never replaces a final one
    COUNTERS: "UPDATE sessions SET counters = new.c WHERE id = new.key",
}
_SORT_OUT = tuple(
    f"CREATE TEMP TRIGGER sort_{kind} INSTEAD OF INSERT ON entry WHEN new.kind = {kind} BEGIN\n{act};\nEND"
    for kind, act in _SORTED.items()
)


class Recorded(NamedTuple):
    """What became of a group; None means durable."""

    intents: LedgerError | None = None
    results: LedgerError | None = None


class Journal:
    """The connection that writes during a run; made, used and closed by one thread."""

    def __init__(self, folder: Path, session: int, ballast_bytes: int) -> None:
        """Open the ledger and lay the ballast. Raises LedgerError when there is no room for them."""
        self._folder = folder
        self._path = folder / LEDGER_NAME
        self._session = session
        self._connection = connect(folder, then=RESUME)
        try:
            self._connection.execute(_ENTRY)
            for trigger in _SORT_OUT:
                self._connection.execute(trigger)
            ballast.lay(folder, ballast_bytes)
            self._name = str(self._path)
            self._identity = identity(self._name)
        except (sqlite3.Error, OSError) as error:
            self._connection.close()
            raise explain(error, self._path, then=RESUME) from error

    def record(self, group: Group) -> Recorded:
        """Make ``group`` durable in one commit.

        When that fails the room kept aside is given up and the results are tried once more,
        without the intents: what was already sent must be remembered, nothing new is sent.
        """
        counters: list[Value] = []
        if group.counters is not None:
            counters = [COUNTERS, self._session, 0, 0, bytearray(group.counters)]
        results = group.rows_of_results()
        error = self._try(group.intents + results + counters)
        if error is None:
            return Recorded()
        ballast.release(self._folder)
        return Recorded(intents=error, results=self._try(results + counters))

    def close(self) -> None:
        """Close the connection; a log that can't be merged for want of room stays beside the ledger."""
        self._connection.close()

    def _try(self, values: Sequence[Value]) -> LedgerError | None:
        try:
            if values:
                self._commit(values)
            # A file that was moved or deleted takes commits like any other, for nobody to find.
            if identity(self._name) != self._identity:
                raise FileNotFoundError(ENOENT, "another file stands in its place")
        except (sqlite3.Error, OSError) as error:
            return explain(error, self._path, then=RESUME)
        return None

    def _commit(self, values: Sequence[Value]) -> None:
        most = _MOST_ROWS * ROW_WIDTH
        if len(values) <= most:
            self._insert(values)
            return
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(values), most):
                self._insert(values[start : start + most])
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _insert(self, values: Sequence[Value]) -> None:
        rows = len(values) // ROW_WIDTH
        prepared = 1 << (rows - 1).bit_length()  # a power of two: few statements, each prepared once
        self._connection.execute(_statement(prepared), (*values, *PADDING * (prepared - rows)))


@cache
def _statement(rows: int) -> str:
    row = f"({', '.join('?' * ROW_WIDTH)})"
    return f"INSERT INTO entry VALUES {', '.join([row] * rows)}"  # noqa: S608 - nothing but placeholders
