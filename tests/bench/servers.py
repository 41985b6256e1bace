"""The servers that are closed against, each a process of its own."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench.answers import BATCH, ME, SEEN
from tests.bench.costs import ROOT, environment, on_core

PATIENCE_S: Final = 30.0
FATES: Final = ("closed", "missing", "pending", "flagged", "analyzing", "kickouts", "empty", "foreign")
_REQUESTS: Final = re.compile(rb"requests\s+\d+ \d+ (\d+) ")
NGINX_CONFIG: Final = """\
daemon off;
master_process off;
pid @FOLDER@/nginx.pid;
error_log @FOLDER@/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  default_type application/json;
  client_body_temp_path @FOLDER@/body;
  proxy_temp_path @FOLDER@/proxy;
  fastcgi_temp_path @FOLDER@/fastcgi;
  uwsgi_temp_path @FOLDER@/uwsgi;
  scgi_temp_path @FOLDER@/scgi;
  server {
    listen 127.0.0.1:@PORT@ backlog=4096;
    location ~ ^/api/v3/batch/(?:close/)?([0-9]+)$ { return 200 '@BATCH@'; }
    location = /api/v3/batch { return 200 '[]'; }
    location = /api/v3/me { return 200 '@ME@'; }
    location = @SEEN@ { stub_status; }
  }
}
"""


class Seen(NamedTuple):
    """What a small server saw until it was stopped; ``busiest`` is the most requests in any second."""

    requests: int
    seconds: float
    busiest: int


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers, until its block ends."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def requests(self) -> int:
        """How many requests it has answered, this one included."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as link:
            link.sendall(f"GET {SEEN} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            answer = b""
            while (told := _REQUESTS.search(answer)) is None:
                answer += link.recv(4096)
        return int(told[1])

    def stop(self) -> Seen:
        """Stop a small server; what it saw."""
        told, _ = self.process.communicate()
        return Seen(**json.loads(told))


@contextmanager
def small(core: int | None = None, delay_s: float = 0.0) -> Iterator[Server]:
    """The server that can tell when each request came."""
    with on_core(core):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.small_server", str(delay_s)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    assert process.stdout is not None
    try:
        yield Server("a small server in Python", int(process.stdout.readline()), process)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def nginx(binary: str, folder: Path, core: int | None = None) -> Iterator[Server]:
    """One process of nginx, without a log."""
    port = _free_port()
    texts = {"FOLDER": str(folder), "PORT": str(port), "SEEN": SEEN, "ME": ME.decode()}
    texts["BATCH"] = BATCH.decode().replace("%d", "$1")
    config = NGINX_CONFIG
    for name, text in texts.items():
        config = config.replace(f"@{name}@", text)
    (folder / "nginx.conf").write_text(config, encoding="ascii")
    with on_core(core):
        process = subprocess.Popen([binary, "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield Server("nginx", port, process)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def quickest(folder: Path, core: int | None) -> Iterator[Server]:
    """nginx where it is installed, else the small server."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    with nginx(binary, folder, core) if binary else small(core) as server:
        yield server


@contextmanager
def simulator(ids: Path, batches: int, core: int | None = None) -> Iterator[str]:
    """The simulator with open batches alone, their ids in a file; yields its URL."""
    command = [sys.executable, "-m", "worker", "simulate", "--key", "no-secret", "--ids-file", str(ids)]
    command += ["--batches", str(batches)]
    for share in FATES:
        command += [f"--{share}", "0"]
    with on_core(core):
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[1]  # "simulator: URL (...)"
    finally:
        process.terminate()
        process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, "nginx ended at once"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < give_up_at, "nginx does not answer"
            time.sleep(0.01)
        else:
            return
