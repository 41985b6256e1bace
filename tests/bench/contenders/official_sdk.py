"""EnergyCAP's own SDK, ``close_batch`` in a loop or in 32 threads; it makes an object of each answer."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor

from energycap.sdk import EnergyCapApi

from tests.bench.contenders.given import AT_ONCE, Given, given, timed


def close_all(order: Given) -> None:
    client = EnergyCapApi(base_url=order.base_url)

    def close(batch_id: int) -> None:
        assert client.close_batch(batch_id, custom_headers=order.headers).batch_id == batch_id

    if order.way == "loop":
        with timed():
            deque(map(close, order.ids), maxlen=0)
        return
    with ThreadPoolExecutor(AT_ONCE) as threads, timed():
        deque(threads.map(close, order.ids), maxlen=0)


if __name__ == "__main__":
    close_all(given())
