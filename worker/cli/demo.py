"""``demo``: the main job against the simulator, through the same code as production."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.cli.settings.resolve import YES_ENV
from worker.words.errors import ConfigurationError

if TYPE_CHECKING:
    from worker.simulator.options import Options

BATCHES = 400
FIRST_ID = 1001


@click.command(
    "demo",
    epilog="""\b
Examples:
  batch-closer demo
  batch-closer demo --state demo --open
""",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to put the run. [default: a new temporary folder]",
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the text summary.")
@click.option("--open", "opens", is_flag=True, help="Open the report in a browser.")
def command(state: Path | None, as_json: bool, opens: bool) -> int:
    """Start the simulator and close a few hundred of its batches: open, closed, missing, flaky, throttled.

    Nothing real is touched: the simulator listens on this machine alone.
    """
    from worker.cli.main import run
    from worker.simulator.running import simulator_thread

    folder = _folder(state)
    with simulator_thread(_options()) as simulator:
        ids = folder / "demo-ids.txt"
        ids.write_text(_listed(simulator.world.ids()), encoding="ascii")
        click.echo(
            f"The simulator at {simulator.url} has {BATCHES} batches for you.\n"
            "Some are closed already, some don't exist, and on the way it throttles, fails\n"
            "and drops connections.\n",
            err=True,
        )
        arguments = ["close", str(ids), "--base-url", simulator.url, "--rate", "120", "--burst", "10"]
        arguments += ["--concurrency", "16", "--backoff", "0.1", "--state", str(folder), "--abort", "none"]
        arguments += ["--log-level", "warning", "--log-format", "console", *(["--json"] if as_json else [])]
        run_id = f"demo-{_next(folder)}"
        with _environment(ENERGYCAP_API_KEY=simulator.key, **{YES_ENV: "1"}):
            code = run([*arguments, "--run-id", run_id])
    _tell_report(folder / "runs" / run_id / "report.html", opens=opens)
    # The simulator's missing and pending batches can't be closed: that is what a 3 says here.
    return 0 if code == 3 else code


def _tell_report(page: Path, *, opens: bool) -> None:
    """Say where the report is, as any terminal makes a link of it, and open it where that is asked for."""
    import webbrowser

    if not page.exists():
        return
    address = page.resolve().as_uri()
    click.echo(f"\nThe report, for a browser: {address}", err=True)
    if opens and not webbrowser.open(address):
        click.echo("There is no browser here to open it with.", err=True)


def _options() -> Options:
    from worker.simulator.options import Options, Pace, Population, Unknowns
    from worker.simulator.scripts import fault_plan

    faults = fault_plan(
        shares=["500=3%", "put:drop_after=2%", "put:close_then_500=2%", "put:403=0.5%"],
        at=[f"{FIRST_ID + 90}:put=429:1", f"{FIRST_ID + 260}:put=503:1"],
        seed=7,
    )
    return Options(
        population=Population(
            batches=BATCHES, first_id=FIRST_ID, seed=11, closed=0.12, missing=0.03, pending=0.02
        ),
        unknowns=Unknowns(already_closed=409),
        pace=Pace(latency_s=(0.01, 0.06)),
        faults=faults,
    )


def _listed(ids: list[int]) -> str:
    lines = [f"{batch_id}\n" for batch_id in ids]
    lines.insert(10, "# a comment\n")
    lines.append(lines[0])
    return "".join([*lines, "n/a\n"])


def _folder(state: Path | None) -> Path:
    try:
        if state is None:
            return Path(tempfile.mkdtemp(prefix="batch-closer-demo-"))
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"folder {state} can't be made: {error.strerror}") from None
    return state


def _next(folder: Path) -> int:
    runs = folder / "runs"
    return 1 + sum(1 for _ in runs.iterdir()) if runs.is_dir() else 1


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    ours = [name for name in before if name.startswith("BATCH_CLOSER_")]
    for name in ours:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
