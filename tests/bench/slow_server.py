"""A server like ``quick_server`` that takes its time: ``python -m tests.bench.slow_server SECONDS``.

It also says whose the key is, which a fleet's worker asks before it begins.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from email.utils import formatdate

from tests.bench.quick_server import BODY, busiest_second

ME = json.dumps(
    {
        "systemUserId": 17,
        "systemUserCode": "BENCH",
        "fullName": "Bench",
        "environment": "bench",
        "permissions": {"billsAndBatches": {"view": True, "create": True, "manage": True}},
    }
).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\nContent-Length: %d\r\n\r\n"


class Slow(asyncio.Protocol):
    """One connection; requests have no body."""

    def __init__(self, delay_s: float, arrivals: array[float]) -> None:
        self._delay_s = delay_s
        self._arrivals = arrivals
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            last = request.split(b" ", 2)[1].rsplit(b"/", 1)[1]
            body = ME
            if last != b"me":
                self._arrivals.append(time.monotonic())
                body = BODY % (int(last), int(last))
            answer = HEAD % (formatdate(usegmt=True).encode(), len(body)) + body
            asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, answer)


async def main() -> None:
    loop = asyncio.get_running_loop()
    arrivals = array("d")
    server = await loop.create_server(lambda: Slow(float(sys.argv[1]), arrivals), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    seconds = arrivals[-1] - arrivals[0] if arrivals else 0.0
    print(json.dumps({"requests": len(arrivals), "seconds": seconds, "busiest": busiest_second(arrivals)}))


if __name__ == "__main__":
    asyncio.run(main())
