"""The API's reading calls. Nothing here can write."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Literal
from urllib.parse import quote

import aiohttp
from yarl import URL

from worker.energycap.bodies import LARGEST_BATCH, tidy, to_batch
from worker.energycap.exchange import Exchange, Reading, SendOnce, T
from worker.energycap.records import to_can_export, to_identity, to_page
from worker.words.answer import Answer, Identity, Page
from worker.words.errors import ConfigurationError

LARGEST_PAGE = 32 << 20
"""A page of 1000 batches is about half a MB; a server that doesn't know pages may send tens of thousands."""
ROWS_A_PAGE = 1000
"""The largest page the API gives (documented)."""
_OF_THE_BODY = frozenset({"empty", "too_large"})


class Reader:
    """What can be read of the API. It holds no way to send anything but GET.

    No call raises for what the network or the server does. Cancelling a call closes its connection.
    Sources: the public developer documentation for the batch calls, the official SDK for the others.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        key: str,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._session_get = session.get
        self._list_url = f"{base_url}/api/v3/batch"
        self._batch_url = f"{base_url}/api/v3/batch/"
        self._me_url = f"{base_url}/api/v3/me"
        self._export_url = f"{base_url}/api/v3/workflow/export?exportMode="
        self._key = key
        self._exchange = Exchange(key, wall, steady)

    async def look_up(self, batch_id: int) -> Answer:
        """Read a batch: ``GET /api/v3/batch/{batchId}``."""
        answer, _ = await self._get(f"{self._batch_url}{batch_id}", partial(self._read_batch, batch_id))
        return answer

    async def me(self) -> Answer:
        """Whether the key works: ``GET /api/v3/me``. Only the status is looked at."""
        answer, _ = await self._get(self._me_url, self._read_status)
        return answer

    async def identity(self) -> tuple[Answer, Identity | None]:
        """Who the key is: ``GET /api/v3/me``. No Identity where the body says nothing of a user."""
        return await self._get(
            self._me_url,
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
        return await self._get(self._page_url(number, size, filter), partial(self._read_page, number))

    async def can_export(self, mode: Literal["AP", "GL"]) -> tuple[Answer, str | None]:
        """When bills may be exported: ``canExport`` of ``GET /api/v3/workflow/export``, as the API writes it.

        By the SDK: never, after entry, after batch, after approval, after batch approval.
        """
        return await self._get(
            f"{self._export_url}{mode}",
            partial(self._read_record, "not_an_export_setting", partial(to_can_export, shown=self._shown)),
        )

    def redact(self, text: str) -> str:
        """The text without the key in it."""
        return self._exchange.redact(text)

    async def _get(self, url: str | URL, read: Reading[T]) -> tuple[Answer, T | None]:
        request = self._session_get(url, allow_redirects=False, middlewares=(SendOnce(),))
        return await self._exchange.ask(request, read)

    def _page_url(self, number: int, size: int, filter_text: str | None) -> URL:
        query = f"pageSize={size}&pageNumber={number}"
        if filter_text is not None:
            try:
                query += "&filter=" + quote(filter_text, safe="")
            except UnicodeEncodeError:
                raise ConfigurationError("the filter holds a character that is no Unicode text") from None
        return URL(f"{self._list_url}?{query}", encoded=True)

    def _shown(self, text: str) -> str | None:
        return tidy(self.redact(text))

    async def _read_status(self, response: aiohttp.ClientResponse) -> tuple[Answer, None]:
        answer, _ = await self._exchange.body_of(response, LARGEST_BATCH)
        return answer._replace(error=None) if answer.error in _OF_THE_BODY else answer, None

    async def _read_batch(self, batch_id: int, response: aiohttp.ClientResponse) -> tuple[Answer, None]:
        answer, body = await self._exchange.body_of(response, LARGEST_BATCH)
        if not body:
            return answer, None
        batch = to_batch(body)
        if batch is None:
            return answer._replace(error="not_a_batch"), None
        if batch.batch_id != batch_id:
            return answer._replace(error="wrong_batch"), None
        if batch.state.value == "closed":
            return answer._replace(batch=batch), None
        return answer._replace(batch=batch, error="not_closed"), None

    async def _read_record(
        self, otherwise: str, parse: Callable[[bytes], T | None], response: aiohttp.ClientResponse
    ) -> tuple[Answer, T | None]:
        answer, body = await self._exchange.body_of(response, LARGEST_BATCH)
        record = parse(body) if body else None
        return answer._replace(error=otherwise) if body and record is None else answer, record

    async def _read_page(self, number: int, response: aiohttp.ClientResponse) -> tuple[Answer, Page | None]:
        answer, body = await self._exchange.body_of(response, LARGEST_PAGE)
        page = to_page(body, response.headers, number) if body else None
        return answer._replace(error="not_a_list") if body and page is None else answer, page
