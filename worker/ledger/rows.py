"""The ledger's questions in SQL, and its rows as records."""

from __future__ import annotations

from typing import Any

from worker.ledger.asked import batch_of, controls_of
from worker.ledger.records import Line, RunRow, RunState
from worker.words.model import Look, Outcome, Planned, Rejected, Stopped

_RUN_COLUMNS = tuple(RunRow.__dataclass_fields__)

RUNS = f"SELECT {', '.join(_RUN_COLUMNS)} FROM runs "  # noqa: S608 - the names of our own columns

PENDING = (
    "SELECT b.id, b.batch_id, b.source, b.line, coalesce(i.attempts, 0), i.first_at,"
    # Few have controls, and to look for one costs less than to make an array of none; so below.
    " CASE WHEN EXISTS (SELECT 1 FROM controls WHERE batch = b.id)"
    " THEN (SELECT json_group_array(json_array(bills, total)) FROM controls WHERE batch = b.id) END,"
    " o.record, l.record, l.seen_at FROM batches b"
    " LEFT JOIN intents i ON i.batch = b.id LEFT JOIN results r ON r.batch = b.id"
    " LEFT JOIN befores o ON o.batch = b.id LEFT JOIN temp.looks l ON l.batch_id = b.batch_id"
    " WHERE b.id > :after AND b.id <= :last AND r.final IS NOT 1 ORDER BY b.id LIMIT :limit"
)
LINES = (
    "SELECT b.id, b.batch_id, b.source, b.line, coalesce(i.attempts, 0), i.first_at,"
    " r.outcome, r.final, r.record, NULL,"
    " CASE WHEN EXISTS (SELECT 1 FROM controls WHERE batch = b.id)"
    " THEN (SELECT json_group_array(json_array(bills, total)) FROM controls WHERE batch = b.id) END,"
    " o.record FROM batches b"
    " LEFT JOIN intents i ON i.batch = b.id LEFT JOIN results r ON r.batch = b.id"
    " LEFT JOIN befores o ON o.batch = b.id WHERE b.id > :after AND b.id <= :last"
    " UNION ALL SELECT id, NULL, source, line, 0, NULL, NULL, NULL, NULL, text, NULL, NULL FROM invalid"
    " WHERE id > :after AND id <= :last ORDER BY 1 LIMIT :limit"
)

CLOSED_AMONG = (
    "SELECT b.batch_id FROM batches b JOIN results r ON r.batch = b.id"
    " WHERE b.run = ? AND b.batch_id IN (SELECT value FROM json_each(?)) AND r.outcome = 'closed'"
)
CLOSED = (
    "SELECT b.batch_id FROM results r JOIN batches b ON b.id = r.batch"
    " WHERE r.batch BETWEEN ? AND ? AND r.outcome = 'closed' ORDER BY r.batch LIMIT ?"
)

EXPECTS = (
    "SELECT EXISTS (SELECT 1 FROM controls WHERE batch BETWEEN :first AND :last)"
    " OR EXISTS (SELECT 1 FROM befores WHERE batch BETWEEN :first AND :last)"
)
LEFT = (
    "SELECT count(*) FROM batches b LEFT JOIN results r ON r.batch = b.id"
    " WHERE b.id BETWEEN ? AND ? AND r.final IS NOT 1"
)

FORGET_UNMADE = (
    # At least one stays: what was intended at all is looked up before it is touched again.
    "UPDATE intents SET attempts = min(attempts, max(1, coalesce((SELECT"
    " json_extract(CAST(record AS TEXT), '$.attempts') FROM results r"
    " WHERE r.batch = intents.batch AND json_valid(CAST(record AS TEXT))), attempts)))"
    " WHERE batch IN (SELECT batch FROM results WHERE batch BETWEEN ? AND ? AND final = 0)"
)

DISCARD = (
    "DELETE FROM results WHERE batch BETWEEN :first AND :last",
    "DELETE FROM intents WHERE batch BETWEEN :first AND :last",
    "DELETE FROM controls WHERE batch BETWEEN :first AND :last",
    "DELETE FROM befores WHERE batch BETWEEN :first AND :last",
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


def planned_of(row: tuple[Any, ...], names: dict[int, str]) -> Planned:
    """A row of PENDING."""
    seq, batch_id, source, line, attempts, first_at, controls, before, seen, seen_at = row
    batch = batch_of(seen)
    look = None if batch is None else Look(batch, seen_at)
    asked = controls_of(controls), batch_of(before)
    return Planned(seq, batch_id, names[source], line, attempts, first_at, *asked, look)


def line_of(row: tuple[Any, ...], names: dict[int, str]) -> Line:
    """A row of LINES."""
    *planned, outcome, final, record, text, controls, before = row
    seq, batch_id, source, line, attempts, first_at = planned
    if text is not None:
        return Line(Rejected(names[source], line, text))
    entry = Planned(
        seq, batch_id, names[source], line, attempts, first_at, controls_of(controls), batch_of(before)
    )
    return Line(entry, Outcome(outcome) if outcome else None, final == 1, record)
