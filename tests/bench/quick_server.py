"""A server that answers every close with a BatchResponse as fast as Python can: for measuring clients.

Prints its port. When its standard input ends, it prints what it saw as JSON: how many requests, the
seconds from the first to the last, and the most in any second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from email.utils import formatdate

BODY = (
    b'{"accountPeriodName":"Oct 2026","accountPeriodNumber":10,"accountPeriodYear":2026,"analyzingCount":0,'
    b'"batchCode":"UTIL-2026-10-%07d","batchId":%d,"batchStatus":"closed","billCount":12,"controlCode":"",'
    b'"createdBy":{"fullName":"Utility Import","userCode":"IMPORT","userId":17},"dueDate":null,'
    b'"endDate":"2099-01-01T00:00:00Z","flagCount":0,"hasImportedBills":true,"hasImportsWithKickout":false,'
    b'"hasLogs":false,"invoiceNumber":"","isOpen":false,"nextReading":null,"note":"nightly import",'
    b'"runningTotal":1234.56,"startDate":"2026-10-30T22:15:00Z","statementDate":null}'
)


class Quick(asyncio.Protocol):
    """One connection. A request is complete with its headers: closes have no body."""

    def __init__(self, arrivals: array[float]) -> None:
        self._arrivals = arrivals
        self._rest = b""
        self._date = formatdate(usegmt=True).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            self._arrivals.append(time.monotonic())
            path = request.split(b" ", 2)[1]
            batch_id = int(path.rsplit(b"/", 1)[1])
            body = BODY % (batch_id, batch_id)
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\nContent-Length: %d\r\n\r\n"
            )
            self._transport.write(head % (self._date, len(body)) + body)


async def main() -> None:
    loop = asyncio.get_running_loop()
    arrivals = array("d")
    server = await loop.create_server(lambda: Quick(arrivals), "127.0.0.1", 0)
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
    asyncio.run(main())
