"""Keeps the metrics file up to date while a run is under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from worker.telemetry.metrics.file import write
from worker.telemetry.metrics.series import Standing, UnderWay, exposition

EVERY_S: Final = 15.0
"""About as often as Prometheus looks."""


class Keeper:
    """Writes the file at a run's start, now and then, and at its end. Nothing is raised.

    ``failure`` says why it could not be written the last time, None where it could.
    """

    def __init__(
        self,
        path: Path,
        standing: Standing,
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.failure: str | None = None
        self._path = path
        self._standing = standing
        self._every_s = every_s
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, batches: int, settled: Callable[[], int]) -> None:
        """A run is under way; ``settled``, asked from another thread, says how far it is."""
        now = self._clock()
        run = UnderWay(started_at=now, batches=batches, settled=settled(), settled_at=now)
        self._write(replace(self._standing, under_way=run))
        self._thread = threading.Thread(target=self._keep, args=(run, settled), name="metrics", daemon=True)
        self._thread.start()

    def end(self, standing: Standing) -> None:
        """Nothing is under way any more, and this is how things stand."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._standing = standing
        self._write(standing)

    def _keep(self, run: UnderWay, settled: Callable[[], int]) -> None:
        while not self._stop.wait(self._every_s):
            count = settled()
            if count != run.settled:
                run = replace(run, settled=count, settled_at=self._clock())
            self._write(replace(self._standing, under_way=run))

    def _write(self, standing: Standing) -> None:
        try:
            write(self._path, exposition(standing))
        except OSError as error:
            self.failure = error.strerror or type(error).__name__
        else:
            self.failure = None
