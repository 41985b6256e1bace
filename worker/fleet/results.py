"""The results of a run in the order in which they were recorded, and what is not settled of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from worker.fleet.header import text_of
from worker.fleet.line import Line

_PAGE: Final = 500


class Entry(NamedTuple):
    """A line of a run's results."""

    at: str  # its place among the results
    line: bytes
    batch_id: str  # empty for what is no batch id
    seq: int  # its place in the input; 0 for a stranger's
    final: bool


class Results:
    """What the store has of each run's batches."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._names = line.names

    async def entries(self, run_id: str, after: str = "0-0") -> AsyncIterator[Entry]:
        """The lines of a run's results that come after one, as they are now."""
        key = self._names.run(run_id, "out")
        while page := await self._line.ask("XRANGE", key, f"({after}", "+", "COUNT", _PAGE):
            for at, fields in page:
                yield _entry_of(at, fields)
            after = page[-1][0].decode()

    async def current(self, run_id: str) -> AsyncIterator[Entry]:
        """Of each batch the line that holds now, and the lines of what is no batch id."""
        page: list[Entry] = []
        async for entry in self.entries(run_id):
            page.append(entry)
            if len(page) >= _PAGE:
                for each in await self._holding(run_id, page):
                    yield each
                page = []
        for each in await self._holding(run_id, page):
            yield each

    async def _holding(self, run_id: str, page: Sequence[Entry]) -> Iterator[Entry]:
        ids = [entry.batch_id for entry in page if entry.batch_id]
        if not ids:
            return iter(page)
        done = await self._line.ask("HMGET", self._names.run(run_id, "done"), *ids)
        provisional = await self._line.ask("HMGET", self._names.run(run_id, "prov"), *ids)
        known = {
            batch_id: (final or otherwise or b"").decode().partition(" ")[0]
            for batch_id, final, otherwise in zip(ids, done, provisional, strict=True)
        }
        return (entry for entry in page if not entry.batch_id or known[entry.batch_id] == entry.at)

    async def last(self, run_id: str) -> str:
        """The place of the last line of a run's results."""
        page = await self._line.ask("XREVRANGE", self._names.run(run_id, "out"), "+", "-", "COUNT", 1)
        return page[0][0].decode() if page else "0-0"

    async def messages(self, run_id: str) -> AsyncIterator[tuple[str, dict[str, str], str]]:
        """What is not settled of a run: message id, fields, and the intent or nothing."""
        start = "-"
        while page := await self._line.ask("XRANGE", self._names.queue, start, "+", "COUNT", _PAGE):
            for mid, fields in page:
                known = text_of(fields)
                if known.get("run_id") == run_id:
                    key = self._names.run(run_id, "intents")
                    intent = await self._line.ask("HGET", key, known.get("batch_id", ""))
                    yield mid.decode(), known, (intent or b"").decode()
            start = f"({page[-1][0].decode()}"


def _entry_of(at: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    return Entry(
        at=at.decode(),
        line=fields[b"line"],
        batch_id=fields.get(b"batch", b"").decode(),
        seq=int(fields.get(b"seq") or 0),
        final=b"final" in fields,
    )
