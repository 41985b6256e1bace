"""A server that knows little more than how to close a batch and to show one."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

LIST, BATCH, CLOSE = "/api/v3/batch?", "/api/v3/batch/", "/api/v3/batch/close/"
Row = dict[str, Any]


def _rows(kind: str, rows: list[Row]) -> object:
    match kind:
        case "an object":
            return {"data": rows}
        case "no ids":
            return [{"batchStatus": row["batchStatus"]} for row in rows]
        case "closed ones":
            return [row | {"batchStatus": "Closed"} for row in rows]
        case "nothing":
            return []
        case _:  # whatever page was asked for
            return rows[:250]


class SmallServer:
    """Batches from 1 on, all open; ``kind`` is what its list of batches is like, or the status it has."""

    def __init__(self, kind: str, count: int) -> None:
        self.kind: Final = kind
        self.open: Final = set(range(1, count + 1))
        self.count: Final = count
        self.seen: Final = Counter[str]()
        self.url = ""

    def row(self, batch_id: int) -> Row:
        """A batch, as far as this API tells of it."""
        return {"batchId": batch_id, "batchStatus": "Open" if batch_id in self.open else "Closed"}

    def answer(self, method: str, path: str) -> tuple[int, object]:
        """Status and body; text is HTML."""
        if method == "PUT" and path.startswith(CLOSE):
            return self._close(int(path.removeprefix(CLOSE)))
        if method == "GET" and path.startswith(LIST):
            return self._list()
        last = path.removeprefix(BATCH)
        if method == "GET" and last.isdigit():
            self.seen["get"] += 1
            return (200, self.row(int(last))) if int(last) <= self.count else (404, "unknown")
        return 404, "unknown"

    def _close(self, batch_id: int) -> tuple[int, object]:
        self.seen["put"] += 1
        self.open.discard(batch_id)
        return 200, self.row(batch_id)

    def _list(self) -> tuple[int, object]:
        self.seen["list"] += 1
        if self.kind.isdigit():
            return int(self.kind), "no"
        if self.kind == "HTML":
            return 200, "<html>Sign in</html>"
        return 200, _rows(self.kind, [self.row(batch_id) for batch_id in sorted(self.open)])


@contextmanager
def served(kind: str, count: int) -> Iterator[SmallServer]:
    """Serve until the block ends."""
    small = SmallServer(kind, count)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            status, body = small.answer(self.command, self.path)
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        small.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield small
        finally:
            server.shutdown()
            thread.join()
