"""The batches, what happens to them, and the truth about it. Pure: time is handed in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class State(StrEnum):
    """What a batch is."""

    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"
    MISSING = "missing"  # an id that the server does not know


Closer = Literal["us", "them"]
"""Who closed a batch: a caller of the API, or anybody else."""


@dataclass(slots=True, kw_only=True)
class SimBatch:
    """One batch. Instants are Unix times by our clock, without the server's offset; money is in cents."""

    batch_id: int
    state: State
    code: str = ""
    created_at: float = 0.0
    closed_at: float | None = None
    closed_by: Closer | None = None
    year: int = 1970
    month: int = 1
    bill_count: int = 0
    total_cents: int = 0
    flags: int = 0
    analyzing: int = 0
    kickouts: bool = False
    imported: bool = False
    owner: int = 0  # 0 is the key's owner
    control_code: str | None = None
    invoice_number: str | None = None
    note: str | None = None
    voided: bool = False
    puts: int = 0  # closes seen
    gets: int = 0  # single reads seen


@dataclass(slots=True)
class World:
    """All batches by id, the targets a client is to be given among them, in order."""

    batches: dict[int, SimBatch] = field(default_factory=dict)
    targets: list[int] = field(default_factory=list)

    def find(self, batch_id: int) -> SimBatch:
        """The batch of that id; one the server does not know is remembered as missing."""
        batch = self.batches.get(batch_id)
        if batch is None:
            batch = self.batches[batch_id] = SimBatch(batch_id=batch_id, state=State.MISSING)
        return batch

    def close(self, batch_id: int, at: float, by: Closer) -> bool:
        """Close an open or pending batch; whether it was one."""
        batch = self.find(batch_id)
        if batch.state not in {State.OPEN, State.PENDING}:
            return False
        batch.state, batch.closed_at, batch.closed_by, batch.voided = State.CLOSED, at, by, False
        return True

    def ids(self, kind: State | None = None) -> list[int]:
        """The targets that are of a kind now, in order; all of them for None."""
        return [i for i in self.targets if kind is None or self.batches[i].state is kind]

    def counts(self) -> Counter[State]:
        """How many targets are of each kind now."""
        return Counter(self.batches[i].state for i in self.targets)

    def truth(self) -> dict[int, dict[str, object]]:
        """What is so about each batch, targets or not: state, closed_by_us, puts, gets and what it held."""
        return {
            batch.batch_id: {
                "state": batch.state.value,
                "closed_by_us": batch.closed_by == "us",
                "closed_at": batch.closed_at,
                "puts": batch.puts,
                "gets": batch.gets,
                "bill_count": batch.bill_count,
                "running_total": f"{batch.total_cents / 100:.2f}",
            }
            for batch in self.batches.values()
        }
