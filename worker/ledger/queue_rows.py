"""The queue's questions in SQL."""

from __future__ import annotations

from worker.ledger.rows import RUNS

_FROM_QUEUE = "WHERE state = 'open' AND id IN (SELECT run FROM arrivals WHERE queue = ? AND run IS NOT NULL)"
ANY = "SELECT EXISTS (SELECT 1 FROM waiting WHERE queue = ?)"
ELSEWHERE = (
    "SELECT q.base_url, count(w.batch_id) FROM waiting w JOIN queues q ON q.id = w.queue"
    " WHERE q.base_url <> ? GROUP BY q.id ORDER BY q.base_url"
)
_TAKER = "WHERE id = (SELECT run FROM arrivals WHERE id = ?)"
UNFINISHED = f"{RUNS}{_FROM_QUEUE} ORDER BY id"
RUN_OF = f"{RUNS}{_TAKER}"
NEW = (
    "SELECT count(DISTINCT batch_id) FROM temp.planned p WHERE batch_id IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM waiting w WHERE w.queue = ? AND w.batch_id = p.batch_id)"
)
ADD = (
    "INSERT INTO waiting (queue, batch_id, arrival, source, line, text)"
    " SELECT ?, batch_id, ?, source, line, text FROM temp.planned WHERE true ORDER BY seq"
    " ON CONFLICT (queue, batch_id) DO UPDATE SET repeats = repeats + 1"
)
EXPECT = (
    "INSERT INTO waiting_controls SELECT DISTINCT w.id, d.bills, d.total FROM temp.demands d"
    " JOIN temp.planned p USING (seq) JOIN waiting w ON w.queue = ? AND w.batch_id = p.batch_id"
    " WHERE d.before IS NULL"
)
WAITING = (
    "SELECT count(batch_id), count(*) - count(batch_id), coalesce(sum(repeats), 0), EXISTS"
    " (SELECT 1 FROM waiting_controls c JOIN waiting w ON w.id = c.waiting WHERE w.queue = :queue)"
    " FROM waiting WHERE queue = :queue"
)
NAMES = (
    "SELECT arrival, idx, name FROM waiting_sources WHERE arrival IN"
    " (SELECT id FROM arrivals WHERE queue = ? AND run IS NULL) ORDER BY arrival, idx"
)
ENTRIES = (
    "SELECT w.id, w.batch_id, w.text, s.name, w.line, a.arrived_at, w.repeats FROM waiting w"
    " JOIN arrivals a ON a.id = w.arrival"
    " JOIN waiting_sources s ON s.arrival = w.arrival AND s.idx = w.source"
    " WHERE w.queue = :queue AND w.id > :after ORDER BY w.id LIMIT :limit"
)
_BACK = (
    "queue = ? AND (batch_id IN (SELECT batch_id FROM temp.planned WHERE batch_id IS NOT NULL)"
    " OR (batch_id IS NULL AND text IN (SELECT text FROM temp.planned WHERE batch_id IS NULL)))"
)
TAKE_BACK = (
    f"DELETE FROM waiting_controls WHERE waiting IN (SELECT id FROM waiting WHERE {_BACK})",  # noqa: S608 - ours
    f"DELETE FROM waiting WHERE {_BACK}",  # noqa: S608 - ours
)
TAKE = (
    (
        "INSERT INTO temp.planned"
        " SELECT row_number() OVER (ORDER BY w.id), w.batch_id, n.source, w.line, w.text FROM waiting w"
        " JOIN temp.named n ON n.arrival = w.arrival AND n.idx = w.source WHERE w.queue = ? ORDER BY w.id"
    ),
    (
        "INSERT INTO temp.demands SELECT p.seq, NULL, c.bills, c.total FROM waiting_controls c"
        " JOIN waiting w ON w.id = c.waiting JOIN temp.planned p USING (batch_id) WHERE w.queue = ?"
    ),
    "DELETE FROM waiting_controls WHERE waiting IN (SELECT id FROM waiting WHERE queue = ?)",
    "DELETE FROM waiting WHERE queue = ?",
    (
        "DELETE FROM waiting_sources WHERE arrival IN"
        " (SELECT id FROM arrivals WHERE queue = ? AND run IS NULL)"
    ),
)
