"""aiohttp and 32 tasks, nothing else: no ledger, no log, no rate, and nothing is made of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import aiohttp

from tests.bench.contenders.given import AT_ONCE, Given, check, given, timed


async def close_all(order: Given) -> None:
    async with aiohttp.ClientSession(headers=order.headers) as session:
        ids = order.ids
        with timed():
            await asyncio.gather(*(closer(session, order, ids) for _ in range(AT_ONCE)))


async def closer(session: aiohttp.ClientSession, order: Given, ids: Iterator[int]) -> None:
    for batch_id in ids:
        async with session.put(order.url(batch_id)) as response:
            check(response.status, await response.read())


if __name__ == "__main__":
    asyncio.run(close_all(given()))
