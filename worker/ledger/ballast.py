"""Room kept aside on the ledger's disk, so that what is in flight can be recorded when it fills up."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

BALLAST_NAME = "ledger.ballast"
BALLAST_BYTES = 4 * 1024 * 1024
"""Committed alone, a result takes some 25 KiB of write-ahead log, which is used anew from 4 MiB on."""

_CHUNK = 256 * 1024


def lay(folder: Path, size: int) -> None:
    """Make the ballast unless it is there. Raises OSError, and leaves none, when there is no room."""
    path = folder / BALLAST_NAME
    with suppress(FileNotFoundError):
        if path.stat().st_size >= size:
            return
    try:
        _fill(path, size)
    except OSError:
        release(folder)
        raise


def release(folder: Path) -> None:
    """Give the room back. Never raises: it is called when the disk already fails."""
    with suppress(OSError):
        (folder / BALLAST_NAME).unlink(missing_ok=True)


def _fill(path: Path, size: int) -> None:
    # Random bytes: zeros take no room on a file system that compresses.
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        left = size
        while left > 0:
            left -= file.write(os.urandom(min(left, _CHUNK)))
