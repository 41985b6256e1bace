"""Is the key dead, or may it only not touch that batch? Asked once for all who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from worker.rules.verdict import asks_to_wait, of_key
from worker.words.answer import Answer, KeyState


class KeyCheck:
    """Asks ``GET /api/v3/me`` through ``ask``; those who come while it is asked share the answer."""

    def __init__(
        self, ask: Callable[[], Awaitable[Answer]], back_off: Callable[[int], Awaitable[None]], tries: int
    ) -> None:
        self._ask = ask
        self._back_off = back_off
        self._tries = tries
        self._asking: asyncio.Task[KeyState] | None = None

    async def state(self) -> KeyState:
        """What the API says of the key now."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_until_clear())
        return await asyncio.shield(self._asking)

    async def _ask_until_clear(self) -> KeyState:
        tried = 0
        while True:
            answer = await self._ask()
            state = of_key(answer)
            if state is not KeyState.UNCLEAR:
                return state
            if not asks_to_wait(answer):
                tried += 1
                if tried >= self._tries or answer.status == 404:
                    return state
                await self._back_off(tried)

    def cancel(self) -> None:
        """Give up asking; those who wait are cancelled with it."""
        if self._asking is not None:
            self._asking.cancel()
