"""What a run leaves on standard output: the summary alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.report import render_text
from worker.report.advice import quoted
from worker.report.files import FILES, summary_json
from worker.rules.summary import Summary, printable
from worker.telemetry.terminal import colours, width_of
from worker.words.errors import OutputError
from worker.words.model import Stopped

if TYPE_CHECKING:  # it takes its time to load, and a summary may be shown without a session
    from worker.cli.session.steps import Ended


def show(ended: Ended, folder: Path, state: Path | None, *, as_json: bool) -> int:
    """Print the summary and return the exit code; ``state`` is the folder where it is not the default."""
    disk = ended.summary.stopped is Stopped.DISK
    faults = [ended.summary.stopped_by if disk else ended.fault]
    try:
        print_summary(ended.summary, folder, state, as_json=as_json)
    except OutputError as error:  # not raised: the run ended as it did, and that is what operators are told
        faults.append(str(error))
    told = [fault for fault in faults if fault is not None]
    for fault in told:
        click.echo(f"batch-closer: {fault}", err=True)
    return 1 if told else ended.summary.ended_with


def command_for(words: str, state: Path | None) -> str:
    """A command to be shown, naming the state folder where it is not the default."""
    return (
        f"`batch-closer {words}`" if state is None else f"`batch-closer {words} --state {quoted(str(state))}`"
    )


def print_summary(
    summary: Summary, folder: Path, state: Path | None, *, as_json: bool, under_way: bool = False
) -> None:
    """As JSON, or as text for people. Raises OutputError, which says where the run's files are.

    ``under_way``: somebody works on the run right now.
    """
    if as_json:
        text = summary_json(summary).decode()
    else:
        out = sys.stdout
        text = render_text(
            summary,
            folder,
            state=state,
            colour=colours(out),
            width=width_of(out),
            files=[name for name in FILES if (folder / name).exists()],
            under_way=under_way,
        )
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OutputError as error:
        raise OutputError(error.why, f"the run's files are in {printable(str(folder), None)}") from None
