"""The queue: ids that wait until a worker makes a run of them.

Each base URL has its own, so that the ids of two hosts never mix. An id waits once, however often
it arrives; what each arrival expects of the batch is kept. A run takes all that waits in one commit:
at any moment an id is either waiting or in a run, never in both and never in neither.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from worker.ledger import queue_rows, rows
from worker.ledger.faults import told
from worker.ledger.plan import Gathered, gather, gathering, record, storable
from worker.ledger.records import ListedBatch, NewRun, RunRow
from worker.words.model import Rejected

_PAGE = 1000


class Arrived(NamedTuple):
    """What an input added to the queue."""

    number: int  # of the arrival; 0: nothing is added yet, or there was nothing
    added: int  # ids that did not wait before
    duplicates: int  # lines with an id that waits already, or that this input had before
    invalid: int  # lines that are no id; they wait too, to be reported by the run


class Waiting(NamedTuple):
    """What waits."""

    ids: int
    invalid: int
    repeats: int
    expects: bool  # something of a batch

    @property
    def lines(self) -> int:
        """All lines that arrived."""
        return self.ids + self.invalid + self.repeats


class WaitingEntry(NamedTuple):
    """An entry that waits; a line that is no id has a text instead of one."""

    batch_id: int | None
    text: str | None
    source: str
    line: int
    arrived_at: float
    repeats: int


class Queue:
    """The queue of one base URL, in an open ledger. Every method may raise LedgerError."""

    def __init__(self, connection: sqlite3.Connection, path: Path, base_url: str) -> None:
        self._connection = connection
        self._path = path
        self._base_url = base_url

    def add(
        self,
        entries: Iterable[ListedBatch | Rejected],
        *,
        at: float,
        who: str,
        agree: Callable[[Arrived], None] | None = None,
    ) -> Arrived:
        """Add the entries, durably and all together; nothing is added when ``entries`` or ``agree`` raises.

        ``agree`` is told beforehand what would be added, with nothing locked meanwhile.
        """
        connection = self._connection
        with told(self._path), gathering(connection):
            gathered = gather(connection, entries)
            if agree is not None:
                new = int(connection.execute(queue_rows.NEW, (self._id(),)).fetchone()[0])
                agree(_arrived(0, new, gathered))
            if not gathered.lines:
                return Arrived(0, 0, 0, 0)
            connection.execute("BEGIN IMMEDIATE")
            arrived = self._add(gathered, at, who)
            connection.execute("COMMIT")
        return arrived

    def take_back(self, entries: Iterable[ListedBatch | Rejected]) -> int:
        """Let the entries wait no longer; return how many ids did. A line that is no id goes by its text."""
        connection, queue = self._connection, self._id()
        with told(self._path), gathering(connection):
            gather(connection, entries)
            connection.execute("BEGIN IMMEDIATE")
            before = self.waiting().ids
            for statement in queue_rows.TAKE_BACK:
                connection.execute(statement, (queue,))
            taken = before - self.waiting().ids
            connection.execute("COMMIT")
        return taken

    def entries(self) -> Iterator[WaitingEntry]:
        """What waits, in order of arrival; read page by page, so that nothing stays locked meanwhile."""
        after = 0
        while True:
            asked = {"queue": self._id(), "after": after, "limit": _PAGE}
            with told(self._path):
                page = self._connection.execute(queue_rows.ENTRIES, asked).fetchall()
            if not page:
                return
            after = page[-1][0]
            for _, *row in page:
                yield WaitingEntry(*row)

    def waiting(self) -> Waiting:
        """How much waits."""
        with told(self._path):
            ids, invalid, repeats, expects = self._connection.execute(
                queue_rows.WAITING, {"queue": self._id()}
            ).fetchone()
        return Waiting(ids, invalid, repeats, bool(expects))

    def anything(self) -> bool:
        """Whether anything waits; quicker than counting it."""
        with told(self._path):
            return bool(self._connection.execute(queue_rows.ANY, (self._id(),)).fetchone()[0])

    def elsewhere(self) -> dict[str, int]:
        """How many ids wait for other base URLs."""
        with told(self._path):
            return dict(self._connection.execute(queue_rows.ELSEWHERE, (self._base_url,)).fetchall())

    def take(
        self, new: NewRun, *, at: float, refuse: Callable[[Waiting], None] = lambda _: None
    ) -> str | None:
        """Make a begun run of all that waits and return its name; None where nothing does.

        Nothing is taken when ``refuse``, which is told what waits, raises.
        """
        connection = self._connection
        with told(self._path), gathering(connection):
            connection.execute("CREATE TEMP TABLE named (arrival INT, idx INT, source INT)")
            try:
                connection.execute("BEGIN IMMEDIATE")
                waiting = self.waiting()
                if not waiting.lines:
                    return None
                refuse(waiting)
                self._take(new, at, waiting)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                connection.execute("DROP TABLE temp.named")
        return new.run_id

    def unfinished(self) -> list[RunRow]:
        """Runs out of this queue that have batches left, oldest first."""
        with told(self._path):
            return [
                rows.run_of(row) for row in self._connection.execute(queue_rows.UNFINISHED, (self._id(),))
            ]

    def run_of(self, number: int) -> RunRow | None:
        """The run that took what the arrival added."""
        with told(self._path):
            row = self._connection.execute(queue_rows.RUN_OF, (number,)).fetchone()
        return None if row is None else rows.run_of(row)

    def _id(self) -> int:
        """The queue's number; 0 where there is none yet."""
        found = self._connection.execute("SELECT id FROM queues WHERE base_url = ?", (self._base_url,))
        row = found.fetchone()
        return 0 if row is None else int(row[0])

    def _add(self, gathered: Gathered, at: float, who: str) -> Arrived:
        connection = self._connection
        connection.execute("INSERT OR IGNORE INTO queues (base_url) VALUES (?)", (self._base_url,))
        queue = self._id()
        number = connection.execute(
            "INSERT INTO arrivals (queue, arrived_at, who) VALUES (?, ?, ?)", (queue, at, storable(who))
        ).lastrowid
        assert number is not None
        names = [(number, idx, storable(name)) for name, idx in gathered.sources.items()]
        connection.executemany("INSERT INTO waiting_sources VALUES (?, ?, ?)", names)
        last = connection.execute("SELECT coalesce(max(id), 0) FROM waiting").fetchone()[0]
        connection.execute(queue_rows.ADD, (queue, number))
        connection.execute(queue_rows.EXPECT, (queue,))
        added = connection.execute("SELECT count(batch_id) FROM waiting WHERE id > ?", (last,)).fetchone()[0]
        return _arrived(number, added, gathered)

    def _take(self, new: NewRun, at: float, waiting: Waiting) -> None:
        connection, queue = self._connection, self._id()
        sources: dict[str, int] = {}
        for arrival, idx, name in connection.execute(queue_rows.NAMES, (queue,)).fetchall():
            source = sources.setdefault(name, len(sources))
            connection.execute("INSERT INTO temp.named VALUES (?, ?, ?)", (arrival, idx, source))
        connection.execute("CREATE UNIQUE INDEX temp.named_by ON named (arrival, idx)")
        for statement in queue_rows.TAKE:
            connection.execute(statement, (queue,))
        gathered = Gathered(lines=waiting.lines, invalid=waiting.invalid, sources=sources)
        run = record(connection, replace(new, base_url=self._base_url), gathered)
        connection.execute("UPDATE runs SET started_at = ? WHERE id = ?", (at, run))
        connection.execute("UPDATE arrivals SET run = ? WHERE queue = ? AND run IS NULL", (run, queue))


def _arrived(number: int, added: int, gathered: Gathered) -> Arrived:
    return Arrived(number, added, gathered.lines - gathered.invalid - added, gathered.invalid)
