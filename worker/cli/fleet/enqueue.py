"""``enqueue --queue redis://...``: a run for a fleet of workers, every id once."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import click
import orjson

from worker.cli.close import checked_run_id, new_run, new_run_id
from worker.cli.fleet.sweep import Sweeper
from worker.cli.here import make_log
from worker.cli.options import state_folder
from worker.cli.question import agree_to
from worker.cli.queues import EnqueueOrder
from worker.cli.session.account import Ending, derive
from worker.cli.settings.tree import Settings, fixed
from worker.fleet import Book, Header, Line, Runs, open_line, parse_address
from worker.ledger import RunRow, Store, open_ledger
from worker.report import line_of
from worker.report.advice import counted
from worker.report.results import private_folder
from worker.rules.message import STANDING
from worker.telemetry import Log
from worker.words.errors import ConfigurationError
from worker.words.model import Planned, Rejected

CONNECT_S: Final = 10.0
_DRAIN_EVERY_S: Final = 0.5


class Begun(StrEnum):
    """What became of the wish to enqueue a run."""

    ENQUEUED = "enqueued"
    AGAIN = "taken_up_again"  # what a stopped run left is in the queue again
    THERE = "already_enqueued"
    FINISHED = "finished"  # every batch of it has a final result


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run as it was asked for, its input read."""

    run: RunRow
    store: Store
    settings: Settings

    def entries(self) -> Iterator[Planned | bytes]:
        """Its input in order: batches, and a result line for each line that is none."""
        for line in self.store.results(self.run):
            if isinstance(line.entry, Rejected):
                yield line_of(derive(line, self.run, Ending(at=self.run.created_at)))
            else:
                yield line.entry

    def header(self) -> dict[str, object]:
        """What the queue is to know of it."""
        run = self.run
        return {
            "base_url": run.base_url,
            "settings": run.settings,
            "who": run.who,
            "input_hash": run.input_hash,
            "entries": run.ids + run.invalid,
            "lines": run.lines,
            "ids": run.ids,
            "duplicates": run.duplicates,
            "invalid": run.invalid,
        }


def enqueue(order: EnqueueOrder) -> int:
    """Put a run into a queue on Redis or Valkey, and wait for it if asked to; return the exit code.

    Raises BatchCloserError where nothing was added.
    """
    assert order.queue.url is not None
    _refuse_idle(order)
    address = parse_address(order.queue.url)
    settings = fixed(order.settings)
    name = new_run_id(time.time()) if order.run_id is None else checked_run_id(order.run_id)
    if name.startswith(STANDING):
        raise ConfigurationError(
            f"run id {name!r} can't be used: {STANDING}... is for messages without a run"
        )
    state = state_folder(settings)
    log = make_log(settings)
    folder = state / "enqueuing"  # the input is read to its end before any of it is added
    private_folder(folder)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch, open_ledger(Path(scratch)) as store:
            run = store.plan(new_run(name, settings), order.entries)
            asked = Asked(run=run, store=store, settings=settings)
            _refuse_unfit(asked)
            if not order.agreed and run.ids:
                _ask(asked, address.shown)

            async def perform() -> int:
                async with open_line(address, log) as line:
                    return await _perform(order, asked, line, state, log)

            return asyncio.run(perform())
    finally:
        log.close()


_OF_WORKERS: Final = {
    *("--rate", "--burst", "--concurrency", "--grace", "--max-attempts", "--backoff", "--max-backoff"),
    *("--max-deliveries", "--poll", "--limiter", "--port", "--bind", "--ca-file"),
}


def _refuse_idle(order: EnqueueOrder) -> None:
    """What would go unheeded must not be given."""
    if idle := sorted(order.flags & _OF_WORKERS):
        raise ConfigurationError(
            f"{idle[0]} is for the workers: give it to `batch-closer work` (nothing was added)"
        )


def _refuse_unfit(asked: Asked) -> None:
    run, settings = asked.run, asked.settings
    most = settings.bounds.max_batches
    if most is not None and run.ids > most:
        raise ConfigurationError(
            f"{counted(run.ids, 'batch')} would be closed, and --max-batches allows {most:,}: "
            "check what is asked for, or raise it (nothing was added)"
        )
    told = settings.bounds.told()
    if not settings.api.snapshot and (told or asked.store.expects(run)):
        raise ConfigurationError(
            f"{told[0] if told else 'the input expects bills or totals, which'} needs a look at the batches, "
            "and --no-snapshot closes them unseen: leave one out (nothing was added)"
        )


