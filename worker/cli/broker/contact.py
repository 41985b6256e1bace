"""Whether a broker answers, as whoever asks it noticed last."""

from __future__ import annotations

from threading import Lock

from worker.engine.ports import Log


class Contact:
    """Whether the broker answers; each change is told once, whichever thread notices it."""

    def __init__(self, source: str, log: Log) -> None:
        self._source = source
        self._log = log
        self._lock = Lock()
        self._is_up: bool | None = None  # None: it was not asked yet

    @property
    def is_up(self) -> bool:
        """Whether it answered when it was asked last."""
        return bool(self._is_up)

    def gone(self, reason: str) -> None:
        """It did not answer."""
        with self._lock:
            before, self._is_up = self._is_up, False
        if before is not False:
            self._log.warning("queue.away", queue=self._source, reason=reason)

    def there(self) -> None:
        """It did."""
        with self._lock:
            before, self._is_up = self._is_up, True
        if before is False:
            self._log.info("queue.back", queue=self._source)
