"""What a contender is to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Job(NamedTuple):
    """Close the batches 1 to ``closes``; ``folder`` is empty and the contender's own."""

    base_url: str
    closes: int
    folder: Path

    @property
    def urls(self) -> Iterator[str]:
        return (f"{self.base_url}/api/v3/batch/close/{number}" for number in range(1, self.closes + 1))
