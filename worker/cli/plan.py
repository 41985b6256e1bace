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
from worker.cli.naming import Asked, Named, Wish, entries_of, wish_of
from worker.cli.options import setting_options, settings_from
from worker.cli.plan_output import check_places, ended_early, exit_code_of, print_plan, write_files
from worker.cli.resolve import read_key
from worker.cli.settings import Settings
from worker.cli.signals import Ears
from worker.cli.sitting import make_log
from worker.report.advice import quoted
from worker.report.plan_advice import Again, next_steps
from worker.report.plan_text import PlanReport
from worker.rules.guards import GUARDS
from worker.rules.plan import Owner, Plan, PlanEntry, PlanTally

_GUARDS = ", ".join(f"{guard.name} ({guard.default.value})" for guard in GUARDS)


@click.command(
    "plan",
    epilog="""\b
Examples:
  batch-closer plan october.csv
  batch-closer plan october.csv --guard flags=hold --max-total 50000
  batch-closer plan --open --period last-month --ids to-close.txt
""",
)
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@click.option(
    "--column",
    metavar="NAME",
    help="The column or key that holds the ids. [default: batchId, batch_id or id]",
)
@click.option("--open", "select", is_flag=True, help="Instead of TARGETs: the batches that are open.")
@click.option(
    "--period", metavar="YYYY-MM", help="Hold (with --open: leave out) other periods; last-month too."
)
@click.option("--code", metavar="GLOB", help="With --open: batch codes like this, as 'UTIL-*'.")
@click.option("--owner", metavar="me|USER", help="With --open: created by the key's user, or that number.")
@click.option("--older-than", metavar="AGE", help="With --open: created so long ago, as 7d or 12h.")
@click.option("--exclude", metavar="FILE", help="With --open: leave out the ids in FILE.")
@click.option(
    "--guard",
    multiple=True,
    metavar="GUARD=ACTION",
    help=f"hold, warn or ignore; repeatable. The guards: {_GUARDS}.",
)
@click.option("--max-total", metavar="MONEY", help="Hold a batch whose total is larger.")
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
    wish = wish_of(_asked(flags), targets, column, key)
    check_places(out, ids, [*targets, *([flags["exclude"]] if flags["exclude"] else [])])
    named = Named() if wish.selection else Named.of(entries_of(targets, column, key, sys.stdin.buffer))
    report = _report(wish, named, settings, key, _again(context, targets, ids))
    if isinstance(report, int):
        return report
    write_files(report.plan, out, ids)
    print_plan(report, out, key, as_json=as_json)
    return exit_code_of(report.tally, settings.output.fine)


def _asked(flags: dict[str, Any]) -> Asked:
    names = ("period", "code", "owner", "older_than", "exclude", "guard", "max_total")
    return Asked(open=flags["select"], **{name: flags[name] for name in names})


def _report(wish: Wish, named: Named, settings: Settings, key: SecretStr, again: Again) -> PlanReport | int:
    """Look, and make of it what is to be shown; the exit code where the looking was stopped."""
    from worker.cli.looking import Seen, look

    created_at, seen = time.time(), Seen()
    if named.wanted or wish.selection is not None:
        ears, log = Ears(), make_log(settings)
        ears.open()
        seen = look(wish, named, settings=settings, key=key, log=log, ears=ears)
    if seen.stop is not None:
        return ended_early(seen.stop)
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
        steps=next_steps(tally, again),
    )


def _tally_of(entries: tuple[PlanEntry, ...]) -> PlanTally:
    tally = PlanTally()
    for entry in entries:
        tally.add(entry)
    return tally


def _again(context: click.Context, targets: tuple[str, ...], ids: Path | None) -> Again:
    """The command line as it was given, less what depends on where output goes."""
    known = {parameter.name for parameter in close.params}
    settings: list[str] = []
    own: list[str] = []
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "")
        if given is not click.core.ParameterSource.COMMANDLINE or not isinstance(parameter, click.Option):
            continue
        if parameter.name in {"out", "ids", "as_json", "column"}:
            continue
        (settings if parameter.name in known else own).extend(_words(parameter, context))
    column = context.params["column"]
    columns = ["--column", quoted(column)] if column is not None else []
    shared = "".join(f" {word}" for word in settings)
    named = "".join(f" {word}" for word in [*map(quoted, targets), *columns])
    mine = "".join(f" {word}" for word in own)
    return Again(
        close=f"batch-closer close{named}{shared}" if targets and "-" not in targets else None,
        plan=f"batch-closer plan{named}{mine}{shared}",
        settings=shared,
        ids=None if ids is None else str(ids),
    )


def _words(option: click.Option, context: click.Context) -> list[str]:
    """An option as it was given, for a command line."""
    value = context.params[option.name or ""]
    if option.is_flag:
        return [option.opts[0]]
    values = value if option.multiple else [value]
    return [word for each in values for word in (option.opts[0], quoted(str(each)))]
