"""The API's reading calls. Nothing here can write."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal
from urllib.parse import quote

from worker.energycap.bodies import LARGEST_BATCH, tidy, to_batch
from worker.energycap.exchange import Exchange, ReadingMore, T
from worker.energycap.records import to_can_export, to_identity, to_page
from worker.energycap.wire import Response, Wire
from worker.words.answer import Answer, Identity, Page
from worker.words.errors import ConfigurationError
from worker.words.model import BatchState

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
        return self._exchange.ask("GET", f"{_BATCH}/{batch_id}", partial(self._read_batch, batch_id))

    def me(self) -> Awaitable[Answer]:
        """Whether the key works: ``GET /api/v3/me``. Only the status is looked at."""
        return self._exchange.ask("GET", _ME, self._read_status)

    async def identity(self) -> tuple[Answer, Identity | None]:
        """Who the key is: ``GET /api/v3/me``. No Identity where the body says nothing of a user."""
        return await self._get(
            _ME,
            partial(self._read_record, "not_an_identity", partial(to_identity, shown=self._shown)),
        )

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
        return await self._get(_page_of(number, size, filter), partial(self._read_page, number))

    async def can_export(self, mode: Literal["AP", "GL"]) -> tuple[Answer, str | None]:
        """When bills may be exported: ``canExport`` of ``GET /api/v3/workflow/export``, as the API writes it.

        By the SDK: never, after entry, after batch, after approval, after batch approval.
        """
        return await self._get(
            f"/api/v3/workflow/export?exportMode={mode}",
            partial(self._read_record, "not_an_export_setting", partial(to_can_export, shown=self._shown)),
        )

    def redact(self, text: str) -> str:
        """The text without the key in it."""
        return self._exchange.redact(text)

    async def _get(self, target: str, read: ReadingMore[T]) -> tuple[Answer, T | None]:
        return await self._exchange.ask_for("GET", target, read)

    def _shown(self, text: str) -> str | None:
        return tidy(self.redact(text))

    async def _read_status(self, response: Response) -> Answer:
        found = await self._exchange.body_of(response, LARGEST_BATCH)
        if not isinstance(found, Answer):
            return found.answer()
        return found._replace(error=None) if found.error in _OF_THE_BODY else found

    async def _read_batch(self, batch_id: int, response: Response) -> Answer:
        found = await self._exchange.body_of(response, LARGEST_BATCH)
        if isinstance(found, Answer):
            return found
        batch = to_batch(found.content)
        if batch is None:
            return found.answer(error="not_a_batch")
        if batch.batch_id != batch_id:
            return found.answer(error="wrong_batch")
        return found.answer(batch, None if batch.state is BatchState.CLOSED else "not_closed")

    async def _read_record(
        self, otherwise: str, parse: Callable[[bytes], T | None], response: Response
    ) -> tuple[Answer, T | None]:
        found = await self._exchange.body_of(response, LARGEST_BATCH)
        if isinstance(found, Answer):
            return found, None
        record = parse(found.content)
        return found.answer(error=otherwise if record is None else None), record

    async def _read_page(self, number: int, response: Response) -> tuple[Answer, Page | None]:
        found = await self._exchange.body_of(response, LARGEST_PAGE)
        if isinstance(found, Answer):
            return found, None
        page = to_page(found.content, response.headers, number)
        return found.answer(error="not_a_list" if page is None else None), page


def _page_of(number: int, size: int, filter_text: str | None) -> str:
    target = f"{_BATCH}?pageSize={size}&pageNumber={number}"
    if filter_text is None:
        return target
    try:
        return f"{target}&filter={quote(filter_text, safe='')}"
    except UnicodeEncodeError:
        raise ConfigurationError("the filter holds a character that is no Unicode text") from None
