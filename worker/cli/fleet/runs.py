"""``runs list``, ``show`` and ``report`` for the runs in a queue, those included that no one waits for."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import orjson

from worker.cli.fleet.books import gather, summary_of
from worker.cli.fleet.lessons import settings_of
from worker.cli.fleet.wait import write_files
from worker.cli.output import print_summary
from worker.fleet import Book, Runs, open_line, parse_address
from worker.report.results import private_folder
from worker.rules.summary import Summary, Tally, instant
from worker.telemetry import open_log
from worker.words.errors import ConfigurationError

T = TypeVar("T")
_CONNECT_S: Final = 5.0


def list_runs(queue: str, *, as_json: bool) -> int:
    """List all runs that the queue knows, the oldest first."""

    async def look(runs: Runs) -> tuple[list[Book], int, int]:
        books = [await runs.book(header.run_id) for header in await runs.all()]
        return books, await runs.waiting(), await runs.dead()

    books, waiting, dead = _on(queue, look)
    if as_json:
        click.echo(orjson.dumps([_row(book) for book in books], option=orjson.OPT_INDENT_2))
        return 0
    click.echo(f"{'RUN':<24} {'BEGUN (UTC)':<19} {'STATE':<10} {'BATCHES':>8} {'SETTLED':>8} {'INVALID':>7}")
    for row in map(_row, books):
        click.echo(
            f"{row['run_id']:<24} {row['created_at'][:19].replace('T', ' '):<19} {row['state']:<10} "
            f"{row['input']['ids']:>8,} {row['settled']:>8,} {row['input']['invalid']:>7,}"
        )
    click.echo(f"{waiting:,} messages wait or are under way; {dead:,} dead letters.")
    return 0


def _row(book: Book) -> dict[str, Any]:
    header = book.header
    return {
        "run_id": header.run_id,
        "state": state_of(book),
        "created_at": instant(header.created_at),
        "finished_at": instant(header.finished_at) if header.finished_at else None,
        "base_url": header.base_url,
        "who": header.who,
        "input": {
            "lines": header.lines,
            "ids": header.ids,
            "duplicates": header.duplicates,
            "invalid": header.invalid,
        },
        "settled": book.final,
        "outcomes": book.outcomes,
        "stopped": header.stopped,
        "stopped_by": header.stopped_by,
    }


def state_of(book: Book) -> str:
    """Where a run stands, in a word."""
    if book.header.is_standing:
        return "standing"
    if book.header.stopped is not None:
        return "stopped" if book.left <= 0 else "stopping"
    return "finished" if book.is_over else "under way"


def show_run(queue: str, run_id: str, folder: Path, state: Path | None, *, as_json: bool) -> int:
    """Show the summary of a run as it stands now."""

    async def look(runs: Runs) -> Summary:
        book = await _book(runs, run_id)
        ok = settings_of(book.header).output.fine
        tally = Tally(ok)
        private_folder(folder.parent)
        spool = await gather(runs, book, folder.parent)
        for result in spool:
            tally.add(result)
        spool.close()
        return summary_of(book, tally, ok, await runs.now(), queue=runs.line.address.shown)

    print_summary(_on(queue, look), folder, state, as_json=as_json)
    return 0


def report_run(queue: str, run_id: str, folder: Path, state: Path | None, *, as_json: bool) -> int:
    """Write the files of a run as it stands now, and show its summary."""

    async def report(runs: Runs) -> tuple[Summary, str | None]:
        book = await _book(runs, run_id)
        private_folder(folder)
        spool = await gather(runs, book, folder)
        try:
            return write_files(
                spool,
                book,
                await runs.now(),
                settings_of(book.header),
                folder=folder,
                queue=runs.line.address.shown,
            )
        finally:
            spool.close()

    summary, fault = _on(queue, report)
    print_summary(summary, folder, state, as_json=as_json)
    if fault is not None:
        click.echo(f"batch-closer: {fault}", err=True)
    return 0 if fault is None else 1


async def _book(runs: Runs, run_id: str) -> Book:
    if await runs.header(run_id) is None:
        shown = runs.line.address.shown
        raise ConfigurationError(
            f"there is no run {run_id} in queue {shown}; `batch-closer runs list --queue URL` shows them all"
        )
    return await runs.book(run_id)


def _on(queue: str, look: Callable[[Runs], Awaitable[T]]) -> T:
    """Look at a queue that is there."""
    address = parse_address(queue)

    async def perform() -> T:
        log = open_log(sys.stderr, None, "warning", "json", clock=time.time)
        async with open_line(address, log) as line:
            runs = Runs(line)
            await runs.look(_CONNECT_S)
            return await look(runs)

    return asyncio.run(perform())
