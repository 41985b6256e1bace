"""A bare HTTP client over asyncio streams that sees exactly what comes over the wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from worker.simulator.options import Options, Pace, Population, Unknowns
from worker.simulator.running import Simulator

ALL_OPEN = Population(
    batches=5, closed=0, missing=0, pending=0, flagged=0, analyzing=0, kickouts=0, empty=0, foreign=0
)
FIRST = ALL_OPEN.first_id
NOW = 1_790_000_000.0


def open_batches(*, unknowns: Unknowns | None = None, pace: Pace | None = None, **given: Any) -> Options:
    """Options with five open batches without trouble, ids from FIRST."""
    return Options(population=ALL_OPEN, unknowns=unknowns or Unknowns(), pace=pace or Pace(), **given)


@dataclass
class Heard:
    """What came back before the connection ended or the answer was complete."""

    raw: bytes
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False
    reset: bool = False

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


async def say(
    simulator: Simulator, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b""
) -> Heard:
    """One request on a connection of its own."""
    where = urlsplit(simulator.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        return await say_on(reader, writer, simulator, method, path, headers=headers, body=body)
    finally:
        writer.close()


async def say_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    simulator: Simulator,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Heard:
    """One request on a connection that may carry more."""
    sent = {"Host": "simulator", "ECI-ApiKey": simulator.key, "Content-Type": "application/json"}
    sent |= headers or {}
    sent["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value)
    writer.write(f"{method} {quote(path, safe='/?&=%')} HTTP/1.1\r\n{head}\r\n".encode() + body)
    return await _heard(reader)


async def close(simulator: Simulator, batch_id: int = FIRST) -> Heard:
    """One close."""
    return await say(simulator, "PUT", f"/api/v3/batch/close/{batch_id}")


async def look_up(simulator: Simulator, batch_id: int = FIRST) -> Heard:
    """One read."""
    return await say(simulator, "GET", f"/api/v3/batch/{batch_id}")


async def _heard(reader: asyncio.StreamReader) -> Heard:
    heard = Heard(b"")
    try:
        while b"\r\n\r\n" not in heard.raw:
            piece = await reader.read(65536)
            if not piece:
                return heard
            heard.raw += piece
        head, _, heard.body = heard.raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        if not lines[0].startswith("HTTP/1.1 "):
            return heard
        heard.status = int(lines[0].split()[1])
        heard.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        await _body(reader, heard)
    except ConnectionResetError:
        heard.reset = True
    return heard


async def _body(reader: asyncio.StreamReader, heard: Heard) -> None:
    chunked = heard.headers.get("transfer-encoding") == "chunked"
    length = 0 if heard.status == 204 else int(heard.headers.get("content-length", "0"))
    rest = bytearray(heard.body)
    while not rest.endswith(b"0\r\n\r\n") if chunked else len(rest) < length:
        piece = await reader.read(1 << 20)
        if not piece:
            break
        rest += piece
    else:
        heard.complete = True
    heard.body = _joined(bytes(rest)) if chunked else bytes(rest)


def _joined(chunks: bytes) -> bytes:
    parts = []
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        parts.append(chunks[: int(size, 16)])
        chunks = chunks[int(size, 16) + 2 :]
    return b"".join(parts)
