"""What a plan leaves: its files, its text, its exit code."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

import click
from pydantic import SecretStr

from worker.cli.signals import number_of
from worker.engine.stop import Stop
from worker.report.plan_text import PlanReport, render_plan
from worker.report.results import replaced
from worker.rules.plan import OUTCOMES, Plan, PlanDecision, PlanTally
from worker.rules.summary import printable
from worker.telemetry.render import terminal_safe
from worker.telemetry.terminal import colours, width_of
from worker.words.errors import ConfigurationError, OutputError
from worker.words.model import Outcome, Stopped

_EARLY: Final = {
    Stopped.KEY: (5, "the API refused the key: give a valid one for this base URL"),
    Stopped.UNREACHABLE: (5, "the API can't be reached: check the base URL, the network and the proxy"),
    Stopped.DEADLINE: (4, "the deadline passed before everything was read"),
    Stopped.ABORT: (4, "the API gave no clear answer for too long"),
    Stopped.SIGNAL: (1, "interrupted"),
    Stopped.DISK: (1, "the disk can't be written"),
}
_REMEDY: Final = "choose another file, or make room, and plan again"


def check_places(out: Path, ids: Path | None, inputs: Iterable[str]) -> None:
    """Raise ConfigurationError where a file can't be written, or would take the place of an input."""
    sources = [Path(name) for name in inputs]
    for flag, path in (("--out", out), ("--ids", ids)):
        if path is None:
            continue
        if any(_is_same(path, source) for source in sources):
            raise ConfigurationError(f"{flag} {path} is an input too: choose another file")
        _check_place(flag, path)
    if ids is not None and (_is_same(out, ids) or out.absolute() == ids.absolute()):
        raise ConfigurationError(f"--ids {ids} is where the plan goes (--out): choose another file")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # a target may be anything
        return False


def _check_place(flag: str, path: Path) -> None:
    try:
        if path.exists() and not path.is_file():
            raise ConfigurationError(f"{flag} {path} can't be written: it is no file")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ConfigurationError(f"{flag} {path} can't be written: {why}; choose another file") from None


def write_files(plan: Plan, out: Path, ids: Path | None) -> None:
    """Write the plan, and the ids to close, each whole or not at all. Raises BatchCloserError."""
    with replaced(out, _REMEDY) as file:
        file.writelines(plan.to_json())
    if ids is not None:
        with replaced(ids, _REMEDY) as file:
            file.writelines(
                b"%d\n" % entry.batch_id
                for entry in plan.entries
                if entry.decision is PlanDecision.CLOSE and entry.batch_id is not None
            )


def print_plan(report: PlanReport, out: Path, key: SecretStr, *, as_json: bool) -> None:
    """As JSON, or as text for people. Raises OutputError, which says where the plan is."""
    try:
        if as_json:
            for piece in report.plan.to_json():
                sys.stdout.write("\n".join(map(_safe, piece.split(b"\n"))))
        else:
            terminal = sys.stdout
            text = render_plan(report, out, colour=colours(terminal), width=width_of(terminal))
            secret = key.get_secret_value()
            sys.stdout.write(text.replace(secret, "***") if len(secret) >= 4 else text)
        sys.stdout.flush()
    except OutputError as error:
        raise OutputError(error.why, f"the plan is in {printable(str(out), None)}") from None


def _safe(line: bytes) -> str:
    return terminal_safe(line)


def ended_early(stop: Stop, so: str) -> int:
    """Say in one line why there is nothing, and what that means; the exit code."""
    code, why = _EARLY[stop.kind or Stopped.SIGNAL]
    by = printable(stop.by or "")
    click.echo(f"batch-closer: {why} ({by}); {so}", err=True)
    number = number_of(stop.by) if stop.kind is Stopped.SIGNAL else None
    return 128 + number if number is not None else code


def exit_code_of(tally: PlanTally, ok: Collection[Outcome]) -> int:
    """0 where everything would end in an outcome that counts as fine, else 3."""
    return 0 if all(OUTCOMES[decision] in ok for decision, count in tally.decisions.items() if count) else 3
