"""The list of runs has as many columns as there is room for, and never cuts a name."""

from __future__ import annotations

from typing import Any

import pytest

from worker.cli.run_list import render_runs

FULL = "RUN                      STARTED (UTC)       STATE       BATCHES  SETTLED EXIT"


def row(name: str, code: int | None = 0) -> dict[str, Any]:
    """A run as ``runs list --json`` tells it."""
    at = "2026-11-02T04:00:09.123Z"
    state = "unfinished" if code is None else "finished"
    told = {"run_id": name, "state": state, "created_at": at, "started_at": None, "settled": 1200}
    return told | {"exit_code": code, "input": {"ids": 31_000}}


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (80, FULL),
        (70, "RUN                      STARTED     STATE       BATCHES EXIT"),
        (40, "RUN                      STATE      EXIT"),
        (10, "RUN                      STATE      EXIT"),
    ],
)
def test_columns(width: int, head: str) -> None:
    """Columns that are needed less give way."""
    first, *rest = render_runs(
        [row("20261101T020000Z-4f2a1c"), row("r", None)], width=width, colour=False
    ).splitlines()
    assert first == head
    assert rest[0].startswith("20261101T020000Z-4f2a1c ")
    assert rest[1].endswith("-")
    assert all(len(line) <= max(width, 40) for line in rest)


def test_a_long_name() -> None:
    """A name that leaves less room is whole all the same, and the columns still stand under one another."""
    lines = render_runs([row("n" * 60), row("r")], width=80, colour=False).splitlines()
    assert lines[1].startswith("n" * 60 + " ")
    assert len({len(line) for line in lines}) == 1


def test_colour() -> None:
    """Colour changes nothing but the colour: runs that did not end fine stand out."""
    rows = [row("a"), row("b", 3)]
    text = render_runs(rows, width=80, colour=True)
    assert text.count("\x1b[33m") == 1
    plain = text.replace("\x1b[33m", "").replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert plain == render_runs(rows, width=80, colour=False)
