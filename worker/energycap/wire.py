"""Requests on aiohttp's connections, beneath its session: each goes out once, to one host.

The session would do what is not wanted here: send a request a second time by itself when a kept
connection drops (aio-libs/aiohttp#10790), follow redirects, keep cookies, and hand its own headers,
the key among them, to a proxy. What is used is what it is made of: the connector, which knows TLS and
proxies, and the protocol with its parser. A request is one write here, its head made beforehand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from yarl import URL

KEPT_S = 15.0
"""A connection that was idle for longer is not used again: the server may be about to close it."""
_PROVISIONAL = frozenset(range(100, 200)) - {101}
"""Another response follows; 101 would be the last."""


class Response:
    """The head of a response, and its body still to be read; to be released or closed."""

    __slots__ = ("_connection", "_wire", "content", "headers", "status")

    def __init__(
        self, wire: Wire, connection: Connection, message: RawResponseMessage, content: aiohttp.StreamReader
    ) -> None:
        self._wire = wire
        self._connection = connection
        self.status = message.code
        self.headers = message.headers
        self.content = content

    def close(self) -> None:
        """Give its connection up."""
        self._connection.close()

    def release(self) -> None:
        """Keep its connection for another request, unless the body was not read to its end."""
        self._wire.keep(self._connection)


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
        self._idle: list[tuple[Connection, float]] = []

    async def send(self, method: str, target: str) -> Response:
        """Send a request once; the response with its body still to be read, and to be released.

        ``target`` is a path beneath the base URL, with a query if need be, percent-encoded already.
        Raises what the table in ``failures`` names.
        """
        model, head = self._methods.get(method) or self._made_for(method)
        connection = self._kept() or await self._new(model)
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
        return Response(self, connection, message, content)

    def keep(self, connection: Connection) -> None:
        """Take a connection back for another request, if its answer was the last that came on it."""
        protocol = connection.protocol
        if protocol is None or protocol.should_close:
            connection.close()
        else:
            self._idle.append((connection, self._loop.time()))

    def _kept(self) -> Connection | None:
        """A connection on which nothing came unasked: a late second response would be taken for the next."""
        while self._idle:
            connection, since = self._idle.pop()
            protocol = connection.protocol
            is_fit = protocol is not None and protocol.is_connected() and not protocol.should_close
            if is_fit and self._loop.time() - since <= KEPT_S:
                return connection
            connection.close()
        return None

    async def _new(self, model: aiohttp.ClientRequest) -> Connection:
        try:
            return await self._connector.connect(model, [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error

    async def close(self) -> None:
        """Close all connections."""
        try:
            await self._connector.close()
        finally:
            for connection, _ in self._idle:
                connection.close()

    def _made_for(self, method: str) -> _Method:
        """A method's model with the headers that the library makes of those given, made once."""
        model = aiohttp.ClientRequest(
            method, self._base, headers=self._headers, proxy=self._proxy, loop=self._loop
        )
        head = "".join(f"{name}: {value}\r\n" for name, value in model.headers.items())
        return self._methods.setdefault(method, _Method(model, f"{head}\r\n".encode()))


class ReadingWire(Wire):
    """Sends nothing but GET, so that what is built on it has no way to write."""

    async def send(self, method: str, target: str) -> Response:
        """Send a GET. Raises RuntimeError for any other method: a fault of the program."""
        if method != "GET":
            raise RuntimeError(f"a reading client was asked to send {method}")
        return await super().send(method, target)
