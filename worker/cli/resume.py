"""``resume``: continue a run that did not finish, after anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import orjson

from worker.cli.completion import run_ids
from worker.cli.options import setting_options, settings_from, state_folder
from worker.cli.output import command_for, print_summary, show
from worker.cli.question import yes_option
from worker.cli.runs import find_run, named_state, reckon, state_from
from worker.cli.session.sitting import Sitting
from worker.cli.settings.resolve import read_key
from worker.cli.unseen import refuse_run_unseen
from worker.ledger import RunRow, RunState, Store, open_ledger
from worker.words.errors import ConfigurationError


@click.command(
    "resume",
    epilog="""\b
Examples:
  batch-closer resume
  batch-closer resume 20261101T020000Z-4f2a1c --rate 2
""",
)
@click.argument("run_id", required=False, metavar="[RUN_ID]", shell_complete=run_ids)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the text summary.")
@yes_option
@setting_options()
def command(run_id: str | None, as_json: bool, yes: bool, config: Path | None, **flags: Any) -> int:  # noqa: ARG001 - a resumed run was agreed to; --yes is accepted for scripts
    """Continue a run that did not finish: RUN_ID, or the last unfinished one.

    Batches whose fate is not known are looked up before they are touched. The run's own settings
    hold, unless flags, environment or the config file say otherwise.
    """
    with open_ledger(state_from(flags, config)) as store:
        run = _choose(store, run_id)
    if run.state is RunState.FINISHED:
        where = named_state(flags)
        raise ConfigurationError(
            f"run {run.run_id} is finished; {command_for(f'runs show {run.run_id}', where)} shows it, "
            f"{command_for(f'runs retry {run.run_id}', where)} takes up what failed"
        )
    return _continue(run, flags, config, as_json=as_json)


def take_up(run_id: str, flags: Mapping[str, Any], config: Path | None, *, as_json: bool) -> int | None:
    """Continue the run of that name, or show how it ended; its exit code. None where none has begun.

    Raises ConfigurationError where it is a run of another base URL.
    """
    state = state_from(flags, config)
    with open_ledger(state) as store:
        run = store.run(run_id)
        if run is None or run.started_at is None:
            return None
        if run.state is RunState.FINISHED:
            summary, _ = reckon(store, run)
            print_summary(summary, state / "runs" / run_id, named_state(flags), as_json=as_json)
            return summary.ended_with
    return _continue(run, flags, config, as_json=as_json)


def _continue(run: RunRow, flags: Mapping[str, Any], config: Path | None, *, as_json: bool) -> int:
    settings = settings_from(flags, config, orjson.loads(run.settings))
    if settings.api.base_url != run.base_url:
        raise ConfigurationError(
            f"run {run.run_id} is one of {run.base_url}, "
            f"but the base URL now given is {settings.api.base_url}"
        )
    key = read_key(os.environ, settings)
    with Sitting.open(settings, key, state_folder(settings), run.base_url, run.run_id) as sitting:
        run = find_run(sitting.store, run.run_id)
        refuse_run_unseen(settings, sitting.store, run)
        looked = sitting.lookout().before(run, asks=False)
        ended = sitting.perform(run, looked)
        return show(ended, sitting.folder(run.run_id), settings.output.state, as_json=as_json)


def _choose(store: Store, run_id: str | None) -> RunRow:
    if run_id is not None:
        run = find_run(store, run_id)
        if run.started_at is None:
            raise ConfigurationError(f"run {run_id} was never begun, so there is nothing to continue")
        return run
    last = store.last_unfinished()
    if last is None:
        raise ConfigurationError("there is no unfinished run; `batch-closer runs list` shows them all")
    return last
