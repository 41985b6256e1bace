"""Calling ``check``, and a server that says exactly what it is told to."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import orjson

from tests.e2e.support import Program, Ran

KEY = "the-secret-key"
TLS_HELLO = b"\x16\x03"
FAST = ("--rate", "1000", "--burst", "50")
NAMES = [
    *("settings", "key", "dns", "connection", "tls", "answer", "clock", "key_accepted"),
    *("user", "environment", "close_own", "close_others", "list", "filter", "export_ap", "export_gl"),
    *("state_folder", "ledger", "lock", "unfinished_runs"),
]


class Checked:
    """What ``check --json`` printed."""

    def __init__(self, ran: Ran) -> None:
        self.ran = ran
        self.code = ran.code
        self.data: dict[str, Any] = orjson.loads(ran.out)
        self.checks: dict[str, dict[str, Any]] = {each["name"]: each for each in self.data["checks"]}

    def state(self, name: str) -> str:
        """How a check ended."""
        return str(self.checks[name]["state"])

    def found(self, name: str) -> str:
        """What it found, and what to do about it."""
        return f"{self.checks[name]['found']} -> {self.checks[name]['remedy']}"

    def named(self, state: str) -> list[str]:
        """The checks that ended so."""
        return [name for name, each in self.checks.items() if each["state"] == state]


class Checker:
    """``batch-closer check`` on a state folder of its own."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.state = program.state

    def raw(self, url: str, *arguments: str, key: str | None = KEY) -> Ran:
        """Call it."""
        self.program.environment(ENERGYCAP_API_KEY=key)
        return self.program.raw("check", "--base-url", url, "--state", str(self.state), *FAST, *arguments)

    def __call__(self, url: str, *arguments: str, key: str | None = KEY) -> Checked:
        """Call it with ``--json``; the exit code in there must be the real one."""
        checked = Checked(self.raw(url, "--json", *arguments, key=key))
        assert checked.data["exit_code"] == checked.code
        assert list(checked.checks) == NAMES
        return checked


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def good(body: object) -> bytes:
    """A 200 with that body as JSON."""
    return http("200 OK", orjson.dumps(body))


ME = {
    "systemUserId": 11,
    "systemUserCode": "closer",
    "fullName": "Batch Closer",
    "environment": "acme",
    "permissions": {"billsAndBatches": {"view": True, "create": True, "manage": True}},
}
OPEN = [{"batchId": 1, "batchStatus": "open"}]
READY = {"/me": good(ME), "/batch": good(OPEN), "/workflow": good({"canExport": "after batch"})}
"""Answers of a server where all is well, by the part of the path that they are for."""


class Server:
    """A raw server: the answers of a part of the path in turn, the last of them for ever."""

    def __init__(self, answers: Mapping[str, bytes | list[bytes]]) -> None:
        self._answers = {
            part: [each] if isinstance(each, bytes) else list(each) for part, each in answers.items()
        }
        self.url = ""
        self.seen: list[str] = []

    def answer(self, head: str) -> bytes:
        """What a request gets; no bytes drop the connection."""
        self.seen.append(head.split("\r\n", 1)[0])
        left = next(
            (each for part, each in self._answers.items() if part in head.split()[1]), [http("404 No")]
        )
        return left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def serving(
    answers: Mapping[str, bytes | list[bytes]], tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """Serve from threads until the block ends."""
    server = Server({**answers, **{part: each for part, each in READY.items() if part not in answers}})

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            with suppress(OSError):  # also a TLS client that does not trust us
                if tls is not None:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                while b"\r\n\r\n" not in head:
                    if head.startswith(TLS_HELLO):
                        self.request.sendall(http("400 Bad"))
                        return
                    if not (piece := self.request.recv(65536)):
                        return
                    head += piece
                self.request.sendall(server.answer(head.decode()))
                self.request.close()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
