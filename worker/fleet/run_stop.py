"""The stop of a run that many workers share."""

from __future__ import annotations

from typing import Protocol

from worker.engine.ports import Log
from worker.engine.stop import Stop
from worker.words.model import Stopped


class OnStop(Protocol):
    """Called once, when the stop is first known here."""

    def __call__(self, stop: RunStop, *, is_news: bool) -> None:
        """``is_news``: the store has yet to learn of it."""
        ...


class RunStop(Stop):
    """Requested here, it is told to the store; heard from there, it holds here."""

    def __init__(self, log: Log, run_id: str, on_stop: OnStop) -> None:
        super().__init__(log)
        self.run_id = run_id
        self._on_stop = on_stop

    def request(self, kind: Stopped, by: str, batch_ids: tuple[int, ...] = ()) -> None:
        """Stop the run for all workers."""
        if not self.draining:
            super().request(kind, by, batch_ids)
            self._on_stop(self, is_news=True)

    def heard(self, kind: Stopped, by: str) -> None:
        """The store says that the run is stopped."""
        if not self.draining:
            super().request(kind, by)
            self._on_stop(self, is_news=False)
