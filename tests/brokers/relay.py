"""A line to a server that can be cut: real connections to a real server, lost at a test's word."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

from anyio.from_thread import start_blocking_portal

from tests.required import own_port

_AT_ONCE = 65_536


class Relay:
    """Carries what comes to a port of its own to a server and back, while it isn't cut."""

    def __init__(self, host: str, port: int) -> None:
        self.port = own_port()
        self._there = host, port
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._portal = self._stack.enter_context(start_blocking_portal())
        self.mend()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._stack.close()

    def mend(self) -> None:
        """Let connections be made again."""
        self._portal.call(self._open)

    def cut(self) -> None:
        """Lose all connections without a word, and refuse new ones."""
        self._portal.call(self._close)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._ends:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        with suppress(OSError):
            back, there = await asyncio.open_connection(*self._there)
            self._ends.add(there)
            await asyncio.gather(_pass_on(reader, there), _pass_on(back, writer))
            self._ends.discard(there)
        self._ends.discard(writer)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_AT_ONCE):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
