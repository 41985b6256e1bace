"""The summary for people, on standard output."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

from worker.report.advice import advice_of, effort, first_ids, headline, proof, remarks, why
from worker.report.console import console_of
from worker.report.released import whose
from worker.rules.summary import Problem, Summary, printable

if TYPE_CHECKING:  # rich takes its time to load, and most verbs never show a summary
    from rich.console import Console

_MAX_PROBLEMS: Final = 12
_FILES: Final = "report.html, results.csv, results.jsonl, retry.txt, summary.json, summary.md, log.jsonl"


def render_text(
    summary: Summary, folder: Path, *, state: Path | None = None, colour: bool = False, width: int = 80
) -> str:
    """The summary as lines no wider than ``width`` cells, except those with a path or a command.

    ``state`` is the state folder, where the commands that are shown have to name it.
    Untrusted text in it holds no control characters, and ``colour`` adds escape sequences of ours alone.
    """
    out = io.StringIO()
    console = console_of(out, colour=colour, width=width)
    _headline(console, summary)
    if summary.problems:
        _problems(console, summary.problems)
    _next_steps(console, summary, state)
    console.print()
    for remark in remarks(summary):
        console.print(remark)
    console.print(f"Run {printable(summary.run_id)} {effort(summary)}.")
    owner = f", with the key of {whose(summary.key)}" if summary.key else ""
    console.print(f"At {printable(summary.base_url, None)}{owner}.")
    console.print(f"Files: {_path(folder)}", soft_wrap=True)
    _indented(console, _FILES, 2)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _headline(console: Console, summary: Summary) -> None:
    good = "bold green" if not summary.problems and summary.stopped is None else "bold"
    first, *rest = headline(summary)
    console.print(first, style=good)
    for line in proof(summary):
        rest.remove(line)
        console.print(line, style=_proven(summary))
    if rest:
        console.print(" ".join(rest), style="yellow" if summary.problems or summary.stopped else None)


def _proven(summary: Summary) -> str:
    verified = summary.verified
    if verified is not None and verified.disagreeing:
        return "bold red"
    return "green" if verified is not None and verified.batches == summary.closed.batches else "yellow"


def _problems(console: Console, problems: tuple[Problem, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print()
    console.print("Not fine, and why", style="bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for problem in problems[:_MAX_PROBLEMS]:
        table.add_row(Text(f"  {problem.count:,}"), Text(why(problem), style="red"))
        if problem.message:
            table.add_row("", Text(f'"{printable(problem.message)}"'))
        if ids := first_ids(problem):
            table.add_row("", Text(ids, style="dim"))
    console.print(table)
    if hidden := problems[_MAX_PROBLEMS:]:
        batches = sum(problem.count for problem in hidden)
        _indented(console, f"and {batches:,} more in {len(hidden)} smaller groups: see summary.md", 2)


def _next_steps(console: Console, summary: Summary, state: Path | None) -> None:
    from rich.table import Table

    steps = advice_of(summary, state)
    if steps:
        console.print()
        console.print("What to do next", style="bold")
    for step in steps:
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_row("  -", step.text)
        console.print(table)
        if step.command is not None:
            console.print(f"    {step.command}", style="cyan", soft_wrap=True)


def _indented(console: Console, text: str, left: int) -> None:
    from rich.padding import Padding

    console.print(Padding(text, (0, 0, 0, left)))


def _path(folder: Path) -> str:
    return printable(str(folder), None)
