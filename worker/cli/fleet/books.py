"""The books of a fleet's run: its results in input order, and the one record that reports are made from."""

from __future__ import annotations

import tempfile
import time
from array import array
from collections.abc import Collection, Iterator
from pathlib import Path

from worker.fleet import Book, Runs
from worker.report import line_of, parse_line
from worker.rules.message import Unfit, of_fields
from worker.rules.summary import InputCounts, Rate, Span, Summary, Tally, exit_code_of
from worker.words.model import Outcome, Result


class Spool:
    """Result lines by their place in the input, in a file without a name: memory holds an offset of each."""

    def __init__(self, entries: int, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by ``close``
        self._offsets = array("q", [-1]) * (entries + 1)

    def add(self, seq: int, line: bytes) -> None:
        """Take a line; one without a place (0) comes after those of the input."""
        offset = self._file.tell()
        self._file.write(line if line.endswith(b"\n") else line + b"\n")
        if 0 < seq < len(self._offsets):
            self._offsets[seq] = offset
        else:
            self._offsets.append(offset)

    def __iter__(self) -> Iterator[Result]:
        """All results in order."""
        end = self._file.tell()
        for offset in self._offsets:
            if offset >= 0:
                self._file.seek(offset)
                yield parse_line(self._file.readline())
        self._file.seek(end)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


async def gather(runs: Runs, book: Book, folder: Path) -> Spool:
    """Every entry of a run with what is known of it now."""
    header = book.header
    spool = Spool(header.entries, folder)
    async for entry in runs.results.current(header.run_id):
        spool.add(entry.seq, entry.line)
    async for _, fields, intent in runs.results.messages(header.run_id):
        message = of_fields(fields)
        if isinstance(message, Unfit):
            continue
        attempts, _, first_at = intent.partition(" ")
        result = Result(
            run_id=header.run_id,
            batch_id=message.batch_id,
            outcome=Outcome.UNKNOWN if intent else Outcome.NOT_ATTEMPTED,
            reason="under_way" if intent else "waits_in_the_queue",
            attempts=int(attempts or 0),
            first_attempt_at=float(first_at) if first_at else None,
            settled_at=time.time(),
            source=message.source,
            line=message.line,
        )
        spool.add(message.seq or 0, line_of(result))
    return spool


def summary_of(book: Book, tally: Tally, ok: Collection[Outcome], now: float, *, queue: str) -> Summary:
    """The record of a run as it stands ``now``, by the store's clock."""
    header, requests = book.header, book.counters
    until_at = header.finished_at or now
    duration_s = header.spent_s + max(until_at - header.session_at, 0.0)
    is_under_way = not (book.is_over or header.is_standing or header.stopped is not None)
    invalid = tally.outcomes[Outcome.INVALID]
    return Summary(
        run_id=header.run_id,
        sessions=header.session,
        started_at=header.created_at,
        finished_at=None if is_under_way else until_at,
        duration_s=duration_s,
        base_url=header.base_url,
        queue=queue,
        exit_code=None if is_under_way else exit_code_of(tally.outcomes, ok, header.stopped),
        stopped=header.stopped,
        stopped_by=header.stopped_by,
        stopped_by_ids=header.stopped_by_ids,
        input=InputCounts(header.lines, sum(tally.outcomes.values()) - invalid, header.duplicates, invalid),
        outcomes=tally.outcomes,
        confirmed_by=tally.confirmed_by,
        closed=tally.closed,
        warnings=tally.warnings,
        untold=tally.untold,
        requests=requests,
        rate=Rate(book.rate_per_s or 0.0, round(requests.total / duration_s, 3) if duration_s > 0 else 0.0),
        latency_ms=book.latency.in_ms(),
        problems=tally.problems,
        worked=(Span(header.created_at, until_at),) if is_under_way else (),
    )
