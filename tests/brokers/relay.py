"""A line to a server that can be cut: real connections to a real server, lost at a test's word."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from anyio.from_thread import start_blocking_portal

from tests.required import own_port

_AT_ONCE = 65_536


class Relay:
    """Carries what comes to a port of its own to a server and back, while it isn't cut."""

    def __init__(self, host: str, port: int) -> None:
        self.port = own_port()
        self._there = host, port
        self._server: asyncio.Server | None = None
        self._lasting: set[asyncio.Task[Any]] = set()
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
        self._lasting = asyncio.all_tasks() - {asyncio.current_task()}
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def _close(self) -> None:
        if self._server is None:
            return
        # A connection may be half made, accepted and not yet carried, and a server that closes meanwhile
        # forgets its socket: so accept no more, lose what there is, and close last.
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        while unfinished := asyncio.all_tasks() - self._lasting - {asyncio.current_task()}:
            for writer in self._ends:
                writer.transport.abort()
            await asyncio.wait(unfinished, timeout=0.01)
        self._server.close()
        self._server = None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError), self._known(writer):
            back, there = await asyncio.open_connection(*self._there)
            with self._known(there):
                await asyncio.gather(_pass_on(reader, there), _pass_on(back, writer))

    @contextmanager
    def _known(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._ends.add(writer)
        try:
            yield
        finally:
            self._ends.discard(writer)
            writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_AT_ONCE):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
