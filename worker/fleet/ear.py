"""What the store calls out to all at once: a pause, the stop of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from worker.fleet.line import Line

if TYPE_CHECKING:
    from redis.asyncio.client import PubSub

Heard = Callable[[str | None], None]
"""Takes what was called out; None: something may have been missed."""
_LISTEN_S: Final = 5.0
_AGAIN_S: Final = 0.2


class Ear:
    """Listens on channels for as long as ``listen`` runs, and says where it may have missed something."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._heard: dict[str, Heard] = {}

    def on(self, channel: str, heard: Heard) -> None:
        """Have this called with what is called out there; before ``listen``."""
        self._heard[channel] = heard

    async def listen(self) -> None:
        """Until cancelled; a lost connection is made again."""
        from worker.fleet.failures import FOREIGN

        while True:
            pubsub = self._line.redis.pubsub(ignore_subscribe_messages=True)
            try:
                await pubsub.subscribe(*self._heard)
                for heard in self._heard.values():
                    heard(None)
                await self._hear(pubsub)
            except FOREIGN:  # whoever calls the store will tell of its absence
                await asyncio.sleep(_AGAIN_S)
            finally:
                await pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py's

    async def _hear(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=_LISTEN_S)
            if message is None:
                await pubsub.ping()
            elif message.get("type") == "message":
                channel = message["channel"].decode()
                self._heard[channel](message["data"].decode("utf-8", "replace"))
