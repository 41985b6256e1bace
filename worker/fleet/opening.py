"""Opening the line to a store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from worker.engine.ports import Log
from worker.fleet.address import Address
from worker.fleet.line import Line
from worker.words.errors import ConfigurationError

CONNECT_S: Final = 5.0
ANSWER_S: Final = 15.0
"""No call blocks, so an answer that takes longer is none."""


@asynccontextmanager
async def open_line(address: Address, log: Log) -> AsyncIterator[Line]:
    """The line to a store; nothing is sent yet.

    Raises ConfigurationError where the library is missing or the address can't be used.
    """
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise ConfigurationError(
            f"{address.what} {address.shown} needs a library that is not installed: "
            "pip install 'energycap-batch-closer[redis]'"
        ) from None
    try:
        redis = Redis.from_url(
            address.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),  # repeated here, where it can be told
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
        )
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"{address.what} {address.shown} can't be used: its address is not understood"
        ) from None
    try:
        yield Line(redis, address, log)
    finally:
        await redis.aclose()
