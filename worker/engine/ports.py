"""What the engine needs of the edges, as small protocols. Each docstring is a contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
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

    async def look_up(self, batch_id: int) -> Answer:
        """Read one batch: ``GET /api/v3/batch/{batchId}``."""
        ...

    async def me(self) -> Answer:
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

    async def close(self, batch_id: int) -> Answer:
        """Send the one write there is: ``PUT /api/v3/batch/close/{batchId}``."""
        ...


class Memory(Protocol):
    """What must outlive the process."""

    def pending(self, after_seq: int, limit: int) -> Sequence[Planned]:
        """The next batches of the run without a final result, ascending by ``seq``."""
        ...

    def intend(self, planned: Planned, attempts: int, first_attempt_at: float) -> Awaitable[None]:
        """Complete once it is durable that an attempt is about to be sent.

        Raises LedgerError when that can't be recorded; then the PUT must not be sent.
        """
        ...

    def settle(self, planned: Planned, result: Result, *, final: bool) -> None:
        """Queue a result; it is shown once it is durable. Not final: a resumed run takes it up again."""
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
