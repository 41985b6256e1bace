"""The question before a close: a close can't be undone."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from worker.cli.settings.resolve import YES_ENV
from worker.report.advice import by_guard, counted
from worker.report.released import released, whose
from worker.rules.plan import PlanDecision
from worker.words.errors import ConfigurationError

if TYPE_CHECKING:  # what reads the API takes its time to load, and not every question is about it
    from worker.cli.looks.lookout import Looked, Preview
    from worker.ledger import RunRow

_INDENT = 10
_WARNING = "A close cannot be undone, and it may release payments."
yes_option = click.option("--yes", is_flag=True, help=f"Ask no question. [env: {YES_ENV}=1]")


def may_ask() -> bool:
    """Whether there is a person at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_agreed(*, yes: bool) -> bool:
    """Whether the question is answered beforehand.

    Raises ConfigurationError where it isn't and nobody can be asked.
    """
    if is_yes(yes=yes):
        return True
    if not may_ask():
        raise ConfigurationError(
            "a close can't be undone and there is no terminal to ask at: give --yes (nothing was sent)"
        )
    return False


def is_yes(*, yes: bool) -> bool:
    """Whether the flag or the environment says yes to any question."""
    return yes or os.environ.get(YES_ENV, "").strip().casefold() in {"1", "true", "yes", "on"}


def ask(run: RunRow, looked: Looked, preview: Preview | None) -> None:
    """Ask a person whether to go on. Raises ConfigurationError if not."""
    agree_to([*_what(run, preview), *_where(run, looked)], "Close them?", "nothing was closed")


def agree_to(lines: Iterable[str], question: str, otherwise: str) -> None:
    """Ask a person about what the lines say.

    Raises ConfigurationError if the answer is no, or the input ends; click.Abort, which says what that means,
    for Ctrl-C.
    """
    width = min(shutil.get_terminal_size().columns, 100)
    for line in [*lines, _WARNING]:
        click.echo("\n".join(textwrap.wrap(line, width, subsequent_indent=" " * _INDENT)), err=True)
    try:
        agreed = click.confirm(question, default=False, err=True)
    except click.Abort as error:
        click.echo(err=True)  # nothing that was typed ended the question's line
        if not isinstance(error.__context__, EOFError):
            raise click.Abort(f"interrupted; {otherwise}") from None
        agreed = False
    if not agreed:
        raise ConfigurationError(f"not agreed to; {otherwise}")


def _what(run: RunRow, preview: Preview | None) -> list[str]:
    lines = [f"About to close {counted(run.ids, 'batch')}."]
    if preview is not None:
        lines = _seen(run, preview)
    if run.duplicates or run.invalid:
        also = f"{counted(run.duplicates, 'duplicate')} and {counted(run.invalid, 'invalid line')}"
        lines.append(f"The input also has {also}.")
    return lines


def _seen(run: RunRow, preview: Preview) -> list[str]:
    tally, unseen = preview.tally, preview.unseen
    amount = tally.to_close
    if unseen == run.ids:
        return [f"About to close {counted(run.ids, 'batch')}, looked at before each close."]
    bills = f"{counted(amount.bills, 'bill')}, {amount.running_total:,.2f} in total"
    lines = [f"About to close {counted(amount.batches, 'batch')}: {bills}."]
    if amount.unknown:
        lines.append(f"Of {counted(amount.unknown, 'batch')} the API told no bills or no total.")
    if tally.held_by:
        lines.append(f"Held as they are now: {by_guard(tally.held_by)}.")
    if closed := tally.decisions[PlanDecision.ALREADY_CLOSED]:
        lines.append(f"Closed already: {closed:,}.")
    if tally.warned_by:
        lines.append(f"Warned of: {by_guard(tally.warned_by)}.")
    if unseen:
        lines.append(
            f"Not seen as open or pending: {unseen:,}. Each is looked at first, and closed if it is fit."
        )
    return lines


def _where(run: RunRow, looked: Looked) -> list[str]:
    lines = [("At", run.base_url), ("Key", whose(looked.identity))]
    if looked.identity is not None and looked.identity.may_create is False:
        lines.append(("", "This user may not close batches (BillsAndBatches, Create)."))
    if looked.can_export:
        lines.append(("Releases", released(looked.can_export)))
    return [f"{name:<{_INDENT}}{text}" for name, text in lines]
