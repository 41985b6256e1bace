"""A server that answers every close as fast as Python can: ``python -m tests.bench.small_server [DELAY_S]``.

It stands in where there is no nginx, and it alone can tell when each request came and take its time.
Prints its port. When its standard input ends, it prints what it saw as JSON: how many closes and look-ups,
the seconds from the first to the last, and the most in any second. ``/seen`` answers as nginx does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from email.utils import formatdate
from itertools import count

from tests.bench.answers import BATCH, ME

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\nContent-Length: %d\r\n\r\n"


class Small(asyncio.Protocol):
    """One connection. A request is complete with its headers: closes have no body."""

    def __init__(self, arrivals: array[float], asked: count[int], delay_s: float) -> None:
        self._arrivals = arrivals
        self._asked = asked
        self._delay_s = delay_s
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            body = self._body_of(request.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2])
            answer = HEAD % (formatdate(usegmt=True).encode(), len(body)) + body
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _body_of(self, last: bytes) -> bytes:
        if last == b"me":
            return ME
        if last == b"seen":
            return b"server accepts handled requests\n 0 0 %d \n" % (len(self._arrivals) + next(self._asked))
        self._arrivals.append(time.monotonic())
        return BATCH % (int(last), int(last)) if last.isdigit() else b"[]"


async def main(delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    arrivals, asked = array("d"), count(1)
    server = await loop.create_server(lambda: Small(arrivals, asked, delay_s), "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    seconds = arrivals[-1] - arrivals[0] if arrivals else 0.0
    print(json.dumps({"requests": len(arrivals), "seconds": seconds, "busiest": busiest_second(arrivals)}))


def busiest_second(instants: array[float]) -> int:
    """The most in any half-open second; ``instants`` ascend."""
    most = first = 0
    for last, instant in enumerate(instants):
        while instants[first] <= instant - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
