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
from worker.ledger.group import INTENT_WIDTH, RESULT_WIDTH, Group, Value
from worker.words.errors import LedgerError

_MOST_ROWS = 64  # in one statement: so few numbers of rows that each statement stays prepared

# Many rows go in by one statement: each statement makes the thread give up and retake the GIL under a
# busy event loop, which costs more than SQLite's own work on a row.
_INTENTS = (
    "INSERT INTO intents (batch, attempts, first_at) VALUES ",
    " ON CONFLICT (batch) DO UPDATE SET attempts = excluded.attempts",
)
_RESULTS = (
    "INSERT INTO results (batch, final, outcome, record) VALUES ",
    (  # a provisional result never replaces a final one
        " ON CONFLICT (batch) DO UPDATE SET final = excluded.final, outcome = excluded.outcome,"
        " record = excluded.record WHERE excluded.final >= final"
    ),
)
_COUNTERS = "UPDATE sessions SET counters = ? WHERE id = ?"


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
        results = group.rows_of_results()
        error = self._try(group, group.intents, results)
        if error is None:
            return Recorded()
        ballast.release(self._folder)
        return Recorded(intents=error, results=self._try(group, (), results))

    def close(self) -> None:
        """Close the connection; a log that can't be merged for want of room stays beside the ledger."""
        self._connection.close()

    def _try(self, group: Group, intents: Sequence[Value], results: Sequence[Value]) -> LedgerError | None:
        try:
            if intents or results or group.counters is not None:
                self._commit(group, intents, results)
            # A file that was moved or deleted takes commits like any other, for nobody to find.
            if identity(self._name) != self._identity:
                raise FileNotFoundError(ENOENT, "another file stands in its place")
        except (sqlite3.Error, OSError) as error:
            return explain(error, self._path, then=RESUME)
        return None

    def _commit(self, group: Group, intents: Sequence[Value], results: Sequence[Value]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._insert(_INTENTS, INTENT_WIDTH, intents)
            self._insert(_RESULTS, RESULT_WIDTH, results)
            if group.counters is not None:
                connection.execute(_COUNTERS, (bytearray(group.counters), self._session))
            group.on_way()
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _insert(self, statement: tuple[str, str], width: int, values: Sequence[Value]) -> None:
        most = _MOST_ROWS * width
        for start in range(0, len(values), most):
            some = values[start : start + most]
            self._connection.execute(_of_rows(statement, width, len(some) // width), some)


@cache
def _of_rows(statement: tuple[str, str], width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return ", ".join([row] * rows).join(statement)
