"""An event loop whose clock is handed in: it jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")
_TURN_S = 1e-7  # a turn of a real loop takes time too; without it a rounding error could last for ever


class _Jump(selectors.DefaultSelector):
    """Never waits; tells how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        self.wanted_s = 0.0 if ready or timeout is None else max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """``lateness(when)`` gives how late the timer due then fires, in seconds."""

    def __init__(self, lateness: Callable[[float], float] = lambda when: 0.0) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self._now = 1000.0
        self._lateness = lateness

    def time(self) -> float:
        return self._now

    def stall(self, seconds: float) -> None:
        """Let time pass while nothing runs, as a busy process would."""
        self._now += seconds

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]  # not in the stubs: the loop's own heart
        self._now += _TURN_S
        if self._jump.wanted_s > 0:
            self._now += self._jump.wanted_s + self._lateness(self._now)


def run(
    main: Callable[[VirtualLoop], Awaitable[T]], lateness: Callable[[float], float] = lambda when: 0.0
) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(lateness)) as runner:

        async def body() -> T:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            return await main(loop)

        return runner.run(body())
