"""What a contender in Python is given and what it tells.

It is called as ``python -m tests.bench.contenders.NAME BASE_URL CLOSES [WAY]``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

AT_ONCE: Final = 32


class Given(NamedTuple):
    """Close the batches 1 to ``closes``, in the way named if there is more than one."""

    base_url: str
    closes: int
    way: str

    @property
    def ids(self) -> Iterator[int]:
        return iter(range(1, self.closes + 1))

    @property
    def headers(self) -> dict[str, str]:
        return {"ECI-ApiKey": os.environ["ENERGYCAP_API_KEY"], "Content-Type": "application/json"}

    def url(self, batch_id: int) -> str:
        return f"{self.base_url}/api/v3/batch/close/{batch_id}"


def given() -> Given:
    base_url, closes, *way = sys.argv[1:]
    return Given(base_url, int(closes), *way or [""])


@contextmanager
def timed() -> Iterator[None]:
    """Tell what the block, which is the closing alone, took."""
    begun, cpu_s = time.perf_counter(), time.process_time()
    yield
    took = {"seconds": time.perf_counter() - begun, "closing_cpu_s": time.process_time() - cpu_s}
    print(json.dumps(took))


def check(status: int, body: bytes) -> None:
    """An answer that is read to its end, and no more: nothing is made of it."""
    assert status == 200
    assert body
