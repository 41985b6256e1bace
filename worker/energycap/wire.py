"""Requests on aiohttp's connections, beneath its session: each goes out once, to one host.

The session would do what is not wanted here: send a request a second time by itself when a kept
connection drops (aio-libs/aiohttp#10790), follow redirects, keep cookies, and hand its own headers,
the key among them, to a proxy. What is used is what it is made of: the connector with its pool, TLS
and proxy, and the protocol with its parser. A request here is one write, its head made beforehand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDictProxy
from yarl import URL

_PROVISIONAL = frozenset(range(100, 200)) - {101}
"""Another response follows; 101 would be the last."""


class Response:
    """The head of a response, and its body still to be read; to be released or closed."""

    __slots__ = ("_connection", "content", "headers", "status")

    def __init__(
        self,
        connection: Connection,
        status: int,
        headers: CIMultiDictProxy[str],
        content: aiohttp.StreamReader,
    ) -> None:
        self._connection = connection
        self.status = status
        self.headers = headers
        self.content = content

    def close(self) -> None:
        """Give its connection up."""
        self._connection.close()

    def release(self) -> None:
        """Keep its connection for another request, unless the body was not read to its end."""
        self._connection.release()


class _Method(NamedTuple):
    """What the requests of a method have in common."""

    model: aiohttp.ClientRequest  # tells the connector which connections will do
    head: bytes  # what follows the target


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
        self._headers = headers
        self._timeout = timeout
        self._proxy = None if proxy is None else URL(proxy)
        self._loop = asyncio.get_running_loop()
        self._methods: dict[str, _Method] = {}

    async def send(self, method: str, target: str) -> Response:
        """Send a request once; the response with its body still to be read, and to be released.

        ``target`` is a path beneath the base URL, with a query if need be, percent-encoded already.
        Raises what the table in ``failures`` names.
        """
        model, head = self._methods.get(method) or self._made_for(method)
        try:
            connection = await self._connector.connect(model, [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None or transport.is_closing():
            connection.close()
            raise aiohttp.ClientConnectionResetError("closed before anything was sent")
        try:
            protocol.set_response_params(read_until_eof=True)
            transport.write(f"{method} {self._path}{target} HTTP/1.1\r\n".encode("ascii") + head)
            message, content = await protocol.read()
            while message.code in _PROVISIONAL:
                message, content = await protocol.read()
        except BaseException:
            connection.close()
            raise
        return Response(connection, message.code, message.headers, content)

    def _made_for(self, method: str) -> _Method:
        """A method's model with the headers that the library makes of those given, made once."""
        model = aiohttp.ClientRequest(
            method, self._base, headers=self._headers, proxy=self._proxy, loop=self._loop
        )
        head = "".join(f"{name}: {value}\r\n" for name, value in model.headers.items())
        return self._methods.setdefault(method, _Method(model, f"{head}\r\n".encode()))
