"""The ledger's questions in SQL, and its rows as records."""

from __future__ import annotations

from typing import Any

from worker.ledger.records import Line, RunRow, RunState
from worker.words.model import Outcome, Planned, Rejected, Stopped

_RUN_COLUMNS = tuple(RunRow.__dataclass_fields__)

RUNS = f"SELECT {', '.join(_RUN_COLUMNS)} FROM runs "  # noqa: S608 - the names of our own columns

PENDING = (
    "SELECT b.id, b.batch_id, b.source, b.line, coalesce(i.attempts, 0), i.first_at FROM batches b"
    " LEFT JOIN intents i ON i.batch = b.id LEFT JOIN results r ON r.batch = b.id"
    " WHERE b.id > :after AND b.id <= :last AND r.final IS NOT 1 ORDER BY b.id LIMIT :limit"
)
LINES = (
    "SELECT b.id, b.batch_id, b.source, b.line, coalesce(i.attempts, 0), i.first_at,"
    " r.outcome, r.final, r.record, NULL FROM batches b"
    " LEFT JOIN intents i ON i.batch = b.id LEFT JOIN results r ON r.batch = b.id"
    " WHERE b.id > :after AND b.id <= :last"
    " UNION ALL SELECT id, NULL, source, line, 0, NULL, NULL, NULL, NULL, text FROM invalid"
    " WHERE id > :after AND id <= :last ORDER BY 1 LIMIT :limit"
)

LEFT = (
    "SELECT count(*) FROM batches b LEFT JOIN results r ON r.batch = b.id"
    " WHERE b.id BETWEEN ? AND ? AND r.final IS NOT 1"
)

DISCARD = (
    "DELETE FROM results WHERE batch BETWEEN :first AND :last",
    "DELETE FROM intents WHERE batch BETWEEN :first AND :last",
    "DELETE FROM batches WHERE id BETWEEN :first AND :last",
    "DELETE FROM invalid WHERE id BETWEEN :first AND :last",
    "DELETE FROM sources WHERE run = :run",
    "DELETE FROM sessions WHERE run = :run",
    "DELETE FROM runs WHERE id = :run",
)
MAX_ID = 2**63 - 1


def run_of(row: tuple[Any, ...]) -> RunRow:
    """A row of RUNS."""
    values = dict(zip(_RUN_COLUMNS, row, strict=True))
    values["state"] = RunState(values["state"])
    values["stopped"] = Stopped(values["stopped"]) if values["stopped"] else None
    return RunRow(**values)


def line_of(row: tuple[Any, ...], names: dict[int, str]) -> Line:
    """A row of LINES."""
    seq, batch_id, source, line, attempts, first_at, outcome, final, record, text = row
    if text is not None:
        return Line(Rejected(names[source], line, text))
    entry = Planned(seq, batch_id, names[source], line, attempts, first_at)
    return Line(entry, Outcome(outcome) if outcome else None, final == 1, record)
