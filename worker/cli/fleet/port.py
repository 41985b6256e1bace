"""The port of a fleet's worker, wired to what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from worker.cli.serving.port import Looks, shown_at_port
from worker.cli.settings.tree import Settings
from worker.engine.shift import Shift
from worker.engine.stop import Stop
from worker.fleet import Line, Meter, SharedPacer
from worker.telemetry import Log
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
    metrics = Metrics(lambda: meter.counters)
    depth = _Depth(line)
    metrics.gauge("queue_messages", "Messages that wait or are under way.", lambda: depth.messages)
    metrics.gauge("queue_dead_letters", "Dead letters.", lambda: depth.dead)
    looks = Looks(
        in_hand=lambda: len(shift.leases),
        is_up=lambda: line.is_up,
        is_draining=lambda: stop.draining,
        paused_for_s=lambda: pacer.paused_for_s,
        rate_per_s=lambda: pacer.rate_per_s,
    )
    async with shown_at_port(settings.queue, metrics, looks, log):
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
