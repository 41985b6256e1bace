"""What ``check`` asks of the API: at most eight requests, none of which can write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from worker.energycap import Connection, Reader, connect_reader
from worker.energycap.connection import proxy_for
from worker.engine.pacer import Pacer
from worker.engine.ports import Log
from worker.rules.readiness import (
    BatchesAsked,
    Check,
    CheckState,
    clock,
    export_setting,
    goes_on,
    is_answered,
    key_accepted,
    listing,
    rights,
    skipped,
    way,
    worth_another,
)
from worker.rules.selection import not_closed_filters
from worker.rules.verdict import asks_to_wait
from worker.words.answer import Answer

T = TypeVar("T")
WAY = ("dns", "connection", "tls", "answer", "clock")
ACCESS = ("key_accepted", "user", "environment", "close_own", "close_others")
READING = ("list", "filter", "export_ap", "export_gl")
_ROWS = 50  # enough that a filter which is ignored shows a closed batch
_WAIT_S = 1.0  # where a throttling server doesn't say how long


class Asking:
    """Sends requests, one slot each, and one of all of them a second time where that may help."""

    def __init__(self, api: Reader, pacer: Pacer) -> None:
        self.api = api
        self._pacer = pacer
        self._spare = 1

    async def ask(self, send: Callable[[], Awaitable[tuple[Answer, T | None]]]) -> tuple[Answer, T | None]:
        """A request's answer, and what was asked for if it is in there."""
        await self._pacer.slot()
        answer, value = await send()
        if not self._spare or value is not None or not worth_another(answer):
            return answer, value
        self._spare -= 1
        if asks_to_wait(answer):
            wait_s = _WAIT_S if answer.retry_after_s is None else answer.retry_after_s
            self._pacer.pause(wait_s, answer.reason)
        await self._pacer.slot()
        return await send()

    async def batches(self) -> list[BatchesAsked]:
        """A page by each filter for what isn't closed, until one is understood."""
        asked: list[BatchesAsked] = []
        for text in (*not_closed_filters(), None):
            if goes_on(text, asked):
                answer, page = await self.ask(partial(self.api.page, 1, _ROWS, text))
                asked.append(BatchesAsked(text, answer, page))
        return asked

    async def export(self, mode: Literal["AP", "GL"]) -> Check:
        """What closing releases."""
        answer, can_export = await self.ask(lambda: self.api.can_export(mode))
        return export_setting(mode, answer, can_export)


async def check_api(connection: Connection, rate_per_s: float, burst: int, log: Log) -> list[Check]:
    """All checks that need the API. Raises ConfigurationError where the CA file can't be used."""
    async with connect_reader(connection) as api:
        pacer = Pacer(rate_per_s, burst, log, asyncio.get_running_loop().time)
        return await _check(Asking(api, pacer), connection.base_url)


async def _check(asking: Asking, base_url: str) -> list[Check]:
    parts = urlsplit(base_url)
    me, identity = await asking.ask(asking.api.identity)
    proxied = proxy_for(base_url) is not None
    checks = way(me, host=parts.hostname or "", tls=parts.scheme == "https", proxied=proxied)
    if not is_answered(me):
        why = next(check.name for check in checks if check.state is CheckState.FAILED)
        return checks + _skipped(("clock", *ACCESS, *READING), why)
    checks.append(clock(me))
    key = key_accepted(me, identity)
    if key.state is CheckState.FAILED:
        return [*checks, key, *_skipped((*ACCESS[1:], *READING), key.name)]
    asked = await asking.batches()
    checks += [key_accepted(me, identity, asked), *rights(me, identity), *listing(asked)]
    return [*checks, await asking.export("AP"), await asking.export("GL")]


def unasked(why: str) -> list[Check]:
    """The API's checks where it can't be asked because the check ``why`` failed."""
    return _skipped((*WAY, *ACCESS, *READING), why)


def _skipped(names: tuple[str, ...], why: str) -> list[Check]:
    return [skipped(name, f"{why} failed") for name in names]
