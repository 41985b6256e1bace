"""``plan``: see what a close would do, without a way to do it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from worker.cli.close import command as close
from worker.cli.completion import files
from worker.cli.here import make_log
from worker.cli.naming import Named, Wish, asked_of, entries_of, selection_options, wish_of
from worker.cli.options import setting_options, settings_from
from worker.cli.plan_output import check_places, ended_early, exit_code_of, print_plan, write_files
from worker.cli.settings.bounds import period_of, today
from worker.cli.settings.resolve import read_key
from worker.cli.settings.tree import Settings
from worker.cli.signals import Ears
from worker.report.advice import quoted
from worker.report.plan_advice import Again, next_steps
from worker.report.plan_text import PlanReport
from worker.rules.plan import Owner, Plan, PlanEntry, PlanTally


@click.command(
    "plan",
    epilog="""\b
Examples:
  batch-closer plan october.csv
  batch-closer plan october.csv --guard flags=hold --max-total 50000
  batch-closer plan --open --period last-month --ids to-close.txt
""",
)
@click.argument("targets", nargs=-1, metavar="[TARGET...]", shell_complete=files)
@click.option(
    "--column",
    metavar="NAME",
    help="The column or key that holds the ids. [default: batchId, batch_id or id]",
)
@selection_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("plan.json"),
    metavar="FILE",
    help="Where to write the plan. [default: plan.json]",
)
@click.option(
    "--ids",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the ids that would be closed, one a line, as input for close.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON instead of the text.")
@setting_options()
@click.pass_context
def command(  # noqa: PLR0917 - click passes by name
    context: click.Context,
    /,
    targets: tuple[str, ...],
    column: str | None,
    out: Path,
    ids: Path | None,
    as_json: bool,
    config: Path | None,
    **flags: Any,
) -> int:
    """Show what a close would do with the batches that TARGETs name. Sends no write of any kind.

    A TARGET is what it is for close: an id, a file, or "-". Each batch is read, the guards decide
    whether it would be held, and the plan is written to a file.
    """
    settings = settings_from(flags, config)
    key = read_key(os.environ, settings)
    wish = wish_of(asked_of(flags), targets, column, key, period_of(settings.bounds, today()))
    check_places(out, ids, [*targets, *([flags["exclude"]] if flags["exclude"] else [])])
    named = Named.of(entries_of(targets, column, key, sys.stdin.buffer)) if wish is None else Named()
    report = _report(wish, named, settings, key, _again(context, targets, out, ids))
    if isinstance(report, int):
        return report
    write_files(report.plan, out, ids)
    print_plan(report, out, key, as_json=as_json)
    return exit_code_of(report.tally, settings.output.fine)


def _report(
    wish: Wish | None, named: Named, settings: Settings, key: SecretStr, again: Again
) -> PlanReport | int:
    """Look, and make of it what is to be shown; the exit code where the looking was stopped."""
    from worker.cli.looks.planning import Seen, look
    from worker.cli.looks.reading import Reading
    from worker.cli.session.phases import Phases

    created_at, seen = time.time(), Seen()
    if named.wanted or wish is not None:
        log = make_log(settings)
        with Phases.open(settings.limits, log) as phases:
            reading = Reading(
                settings=settings, key=key, log=log, ears=Ears(), phases=phases, tells_stop=False
            )
            seen = look(wish, named, reading)
    if seen.stop is not None:
        return ended_early(seen.stop, "no plan was written")
    identity = seen.identity
    entries = tuple(seen.entries[each] if isinstance(each, int) else each for each in named.order)
    plan = Plan(
        created_at=created_at,
        base_url=settings.api.base_url,
        environment=identity.environment if identity else None,
        key_owner=Owner(identity.user_id, identity.full_name) if identity else None,
        rate_per_s=settings.limits.rate_per_s,
        can_export=seen.can_export,
        entries=entries,
    )
    tally = _tally_of(entries)
    return PlanReport(
        plan=plan,
        tally=tally,
        identity=identity,
        duplicates=named.duplicates,
        untold=seen.untold,
        requests=seen.requests.total,
        steps=next_steps(tally, again, settings.bounds.max_batches),
    )


def _tally_of(entries: tuple[PlanEntry, ...]) -> PlanTally:
    tally = PlanTally()
    for entry in entries:
        tally.add(entry)
    return tally


def _again(context: click.Context, targets: tuple[str, ...], out: Path, ids: Path | None) -> Again:
    """The command line as it was given, for what may come next."""
    known = {parameter.name for parameter in close.params}
    settings: list[str] = []
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "")
        if given is not click.core.ParameterSource.COMMANDLINE or not isinstance(parameter, click.Option):
            continue
        if parameter.name in known - _SELECTING:
            settings.extend(_words(parameter, context))
    shared = "".join(f" {word}" for word in settings)
    column = context.params["column"]
    columns = "" if column is None else f" --column {quoted(column)}"
    named = "".join(f" {quoted(target)}" for target in targets) + columns
    return Again(
        close=f"batch-closer close{named}{shared}" if targets and "-" not in targets else None,
        plan=f"batch-closer close --plan {quoted(str(out))}{shared}",
        ids=None if ids is None else f"batch-closer close {quoted(str(ids))}{shared}",
    )


_SELECTING = frozenset({"select", "code", "owner", "older_than", "exclude", "column", "as_json"})


def _words(option: click.Option, context: click.Context) -> list[str]:
    """An option as it was given, for a command line."""
    value = context.params[option.name or ""]
    if option.is_flag:
        return [option.opts[0] if value else option.secondary_opts[0]]
    values = value if option.multiple else [value]
    return [word for each in values for word in (option.opts[0], quoted(str(each)))]
