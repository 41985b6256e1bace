"""The ledger: what runs were asked to do, what they were about to do, and how it ended.

One SQLite file in the state folder. `store` reads and plans before and after a run, `writer` records
during it, `lock` keeps a second run on the same state folder and API host away.
"""

from worker.ledger.lock import Holder, RunLock
from worker.ledger.queue import Arrived, Queue, Waiting, WaitingEntry
from worker.ledger.records import Line, ListedBatch, NewRun, RunEnd, RunRow, RunState, SessionRow
from worker.ledger.store import Store, open_ledger
from worker.ledger.writer import LedgerWriter

__all__ = [
    "Arrived",
    "Holder",
    "LedgerWriter",
    "Line",
    "ListedBatch",
    "NewRun",
    "Queue",
    "RunEnd",
    "RunLock",
    "RunRow",
    "RunState",
    "SessionRow",
    "Store",
    "Waiting",
    "WaitingEntry",
    "open_ledger",
]
