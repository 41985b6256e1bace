"""How an answer is sent: whole, cut short, or not at all. The one place that reaches below HTTP."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import zlib

from aiohttp import hdrs, web

from worker.simulator.answers import Answer, phrase
from worker.simulator.faults import Wire
from worker.simulator.forging import padded

_CHUNK = b"x" * 65536
_NO_HTTP = b"\x16\x03\x01\x00\x2a\x01 this is not HTTP\r\n\r\n"


def whole(answer: Answer, date: str | None = None) -> web.Response:
    """The answer as it should be sent; ``date`` replaces the Date header."""
    response = web.Response(status=answer.status, body=answer.body or None)
    if answer.content_type is not None:
        response.headers[hdrs.CONTENT_TYPE] = answer.content_type
    if answer.headers:
        response.headers.update(answer.headers)
    if date is not None:
        response.headers[hdrs.DATE] = date
    return response


async def misbehave(
    request: web.BaseRequest, answer: Answer, wire: Wire, size: int, stopping: asyncio.Event
) -> web.StreamResponse:
    """Send the answer in a way that is not whole. ``size`` is that of a huge body, in bytes."""
    match wire:
        case Wire.HUGE:
            return await _huge(request, answer, size)
        case Wire.GZIP_BOMB:
            response = whole(answer._replace(body=_gzip(answer.body, size)))
            response.headers[hdrs.CONTENT_ENCODING] = "gzip"
            return response
        case Wire.HANG:
            await stopping.wait()
        case Wire.RESET:
            _reset_on_close(request)
        case Wire.HEADERS:
            _write(request, b"HTTP/1.1 200 OK\r\nContent-Type: application/js")
        case Wire.BAD_HTTP:
            _write(request, _NO_HTTP)
        case Wire.TRUNCATED:
            body = answer.body or b"{}"
            head = (
                f"HTTP/1.1 {answer.status} {phrase(answer.status)}\r\n"
                f"Content-Type: {answer.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            _write(request, head.encode() + body[: len(body) // 2])
    return _hang_up(request)


def _hang_up(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    # The framework finds the connection gone and sends nothing of this.
    return web.Response(status=500)


def _write(request: web.BaseRequest, data: bytes) -> None:
    if request.transport is not None:
        request.transport.write(data)


def _reset_on_close(request: web.BaseRequest) -> None:
    """Make the close a reset: no lingering at all."""
    if request.transport is None:
        return
    sock = request.transport.get_extra_info("socket")
    if sock is not None:
        pair = "hh" if sys.platform == "win32" else "ii"
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(pair, 1, 0))


async def _huge(request: web.BaseRequest, answer: Answer, size: int) -> web.StreamResponse:
    before, after = padded(answer.body)
    response = web.StreamResponse(status=answer.status)
    response.headers[hdrs.CONTENT_TYPE] = answer.content_type or "application/json"
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        await response.write(before)
        for start in range(0, size, len(_CHUNK)):
            await response.write(_CHUNK[: size - start])
        await response.write(after)
    except ConnectionError:
        pass  # the peer has heard enough
    return response


def _gzip(body: bytes, size: int) -> bytes:
    before, after = padded(body)
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(before)]
    parts += [packer.compress(_CHUNK[: size - start]) for start in range(0, size, len(_CHUNK))]
    return b"".join([*parts, packer.compress(after), packer.flush()])
