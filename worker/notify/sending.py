"""All that is to be sent at the end of a run: at once, within a time, cut short if somebody is in a hurry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple


class Sending(NamedTuple):
    """Something to send: a name fit to be shown, and the way to do it."""

    to: str
    send: Callable[[], Awaitable[str | None]]  # why it was not taken, in a word


class Delivery(NamedTuple):
    """What came of it."""

    to: str
    failure: str | None = None  # in a word


async def deliver(sendings: Sequence[Sending], within_s: float, hurry: asyncio.Event) -> list[Delivery]:
    """Send all at once; what is not done within ``within_s`` seconds, or until ``hurry``, is given up."""
    tasks = [asyncio.create_task(_contained(sending)) for sending in sendings]
    hurried = asyncio.create_task(hurry.wait())
    everything = asyncio.gather(*tasks)
    waiting: list[asyncio.Future[Any]] = [everything, hurried]
    await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    why = "interrupted" if hurry.is_set() else "timeout"
    deliveries = [
        task.result() if task.done() else Delivery(sending.to, why)
        for sending, task in zip(sendings, tasks, strict=True)
    ]
    for pending in waiting:
        pending.cancel()
    await asyncio.gather(*waiting, *tasks, return_exceptions=True)
    return deliveries


async def _contained(sending: Sending) -> Delivery:
    try:
        return Delivery(sending.to, await sending.send())
    except Exception as error:  # noqa: BLE001 - a library's fault must not become the run's; its text may hold a URL
        return Delivery(sending.to, type(error).__name__)
