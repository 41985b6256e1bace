"""The API's reading calls. Nothing here can write."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import quote

from worker.energycap.bodies import LARGEST_BATCH, tidy, to_batch
from worker.energycap.exchange import Body, Exchange
from worker.energycap.records import to_can_export, to_identity, to_page
from worker.energycap.wire import Wire
from worker.words.answer import Answer, Identity, Page
from worker.words.errors import ConfigurationError
from worker.words.model import BatchState

T = TypeVar("T")
LARGEST_PAGE = 32 << 20
"""A page of 1000 batches is about half a MB; a server that doesn't know pages may send tens of thousands."""
ROWS_A_PAGE = 1000
"""The largest page the API gives (documented)."""
_BATCH = "/api/v3/batch"
_ME = "/api/v3/me"
_OF_THE_BODY = frozenset({"empty", "too_large"})


class Reader:
    """What can be read of the API. It holds no way to send anything but GET.

    No call raises for what the network or the server does. Cancelling a call closes its connection.
    Sources: the public developer documentation for the batch calls, the official SDK for the others.
    """

    def __init__(
        self,
        wire: Wire,
        key: str,
        timeout_s: float,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._exchange = Exchange(wire, key, timeout_s, wall, steady)

    def look_up(self, batch_id: int) -> Awaitable[Answer]:
        """Read a batch: ``GET /api/v3/batch/{batchId}``."""
        return self._ask_about("GET", f"{_BATCH}/{batch_id}", batch_id)

    async def me(self) -> Answer:
        """Whether the key works: ``GET /api/v3/me``. Only the status is looked at."""
        answer = await self._exchange.ask("GET", _ME, Body.answer, LARGEST_BATCH)
        return answer._replace(error=None) if answer.error in _OF_THE_BODY else answer

    async def identity(self) -> tuple[Answer, Identity | None]:
        """Who the key is: ``GET /api/v3/me``. No Identity where the body says nothing of a user."""
        return await self._get(_ME, lambda body: to_identity(body.content, self._shown), "not_an_identity")

    async def page(
        self,
        number: int,
        size: int = ROWS_A_PAGE,
        filter: str | None = None,  # noqa: A002  # the API's own name for it
    ) -> tuple[Answer, Page | None]:
        """A page of batches, from 1: ``GET /api/v3/batch``. No Page for anything but a JSON array.

        Whether it is the last is for ``total_pages`` to say; where the server does not, an empty page is.
        Raises ConfigurationError for a filter that can't be encoded.
        """
        target = _page_of(number, size, filter)
        return await self._get(
            target, lambda body: to_page(body.content, body.headers, number), "not_a_list", LARGEST_PAGE
        )

    async def can_export(self, mode: Literal["AP", "GL"]) -> tuple[Answer, str | None]:
        """When bills may be exported: ``canExport`` of ``GET /api/v3/workflow/export``, as the API writes it.

        By the SDK: never, after entry, after batch, after approval, after batch approval.
        """
        target = f"/api/v3/workflow/export?exportMode={mode}"
        return await self._get(
            target, lambda body: to_can_export(body.content, self._shown), "not_an_export_setting"
        )

    def redact(self, text: str) -> str:
        """The text without the key in it."""
        return self._exchange.redact(text)

    async def _get(
        self, target: str, parse: Callable[[Body], T | None], otherwise: str, cap: int = LARGEST_BATCH
    ) -> tuple[Answer, T | None]:
        """Ask for what an answer doesn't hold; ``otherwise`` is the error where the body is none."""
        value: T | None = None

        def read(body: Body) -> Answer:
            nonlocal value
            value = parse(body)
            return body.answer(error=otherwise if value is None else None)

        return await self._exchange.ask("GET", target, read, cap), value

    def _ask_about(self, method: str, target: str, batch_id: int) -> Awaitable[Answer]:
        return self._exchange.ask(method, target, partial(_read_batch, batch_id), LARGEST_BATCH)

    def _shown(self, text: str) -> str | None:
        return tidy(self.redact(text))


def _read_batch(batch_id: int, body: Body) -> Answer:
    batch = to_batch(body.content)
    if batch is None:
        return body.answer(error="not_a_batch")
    if batch.batch_id != batch_id:
        return body.answer(error="wrong_batch")
    return body.answer(batch, None if batch.state is BatchState.CLOSED else "not_closed")


def _page_of(number: int, size: int, filter_text: str | None) -> str:
    target = f"{_BATCH}?pageSize={size}&pageNumber={number}"
    if filter_text is None:
        return target
    try:
        return f"{target}&filter={quote(filter_text, safe='')}"
    except UnicodeEncodeError:
        raise ConfigurationError("the filter holds a character that is no Unicode text") from None
