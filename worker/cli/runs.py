"""``runs``: list, show, report and retry what the ledger remembers."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import orjson

from worker.cli.completion import run_ids
from worker.cli.options import setting_options, settings_from, state_folder
from worker.cli.output import command_for, print_summary
from worker.cli.question import is_agreed, yes_option
from worker.cli.run_list import render_runs
from worker.cli.session.account import Account, Ending, results_of
from worker.cli.settings.resolve import read_key
from worker.cli.settings.tree import Settings, fixed
from worker.ledger import Holder, RunLock, RunRow, RunState, Store, open_ledger
from worker.report import write_reports, write_results
from worker.rules.summary import Summary, instant
from worker.telemetry.terminal import colours, width_of
from worker.words.errors import ConfigurationError
from worker.words.model import WORTH_RETRYING, Outcome, Planned

_state_options = setting_options("output.state")
_queue_option = click.option(
    "--queue", metavar="URL", help="The runs of this queue instead, as redis://HOST/0."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def state_from(flags: Mapping[str, Any], config: Path | None) -> Path:
    """The state folder alone: these verbs need no base URL and no key. Raises ConfigurationError."""
    return state_folder(without_host(flags, config))


def without_host(flags: Mapping[str, Any], config: Path | None) -> Settings:
    """The settings, whether or not there is a base URL. Raises ConfigurationError."""
    return settings_from(flags, config, {"api": {"base_url": "https://localhost"}})


def named_state(flags: Mapping[str, Any]) -> Path | None:
    """The state folder that a flag names, for commands that are shown."""
    named = flags.get("output__state")
    return Path(named) if named else None


def find_run(store: Store, run_id: str) -> RunRow:
    """The run of that name. Raises ConfigurationError."""
    run = store.run(run_id)
    if run is None:
        raise ConfigurationError(f"there is no run {run_id}; `batch-closer runs list` shows them all")
    return run


@click.group(
    "runs",
    epilog="""\b
Examples:
  batch-closer runs list
  batch-closer runs show 20261101T020000Z-4f2a1c
""",
)
def command() -> None:
    """List the runs of the state folder, show one, write its files again, or retry what failed."""


@command.command(
    "list",
    epilog="""\b
Examples:
  batch-closer runs list
  batch-closer runs list --json
""",
)
@_json_option
@_queue_option
@_state_options
def list_runs(as_json: bool, queue: str | None, config: Path | None, **flags: Any) -> int:
    """List all runs, the newest last."""
    if queue is not None:
        import worker.cli.fleet.runs as fleet_runs

        return fleet_runs.list_runs(queue, as_json=as_json)
    state = state_from(flags, config)
    with open_ledger(state) as store:
        runs = [_row(store, run) for run in store.runs()]
    if as_json:
        click.echo(orjson.dumps(runs, option=orjson.OPT_INDENT_2))
    elif not runs:
        click.echo(f"No runs in {state}.")
    else:
        out = sys.stdout
        click.echo(render_runs(runs, width=width_of(out), colour=colours(out)), nl=False)
    return 0


def _row(store: Store, run: RunRow) -> dict[str, Any]:
    settled = run.ids - store.left(run)
    return {
        "run_id": run.run_id,
        "state": state_of(run),
        "created_at": instant(run.created_at),
        "started_at": instant(run.started_at) if run.started_at else None,
        "finished_at": instant(run.finished_at) if run.finished_at else None,
        "base_url": run.base_url,
        "who": run.who,
        "input": {
            "lines": run.lines,
            "ids": run.ids,
            "duplicates": run.duplicates,
            "invalid": run.invalid,
        },
        "settled": settled,
        "exit_code": run.exit_code,
        "stopped": run.stopped,
        "stopped_by": run.stopped_by,
    }


def state_of(run: RunRow) -> str:
    """A run's state in a word or two."""
    if run.started_at is None:
        return "not begun"
    return "finished" if run.state is RunState.FINISHED else "unfinished"


@command.command(
    "show",
    epilog="""\b
Examples:
  batch-closer runs show 20261101T020000Z-4f2a1c
  batch-closer runs show 20261101T020000Z-4f2a1c --json
""",
)
@click.argument("run_id", shell_complete=run_ids)
@_json_option
@_queue_option
@_state_options
def show_run(run_id: str, as_json: bool, queue: str | None, config: Path | None, **flags: Any) -> int:
    """Show the summary of a run, made from the ledger."""
    state = state_from(flags, config)
    if queue is not None:
        import worker.cli.fleet.runs as fleet_runs

        return fleet_runs.show_run(
            queue, run_id, state / "runs" / run_id, named_state(flags), as_json=as_json
        )
    with open_ledger(state) as store:
        run = find_run(store, run_id)
        summary, _ = reckon(store, run)
    print_summary(
        summary, state / "runs" / run_id, state, as_json=as_json, under_way=is_under_way(state, run)
    )
    return 0


