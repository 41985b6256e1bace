"""What a run leaves on standard output: the summary alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.report import render_text
from worker.report.advice import quoted
from worker.report.files import summary_json
from worker.rules.summary import Summary
from worker.telemetry.terminal import colours, width_of
from worker.words.model import Stopped

if TYPE_CHECKING:  # it takes its time to load, and a summary may be shown without a session
    from worker.cli.session.steps import Ended


def show(ended: Ended, folder: Path, state: Path | None, *, as_json: bool) -> int:
    """Print the summary and return the exit code; ``state`` is the folder where it is not the default."""
    print_summary(ended.summary, folder, state, as_json=as_json)
    disk = ended.summary.stopped is Stopped.DISK
    fault = ended.summary.stopped_by if disk else ended.fault
    if fault is not None:
        click.echo(f"batch-closer: {fault}", err=True)
        return 1
    return ended.summary.exit_code


def command_for(words: str, state: Path | None) -> str:
    """A command to be shown, naming the state folder where it is not the default."""
    return (
        f"`batch-closer {words}`" if state is None else f"`batch-closer {words} --state {quoted(str(state))}`"
    )


def print_summary(summary: Summary, folder: Path, state: Path | None, *, as_json: bool) -> None:
    """As JSON, or as text for people. Whoever read it may be gone: that changes nothing of what was done."""
    if as_json:
        text = summary_json(summary).decode()
    else:
        out = sys.stdout
        text = render_text(summary, folder, state=state, colour=colours(out), width=width_of(out))
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
