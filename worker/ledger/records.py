"""The ledger's own records."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from worker.words.model import Batch, Control, Outcome, Planned, Rejected, Stopped


class ListedBatch(Protocol):
    """A batch id as an input names it, duplicates included."""

    @property
    def batch_id(self) -> int:
        """The id, 1 to 2147483647."""

    @property
    def source(self) -> str:
        """A file's name as given, "stdin" or "arguments"."""

    @property
    def line(self) -> int:
        """Its line, from 1."""

    @property
    def controls(self) -> tuple[Control, ...]:
        """What its line expects of the batch."""

    @property
    def before(self) -> Batch | None:
        """The batch as the plan saw it that is being closed."""


class RunState(StrEnum):
    """Whether a run has batches left to settle."""

    OPEN = "open"  # planned, and not every batch has a final result
    FINISHED = "finished"  # every batch has a final result


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What is known of a run before its input is read."""

    run_id: str
    created_at: float
    base_url: str
    host: str  # the API's, as the lock names it
    settings: str  # JSON, without secrets
    who: str  # user@host


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as the ledger knows it."""

    id: int
    run_id: str
    state: RunState
    created_at: float
    started_at: float | None  # when its first session started
    finished_at: float | None  # when its last session that ended in order did
    base_url: str
    host: str
    settings: str
    who: str
    first_seq: int
    last_seq: int
    input_hash: str  # SHA-256 over the host and the distinct ids in order
    lines: int
    ids: int
    duplicates: int
    invalid: int
    exit_code: int | None
    stopped: Stopped | None
    stopped_by: str | None
    summary: str | None  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How the last session of a run ended."""

    finished_at: float
    exit_code: int
    stopped: Stopped | None = None
    stopped_by: str | None = None
    summary: str  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One process that worked on a run."""

    id: int
    started_at: float
    finished_at: float | None  # None when it was killed, or still runs
    pid: int
    who: str
    counters: bytes | None  # JSON as of its last commit


class Line(NamedTuple):
    """One entry of a run's input with what is recorded of it."""

    entry: Planned | Rejected
    outcome: Outcome | None = None
    final: bool = False
    record: bytes | None = (
        None  # None and entry.attempts > 0: an attempt may have been sent, its end is unknown
    )
