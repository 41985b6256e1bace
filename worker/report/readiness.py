"""What was checked before a close, as a table for people."""

from __future__ import annotations

import io
from typing import Final

from worker.report.console import console_of
from worker.rules.readiness import CheckState, Readiness
from worker.rules.summary import printable

_MARKS: Final = {
    CheckState.OK: "ok",
    CheckState.WARNING: "warning",
    CheckState.FAILED: "FAILED",
    CheckState.SKIPPED: "skipped",
}


def render_readiness(found: Readiness, *, width: int = 80) -> str:
    """A sentence, then a row for each check, what to do beneath it; no line is wider than ``width`` cells."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in found.checks:
        table.add_row(_MARKS[check.state], check.name, Text(check.found))
        if check.remedy is not None:
            table.add_row("", "", Text(f"-> {check.remedy}"))
    out = io.StringIO()
    console = console_of(out, colour=False, width=width)
    console.print(Text(_headline(found), overflow="fold"))
    console.print()
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _headline(found: Readiness) -> str:
    counts = ", ".join(f"{count} {state.value}" for state, count in found.counts.items())
    verdict = "Not ready" if CheckState.FAILED in found.counts else "Ready"
    return f"{verdict} for a close at {printable(found.base_url, None)}: {counts}."
