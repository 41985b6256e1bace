"""Putting ids into the queue in the state folder."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import orjson

from worker.cli.here import make_log, who
from worker.cli.options import state_folder
from worker.cli.output import command_for
from worker.cli.question import agree_to
from worker.cli.queues import EnqueueOrder
from worker.cli.settings.queue import COLLECTING
from worker.cli.settings.tree import Settings, entries
from worker.ledger import Arrived, Waiting, open_ledger
from worker.report.advice import counted
from worker.sources import Entry
from worker.telemetry import Log
from worker.words.errors import ConfigurationError
from worker.words.model import Rejected


def enqueue(order: EnqueueOrder) -> int:
    """Add the entries to the queue of this state folder and base URL; return the exit code."""
    settings = order.settings
    _refuse_idle(order)
    state = state_folder(settings)
    log = make_log(settings)
    try:
        with open_ledger(state) as store:
            queue = store.queue(settings.api.base_url)
            arrived = queue.add(
                _told(order.entries, log), at=time.time(), who=who(), agree=lambda new: _agree(order, new)
            )
            waiting = queue.waiting()
        _show(order, arrived, waiting, log)
        if order.waits and arrived.number:
            from worker.cli.local.wait import wait

            return wait(state, settings, arrived.number, log, as_json=order.as_json)
    finally:
        log.close()
    return 3 if arrived.invalid else 0


def _refuse_idle(order: EnqueueOrder) -> None:
    """A guard or a bound that would go unheeded must not be given."""
    heeded = {entry.knob.flag for entry in entries() if entry.path in COLLECTING}
    idle = sorted(order.flags - heeded) or (["--run-id"] if order.run_id is not None else [])
    if idle:
        raise ConfigurationError(
            f"{idle[0]} is for whoever closes what waits in the state folder's queue: "
            "give it to `batch-closer work` (nothing was added)"
        )


def _told(found: Iterable[Entry], log: Log) -> Iterator[Entry]:
    """The entries, each line that is no id told on its way."""
    for entry in found:
        if isinstance(entry, Rejected):
            log.warning("input.line_rejected", source=entry.source, line=entry.line, input=entry.text)
        yield entry


def _agree(order: EnqueueOrder, new: Arrived) -> None:
    """Raise ConfigurationError where it is more than meant, or a person says no."""
    most = order.settings.bounds.max_batches
    if most is not None and new.added > most:
        raise ConfigurationError(
            f"{counted(new.added, 'batch')} would be added, and --max-batches allows {most:,}: "
            "check what is asked for, or raise it (nothing was added)"
        )
    if order.agreed or not new.added:
        return
    where = f"into the queue for {order.settings.api.base_url}"
    lines = [
        f"About to put {counted(new.added, 'batch')} {where}.",
        "A worker closes what waits; it does not ask.",
    ]
    if new.duplicates or new.invalid:
        also = f"{counted(new.duplicates, 'duplicate')} and {counted(new.invalid, 'invalid line')}"
        lines.append(f"The input also has {also}.")
    agree_to(lines, "Put them into the queue?", "nothing was added")


def _show(order: EnqueueOrder, arrived: Arrived, waiting: Waiting, log: Log) -> None:
    """What was added and how much waits: on standard output, unless that is for the run's summary."""
    settings = order.settings
    facts = {
        "base_url": settings.api.base_url,
        "added": arrived.added,
        "duplicates": arrived.duplicates,
        "invalid": arrived.invalid,
        "waiting": waiting.ids,
    }
    if order.waits:
        log.info("queue.added", **facts)
    elif order.as_json:
        click.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(_lines(settings, arrived, waiting, settings.output.state)))


def _lines(settings: Settings, arrived: Arrived, waiting: Waiting, state: Path | None) -> list[str]:
    first = f"Added {counted(arrived.added, 'batch')}" if arrived.added else "Added no batch"
    also = []
    if arrived.duplicates:
        also.append(f"{counted(arrived.duplicates, 'duplicate')} left out")
    if arrived.invalid:
        also.append(f"{counted(arrived.invalid, 'invalid line')} kept for the report")
    lines = [f"{first}{''.join(f'; {what}' for what in also)}."]
    lines.append(f"Waiting for {settings.api.base_url}: {counted(waiting.ids, 'batch')}.")
    if waiting.lines:
        lines.append(f"{command_for('work --once', state)} closes what waits.")
    return lines
