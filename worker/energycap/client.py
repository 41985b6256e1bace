"""The client that can close: the reader, and the one write."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import aiohttp

from worker.energycap.exchange import SendOnce
from worker.energycap.reader import Reader
from worker.words.answer import Answer


class EnergyCap(Reader):
    """The API with its one write."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        key: str,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(session, base_url, key, wall, steady)
        self._session_put = session.put
        self._close_url = f"{base_url}/api/v3/batch/close/"

    async def close(self, batch_id: int) -> Answer:
        """Close a batch: ``PUT /api/v3/batch/close/{batchId}``, with an empty body as the SDK sends it."""
        request = self._session_put(
            f"{self._close_url}{batch_id}", allow_redirects=False, middlewares=(SendOnce(),)
        )
        answer, _ = await self._exchange.ask(request, partial(self._read_batch, batch_id))
        return answer
