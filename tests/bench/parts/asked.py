"""How many requests a close takes, with the look before and the proof after it: counted by the simulator."""

from __future__ import annotations

import json
import socket
import sys
from typing import Any, Final
from urllib.parse import urlsplit

from tests.bench.contenders.shell import UNLIMITED
from tests.bench.figures import Asked
from tests.bench.servers import simulator
from tests.bench.stand import Amount, Stand, say

BATCHES: Final = (1, 10, 100, 1_000, 10_000)


def measure(stand: Stand, amount: Amount) -> tuple[Asked, ...]:
    """Runs of open batches, looked at before and after, and one without. Raises FailedError."""
    sizes = [batches for batches in BATCHES if batches <= amount.closes]
    looked = [_asked(stand, batches, snapshot=True) for batches in sizes]
    return (*looked, _asked(stand, sizes[-1], snapshot=False))


def _asked(stand: Stand, batches: int, *, snapshot: bool) -> Asked:
    look = "--snapshot" if snapshot else "--no-snapshot"
    with stand.own_folder() as folder, simulator(folder / "ids.txt", batches, stand.server_core) as url:
        command = [
            sys.executable,
            "-m",
            "worker",
            "close",
            str(folder / "ids.txt"),
            "--yes",
            look,
            *UNLIMITED,
        ]
        stand.run([*command, "--base-url", url, "--state", str(folder / "state")], folder)
        by_route = _get(url, "/simulator/requests?limit=0")["by_route"]
    say(f"{batches:,} batches, {look}: {by_route}")
    return Asked(batches=batches, snapshot=snapshot, by_route=by_route)


def _get(url: str, path: str) -> Any:
    """An answer in JSON; http.client would make the harness, and so the least that is seen, larger."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: link.recv(65536), b""))
    return json.loads(answer.partition(b"\r\n\r\n")[2])
