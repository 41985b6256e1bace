"""How long an exchange may take: the same for all, so that one timer serves them all."""

from __future__ import annotations

import asyncio
from types import TracebackType


class TimeLimit:
    """Ends waits that take longer than ``limit_s``. Belongs to one event loop.

    ``asyncio.timeout`` would give each wait a timer of its own, which is nearly always in vain.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._loop = asyncio.get_running_loop()
        self._waits: dict[Wait, None] = {}  # the oldest, which ends first, comes first
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> Wait:
        """What is awaited within this is cancelled at the limit, and TimeoutError raised instead."""
        return Wait(self)

    def begin(self, wait: Wait) -> float:
        """Count from now on; when it will be too long."""
        self._waits[wait] = None
        ends_at = self._loop.time() + self._limit_s
        if self._timer is None:
            self._timer = self._loop.call_at(ends_at, self._look)
        return ends_at

    def end(self, wait: Wait) -> None:
        """Count no more."""
        self._waits.pop(wait, None)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        for wait in list(self._waits):
            if wait.ends_at > now:
                self._timer = self._loop.call_at(wait.ends_at, self._look)
                return
            del self._waits[wait]
            wait.expire()


class Wait:
    """One wait, as a context manager within one task."""

    __slots__ = ("_cancelling", "_expired", "_limit", "_task", "ends_at")

    def __init__(self, limit: TimeLimit) -> None:
        self._limit = limit
        self._expired = False

    def expire(self) -> None:
        """It has been too long."""
        self._expired = True
        self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self.ends_at = self._limit.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limit.end(self)
        # Cancelled by another as well, it stays cancelled.
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
