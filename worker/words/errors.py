"""What may stop a run. A batch's failure is a value (Result), never an exception.

BatchCloserError        one line for the user, with the exit code it means
+-- ConfigurationError  2: a setting, a flag or the key; nothing was sent
+-- InputError          2: an input that can't be read or decoded; nothing was sent
+-- LedgerError         1: the ledger can't be read or written
+-- QueueError          1: the queue's broker can't be reached or used, or lost its data
+-- OutputError         1: standard output can't be written
+-- LockedError        75: another run holds the lock
"""

from __future__ import annotations

from typing import ClassVar


class BatchCloserError(Exception):
    """Its text is one line that names the thing and the remedy, fit to be shown."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(BatchCloserError):
    """A setting can't be used. Nothing was sent."""

    exit_code = 2


class InputError(BatchCloserError):
    """An input can't be read or decoded. Nothing was sent."""

    exit_code = 2


class LedgerError(BatchCloserError):
    """The ledger can't be opened, read or written."""

    exit_code = 1


class QueueError(BatchCloserError):
    """The broker of a queue can't be reached or used, or it lost the queue."""

    exit_code = 1


class OutputError(BatchCloserError):
    """Standard output can't be written. What was done before is done."""

    exit_code = 1

    def __init__(self, why: str, remedy: str = "direct it elsewhere") -> None:
        super().__init__(f"standard output can't be written: {why}; {remedy}")
        self.why = why


class LockedError(BatchCloserError):
    """Another run holds the lock on this state folder and host."""

    exit_code = 75
