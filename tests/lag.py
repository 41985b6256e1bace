"""How late this process came to run: what a server in it saw may have been sent so much earlier."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

_TICK_S = 0.005


class Lag:
    """Measures on a thread of its own until the block ends."""

    def __init__(self) -> None:
        self.most_s = 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="lag", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._thread.join()

    def _measure(self) -> None:
        while not self._ends.is_set():
            began = time.monotonic()
            time.sleep(_TICK_S)
            self.most_s = max(self.most_s, time.monotonic() - began - _TICK_S)
