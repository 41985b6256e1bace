"""httpx.AsyncClient and 32 tasks, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx

from tests.bench.contenders.given import AT_ONCE, Given, check, given, timed


async def close_all(order: Given) -> None:
    async with httpx.AsyncClient(headers=order.headers) as client:
        ids = order.ids
        with timed():
            await asyncio.gather(*(closer(client, order, ids) for _ in range(AT_ONCE)))


async def closer(client: httpx.AsyncClient, order: Given, ids: Iterator[int]) -> None:
    for batch_id in ids:
        response = await client.put(order.url(batch_id))
        check(response.status_code, response.content)


if __name__ == "__main__":
    asyncio.run(close_all(given()))
