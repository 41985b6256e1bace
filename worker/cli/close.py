"""``close``: close the batches that the targets name."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import SecretStr

from worker.cli.options import setting_options, settings_from, state_folder
from worker.cli.output import command_for, show
from worker.cli.question import ask, is_agreed, yes_option
from worker.cli.resolve import read_key
from worker.cli.session import who
from worker.cli.settings import Settings
from worker.cli.sitting import Sitting, host_of
from worker.ledger import ListedBatch, NewRun, RunRow, Store
from worker.words.errors import ConfigurationError
from worker.words.model import Rejected

RUN_ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@click.command(
    "close",
    epilog="""\b
Examples:
  batch-closer close 1001 1002 --base-url https://app.energycap.com
  batch-closer close october.csv --rate 10 --yes
  some-command | batch-closer close - --yes --json
""",
)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "--column",
    metavar="NAME",
    help="The column or key that holds the ids. [default: batchId, batch_id or id]",
)
@click.option("--run-id", metavar="NAME", help="A name for the run. [default: time and a few random letters]")
@click.option("--again", is_flag=True, help="Begin a new run though an unfinished one has the same input.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the text summary.")
@yes_option
@setting_options()
def command(  # noqa: PLR0917 - click passes by name
    targets: tuple[str, ...],
    column: str | None,
    run_id: str | None,
    again: bool,
    as_json: bool,
    yes: bool,
    config: Path | None,
    **flags: Any,
) -> int:
    """Close the batches that TARGETs name.

    A TARGET of digits is a batch id, "-" is standard input, anything else is a file: one id a line,
    CSV or TSV with a header, JSON or JSON lines, gzipped or not.
    """
    from worker.sources import read_targets

    settings = settings_from(flags, config)
    key = read_key(os.environ, settings)
    agreed = is_agreed(yes=yes)
    secret = key.get_secret_value()
    entries = read_targets(
        targets, column=column, stdin=sys.stdin.buffer, redact=lambda text: text.replace(secret, "***")
    )
    return close_entries(
        entries, settings=settings, key=key, run_id=run_id, agreed=agreed, again=again, as_json=as_json
    )


def close_entries(
    entries: Iterable[ListedBatch | Rejected],
    *,
    settings: Settings,
    key: SecretStr,
    run_id: str | None,
    agreed: bool,
    again: bool,
    as_json: bool,
) -> int:
    """Plan a run of the entries, ask if need be, perform it, show it; return the exit code."""
    name = new_run_id(time.time()) if run_id is None else checked_run_id(run_id)
    base_url = settings.api.base_url
    with Sitting.open(settings, key, state_folder(settings), base_url, name) as sitting:
        if sitting.store.run(name) is not None:
            raise ConfigurationError(
                f"run id {name!r} is taken: choose another with --run-id (nothing was sent)"
            )
        run = sitting.store.plan(_new_run(name, settings), entries)
        try:
            if not again:
                refuse_unfinished(sitting.store, run, settings.output.state)
            if run.ids and not agreed:
                ask(run)
        except BaseException:
            sitting.store.discard(run)
            raise
        return show(sitting.perform(run), sitting.folder(run), settings.output.state, as_json=as_json)


def _new_run(name: str, settings: Settings) -> NewRun:
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
