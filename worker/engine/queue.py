"""What a worker needs of a queue on a broker: leases, and results that exist exactly once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from worker.engine.ports import Hindrance
from worker.engine.terms import Terms
from worker.words.model import Planned, Result


class Lease(NamedTuple):
    """A message of a queue that this worker alone holds for now: a batch to be closed.

    Delivered once more, to whomever, it is another lease, and this one is lost.
    """

    tag: str  # the broker's own name for the message
    terms: Terms  # of the run that it belongs to
    planned: Planned  # with the attempts and the first instant of a recorded intent, if there is one
    deliveries: int = 1  # so many workers were given it, this one included
    spent: str | None = None  # why no PUT may be sent for it any more: it is only looked up


class Queue(Protocol):
    """Where batches wait, on a broker that many workers share.

    A lease lasts for a while and has to be kept alive; then the broker gives the message to another.
    A message that is no batch the queue settles by itself (``invalid``, with a dead letter): the worker
    never sees it. Each verb waits out the absence of the broker, may be cancelled at any time, and may
    be repeated: what was recorded once is not recorded again. None raises for what a broker does.
    """

    async def take(self, most: int) -> Sequence[Lease]:
        """Give up to so many leases, those first that others left; none after a short wait for one.

        A lease whose run is stopped comes with the run's stop requested.
        """
        ...

    async def is_empty(self) -> bool:
        """Tell whether nothing waits and no worker holds anything."""
        ...

    async def keep(self, leases: Collection[Lease]) -> Collection[Lease]:
        """Prolong the leases; give those that are lost to another."""
        ...

    async def intend(self, lease: Lease, attempts: int, first_attempt_at: float) -> Hindrance | None:
        """Record durably that an attempt is about to be sent, unless something stands against it.

        That prolongs the lease. Where its run is stopped, the stop is requested and nothing recorded.
        """
        ...

    async def settle(self, lease: Lease, result: Result, *, final: bool) -> bool:
        """Record the result, acknowledge the message and count it, in one step; False if it has one.

        Not final: the run was stopped, and is to take the batch up again when it goes on.
        """
        ...

    async def give_back(self, lease: Lease) -> None:
        """Make the message available to others at once; a recorded intent stays with it."""
        ...
