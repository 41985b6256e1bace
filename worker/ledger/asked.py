"""What a run's input asks of its batches besides a close, and what was seen of them: rows and records."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import orjson

from worker.words.model import Batch, Control

LOOKS = "CREATE TEMP TABLE looks (batch_id INTEGER PRIMARY KEY, seen_at REAL NOT NULL, record BLOB NOT NULL)"
"""What this process saw, by its own connection alone: another session looks anew."""

_SEEN_AMONG = "SELECT count(*) FROM temp.looks WHERE batch_id IN (SELECT value FROM json_each(?))"

_Row = tuple[int, str | None, int | None, str | None]


def record_of(batch: Batch) -> bytes:
    """A batch as it is kept."""
    return batch.model_dump_json(by_alias=True, exclude_none=True).encode()


def batch_of(record: bytes | None) -> Batch | None:
    """What ``record_of`` made."""
    return None if record is None else Batch.model_validate_json(record)


def demands_of(seq: int, controls: Iterable[Control], before: Batch | None) -> Iterator[_Row]:
    """Rows for the controls of an entry, and one for the batch as a plan saw it."""
    for control in controls:
        if control != Control():
            yield seq, None, control.bills, None if control.total is None else str(control.total)
    if before is not None:
        yield seq, record_of(before).decode(), None, None


def controls_of(text: str | None) -> tuple[Control, ...]:
    """The controls of a batch, from the array of pairs that SQL makes of them."""
    if text is None or text == "[]":
        return ()
    pairs = orjson.loads(text)
    return tuple(Control(bills, None if total is None else Decimal(total)) for bills, total in pairs)


def note_looks(connection: sqlite3.Connection, batches: Sequence[Batch], at: float, run: int | None) -> int:
    """Keep what was seen, of the run's batches alone where one is given; say how many were new."""
    of_run = "" if run is None else " WHERE EXISTS (SELECT 1 FROM batches WHERE run = ? AND batch_id = ?)"
    ids = orjson.dumps([batch.batch_id for batch in batches]).decode()
    before: int = connection.execute(_SEEN_AMONG, (ids,)).fetchone()[0]
    connection.execute("BEGIN")
    connection.executemany(
        f"INSERT OR REPLACE INTO temp.looks SELECT ?, ?, ?{of_run}",
        (
            (batch.batch_id, at, record_of(batch), *(() if run is None else (run, batch.batch_id)))
            for batch in batches
        ),
    )
    connection.execute("COMMIT")
    after: int = connection.execute(_SEEN_AMONG, (ids,)).fetchone()[0]
    return after - before
