"""Signals become calls on the event loop. Works wherever Python does: no loop-specific handlers."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = tuple(name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))


class Ears:
    """Hears signals from the start of a session until the process ends.

    What comes before the loop listens is kept for it. What comes after has nothing left to stop,
    and must not keep the report from being written.
    """

    def __init__(self) -> None:
        self._early: list[str] = []
        self.heard: str | None = None  # the first signal of all
        self._tell: Callable[[str], object] = self._early.append

    def open(self) -> None:
        """From now on signals are only heard; ``restored`` ends that."""
        for name in NAMES:
            signal.signal(getattr(signal, name), self._hear)

    @contextmanager
    def listening(self, heard: Callable[[str], None]) -> Iterator[None]:
        """Call ``heard`` with each signal's name on the running loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        self._tell = lambda name: loop.call_soon_threadsafe(heard, name)
        for name in self._early:
            heard(name)
        try:
            yield
        finally:
            self._tell = self._early.append

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self.heard = self.heard or name
        self._tell(name)


@contextmanager
def restored() -> Iterator[None]:
    """Put back at the end what signals did before."""
    before = {name: signal.getsignal(getattr(signal, name)) for name in NAMES}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def ignore() -> None:
    """Nothing is left to stop: let no late signal spoil the exit code while the interpreter shuts down."""
    for name in NAMES:
        signal.signal(getattr(signal, name), signal.SIG_IGN)


def number_of(name: str | None) -> int | None:
    """A signal's number by its name."""
    return getattr(signal, name, None) if name in NAMES and name is not None else None