@command.command(
    "report",
    short_help="Write a run's files again, and show its summary.",
    epilog="""\b
Examples:
  batch-closer runs report 20261101T020000Z-4f2a1c
""",
)
@click.argument("run_id", shell_complete=run_ids)
@_json_option
@_queue_option
@_state_options
def report_run(run_id: str, as_json: bool, queue: str | None, config: Path | None, **flags: Any) -> int:
    """Write the files of a run again from the ledger, and show its summary."""
    state = state_from(flags, config)
    folder = state / "runs" / run_id
    if queue is not None:
        import worker.cli.fleet.runs as fleet_runs

        return fleet_runs.report_run(queue, run_id, folder, named_state(flags), as_json=as_json)
    with open_ledger(state) as store:
        run = find_run(store, run_id)
        under_way = is_under_way(state, run)
        summary, ending = reckon(store, run)
        if not under_way:  # else the run appends to it, and would go on with the file that was replaced
            write_results(folder / "results.jsonl", results_of(store, run, ending))
        write_reports(folder, summary, results_of(store, run, ending), _settings_of(run).output.fine)
    print_summary(summary, folder, state, as_json=as_json, under_way=under_way)
    return 0


def is_under_way(state: Path, run: RunRow) -> bool:
    """Whether somebody works on the run right now, and holds its lock."""
    ended = run.finished_at is not None
    return not ended and RunLock(state, run.host, Holder.here()).held_by() == run.run_id


def _settings_of(run: RunRow) -> Settings:
    return Settings.model_validate(orjson.loads(run.settings))


def reckon(store: Store, run: RunRow) -> tuple[Summary, Ending]:
    """The summary of the run's last session.

    Of one that was killed, or is under way, what is known now: that has no end, and no exit code.
    """
    ending = Ending(at=run.finished_at or time.time(), stopped=run.stopped, by=run.stopped_by)
    if run.summary is not None:
        return Summary.from_json_dict(orjson.loads(run.summary)), ending
    settings = _settings_of(run)
    # Whatever --ok says: what has no result yet did not end, and so not fine.
    account = Account(store, run, settings.output.fine - {Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED})
    for result in results_of(store, run, ending):
        account.tally.add(result)
    summary = account.summary(ending, rate_per_s=settings.limits.rate_per_s, session_s=0.0)
    return replace(summary, finished_at=None, exit_code=None), ending


@command.command(
    "retry",
    short_help="Close what a finished run left, as a new run.",
    epilog="""\b
Examples:
  batch-closer runs retry 20261101T020000Z-4f2a1c
  batch-closer runs retry 20261101T020000Z-4f2a1c --yes --rate 2
""",
)
@click.argument("run_id", shell_complete=run_ids)
@click.option("--run-id", "new_run_id", metavar="NAME", help="A name for the new run.")
@click.option("--again", is_flag=True, help="Begin a new run though an unfinished one has the same input.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the text summary.")
@yes_option
@setting_options()
def retry_run(  # noqa: PLR0917 - click passes by name
    run_id: str,
    new_run_id: str | None,
    again: bool,
    as_json: bool,
    yes: bool,
    config: Path | None,
    **flags: Any,
) -> int:
    """Close what a finished run left: a new run of its failed, unknown and not attempted batches."""
    from worker.cli.close import CloseOrder, close_entries

    with open_ledger(state_from(flags, config)) as store:
        run = find_run(store, run_id)
    if run.state is not RunState.FINISHED:
        onwards = command_for(f"resume {run_id}", named_state(flags))
        raise ConfigurationError(f"run {run_id} is unfinished: {onwards} continues it")
    settings = settings_from(flags, config, orjson.loads(run.settings))
    key = read_key(os.environ, settings)
    order = CloseOrder(run_id=new_run_id, agreed=is_agreed(yes=yes), again=again, as_json=as_json)
    with open_ledger(state_folder(settings)) as store:
        return close_entries(_left(store, run), fixed(settings), key, order)


def _left(store: Store, run: RunRow) -> Iterator[Planned]:
    for line in store.results(run):
        if isinstance(line.entry, Planned) and line.outcome in WORTH_RETRYING:
            yield line.entry
