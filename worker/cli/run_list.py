"""The list of runs, for people, in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import click

_LEAST_NAME: Final = 24


class _Column(NamedTuple):
    title: str
    width: int  # below 0: text stands to the left
    text: Callable[[dict[str, Any]], str]

    def cell(self, text: str) -> str:
        return f"{text:<{-self.width}}" if self.width < 0 else f"{text:>{self.width}}"


def _started(row: dict[str, Any]) -> str:
    return str(row["started_at"] or row["created_at"])[:19].replace("T", " ")


def _exit(row: dict[str, Any]) -> str:
    return "-" if row["exit_code"] is None else str(row["exit_code"])


_STARTED: Final = _Column("STARTED (UTC)", -19, _started)
_SHORTLY: Final = _Column("STARTED", -11, lambda row: _started(row)[5:16])
_STATE: Final = _Column("STATE", -10, lambda row: str(row["state"]))
_BATCHES: Final = _Column("BATCHES", 8, lambda row: f"{row['input']['ids']:,}")
_SETTLED: Final = _Column("SETTLED", 8, lambda row: f"{row['settled']:,}")
_EXIT: Final = _Column("EXIT", 4, _exit)
_LAYOUTS: Final = (
    (_STARTED, _STATE, _BATCHES, _SETTLED, _EXIT),
    (_SHORTLY, _STATE, _BATCHES, _EXIT),
    (_STATE, _EXIT),
)


def render_runs(rows: Sequence[dict[str, Any]], *, width: int, colour: bool) -> str:
    """A line for each run under the names of the columns; a run's name is never cut."""
    name = _Column("RUN", -max(_LEAST_NAME, *(len(row["run_id"]) for row in rows)), lambda row: row["run_id"])
    layouts = ((name, *columns) for columns in _LAYOUTS)
    columns = next((each for each in layouts if _width(each) <= width), (name, *_LAYOUTS[-1]))
    head = _line([each.cell(each.title) for each in columns])
    lines = [click.style(head, bold=True) if colour else head]
    for row in rows:
        line = _line([each.cell(each.text(row)) for each in columns])
        lines.append(click.style(line, fg=_colour(row)) if colour else line)
    return "".join(f"{line}\n" for line in lines)


def _width(columns: Sequence[_Column]) -> int:
    return sum(abs(each.width) for each in columns) + len(columns) - 1


def _line(cells: Sequence[str]) -> str:
    return " ".join(cells).rstrip()


def _colour(row: dict[str, Any]) -> str | None:
    """Runs that ended fine need no eye; those that didn't, or aren't finished, do."""
    return None if row["exit_code"] == 0 else "yellow"