def _ask(asked: Asked, shown: str) -> None:
    run = asked.run
    lines = [
        f"About to put {counted(run.ids, 'batch')} into queue {shown}.",
        f"Its workers close them at {run.base_url}; they do not ask.",
    ]
    if run.duplicates or run.invalid:
        also = f"{counted(run.duplicates, 'duplicate')} and {counted(run.invalid, 'invalid line')}"
        lines.append(f"The input also has {also}.")
    agree_to(lines, "Put them into the queue?", "nothing was added")


async def _perform(order: EnqueueOrder, asked: Asked, line: Line, state: Path, log: Log) -> int:
    runs = Runs(line)
    await runs.open(asked.run.base_url, CONNECT_S)
    begun = await _begin(runs, asked, log)
    _show(order, asked, line.address.shown, begun)
    if order.waits:
        from worker.cli.fleet.wait import follow

        return await follow(order, runs, asked.run, state, log)
    return 3 if asked.run.invalid else 0


async def _begin(runs: Runs, asked: Asked, log: Log) -> Begun:
    """Have the run in the queue, whatever became of earlier tries."""
    run, settings = asked.run, asked.settings
    deadline_s = settings.limits.deadline_s
    if await runs.create(run.run_id, deadline_s, asked.header()):
        await runs.add(run.run_id, 0, asked.entries())
        return Begun.ENQUEUED
    header = await runs.header(run.run_id)
    assert header is not None
    _refuse_other(header, run)
    if header.added < header.entries:  # whoever began it was cut short
        await runs.add(run.run_id, header.added, asked.entries())
        return Begun.ENQUEUED
    book = await runs.book(run.run_id)
    if book.left > 0 and header.stopped is None:
        return Begun.THERE
    if book.left > 0:
        book = await _drained(runs, asked, log)
    if not book.provisional:
        return Begun.FINISHED
    if not await runs.again(run.run_id, deadline_s, run.settings):
        return Begun.THERE
    await runs.add(run.run_id, 0, asked.entries())
    return Begun.AGAIN


async def _drained(runs: Runs, asked: Asked, log: Log) -> Book:
    """Lay aside what a stopped run left in the queue, and wait for what is in flight.

    Raises ConfigurationError where that takes too long.
    """
    run, settings = asked.run, asked.settings
    sweeper = Sweeper(runs, run, settings.queue.lease_s, log)
    gives_up_at = time.monotonic() + settings.queue.lease_s + settings.api.timeout_s
    while (book := await runs.book(run.run_id)).left > 0:
        if time.monotonic() >= gives_up_at:
            raise ConfigurationError(
                f"run {run.run_id} is stopped, and {counted(book.left, 'batch')} of it are still under way: "
                "try again later (nothing was added)"
            )
        await sweeper.sweep(book.header)
        await asyncio.sleep(_DRAIN_EVERY_S)
    return book


def _refuse_other(header: Header, run: RunRow) -> None:
    same = (header.input_hash, header.ids, header.base_url) == (run.input_hash, run.ids, run.base_url)
    if not same:
        raise ConfigurationError(
            f"run id {run.run_id!r} is taken by a run of other batches: choose another with --run-id "
            "(nothing was added)"
        )


_SAID: Final = {
    Begun.ENQUEUED: "{count} in queue {queue} as run {run}.",
    Begun.AGAIN: "Run {run} is taken up again: what had no final result is in queue {queue} again.",
    Begun.THERE: "Run {run} is in queue {queue} already; nothing was added.",
    Begun.FINISHED: "Run {run} is finished; nothing was added.",
}


def _show(order: EnqueueOrder, asked: Asked, shown: str, begun: Begun) -> None:
    """What was added: on standard output, unless that is for the run's summary."""
    run = asked.run
    if order.as_json:
        facts: dict[str, Any] = {
            "run_id": run.run_id,
            "queue": shown,
            "base_url": run.base_url,
            "state": begun.value,
            "input": {
                "lines": run.lines,
                "ids": run.ids,
                "duplicates": run.duplicates,
                "invalid": run.invalid,
            },
        }
        text = orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()
    else:
        text = _SAID[begun].format(count=counted(run.ids, "batch"), run=run.run_id, queue=shown)
        if run.duplicates or run.invalid:
            also = f"{counted(run.duplicates, 'duplicate')} left out, {counted(run.invalid, 'invalid line')}"
            text += f"\n{also} kept for the report."
    click.echo(text, err=order.waits)
