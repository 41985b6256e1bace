"""The port of a fleet's worker, wired to what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from worker.cli.settings import Settings
from worker.engine.shift import Shift
from worker.engine.stop import Stop
from worker.fleet import Line, Meter, SharedPacer
from worker.telemetry import Log
from worker.telemetry.port import open_port
from worker.telemetry.port_metrics import Metrics

_LOOK_EVERY_S: Final = 5.0


@asynccontextmanager
async def serve_port(
    settings: Settings,
    *,
    line: Line,
    shift: Shift,
    pacer: SharedPacer,
    meter: Meter,
    stop: Stop,
    log: Log,
) -> AsyncIterator[Metrics]:
    """Serve health and metrics until the block ends.

    Raises ConfigurationError where the port can't be had.
    """
    metrics = Metrics(meter.counters)
    depth = _Depth(line)
    metrics.gauge("leases", "Batches in hand.", lambda: len(shift.leases))
    metrics.gauge("queue_up", "1 while the queue's broker answers.", lambda: float(line.is_up))
    metrics.gauge("queue_messages", "Messages that wait or are under way.", lambda: depth.messages)
    metrics.gauge("queue_dead_letters", "Dead letters.", lambda: depth.dead)
    metrics.gauge("paused_seconds", "Until requests are sent again.", lambda: pacer.paused_for_s)
    metrics.gauge(
        "rate_per_second", "The pace in force for all workers.", lambda: pacer.share * pacer.asked_per_s
    )

    def hindrance() -> str | None:
        if stop.draining:
            return "draining"
        return None if line.is_up else "queue_away"

    port = settings.queue.port
    assert port is not None
    async with open_port(settings.queue.bind, port, metrics, hindrance) as bound:
        log.info("worker.listening", bind=settings.queue.bind, port=bound)
        looking = asyncio.create_task(depth.look())
        try:
            yield metrics
        finally:
            looking.cancel()


class _Depth:
    """How much is in the queue, as last looked at."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.messages = 0
        self.dead = 0

    async def look(self) -> None:
        """Now and then, until cancelled."""
        while True:
            self.messages = await self._line.ask("XLEN", self._line.names.queue)
            self.dead = await self._line.ask("XLEN", self._line.names.dead)
            await asyncio.sleep(_LOOK_EVERY_S)
