"""The plan for people, on standard output."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from worker.report.advice import Advice, counted, took
from worker.report.console import console_of
from worker.report.plan_groups import Group, groups_of
from worker.report.released import released, whose
from worker.rules.plan import Amount, Owner, Plan, PlanDecision, PlanTally
from worker.rules.summary import printable
from worker.words.answer import Identity

if TYPE_CHECKING:
    from rich.console import Console

_MOST_ROWS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """A plan with what else is to be said of it."""

    plan: Plan
    tally: PlanTally
    identity: Identity | None
    duplicates: int
    untold: int  # batches that a list counted and did not show
    requests: int  # that the plan took
    steps: list[Advice]


def render_plan(report: PlanReport, file: Path, *, colour: bool = False, width: int = 80) -> str:
    """The plan as lines no wider than ``width`` cells, except those with a path or a command.

    Untrusted text in it holds no control characters, and ``colour`` adds escape sequences of ours alone.
    """
    out = io.StringIO()
    console = console_of(out, colour=colour, width=width)
    groups = groups_of(report.plan.entries)
    _headline(console, report)
    _amounts(console, report.tally)
    _groups(console, "Held, and why", groups.held, details=True)
    _groups(console, "Not to be closed either", groups.others, details=True)
    _groups(console, "Warnings on those that would be closed", groups.warnings, details=False)
    _facts(console, report)
    _steps(console, report.steps)
    console.print()
    console.print(f"Plan: {printable(str(file), None)}", soft_wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _headline(console: Console, report: PlanReport) -> None:
    tally, decisions = report.tally, report.tally.decisions
    amount, total = tally.to_close, sum(decisions.values())
    if not total:
        console.print("Nothing to do: there is no batch to close.", style="bold")
        return
    if amount.batches:
        first = f"Would close {counted(amount.batches, 'batch')}: {counted(amount.bills, 'bill')}"
        console.print(f"{first}, {amount.running_total:,.2f} in total.", style="bold")
    else:
        console.print("Would close no batch.", style="bold")
    rest = []
    if amount.unknown:
        rest.append(f"Of {counted(amount.unknown, 'batch')} the API told no bills or no total.")
    if closed := decisions[PlanDecision.ALREADY_CLOSED]:
        rest.append(f"{closed:,} {'is' if closed == 1 else 'are'} closed already.")
    if others := total - amount.batches - closed:
        rest.append(f"{others:,} of {total:,} would not be closed.")
    if report.duplicates:
        rest.append(f"{counted(report.duplicates, 'duplicate')} in the input.")
    if report.untold:
        rest.append(
            f"The list changed or was broken while it was read: up to {counted(report.untold, 'batch')} "
            "may be missing; plan again."
        )
    if rest:
        console.print(" ".join(rest), style="yellow" if others or report.untold else None)


def _amounts(console: Console, tally: PlanTally) -> None:
    if not tally.to_close.batches:
        return
    periods = sorted(tally.by_period.items(), key=lambda pair: (pair[0] is None, pair[0] or ()))
    _amount_table(
        console, "By account period", [(str(period or "not known"), each) for period, each in periods]
    )
    owners = sorted(tally.by_owner.items(), key=lambda pair: (-pair[1].batches, _owner(pair[0])))
    _amount_table(console, "By owner", [(_owner(owner), each) for owner, each in owners])


def _amount_table(console: Console, title: str, rows: list[tuple[str, Amount]]) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print()
    console.print(title, style="bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(max_width=32, overflow="fold")
    for _ in range(3):
        table.add_column(justify="right", overflow="fold")
    for name, amount in rows[:_MOST_ROWS]:
        table.add_row(
            Text(f"  {name}"),
            counted(amount.batches, "batch"),
            counted(amount.bills, "bill"),
            f"{amount.running_total:,.2f}",
        )
    console.print(table)
    if len(rows) > _MOST_ROWS:
        console.print(f"  and {len(rows) - _MOST_ROWS:,} more: see the plan's file")


def _owner(owner: Owner) -> str:
    name, number = printable(owner.full_name or "", 40), owner.user_id
    if name and number is not None:
        return f"{name} ({number})"
    return name or (f"user {number}" if number is not None else "not known")


def _groups(console: Console, title: str, groups: list[Group], *, details: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    if not groups:
        return
    console.print()
    console.print(title, style="bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for group in groups[:_MOST_ROWS]:
        table.add_row(Text(f"  {group.entries:,}"), Text(group.title, style="yellow"))
        if details and group.detail and group.first[0].isdigit():
            table.add_row("", Text(f"{group.first[0]}: {printable(group.detail)}"))
        table.add_row("", Text(group.where, style="dim"))
    console.print(table)
    if hidden := groups[_MOST_ROWS:]:
        count = sum(group.entries for group in hidden)
        console.print(f"  and {count:,} more in {len(hidden)} smaller groups: see the plan's file")


def _facts(console: Console, report: PlanReport) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print()
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(report):
        table.add_row(name, Text(text))
    console.print(table)


def _lines(report: PlanReport) -> Iterable[tuple[str, str]]:
    plan, tally = report.plan, report.tally
    if plan.entries:
        yield "Key", f"{whose(report.identity)}, at {printable(plan.base_url, None)}"
        if report.identity and report.identity.may_create is False:
            yield "", "This user may not close batches (BillsAndBatches, Create): a close would be refused."
    if tally.to_close.batches:
        yield "Releases", released(plan.can_export)
        lasts = took(tally.seconds_at(plan.rate_per_s))
        yield (
            "A close",
            f"{counted(tally.requests, 'request')} or more, {lasts} at {plan.rate_per_s:g} per second",
        )
    yield "This plan", f"{counted(report.requests, 'request')}, none of them a write"


def _steps(console: Console, steps: list[Advice]) -> None:
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
