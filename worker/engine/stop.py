"""Stopping, in two stages: start nothing new and finish what is in flight; then at once."""

from __future__ import annotations

import asyncio

from worker.engine.ports import Log
from worker.words.model import Stopped


class Stop:
    """Why and how far the run is to stop. The first reason stands."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.kind: Stopped | None = None
        self.by: str | None = None
        self.batch_ids: tuple[int, ...] = ()
        self.requested = asyncio.Event()
        self.at_once = asyncio.Event()

    def request(self, kind: Stopped, by: str, batch_ids: tuple[int, ...] = ()) -> None:
        """Start nothing new from now on."""
        if self.kind is not None:
            return
        self.kind, self.by, self.batch_ids = kind, by, batch_ids
        self._log.warning("run.stopping", stopped=kind, stopped_by=by, batch_ids=list(batch_ids))
        self.requested.set()

    def signalled(self, name: str) -> None:
        """Take a signal: the first drains, the second stops at once."""
        if self.kind is None:
            self.request(Stopped.SIGNAL, name)
        else:
            self._log.warning("run.stopping", stopped=self.kind, stopped_by=name, at_once=True)
            self.at_once.set()

    @property
    def draining(self) -> bool:
        """Whether a stop was requested."""
        return self.kind is not None
