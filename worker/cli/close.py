"""``close``: close the batches that the targets name."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import SecretStr

from worker.cli.completion import files
from worker.cli.here import host_of, who
from worker.cli.looks.lookout import Preview, warn_of_untold
from worker.cli.naming import Asked, Wish, asked_of, entries_of, selection_options, wish_of
from worker.cli.options import setting_options, settings_from, state_folder
from worker.cli.output import command_for, show
from worker.cli.plan_input import read_plan
from worker.cli.plan_output import ended_early
from worker.cli.question import ask, is_agreed, yes_option
from worker.cli.resume import take_up
from worker.cli.session.sitting import Sitting
from worker.cli.settings.bounds import period_of, today
from worker.cli.settings.resolve import read_key, refuse_key_in
from worker.cli.settings.tree import Settings, fixed
from worker.cli.taken import refuse_taken
from worker.cli.unseen import refuse_run_unseen, refuse_unseen
from worker.ledger import ListedBatch, NewRun, RunRow, Store
from worker.report.advice import counted
from worker.words.errors import ConfigurationError
from worker.words.model import Rejected

RUN_ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")

LOOK_AGAIN_AFTER_S = 60.0
"""Whoever takes longer to answer the question may be answering it for other batches."""


@click.command(
    "close",
    epilog="""\b
Examples:
  batch-closer close 1001 1002 --base-url https://app.energycap.com
  batch-closer close october.csv --rate 10 --yes
  batch-closer close --plan plan.json
  batch-closer close --open --period last-month --code 'UTIL-*'
  batch-closer close tonight.csv --yes --run-id 2026-11-01 --resume
  some-command | batch-closer close - --yes --json
