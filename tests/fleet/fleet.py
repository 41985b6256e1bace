"""Workers of one queue as processes, and what is asked of the queue."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import redis

from tests.process.program import Bench, Program
from tests.process.within import Said, call
from worker.simulator.running import Simulator

FAST = ("--rate", 2000, "--burst", 50, "--backoff", 0.02)


class Fleet:
    """A bench whose program uses one queue, and its workers. Everything is killed when the block ends."""

    def __init__(self, folder: Path, simulator: Simulator, queue: str, *settings: object) -> None:
        self.bench = Bench(folder, simulator)
        self.bench.environ["BATCH_CLOSER_QUEUE"] = queue
        self.simulator = simulator
        self.settings = settings or FAST
        self.workers: list[Program] = []
        self.name = parse_qs(urlsplit(queue).query)["queue"][0]
        self._queue = queue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()

    def work(self, *more: object) -> Program:
        """Start a worker."""
        worker = self.bench.start("work", *self.settings, *more)
        self.workers.append(worker)
        return worker

    def work_within(self, *more: object) -> Said:
        """Work within this process, until the queue is empty or there is a reason to end."""
        return call(self.bench, "work", *self.settings, *more)

    def enqueue(self, *arguments: object) -> Program:
        """Start an ``enqueue``."""
        return self.bench.start("enqueue", *arguments)

    def client(self) -> redis.Redis:
        """A client of the queue's store."""
        return redis.Redis.from_url(self._queue.partition("?")[0], decode_responses=True)

    def key(self, rest: str) -> str:
        """A key of the queue."""
        return f"{{{self.name}}}:{rest}"

    def add(self, fields: Mapping[str, Any]) -> str:
        """Add a message as a stranger does."""
        with self.client() as client:
            return str(client.xadd(self.name, dict(fields)))

    def dead(self) -> list[dict[str, str]]:
        """The dead letters."""
        with self.client() as client:
            return [fields for _, fields in client.xrange(self.key("dead"))]


def ids_file(folder: Path, ids: Sequence[object]) -> Path:
    """A file with an id a line."""
    path = folder / f"ids-{secrets.token_hex(3)}.txt"
    path.write_text("".join(f"{each}\n" for each in ids))
    return path
