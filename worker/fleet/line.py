"""The line to the store: calls that wait out its absence, and scripts."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar

from worker.engine.ports import Log
from worker.fleet.address import Address
from worker.fleet.names import Names
from worker.rules.retry import backoff_s
from worker.words.errors import QueueError

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

T = TypeVar("T")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 3.0


class Line:
    """One store, seen by one process. Calls may be made by many tasks at once."""

    def __init__(self, redis: Redis, address: Address, log: Log) -> None:
        self.redis = redis
        self.address = address
        self.names = Names(address.name)
        self.is_up = True
        self.returns = 0  # so many times it was away and came back
        self.on_lost: Callable[[], Awaitable[None]] | None = None  # the queue vanished: make it anew
        self.on_refused: Callable[[QueueError], None] | None = None  # nothing will mend it
        self._returned_at = float("-inf")
        self._log = log
        self._scripts: dict[str, AsyncScript] = {}

    @property
    def up_for_s(self) -> float:
        """How long it has answered without a gap that was noticed here; infinite if it always did."""
        return time.monotonic() - self._returned_at if self.is_up else 0.0

    async def script(self, name: str, *arguments: Any, key: str | None = None) -> Any:
        """Run ``lua/NAME.lua`` on the queue, or on another key; see ``call``.

        An argument that can be called is asked for its value whenever the script is sent.
        """
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = self.redis.register_script(_source(name, common=key is None))
        keys = [key or self.names.queue]
        return await self.call(
            lambda: script(keys=keys, args=[each() if callable(each) else each for each in arguments])
        )

    async def ask(self, command: str, *arguments: Any) -> Any:
        """Send one command; see ``call``."""
        send = self.redis.execute_command  # which redis-py leaves untyped
        return await self.call(lambda: send(command, *arguments))  # type: ignore[no-untyped-call]

    async def call(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send until the store answers, however long that takes; so whatever is sent may be sent twice.

        Never returns where nothing will mend it: then ``on_refused`` is told. Without it, and in
        ``first_call``, QueueError is raised.
        """
        failures = 0
        while True:
            try:
                value = await send()
            except _foreign() as error:
                failures += 1
                await self._failed(error, failures)
            else:
                if not self.is_up:
                    self.is_up = True
                    self.returns += 1
                    self._returned_at = time.monotonic()
                    self._say_back()
                return value

    async def first_call(self, send: Callable[[], Awaitable[T]], within_s: float) -> T:
        """The same, for so long at most, not counting the time it loads its data. Raises QueueError."""
        loop = asyncio.get_running_loop()
        ends_at, failures = loop.time() + within_s, 0
        while True:
            try:
                return await send()
            except _foreign() as error:
                from worker.fleet.failures import Failure, in_words, is_loading, meaning_of

                failures += 1
                if is_loading(error):  # it is there, and will be ready
                    ends_at = loop.time() + within_s
                if meaning_of(error) is not Failure.AWAY or loop.time() >= ends_at:
                    raise QueueError(f"{self._shown} can't be used: {in_words(error)}") from None
                await asyncio.sleep(_wait_s(failures))

    async def _failed(self, error: BaseException, failures: int) -> None:
        from worker.fleet.failures import Failure, in_words, meaning_of

        meaning = meaning_of(error)
        if meaning is Failure.REFUSED or (meaning is Failure.LOST and self.on_lost is None):
            refused = QueueError(f"{self._shown} can't be used any more: {in_words(error)}")
            if self.on_refused is None:
                raise refused from None
            self.on_refused(refused)
            await asyncio.sleep(_LONGEST_WAIT_S)
        elif meaning is Failure.LOST and self.on_lost is not None:
            await self.on_lost()
        else:
            if self.is_up:
                self.is_up = False
                self._say_away(in_words(error))
            await asyncio.sleep(_wait_s(failures))

    @property
    def _shown(self) -> str:
        return f"{self.address.what} {self.address.shown}"

    def _say_away(self, reason: str) -> None:
        if self.address.what == "limiter":
            self._log.warning("limiter.away", limiter=self.address.shown, reason=reason)
        else:
            self._log.warning("queue.away", queue=self.address.shown, reason=reason)

    def _say_back(self) -> None:
        if self.address.what == "limiter":
            self._log.info("limiter.back", limiter=self.address.shown)
        else:
            self._log.info("queue.back", queue=self.address.shown)


def _wait_s(failures: int) -> float:
    return 0.02 + backoff_s(failures, _FIRST_WAIT_S, _LONGEST_WAIT_S, random.random())


def _foreign() -> tuple[type[BaseException], ...]:
    from worker.fleet.failures import FOREIGN

    return FOREIGN


@cache
def _source(name: str, *, common: bool) -> str:
    folder = resources.files("worker.fleet") / "lua"
    parts = ["common", name] if common else [name]
    return "\n".join((folder / f"{part}.lua").read_text(encoding="utf-8") for part in parts)
