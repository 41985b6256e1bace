"""requests in 32 threads over one session, whose pool has a connection for each."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

from tests.bench.contenders.given import AT_ONCE, Given, check, given, timed


def close_all(order: Given) -> None:
    with requests.Session() as session, ThreadPoolExecutor(AT_ONCE) as threads:
        session.headers.update(order.headers)
        session.mount("http://", HTTPAdapter(pool_maxsize=AT_ONCE))

        def close(batch_id: int) -> None:
            response = session.put(order.url(batch_id))
            check(response.status_code, response.content)

        with timed():
            deque(threads.map(close, order.ids), maxlen=0)


if __name__ == "__main__":
    close_all(given())
