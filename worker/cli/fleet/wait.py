"""Waiting for a fleet's run: its progress, its files, its exit code, as if it were run here."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import click
import orjson

from worker.cli.fleet.books import Spool, gather, summary_of
from worker.cli.fleet.sweep import Sweeper
from worker.cli.here import who
from worker.cli.output import print_summary
from worker.cli.queues import EnqueueOrder
from worker.cli.settings.tree import Settings
from worker.cli.signals import Ears, number_of
from worker.fleet import Book, Runs
from worker.ledger import RunRow
from worker.report import ResultsFile, line_of, parse_line, write_reports, write_results
from worker.report.results import private_folder, replaced
from worker.rules.summary import Summary, Tally
from worker.telemetry import Log, Progress
from worker.words.errors import BatchCloserError, ConfigurationError
from worker.words.model import Outcome, Stopped

_LOOK_EVERY_S: Final = 0.1
_BOOK_EVERY_S: Final = 0.5
_SWEEP_EVERY_S: Final = 1.0
_WORKERS_EVERY_S: Final = 3.0


async def follow(order: EnqueueOrder, runs: Runs, run: RunRow, state: Path, log: Log) -> int:
    """Follow a run to its end, write its files and show its summary; return its exit code.

    Raises QueueError where the queue lost the run.
    """
    folder = state / "runs" / run.run_id
    try:
        private_folder(folder)
    except OSError as error:
        raise ConfigurationError(f"folder {folder} can't be made: {error.strerror}") from None
    log.add_file(folder / "log.jsonl")
    ears = Ears()
    ears.open()
    heard: list[str] = []
    with ears.listening(heard.append):
        follower = _Follower(
            order.settings, runs, run, folder=folder, log=log, is_given_up=lambda: bool(heard)
        )
        book = await follower.follow()
    if book is None:
        click.echo(
            f"batch-closer: waiting was given up ({heard[0]}); run {run.run_id} goes on in the queue: "
            "the same command with --run-id follows it again",
            err=True,
        )
        return 128 + (number_of(heard[0]) or 2)
    summary, fault = await _finish(order.settings, runs, book, folder)
    log.info(
        "run.finished",
        run_id=summary.run_id,
        exit_code=summary.exit_code,
        stopped=summary.stopped,
        stopped_by=summary.stopped_by,
        duration_s=round(summary.duration_s, 3),
        outcomes={outcome.value: count for outcome, count in summary.outcomes.items() if count},
    )
    print_summary(summary, folder, order.settings.output.state, as_json=order.as_json)
    if fault is not None:
        click.echo(f"batch-closer: {fault}", err=True)
        return 1
    return summary.ended_with


class _Follower:
    """Shows each result as it comes, and sees to it that the run ends."""

    def __init__(
        self,
        settings: Settings,
        runs: Runs,
        run: RunRow,
        *,
        folder: Path,
        log: Log,
        is_given_up: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._runs = runs
        self._run = run
        self._folder = folder
        self._log = log
        self._is_given_up = is_given_up
        self._quiet = {*settings.output.fine, Outcome.NOT_ATTEMPTED}
        self._sweeper = Sweeper(runs, run, settings.queue.lease_s, log)
        self._last_news_at = time.monotonic()
        self._swept_at = 0.0
        self._workers_at = time.monotonic()
        self._is_told = False

    async def follow(self) -> Book | None:
        """Until the run is done; None where a signal came first."""
        runs, run_id = self._runs, self._run.run_id
        after = await runs.results.last(run_id)
        before = await self._begin_results(after)
        book = await runs.book(run_id)
        self._log.info("run.started", **self._facts(book))
        terminal = sys.stderr if sys.stderr.isatty() else None
        total = book.header.ids + book.header.invalid
        with (
            ResultsFile(self._folder / "results.jsonl") as results,
            Progress(total, self._log, terminal, before=before) as progress,
        ):
            looked_at = 0.0
            while not self._is_given_up():
                after = await self._show_new(after, results, progress)
                if time.monotonic() >= looked_at + _BOOK_EVERY_S:
                    looked_at, book = time.monotonic(), await runs.book(run_id)
                    if book.is_over:
                        await self._show_new(after, results, progress)
                        await self._sweeper.leave()
                        return book
                    await self._see_to_end(book)
                progress.tick()
                await asyncio.sleep(_LOOK_EVERY_S)
        return None

    async def _begin_results(self, upto: str) -> dict[Outcome, int]:
        """Bring results.jsonl to what is final by now, and count that."""
        counts = dict.fromkeys(Outcome, 0)
        with replaced(self._folder / "results.jsonl") as file:
            async for entry in self._runs.results.current(self._run.run_id):
                if entry.final and _order(entry.at) <= _order(upto):
                    counts[parse_line(entry.line).outcome] += 1
                    file.write(entry.line)
        return {outcome: count for outcome, count in counts.items() if count}

    async def _show_new(self, after: str, results: ResultsFile, progress: Progress) -> str:
        lines: list[bytes] = []
        with self._log.gathered():
            async for entry in self._runs.results.entries(self._run.run_id, after):
                after = entry.at
                lines.append(entry.line)
                self._show(entry.line, progress)
        if lines:
            self._last_news_at = time.monotonic()
            with suppress(BatchCloserError):  # the queue has it all, and the reports say what is wrong
                results.write(lines)
        return after

    def _show(self, line: bytes, progress: Progress) -> None:
        result = parse_line(line)
        progress.settled(result.outcome)
        if result.outcome is Outcome.INVALID:
            self._log.warning(
                "input.line_rejected", source=result.source, line=result.line, input=result.input
            )
        else:
            self._log.settled(line_of(result), fine=result.outcome in self._quiet)

    async def _see_to_end(self, book: Book) -> None:
        """Deadline, stall, and what a stopped run leaves where no worker takes it up."""
        header, limits = book.header, self._settings.limits
        now = time.monotonic()
        if header.stopped is not None:
            if now >= self._swept_at + _SWEEP_EVERY_S:
                self._swept_at = now
                await self._sweeper.sweep(header)
        elif header.deadline_at is not None and await self._runs.now() >= header.deadline_at:
            by = f"deadline={header.deadline_at - header.session_at:g}"
            await self._runs.stop(header.run_id, Stopped.DEADLINE, by)
        elif now >= self._workers_at + _WORKERS_EVERY_S:
            await self._see_workers(now)
        elif now >= self._last_news_at + limits.stall_s:
            await self._runs.stop(header.run_id, Stopped.ABORT, f"stall={limits.stall_s:g}")

    async def _see_workers(self, now: float) -> None:
        """Say, once for each time, that nobody works on what is waited for."""
        self._workers_at = now
        if await self._runs.workers():
            self._is_told = False
        elif not self._is_told:
            self._is_told = True
            self._log.warning("queue.no_worker", remedy="start some with `batch-closer work --queue URL`")

    def _facts(self, book: Book) -> dict[str, object]:
        header = book.header
        return {
            "run_id": header.run_id,
            "base_url": header.base_url,
            "queue": self._runs.line.address.shown,
            "who": who(),
            "pid": os.getpid(),
            "session": header.session,
            "input": {
                "lines": header.lines,
                "ids": header.ids,
                "duplicates": header.duplicates,
                "invalid": header.invalid,
            },
            "settings": orjson.loads(header.settings),
        }


async def _finish(settings: Settings, runs: Runs, book: Book, folder: Path) -> tuple[Summary, str | None]:
    """Write the files of a run; a failure is told, for the summary must be shown anyway."""
    spool = await gather(runs, book, folder)
    try:
        return write_files(
            spool, book, await runs.now(), settings, folder=folder, queue=runs.line.address.shown
        )
    finally:
        spool.close()


def write_files(
    spool: Spool, book: Book, now: float, settings: Settings, *, folder: Path, queue: str
) -> tuple[Summary, str | None]:
    """Write all files of a run from its results; also what kept one from being written."""
    ok = settings.output.fine
    tally = Tally(ok)
    for result in spool:
        tally.add(result)
    summary = summary_of(book, tally, ok, now, queue=queue)
    try:
        if _lines_in(folder / "results.jsonl") != sum(tally.outcomes.values()):
            write_results(folder / "results.jsonl", spool)  # some were settled again, or not seen here
        write_reports(folder, summary, spool, ok)
    except BatchCloserError as error:
        return summary, str(error)
    return summary, None


def _lines_in(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return 0


def _order(at: str) -> tuple[int, int]:
    first, _, second = at.partition("-")
    return int(first), int(second)
