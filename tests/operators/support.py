"""A server that takes what is sent to it, and the program told where it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import orjson

from tests.e2e.support import Program, Ran


class Got(NamedTuple):
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return orjson.loads(self.body)


class Receiver:
    """Somewhere outside. It answers what ``statuses`` say, in order, then 200."""

    def __init__(self, url: str, statuses: list[int]) -> None:
        self.url = url
        self.statuses = statuses
        self.got: list[Got] = []
        self.hangs = threading.Event()  # set: no answer comes any more
        self.gone = threading.Event()

    @property
    def paths(self) -> list[str]:
        """Method and path of each request, in the order they arrived."""
        return [f"{each.method} {each.path}" for each in self.got]

    @property
    def place(self) -> str:
        """Its host and port."""
        return self.url.removeprefix("http://")


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    """A server on loopback, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Got(self.command, self.path, headers, body))
            if receiver.hangs.is_set():
                receiver.gone.wait(30)
                return
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_POST = do_GET = take  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}", list(statuses))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.gone.set()
        server.shutdown()
        server.server_close()
        thread.join()


def told(program: Program, **names: str | None) -> None:
    """Set settings of ``notify`` in the environment, or remove those that are None."""
    program.environment(**{f"BATCH_CLOSER_NOTIFY_{name.upper()}": value for name, value in names.items()})


def news(ran: Ran) -> list[tuple[str, str, str | None]]:
    """What the log says was told, and what could not be."""
    return [
        (each["event"], each["to"], each.get("reason"))
        for each in ran.log
        if each["event"] in {"notify.sent", "notify.failed"}
    ]
