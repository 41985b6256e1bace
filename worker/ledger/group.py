"""What one commit is to record, gathered on the event loop and handed to the thread whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from worker.words.model import Outcome

INTENT_WIDTH, RESULT_WIDTH = 3, 4
"""How many values a row has."""

Value = int | float | str | bytearray
"""What sqlite3 binds as it is; for bytes, None and bool it first looks for an adapter, each time in vain."""


Record = Callable[[], bytes]
"""What is to be kept of a result, made when it is written; the same whenever it is called."""


@dataclass(slots=True)
class Group:
    """Rows are kept flat, one after the other: they become the parameters of one statement."""

    intents: list[Value] = field(default_factory=list)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)  # one for each intent
    results: list[tuple[int, bool, Outcome, Record]] = field(default_factory=list)
    tokens: list[object] = field(default_factory=list)  # one for each result
    counters: bytes | None = None
    flushes: list[asyncio.Future[None]] = field(default_factory=list)
    on_way: Callable[[], None] = lambda: None  # in the writer's thread, once only the disk is waited for
    due_at: float = float("inf")  # on the loop's clock

    @property
    def is_wanted(self) -> bool:
        """Whether anybody waits for it to be recorded: counters alone can wait."""
        return bool(self.waiting or self.tokens or self.flushes)

    def intend(self, seq: int, attempts: int, at: float, waiting: asyncio.Future[None]) -> None:
        """Add an intent and who waits for it."""
        self.intents += (seq, attempts, at)
        self.waiting.append(waiting)

    def settle(self, seq: int, outcome: Outcome, final: bool, record: Record, token: object) -> None:
        """Add a result and what to hand back once it is durable."""
        self.results.append((seq, final, outcome, record))
        self.tokens.append(token)

    def rows_of_results(self) -> list[Value]:
        """The results as rows, flat; in the writer's thread."""
        rows: list[Value] = []
        for seq, final, outcome, record in self.results:
            rows += (seq, int(final), str(outcome), bytearray(record()))
        return rows

    def put_back(self, earlier: Group) -> None:
        """Take the results of an earlier group that could not be recorded, before this one's own."""
        self.results[:0] = earlier.results
        self.tokens[:0] = earlier.tokens
