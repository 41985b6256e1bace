"""The pace that workers share where their queue keeps none: a limiter in a Redis or Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Final

from pydantic import SecretStr

from worker.cli.settings.tree import LimitSettings, Settings
from worker.engine.ports import Log
from worker.fleet import Ear, Line, SharedPacer, open_line, pace_key, parse_address
from worker.words.errors import QueueError

CONNECT_S: Final = 10.0


class Limiter:
    """Where the pace is kept. While it is away no request is sent: whose turn it is can't be known."""

    def __init__(self, url: SecretStr, settings: Settings, key: SecretStr) -> None:
        """Read its address. Raises ConfigurationError."""
        self._address = parse_address(url.get_secret_value(), "limiter")
        self._key = pace_key(settings.api.base_url, key.get_secret_value())

    def try_out(self, log: Log) -> None:
        """Raise QueueError where it can't be reached, ConfigurationError where its library is missing."""

        async def ping() -> None:
            async with open_line(self._address, log) as line:
                await line.first_call(line.redis.ping, CONNECT_S)

        asyncio.run(ping())

    @contextmanager
    def joined(
        self, runner: asyncio.Runner, limits: LimitSettings, log: Log
    ) -> Iterator[tuple[SharedPacer, Ear]]:
        """A pacer for the loop of this runner, and what has to listen while requests are sent."""
        stack = AsyncExitStack()
        line = runner.run(stack.enter_async_context(open_line(self._address, log)))
        line.on_refused = _Told(line, log)
        pacer = SharedPacer(
            line,
            self._key,
            rate_per_s=limits.rate_per_s,
            burst=limits.burst,
            log=log,
            clock=runner.get_loop().time,
        )
        ear = Ear(line)
        pacer.listen(ear)
        try:
            yield pacer, ear
        finally:
            runner.run(pacer.close())
            runner.run(stack.aclose())


class _Told:
    """A refusal that only a person can mend is said once, and tried again: a run waits for its slots."""

    def __init__(self, line: Line, log: Log) -> None:
        self._line = line
        self._log = log
        self._is_told = False

    def __call__(self, error: QueueError) -> None:
        if not self._is_told:
            self._is_told = True
            self._log.warning("limiter.refused", limiter=self._line.address.shown, reason=str(error))