""",
)
@click.argument("targets", nargs=-1, metavar="[TARGET...]", shell_complete=files)
@click.option(
    "--column",
    metavar="NAME",
    help="The column or key that holds the ids. [default: batchId, batch_id or id]",
)
@click.option(
    "--plan",
    "plan",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead of TARGETs: what this plan would close, less what changed since.",
)
@selection_options
@click.option("--run-id", metavar="NAME", help="A name for the run. [default: time and a few random letters]")
@click.option(
    "--resume",
    "resumes",
    is_flag=True,
    help="With --run-id: where that run has begun, continue it, or show how it ended, instead.",
)
@click.option("--again", is_flag=True, help="Begin a new run though an unfinished one has the same input.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the text summary.")
@yes_option
@setting_options()
def command(  # noqa: PLR0917 - click passes by name
    targets: tuple[str, ...],
    column: str | None,
    plan: Path | None,
    run_id: str | None,
    resumes: bool,
    again: bool,
    as_json: bool,
    yes: bool,
    config: Path | None,
    **flags: Any,
) -> int:
    """Close the batches that TARGETs name, that a plan would close, or that are open.

    A TARGET of digits is a batch id, "-" is standard input, anything else is a file: one id a line,
    CSV or TSV with a header, JSON or JSON lines, gzipped or not. The batches are looked at first, and
    those that a guard objects to are held.
    """
    if resumes:
        if run_id is None:
            raise ConfigurationError("--resume needs --run-id: it says which run is meant (nothing was sent)")
        code = take_up(run_id, flags, config, as_json=as_json)
        if code is not None:
            return code
    settings = settings_from(flags, config)
    key = read_key(os.environ, settings)
    agreed = is_agreed(yes=yes)
    order = CloseOrder(run_id=run_id, agreed=agreed, again=again, as_json=as_json, can_resume=True)
    asked = asked_of(flags)
    looks = {"--plan": plan is not None, "--open": asked.open}
    refuse_unseen(settings, *(flag for flag, given in looks.items() if given))
    if plan is not None:
        if targets or asked != Asked():
            raise ConfigurationError("--plan says what is to be closed: leave TARGETs and --open out")
        planned, settings = read_plan(plan, settings)
        return close_entries(planned, fixed(settings), key, order)
    wish = wish_of(asked, targets, column, key, period_of(settings.bounds, today()))
    entries = wish or entries_of(targets, column, key, sys.stdin.buffer)
    return close_entries(entries, fixed(settings), key, order)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOrder:
    """How a run is to be begun and shown."""

    run_id: str | None
    agreed: bool
    again: bool
    as_json: bool
    can_resume: bool = False  # whether --resume is there for whoever names the run again


def close_entries(
    source: Iterable[ListedBatch | Rejected] | Wish, settings: Settings, key: SecretStr, order: CloseOrder
) -> int:
    """Plan a run, look at it, ask if need be, perform it, show it; return the exit code."""
    name = new_run_id(time.time()) if order.run_id is None else checked_run_id(order.run_id)
    refuse_key_in(key, name, "the run id")
    base_url = settings.api.base_url
    state = state_folder(settings)
    with Sitting.open(settings, key, state, base_url, name, agreed=order.agreed) as sitting:
        resumes_at = base_url if order.can_resume else None
        refuse_taken(sitting.store, sitting.folder(name), name, resumes_at=resumes_at)
        lookout, looked = sitting.lookout(), None
        if isinstance(source, Wish):
            looked, source = lookout.select(source, asks=not order.agreed)
            if looked.stop is not None:
                return sitting.ended_early(looked.stop)
            warn_of_untold(sitting.reading.log, looked)
        run = sitting.store.plan(new_run(name, settings), source)
        try:
            refuse_unfit(sitting.store, run, settings, again=order.again)
            looked = looked or lookout.before(run, asks=not order.agreed)
            if not order.agreed and looked.stop is not None:
                sitting.store.discard(run)
                return ended_early(looked.stop, "nothing was closed")
            if run.ids and not order.agreed:
                care, asked_at = looked.care(settings), time.monotonic()
                ask(run, looked, None if care is None else Preview(sitting.store, run, care))
                if time.monotonic() - asked_at > LOOK_AGAIN_AFTER_S:
                    looked = lookout.anew(run, looked)
        except BaseException:
            sitting.store.discard(run)
            raise
        ended = sitting.perform(run, looked)
        return show(ended, sitting.folder(name), settings.output.state, as_json=order.as_json)


def refuse_unfit(store: Store, run: RunRow, settings: Settings, *, again: bool) -> None:
    """Raise ConfigurationError where the run must not begin as it is."""
    if not again:
        refuse_unfinished(store, run, settings.output.state)
    most = settings.bounds.max_batches
    if most is not None and run.ids > most:
        raise ConfigurationError(
            f"{counted(run.ids, 'batch')} are asked for, and --max-batches allows {most:,}: "
            "check the input, or raise it (nothing was closed)"
        )
    refuse_run_unseen(settings, store, run)


def new_run(name: str, settings: Settings) -> NewRun:
    """A run of that name, as it is known before its input is."""
    return NewRun(
        run_id=name,
        created_at=time.time(),
        base_url=settings.api.base_url,
        host=host_of(settings.api.base_url),
        settings=orjson.dumps(settings.kept()).decode(),
        who=who(),
    )


def refuse_unfinished(store: Store, run: RunRow, state: Path | None) -> None:
    """Raise ConfigurationError where an unfinished run has the very same input."""
    earlier = store.unfinished_like(run.host, run.input_hash, before=run)
    if earlier is not None and run.ids:
        raise ConfigurationError(
            f"run {earlier.run_id} of the same input is unfinished: "
            f"{command_for(f'resume {earlier.run_id}', state)} continues it; "
            "--again begins a new run (nothing was sent)"
        )


def new_run_id(now: float) -> str:
    """Time and a few random letters."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{secrets.token_hex(3)}"


def checked_run_id(name: str) -> str:
    """The name if it will do as a folder's name anywhere. Raises ConfigurationError."""
    if not set(name) <= RUN_ID_LETTERS or not name[:1].isalnum() or len(name) > 100 or name.endswith("."):
        raise ConfigurationError(
            f"run id {name!r} can't be used: up to 100 letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit"
        )
    return name
