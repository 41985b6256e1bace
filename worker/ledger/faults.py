"""Foreign faults become one-line LedgerErrors, in one table."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EDQUOT, ENOENT, ENOSPC, EPERM, EROFS
from pathlib import Path

from worker.words.errors import LedgerError

TRY_AGAIN = "try again"
RESUME = "continue with `batch-closer resume --state {folder}`"

_NO_ROOM = ("there is no room left on its disk", "make room, then {then}")
_READ_ONLY = ("it can't be written", "make it and its folder writable, then {then}")
_GONE = (
    "it was moved or deleted while in use, or its folder is missing",
    "put it back or choose another --state, then {then}",
)
_UNREADABLE = (
    "it can't be opened",
    "make it and its folder readable and writable, or choose another --state, then {then}",
)
_NOT_OURS = ("it is not a ledger of this program", "move it away or choose another --state, then {then}")
_REPLACED = (
    "it was deleted or replaced while in use",
    "put it back or choose another --state, then {then}",
)
_DAMAGED = ("it is damaged", "restore it from a backup or move it away, then {then}")
_BUSY = ("another program keeps it locked", "let that one finish, then {then}")
_DISK = ("the disk reports an error", "check the disk and the room on it, then {then}")

_BY_SQLITE_CODE = {
    sqlite3.SQLITE_FULL: _NO_ROOM,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _UNREADABLE,
    sqlite3.SQLITE_NOTADB: _NOT_OURS,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_CONSTRAINT: _REPLACED,  # the run of what is recorded is not in it
}
_BY_ERRNO = {
    ENOSPC: _NO_ROOM,
    EDQUOT: _NO_ROOM,
    EROFS: _READ_ONLY,
    EACCES: _UNREADABLE,
    EPERM: _UNREADABLE,
    ENOENT: _GONE,
}
_PRIMARY = 0xFF  # the low byte of an extended SQLite code is the primary one


def explain(error: Exception, path: Path, *, then: str = TRY_AGAIN) -> LedgerError:
    """Say in one line what is wrong with ``path`` and the remedy, which ends in ``then``."""
    if isinstance(error, OSError):
        told = _BY_ERRNO.get(error.errno or 0, _DISK)
        words = error.strerror or type(error).__name__
    elif isinstance(error, sqlite3.Error):
        told = _BY_SQLITE_CODE.get(_code(error), _DAMAGED)
        words = str(error)
    else:
        told, words = _UNREADABLE, str(error)
    what, remedy = told
    then = then.format(folder=shlex.quote(str(path.parent)))
    line = f"ledger {path}: {what} ({words}); {remedy.format(then=then)}"
    return LedgerError("".join(character if character.isprintable() else "?" for character in line))


def _code(error: Exception) -> int:
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return code & _PRIMARY
    return -1


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into LedgerErrors about ``path``.

    Other errors pass: what is read inside (an input, a caller's iterable) has its own words.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from error
