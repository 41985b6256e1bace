"""Opening the ledger's file: permissions, durability, identity."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from worker.ledger import schema
from worker.ledger.faults import TRY_AGAIN, explain
from worker.words.errors import LedgerError

LEDGER_NAME = "ledger.db"
_BUSY_TIMEOUT_S = 60.0  # runs on other hosts may share the file, and planning a million ids takes seconds
_WAL_BYTES_KEPT = 8 * 1024 * 1024
_STATEMENTS_CACHED = 256

Identity = tuple[int, ...]


def connect(folder: Path, *, then: str = TRY_AGAIN) -> sqlite3.Connection:
    """Open ``folder``'s ledger, made when missing, in autocommit mode, durable against power loss.

    Raises LedgerError (one line ending in the remedy ``then``) when that can't be done.
    The connection may be used from any one thread at a time.
    """
    path = folder / LEDGER_NAME
    try:
        _make(folder, path)
        connection = sqlite3.connect(
            path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS_CACHED,
        )
    except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: a path no system takes
        raise explain(error, path, then=then) from error
    try:
        _set_up(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, path, then=then) from error
    except BaseException:
        connection.close()
        raise
    return connection


def identity(path: str) -> Identity:
    """Which files stand at the ledger's path now. Raises OSError when one is gone.

    SQLite goes on writing to a deleted file without a word, so this must be compared after a commit.
    """
    ledger, wal = os.stat(path), os.stat(path + "-wal")  # noqa: PTH116 - a Path costs more than the call
    return ledger.st_dev, ledger.st_ino, wal.st_dev, wal.st_ino


def _make(folder: Path, path: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Only a missing file is opened: closing a descriptor of a live SQLite file drops this process's locks.
    if not path.exists():
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    schema.prepare(connection, path)
    if _write_ahead(connection) != "wal":
        raise LedgerError(
            f"ledger {path}: its file system can't keep a write-ahead log; choose a --state on a local disk"
        )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")
    connection.execute("SELECT 1 FROM runs LIMIT 1").fetchone()  # opens the log's files, and finds damage


def _write_ahead(connection: sqlite3.Connection) -> object:
    """Change to a write-ahead log; the mode that the file then has.

    SQLite does not wait for others here as it does elsewhere: of several that make the ledger at once all
    but one would be turned away.
    """
    give_up_at = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            return connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at:
                raise
        time.sleep(0.005)
