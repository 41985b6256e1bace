"""What shows that the store lost something: another epoch all, a count that went back the last of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from worker.engine.ports import Log
from worker.fleet.line import Line


class Losses:
    """Notices and says them; makes the queue, or makes it anew."""

    def __init__(self, line: Line, base_url: str, log: Log, on_lost: Callable[[], None]) -> None:
        self._line = line
        self._base_url = base_url
        self._log = log
        self._on_lost = on_lost
        self._epoch: str | None = None
        self._tick = 0
        self._returns = 0  # of the store, that were looked at
        line.on_lost = self._made_anew

    async def make(self) -> tuple[str, str]:
        """Make the queue, or find it: the base URL that it is for, and the environment or nothing."""
        _, base_url, epoch, environment = await self._bind()
        self._epoch = epoch.decode()
        return base_url.decode(), environment.decode()

    async def _bind(self) -> list[Any]:
        reply: list[Any] = await self._line.script("bind", self._base_url, secrets.token_hex(8))
        return reply

    async def _made_anew(self) -> None:
        """The group is gone, so the store lost its data: go on with what comes from now on."""
        await self._line.first_call(self._bind, within_s=0)

    def heard_epoch(self, epoch: str) -> None:
        """Each making of the queue has its own."""
        if epoch != self._epoch:
            self._log.warning(
                "queue.lost",
                queue=self._line.address.shown,
                remedy="enqueue again what has no result; see that the broker keeps its data",
            )
            self._epoch = epoch
            self._tick = 0
            self._on_lost()

    def heard_tick(self, tick: int) -> None:
        """The store counts what it records: if that goes back, it lost the last of it."""
        if self._returns != self._line.returns:
            self._returns = self._line.returns
            if tick <= self._tick:
                self._log.warning(
                    "queue.rolled_back", queue=self._line.address.shown, steps=self._tick - tick + 1
                )
                self._tick = tick
        self._tick = max(tick, self._tick)
