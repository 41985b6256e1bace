"""The summary for people, on standard output."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from worker.report.advice import Advice, advice_of, effort, first_ids, headline, proof, remarks, why
from worker.report.console import console_of
from worker.report.files import FILES
from worker.report.released import whose
from worker.rules.summary import Problem, Summary, printable

if TYPE_CHECKING:  # rich takes its time to load, and most verbs never show a summary
    from rich.console import Console

_MAX_PROBLEMS: Final = 12


def render_text(
    summary: Summary,
    folder: Path,
    *,
    state: Path | None = None,
    colour: bool = False,
    width: int = 80,
    files: Sequence[str] = FILES,
    under_way: bool = False,
) -> str:
    """The summary as lines no wider than ``width`` cells, except those with a path or a command.

    ``state`` is the state folder, where the commands that are shown have to name it; ``files`` are those
    that the folder has; ``under_way``: somebody works on the run right now.
    Untrusted text in it holds no control characters, and ``colour`` adds escape sequences of ours alone.
    """
    out = io.StringIO()
    console = console_of(out, colour=colour, width=width)
    _headline(console, summary, under_way=under_way)
    if summary.problems:
        _problems(console, summary.problems, see="summary.md" in files)
    _next_steps(console, advice_of(summary, state, under_way=under_way))
    console.print()
    for remark in remarks(summary):
        console.print(remark)
    console.print(f"Run {printable(summary.run_id)} {effort(summary)}.")
    owner = f", with the key of {whose(summary.key)}" if summary.key else ""
    console.print(f"At {printable(summary.base_url, None)}{owner}.")
    if files:
        console.print(f"Files: {_path(folder)}", soft_wrap=True)
        _indented(console, ", ".join(files), 2)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _headline(console: Console, summary: Summary, *, under_way: bool) -> None:
    is_fine = not (summary.problems or summary.stopped or summary.is_unfinished)
    first, *rest = headline(summary, under_way=under_way)
    console.print(first, style="bold green" if is_fine else "bold")
    for line in proof(summary):
        rest.remove(line)
        console.print(line, style=_proven(summary))
    if rest:
        console.print(" ".join(rest), style=None if is_fine else "yellow")


def _proven(summary: Summary) -> str:
    verified = summary.verified
    if verified is not None and verified.disagreeing:
        return "bold red"
    return "green" if verified is not None and verified.batches == summary.closed.batches else "yellow"


def _problems(console: Console, problems: tuple[Problem, ...], *, see: bool) -> None:
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
        where = ": see summary.md" if see else ""
        _indented(console, f"and {batches:,} more in {len(hidden)} smaller groups{where}", 2)


def _next_steps(console: Console, steps: Sequence[Advice]) -> None:
    from rich.table import Table

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
