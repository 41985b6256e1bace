"""``enqueue``: put batch ids into a queue, from which a worker closes them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import SecretStr

from worker.cli.completion import files
from worker.cli.naming import entries_of
from worker.cli.options import setting_options, settings_from
from worker.cli.question import is_yes, may_ask, yes_option
from worker.cli.queues import EnqueueOrder, Queue, enqueue, queue_of
from worker.cli.settings.queue import BROKERS, COLLECTING
from worker.cli.settings.resolve import GUARD, read_key
from worker.cli.settings.tree import Settings, entries
from worker.sources import Entry
from worker.words.errors import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])


def _options(command: F) -> F:
    """With a broker a run takes its settings and its name along."""
    if not BROKERS:
        return setting_options(*COLLECTING)(command)
    named = click.option("--run-id", metavar="NAME", help="With --queue: a name for the run.")
    return named(setting_options(queue=True)(command))


@click.command(
    "enqueue",
    epilog="""\b
Examples:
  batch-closer enqueue 1001 1002 --base-url https://app.energycap.com
  batch-closer enqueue october.csv
  batch-closer enqueue --list
  batch-closer enqueue --take-back october.csv
  some-command | batch-closer enqueue - --wait --json
  batch-closer enqueue october.csv --queue redis://redis.internal/0 --wait
""",
)
@click.argument("targets", nargs=-1, metavar="[TARGET...]", shell_complete=files)
@click.option(
    "--column",
    metavar="NAME",
    help="The column or key that holds the ids. [default: batchId, batch_id or id]",
)
@click.option(
    "--wait",
    "waits",
    is_flag=True,
    help="Until a worker has settled them; then show its summary and exit with its code.",
)
@click.option("--list", "lists", is_flag=True, help="Show what waits in the state folder instead.")
@click.option(
    "--take-back", "takes_back", is_flag=True, help="Let what the TARGETs name wait there no longer instead."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@yes_option
@_options
def command(  # noqa: PLR0917 - click passes by name
    targets: tuple[str, ...],
    column: str | None,
    waits: bool,
    lists: bool,
    takes_back: bool,
    as_json: bool,
    yes: bool,
    config: Path | None,
    **flags: Any,
) -> int:
    """Put the batches that TARGETs name into a queue, from which `batch-closer work` closes them.

    A TARGET is what it is for `close`. Nothing is sent to the API and no key is needed. Without
    --queue they wait in the state folder, for a worker with the same base URL: each once, however
    often it is put in. On a terminal it asks first, for what waits will be closed.

    With --queue redis://... they become a run of a fleet of workers, with the guards, bounds, abort
    rules and deadline given here. The same again adds nothing, or takes up what a stopped run left.

    Exit codes: 0, they wait; 2, nothing was added; 3, some lines were no batch ids, the others
    wait. With --wait, that of the run.
    """
    _check_shape(targets, waits=waits, lists=lists, takes_back=takes_back)
    settings = settings_from(flags, config)
    queue = queue_of(settings)
    found = entries_of(targets, column, _key_if_any(settings), sys.stdin.buffer)
    if lists or takes_back:
        return _look_or_take_back(queue, settings, found, lists=lists, as_json=as_json)
    order = EnqueueOrder(
        queue=queue,
        settings=settings,
        entries=found,
        flags=_given(flags),
        agreed=is_yes(yes=yes) or not may_ask(),
        waits=waits,
        as_json=as_json,
        run_id=flags.get("run_id"),
    )
    return enqueue(order)


def _check_shape(targets: tuple[str, ...], *, waits: bool, lists: bool, takes_back: bool) -> None:
    if lists and (targets or waits or takes_back):
        raise ConfigurationError("--list shows all that waits: leave TARGETs, --wait and --take-back out")
    if takes_back and waits:
        raise ConfigurationError("--take-back leaves nothing to wait for: leave --wait out")
    if not lists and not targets:
        raise ConfigurationError("no batch is named: give TARGETs (ids, files or -)")


def _look_or_take_back(
    queue: Queue, settings: Settings, found: Iterable[Entry], *, lists: bool, as_json: bool
) -> int:
    from worker.cli.local.queue import list_waiting, take_back

    if queue.url is not None:
        raise ConfigurationError(
            f"{'--list' if lists else '--take-back'} is for the queue in the state folder: leave --queue out"
        )
    if lists:
        return list_waiting(settings, as_json=as_json)
    return take_back(found, settings, as_json=as_json)


def _key_if_any(settings: Settings) -> SecretStr | None:
    """No key is needed here; one that is at hand must not get into the queue by a slip."""
    try:
        return read_key(os.environ, settings)
    except ConfigurationError:
        return None


def _given(flags: Mapping[str, Any]) -> frozenset[str]:
    known = {entry.parameter: entry.knob.flag or "" for entry in entries()} | {GUARD: "--guard"}
    return frozenset(
        known[name] for name, value in flags.items() if name in known and value not in {None, ()}
    )
