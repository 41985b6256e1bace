"""The ledger's tables, and the check that a file is a ledger this version can use.

``batches.id`` and ``invalid.id`` number a run's entries in input order out of one range,
``runs.first_seq`` to ``runs.last_seq``, which no other run shares. So everything of a run
is found by a scan over a range of keys, and the order of the input is the order of the keys.

``waiting`` is the queue: ids that ``enqueue`` added and no run has taken yet, in order of arrival.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from worker.words.errors import LedgerError

APPLICATION_ID = 0x4274436C  # "BtCl"
VERSION = 3

_TABLES = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL CHECK (state IN ('open', 'finished')),
        created_at REAL NOT NULL,
        started_at REAL,
        finished_at REAL,
        base_url TEXT NOT NULL,
        host TEXT NOT NULL,
        settings TEXT NOT NULL,
        who TEXT NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        input_hash TEXT NOT NULL,
        lines INTEGER NOT NULL,
        ids INTEGER NOT NULL,
        duplicates INTEGER NOT NULL,
        invalid INTEGER NOT NULL,
        exit_code INTEGER,
        stopped TEXT,
        stopped_by TEXT,
        summary TEXT
    )""",
    """CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs,
        started_at REAL NOT NULL,
        finished_at REAL,
        pid INTEGER NOT NULL,
        who TEXT NOT NULL,
        counters BLOB
    )""",
    """CREATE TABLE sources (
        run INTEGER NOT NULL REFERENCES runs,
        idx INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (run, idx)
    ) WITHOUT ROWID""",
    """CREATE TABLE batches (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs,
        batch_id INTEGER NOT NULL,
        source INTEGER NOT NULL,
        line INTEGER NOT NULL,
        UNIQUE (run, batch_id)
    )""",
    """CREATE TABLE invalid (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs,
        source INTEGER NOT NULL,
        line INTEGER NOT NULL,
        text TEXT NOT NULL
    )""",
    """CREATE TABLE intents (
        batch INTEGER PRIMARY KEY REFERENCES batches,
        attempts INTEGER NOT NULL,
        first_at REAL NOT NULL
    )""",
    """CREATE TABLE results (
        batch INTEGER PRIMARY KEY REFERENCES batches,
        final INTEGER NOT NULL CHECK (final IN (0, 1)),
        outcome TEXT NOT NULL,
        record BLOB NOT NULL
    )""",
)
_SINCE_2 = (
    """CREATE TABLE controls (
        batch INTEGER NOT NULL REFERENCES batches,
        bills INTEGER,
        total TEXT
    )""",
    "CREATE INDEX controls_of_batch ON controls (batch)",
    """CREATE TABLE befores (
        batch INTEGER PRIMARY KEY REFERENCES batches,
        record BLOB NOT NULL
    )""",
)
_SINCE_3 = (
    """CREATE TABLE queues (
        id INTEGER PRIMARY KEY,
        base_url TEXT NOT NULL UNIQUE
    )""",
    """CREATE TABLE arrivals (
        id INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL REFERENCES queues,
        arrived_at REAL NOT NULL,
        who TEXT NOT NULL,
        run INTEGER REFERENCES runs -- that took what it added; NULL: it waits
    )""",
    "CREATE INDEX arrivals_of_run ON arrivals (run)",
    """CREATE TABLE waiting (
        id INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL REFERENCES queues,
        batch_id INTEGER, -- NULL: a line that is no id
        arrival INTEGER NOT NULL REFERENCES arrivals,
        source INTEGER NOT NULL,
        line INTEGER NOT NULL,
        text TEXT,
        repeats INTEGER NOT NULL DEFAULT 0, -- how often it was added again
        UNIQUE (queue, batch_id)
    )""",
    """CREATE TABLE waiting_sources (
        arrival INTEGER NOT NULL REFERENCES arrivals,
        idx INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (arrival, idx)
    ) WITHOUT ROWID""",
    """CREATE TABLE waiting_controls (
        waiting INTEGER NOT NULL,
        bills INTEGER,
        total TEXT
    )""",
    "CREATE INDEX waiting_controls_of ON waiting_controls (waiting)",
)
STEPS = (_TABLES, _SINCE_2, _SINCE_3)
"""What each version added to the one before."""


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Create the tables in an empty file, add those that an earlier version lacks, or check the version.

    Raises LedgerError for another program's database and for a ledger from a newer version.
    """
    connection.execute("BEGIN")  # the marks are of one instant, though another may be making the tables
    try:
        is_made = _checked(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if is_made:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _checked(connection, path):  # nobody else made it meanwhile
            for step in STEPS[_pragma(connection, "user_version") :]:
                for table in step:
                    connection.execute(table)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _checked(connection: sqlite3.Connection, path: Path) -> bool:
    """True for a ledger of this version, False for an earlier one or none; LedgerError for anything else."""
    application = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    if application == APPLICATION_ID:
        if version > VERSION:
            raise LedgerError(
                f"ledger {path}: it was written by a newer version of batch-closer (schema {version}, "
                f"this one knows {VERSION}); upgrade batch-closer or choose another --state"
            )
        return version == VERSION
    if application == 0 and version == 0 and _pragma(connection, "schema_version") == 0:
        return False
    raise LedgerError(
        f"ledger {path}: it is another program's database; move it away or choose another --state"
    )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
