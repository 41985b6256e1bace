"""What the engine needs of the edges, as small protocols. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Literal, NamedTuple, Protocol

from worker.words.answer import Answer, Identity, Page
from worker.words.model import Planned, Result


class Clocks(NamedTuple):
    """Time and chance, handed in."""

    wall: Callable[[], float]  # Unix time
    steady: Callable[[], float]  # the event loop's
    chance: Callable[[], float]  # 0 to 1


class ReadingApi(Protocol):
    """What can be read of the EnergyCAP API, one request per call.

    Each call sends at most one request, never follows a redirect, never raises for anything
    the network or the server does, and may be cancelled at any time.
    """

    def look_up(self, batch_id: int) -> Awaitable[Answer]:
        """Read one batch: ``GET /api/v3/batch/{batchId}``."""
        ...

    def me(self) -> Awaitable[Answer]:
        """Ask whether the key works: ``GET /api/v3/me``."""
        ...

    async def identity(self) -> tuple[Answer, Identity | None]:
        """Ask whose the key is: ``GET /api/v3/me``."""
        ...

    async def page(self, number: int, size: int, text: str | None, /) -> tuple[Answer, Page | None]:
        """Read a page, from 1, of the batches that a filter lets through: ``GET /api/v3/batch``."""
        ...

    async def can_export(self, mode: Literal["AP", "GL"], /) -> tuple[Answer, str | None]:
        """Ask when bills may be exported: ``GET /api/v3/workflow/export``."""
        ...


class Api(ReadingApi, Protocol):
    """The EnergyCAP API with its one write; what ``ReadingApi`` says of a call holds here too."""

    def close(self, batch_id: int) -> Awaitable[Answer]:
        """Send the one write there is: ``PUT /api/v3/batch/close/{batchId}``."""
        ...


class Hindrance(Enum):
    """Why an intended PUT must not be sent now, though nothing failed."""

    LOST = "lost"  # another worker has the batch, or its result is recorded: it is nothing of ours any more
    BUSY = "busy"  # another message led to a PUT for the batch meanwhile: look at it again, a little later


class Memory(Protocol):
    """What must outlive the process."""

    def intend(self, planned: Planned, attempts: int, first_attempt_at: float) -> Awaitable[Hindrance | None]:
        """Complete once it is durable that an attempt is about to be sent; or say what stands against it.

        Raises LedgerError when that can't be recorded; then the PUT must not be sent. May request the
        stop of the batch's run instead; then it must not be sent either.
        """
        ...

    def is_held(self, planned: Planned) -> bool:
        """Tell whether the intent can still be relied on; if not, intend again before the PUT."""
        ...

    def settle(self, planned: Planned, result: Result, *, final: bool) -> None:
        """Queue a result; it is shown once it is durable. Not final: a resumed run takes it up again."""
        ...


class RunMemory(Memory, Protocol):
    """What must outlive the process of a run on one machine."""

    def pending(self, after_seq: int, limit: int) -> Sequence[Planned]:
        """The next batches of the run without a final result, ascending by ``seq``."""
        ...


class Pacing(Protocol):
    """One slot per request of any kind, a pause for everyone, a rate that gives way."""

    @property
    def asked_per_s(self) -> float:
        """The rate that was asked for; never exceeded."""
        ...

    @property
    def wait_s(self) -> float:
        """Seconds until whoever asks for a slot now gets one, at the least."""
        ...

    async def slot(self) -> None:
        """Wait for the next slot. A cancelled wait takes none, or leaves it unused."""
        ...

    def pause(self, wait_s: float, reason: str) -> None:
        """Let nobody start a request for so many seconds from now; never shortens a pause."""
        ...

    def throttled(self, sent_at: float, wait_s: float, reason: str) -> None:
        """Pause, and lower the rate: a request, sent then by the steady clock, was throttled."""
        ...


class Log(Protocol):
    """Where events go. Never raises, never blocks for long."""

    def info(self, event: str, **fields: object) -> None:
        """Tell of something that is as it should be."""
        ...

    def warning(self, event: str, **fields: object) -> None:
        """Tell of something a person may want to look at."""
        ...


class Tallies(Protocol):
    """Counts of requests, by kind, for the summary."""

    put: int
    get: int
    list: int
    me: int
    retried: int
    throttled: int
