"""What the ledger knows of batches that a broker's queue delivered: the source of their runs is the queue."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from pathlib import Path

import orjson

from worker.ledger import rows
from worker.ledger.faults import told
from worker.ledger.records import RunRow

_ITS_RUNS = (
    "SELECT runs.id FROM runs JOIN sources ON sources.run = runs.id"
    " WHERE name = :source AND base_url = :base_url"
)
_RECORDED = f"""SELECT batch_id, record, max(batches.id)
    FROM batches JOIN results ON results.batch = batches.id
    WHERE run IN ({_ITS_RUNS}) AND final = 1 AND batch_id IN (SELECT value FROM json_each(:ids))
    GROUP BY batch_id"""  # noqa: S608 - our own words
_UNFINISHED = f" WHERE state = 'open' AND started_at IS NOT NULL AND id IN ({_ITS_RUNS}) ORDER BY id"


class Delivered:
    """The runs made of one queue's messages, in an open ledger. Every method may raise LedgerError."""

    def __init__(self, connection: sqlite3.Connection, path: Path, source: str, base_url: str) -> None:
        self._connection = connection
        self._path = path
        self._of = {"source": source, "base_url": base_url}

    def recorded(self, batch_ids: Collection[int]) -> dict[int, bytes]:
        """The latest final result of each of the batches that has one, as a line of results.jsonl."""
        asked = self._of | {"ids": orjson.dumps(list(batch_ids)).decode()}
        with told(self._path):
            found = self._connection.execute(_RECORDED, asked)
            return {batch_id: bytes(record) for batch_id, record, _ in found}

    def unfinished(self) -> list[RunRow]:
        """Runs with batches left, oldest first."""
        with told(self._path):
            return [rows.run_of(row) for row in self._connection.execute(rows.RUNS + _UNFINISHED, self._of)]
