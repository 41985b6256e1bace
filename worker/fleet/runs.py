"""Runs in the queue, as those see them who enqueue, wait and report."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

import orjson

from worker.fleet.book import Book
from worker.fleet.header import Header, fields_of, text_of
from worker.fleet.line import Line
from worker.fleet.names import GROUP
from worker.fleet.results import Results
from worker.rules.message import own_controls
from worker.words.errors import ConfigurationError, QueueError
from worker.words.model import Planned

_PAGE: Final = 500
_CHUNK: Final = 200
_IDLE_MS: Final = 10_000
_NO_WORKERS: Final = (b"sweeper-", b"given-back")


class Runs:
    """The runs of one queue."""

    def __init__(self, line: Line) -> None:
        self.line = self._line = line
        self.results = Results(line)
        self._names = line.names
        self.epoch = ""

    async def open(self, base_url: str, within_s: float) -> None:
        """Make the queue or find it. Raises QueueError, or ConfigurationError where it is another API's."""
        line = self._line
        await line.first_call(line.redis.ping, within_s)
        _, of, epoch, _ = await line.script("bind", base_url, secrets.token_hex(8))
        self.epoch = epoch.decode()
        if of.decode() != base_url:
            raise ConfigurationError(
                f"queue {line.address.shown} holds batches of {of.decode()}, and the base URL given is "
                f"{base_url}: give that, or another queue (redis://...?queue=NAME); nothing was added"
            )

    async def all(self) -> list[Header]:
        """All runs, the oldest first; those that were forgotten are left out."""
        ids = await self._line.ask("ZRANGE", self._names.runs, 0, -1)
        found = [await self.header(run_id.decode()) for run_id in ids]
        return [header for header in found if header is not None]

    async def header(self, run_id: str) -> Header | None:
        """A run, if the queue knows it."""
        reply = await self._line.ask("HGETALL", self._names.run(run_id))
        return Header.of(text_of(reply)) if reply else None

    async def book(self, run_id: str) -> Book:
        """How a run stands. Raises QueueError where the queue has lost it."""
        header = await self.header(run_id)
        counts = text_of(await self._line.ask("HGETALL", self._names.run(run_id, "counts")))
        epoch = await self._line.ask("HGET", self._names.meta, "epoch")
        if header is None or (epoch or b"").decode() != self.epoch:
            raise QueueError(
                f"queue {self._line.address.shown} lost run {run_id}: its broker lost its data; "
                "enqueue again what has no result (what was closed will be found closed)"
            )
        return Book.of(header, counts)

    async def create(self, run_id: str, deadline_s: float | None, fields: Mapping[str, object]) -> bool:
        """Begin a run; False where there is one of that name."""
        flat = [each for pair in fields.items() for each in pair]
        return bool(await self._line.script("create", run_id, deadline_s or "", *flat))

    async def again(self, run_id: str, deadline_s: float | None, settings: str) -> bool:
        """Take up a stopped run again; False where some of it is still under way."""
        return bool(await self._line.script("again", run_id, deadline_s or "", settings))

    async def add(self, run_id: str, added: int, entries: Iterable[Planned | bytes]) -> None:
        """Put in what is left of a run's input, of which so many entries are in: batches, or result lines."""
        left = enumerate(islice(entries, added, None), start=added + 1)
        while chunk := [_entry(seq, entry) for seq, entry in islice(left, _CHUNK)]:
            now = int(await self._line.script("add", run_id, added, orjson.dumps(chunk)))
            if now not in {added, added + len(chunk)}:
                raise ConfigurationError(f"run {run_id} is being enqueued by somebody else at the same time")
            added += len(chunk)

    async def stop(self, run_id: str, kind: str, by: str) -> None:
        """Stop a run; the first reason stands."""
        await self._line.script("stop", run_id, kind, by, "")

    async def unclaimed(
        self, run_id: str, name: str, lease_s: float
    ) -> tuple[int, list[tuple[str, int, dict[str, str]]]]:
        """Claim what nobody works on of a stopped run, as the consumer ``name``: ids, deliveries and fields.

        Also how many are under way.
        """
        start, busy, found = "-", 0, []
        while start:
            cursor, more, claimed = await self._line.script(
                "sweep", name, run_id, start, _PAGE, int(lease_s * 1000)
            )
            busy += int(more)
            found += [(mid.decode(), int(deliveries), fields_of(flat)) for mid, deliveries, *flat in claimed]
            start = f"({cursor.decode()}" if cursor else ""
        return busy, found

    async def now(self) -> float:
        """The store's clock."""
        seconds, us = await self._line.ask("TIME")
        return float(seconds) + float(us) / 1e6

    async def look(self, within_s: float) -> None:
        """Find the queue without making it. Raises QueueError, or ConfigurationError where there is none."""
        line = self._line
        await line.first_call(line.redis.ping, within_s)
        epoch = await line.ask("HGET", self._names.meta, "epoch")
        if epoch is None:
            raise ConfigurationError(
                f"there is no queue {self._names.queue!r} at {line.address.shown}: nothing was ever enqueued"
            )
        self.epoch = epoch.decode()

    async def workers(self) -> int:
        """Workers that asked for something to do within the last seconds."""
        found = await self._line.ask("XINFO", "CONSUMERS", self._names.queue, GROUP)
        names = [(each[b"name"], int(each[b"idle"])) for each in map(_pairs, found)]
        return sum(not name.startswith(_NO_WORKERS) and idle < _IDLE_MS for name, idle in names)

    async def waiting(self) -> int:
        """Messages that wait or are under way."""
        return int(await self._line.ask("XLEN", self._names.queue))

    async def dead(self) -> int:
        """Dead letters."""
        return int(await self._line.ask("XLEN", self._names.dead))


def _pairs(found: Any) -> Mapping[bytes, Any]:
    """A reply of names and values in turn, whatever the client made of it."""
    if isinstance(found, Mapping):
        return {
            name if isinstance(name, bytes) else str(name).encode(): value for name, value in found.items()
        }
    return dict(zip(found[::2], found[1::2], strict=True))


def _entry(seq: int, entry: Planned | bytes) -> dict[str, Any]:
    if isinstance(entry, bytes):
        return {"line": entry.decode(), "seq": str(seq)}
    fields = {"source": entry.source, "line": str(entry.line)} | own_controls(entry.controls)
    flat = [part for pair in fields.items() for part in pair]
    return {"batch": str(entry.batch_id), "seq": str(seq), "fields": flat}
