"""The question before a close: a close can't be undone."""

from __future__ import annotations

import os
import sys

import click

from worker.ledger import RunRow
from worker.report.advice import counted
from worker.words.errors import ConfigurationError

YES_ENV = "BATCH_CLOSER_YES"
yes_option = click.option("--yes", is_flag=True, help=f"Ask no question. [env: {YES_ENV}=1]")


def may_ask() -> bool:
    """Whether there is a person at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_agreed(*, yes: bool) -> bool:
    """Whether the question is answered beforehand.

    Raises ConfigurationError where it isn't and nobody can be asked.
    """
    if yes or os.environ.get(YES_ENV, "").strip().casefold() in {"1", "true", "yes", "on"}:
        return True
    if not may_ask():
        raise ConfigurationError(
            "a close can't be undone and there is no terminal to ask at: give --yes (nothing was sent)"
        )
    return False


def ask(run: RunRow) -> None:
    """Ask a person whether to go on. Raises ConfigurationError if not."""
    click.echo(f"About to close {counted(run.ids, 'batch')} at {run.base_url}.", err=True)
    if run.duplicates or run.invalid:
        also = f"{counted(run.duplicates, 'duplicate')} and {counted(run.invalid, 'invalid line')}"
        click.echo(f"The input also has {also}.", err=True)
    click.echo("A close cannot be undone, and it may release payments.", err=True)
    if not click.confirm("Close them?", default=False, err=True):
        raise ConfigurationError("not agreed to; nothing was sent")
