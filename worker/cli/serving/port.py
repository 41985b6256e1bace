"""The port of a worker on any queue: how it stands, and what it counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from anyio.from_thread import start_blocking_portal

from worker.cli.settings.queue import QueueSettings
from worker.telemetry import Log
from worker.telemetry.port import open_port
from worker.telemetry.port_metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How a worker stands, asked whenever somebody looks."""

    in_hand: Callable[[], int]  # messages
    is_up: Callable[[], bool]  # whether the queue answers
    is_draining: Callable[[], bool]
    paused_for_s: Callable[[], float]
    rate_per_s: Callable[[], float]

    def hindrance(self) -> str | None:
        """Why the worker takes nothing, in a word; None: it does."""
        if self.is_draining():
            return "draining"
        return None if self.is_up() else "queue_away"


@asynccontextmanager
async def shown_at_port(
    settings: QueueSettings, metrics: Metrics, looks: Looks, log: Log
) -> AsyncIterator[None]:
    """Serve health and metrics until the block ends.

    Raises ConfigurationError where the port can't be had.
    """
    assert settings.port is not None
    metrics.gauge("leases", "Batches in hand.", looks.in_hand)
    metrics.gauge("queue_up", "1 while the queue's broker answers.", lambda: float(looks.is_up()))
    metrics.gauge("paused_seconds", "Until requests are sent again.", looks.paused_for_s)
    metrics.gauge("rate_per_second", "The rate in force, of all who share it.", looks.rate_per_s)
    async with open_port(settings.bind, settings.port, metrics, looks.hindrance) as bound:
        log.info("worker.listening", bind=settings.bind, port=bound)
        yield


@contextmanager
def shown_beside(settings: QueueSettings, metrics: Metrics, looks: Looks, log: Log) -> Iterator[None]:
    """The same on a thread of its own, beside a worker that makes one run after the other."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(shown_at_port(settings, metrics, looks, log)),
    ):
        yield
