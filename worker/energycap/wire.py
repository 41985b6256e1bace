"""Requests over aiohttp's connector, beneath its session: each goes out once, to one host.

The session would do what is not wanted here: send a request a second time by itself when a kept
connection drops (aio-libs/aiohttp#10790), follow redirects, keep cookies, and hand its own headers,
the key among them, to a proxy. What is used is what it is made of: connector, request, response.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL


class _Bare(aiohttp.ClientRequest):
    """A request without a body whose headers, all of them, were made beforehand."""

    def update_headers(self, headers: Any) -> None:
        """Take the headers as they are."""
        self.headers = headers.copy()

    def update_auto_headers(self, skip_auto_headers: Any) -> None:
        """They are among the headers."""

    def update_transfer_encoding(self) -> None:
        """There is no body."""

    def update_body_from_data(self, body: Any, _stacklevel: int = 3) -> None:
        """There is none."""

    def update_expect_continue(self, expect: bool = False) -> None:
        """Nothing is expected."""


class Wire:
    """Sends requests without a body to the host of a base URL. Belongs to one event loop."""

    def __init__(
        self,
        connector: aiohttp.BaseConnector,
        base_url: str,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
        proxy: str | None = None,
    ) -> None:
        self._connector = connector
        self._base = URL(base_url)
        self._path = self._base.raw_path.rstrip("/")
        self._given = headers
        self._timeout = timeout
        self._proxy = None if proxy is None else URL(proxy)
        self._loop = asyncio.get_running_loop()
        self._headers: dict[str, CIMultiDict[str]] = {}

    def url(self, path: str, query: str = "") -> URL:
        """The URL of a path beneath the base URL; both are percent-encoded already."""
        url = self._base.with_path(self._path + path, encoded=True)
        return URL(f"{url}?{query}", encoded=True) if query else url

    async def send(self, method: str, url: URL) -> aiohttp.ClientResponse:
        """Send a request once; the response with its body still to be read, and to be released.

        Raises what the table in ``failures`` names.
        """
        headers = self._headers.get(method) or self._made_for(method)
        request = _Bare(method, url, headers=headers, proxy=self._proxy, loop=self._loop)
        try:
            connection = await self._connector.connect(request, [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error
        protocol = connection.protocol
        assert protocol is not None
        protocol.set_response_params(read_until_eof=True)
        try:
            response = await request.send(connection)
            try:
                await response.start(connection)
            except BaseException:
                response.close()
                raise
        except BaseException:
            connection.close()
            raise
        return response

    def _made_for(self, method: str) -> CIMultiDict[str]:
        """What the library makes of the headers given, made once for each method."""
        request = aiohttp.ClientRequest(method, self._base, headers=self._given, loop=self._loop)
        return self._headers.setdefault(method, request.headers)
