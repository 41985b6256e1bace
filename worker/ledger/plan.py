"""Planning: an input becomes a run's batches, once, in order, all or nothing.

The entries are first gathered in a temporary table: an input may be slow, and meanwhile
the ledger stays open to the other runs that share it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from worker.ledger.asked import demands_of
from worker.ledger.records import ListedBatch, NewRun
from worker.words.model import Rejected

_CACHE_KIB = 16 * 1024  # half the index over a million ids: all of it saves a second, and takes 17 MiB more
_HASH_CHUNK = 10_000

_DEMANDED = (
    " FROM temp.demands d JOIN temp.planned p USING (seq) JOIN batches b USING (batch_id) WHERE b.run = ?"
)
_DEMANDS = (
    # Every line that names a batch has a say in what is expected of it.
    f"INSERT INTO controls SELECT DISTINCT b.id, d.bills, d.total{_DEMANDED} AND d.before IS NULL",
    f"INSERT OR IGNORE INTO befores SELECT b.id, d.before{_DEMANDED} AND d.before IS NOT NULL",
)

_Row = tuple[int, int | None, int, int, str | None]


@dataclass(slots=True)
class Gathered:
    """What was seen while the entries went by."""

    lines: int = 0
    invalid: int = 0
    sources: dict[str, int] = field(default_factory=dict)


def plan(connection: sqlite3.Connection, new: NewRun, entries: Iterable[ListedBatch | Rejected]) -> int:
    """Record ``new`` with its ``entries`` and return its row id; nothing remains when ``entries`` raises."""
    with gathering(connection):
        gathered = gather(connection, entries)
        connection.execute("BEGIN IMMEDIATE")
        run = record(connection, new, gathered)
        connection.execute("COMMIT")
    return run


@contextmanager
def gathering(connection: sqlite3.Connection) -> Iterator[None]:
    """Have the temporary tables for as long as this lasts; a transaction left open is undone at its end."""
    connection.execute(
        "CREATE TEMP TABLE planned (seq INTEGER PRIMARY KEY, batch_id INT, source INT, line INT, text TEXT)"
    )
    connection.execute("CREATE TEMP TABLE demands (seq INT, before TEXT, bills INT, total TEXT)")
    connection.execute(f"PRAGMA main.cache_size = -{_CACHE_KIB}")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("DROP TABLE temp.planned")
        connection.execute("DROP TABLE temp.demands")
        connection.execute("PRAGMA main.cache_size = -2000")
        connection.execute("PRAGMA shrink_memory")


def gather(connection: sqlite3.Connection, entries: Iterable[ListedBatch | Rejected]) -> Gathered:
    """Put the entries into the temporary tables. Raises what ``entries`` raises."""
    gathered = Gathered()
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO temp.planned VALUES (?, ?, ?, ?, ?)", _rows(connection, entries, gathered)
    )
    connection.execute("COMMIT")
    return gathered


def _rows(
    connection: sqlite3.Connection, entries: Iterable[ListedBatch | Rejected], gathered: Gathered
) -> Iterator[_Row]:
    sources = gathered.sources
    seq = 0
    for seq, entry in enumerate(entries, start=1):
        source = sources.setdefault(entry.source, len(sources))
        if isinstance(entry, Rejected):
            gathered.invalid += 1
            yield seq, None, source, entry.line, storable(entry.text)
        else:
            if entry.controls or entry.before is not None:
                demands = demands_of(seq, entry.controls, entry.before)
                connection.executemany("INSERT INTO temp.demands VALUES (?, ?, ?, ?)", demands)
            yield seq, entry.batch_id, source, entry.line, None
    gathered.lines = seq


def record(connection: sqlite3.Connection, new: NewRun, gathered: Gathered) -> int:
    """Make a run of what the temporary tables hold, within the caller's transaction."""
    base = connection.execute("SELECT coalesce(max(last_seq), 0) FROM runs").fetchone()[0]
    run = connection.execute(
        "INSERT INTO runs (run_id, state, created_at, base_url, host, settings, who,"
        " first_seq, last_seq, input_hash, lines, ids, duplicates, invalid)"
        " VALUES (?, 'open', ?, ?, ?, ?, ?, ?, ?, '', 0, 0, 0, 0)",
        (
            storable(new.run_id),
            new.created_at,
            storable(new.base_url),
            new.host,
            storable(new.settings),
            storable(new.who),
            base + 1,
            base + gathered.lines,
        ),
    ).lastrowid
    assert run is not None
    connection.executemany(
        "INSERT INTO sources VALUES (?, ?, ?)",
        ((run, idx, storable(name)) for name, idx in gathered.sources.items()),
    )
    ids = connection.execute(
        "INSERT INTO batches SELECT seq + ?, ?, batch_id, source, line FROM temp.planned"
        " WHERE batch_id IS NOT NULL ORDER BY seq ON CONFLICT (run, batch_id) DO NOTHING",
        (base, run),
    ).rowcount
    connection.execute(
        "INSERT INTO invalid SELECT seq + ?, ?, source, line, text FROM temp.planned"
        " WHERE batch_id IS NULL ORDER BY seq",
        (base, run),
    )
    for statement in _DEMANDS:
        connection.execute(statement, (run,))
    connection.execute(
        "UPDATE runs SET input_hash = ?, lines = ?, ids = ?, duplicates = ?, invalid = ? WHERE id = ?",
        (
            _input_hash(connection, new.host, base),
            gathered.lines,
            ids,
            gathered.lines - gathered.invalid - ids,
            gathered.invalid,
            run,
        ),
    )
    return run


def _input_hash(connection: sqlite3.Connection, host: str, after_seq: int) -> str:
    digest = hashlib.sha256(f"{host}\n".encode())
    cursor = connection.execute("SELECT batch_id FROM batches WHERE id > ? ORDER BY id", (after_seq,))
    while rows := cursor.fetchmany(_HASH_CHUNK):
        digest.update("".join([f"{batch_id}\n" for (batch_id,) in rows]).encode())
    return digest.hexdigest()


def storable(text: str) -> str:
    """A file's name may hold lone surrogates, which SQLite refuses: write them as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
