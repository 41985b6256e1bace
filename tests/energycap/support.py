"""A server that says exactly what it is told to, and clients for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from pydantic import SecretStr

from worker.energycap import Connection, EnergyCap, Reader, connect, connect_reader

KEY = "the-secret-key"
Client = TypeVar("Client")
CLOSED = b'{"batchId":7,"batchStatus":"closed"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(CLOSED), CLOSED)


class Wire:
    """A server that answers the requests of all connections in turn with bytes; None drops the connection."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.seen: list[bytes] = []
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while self.answers:
                self.seen.append(await reader.readuntil(b"\r\n\r\n"))
                answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def _served(
    wire: Wire, timeout_s: float, opened: Callable[[Connection], AbstractAsyncContextManager[Client]]
) -> AsyncIterator[Client]:
    server = await asyncio.start_server(wire.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = Connection(base_url=f"http://127.0.0.1:{port}", key=SecretStr(KEY), timeout_s=timeout_s)
    try:
        async with opened(connection) as api:
            yield api
    finally:
        server.close()
        await server.wait_closed()


def client(wire: Wire, timeout_s: float = 5.0) -> AbstractAsyncContextManager[EnergyCap]:
    """The client that can close, for a server of its own."""
    return _served(wire, timeout_s, connect)


def reader(wire: Wire, timeout_s: float = 5.0) -> AbstractAsyncContextManager[Reader]:
    """The client that can read alone, for a server of its own."""
    return _served(wire, timeout_s, connect_reader)
