"""What the page says in words and figures, all of it from the summary."""

from __future__ import annotations

from typing import Final, NamedTuple

from worker.report.advice import (
    Advice,
    advice_of,
    counted,
    effort,
    headline,
    proof,
    remedy,
    stopped,
    took,
    unfinished,
    why,
)
from worker.report.released import whose
from worker.rules.guards import GUARDS
from worker.rules.summary import Problem, Summary, instant, printable
from worker.words.model import Outcome

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GUARDS: Final = {guard.name: guard.help for guard in GUARDS}


class Named(NamedTuple):
    """A fact and its name."""

    name: str
    text: str
    note: str = ""


class Alert(NamedTuple):
    """What must not be missed."""

    title: str
    text: str
    command: str | None = None
    ids: str = ""


class Group(NamedTuple):
    """A problem as the page shows it."""

    place: int
    dot: str  # its colour
    title: str
    entries: int
    message: str | None
    remedy: str
    ids: str
    untold: int  # how many more there are than ids


def title_of(summary: Summary) -> str:
    """The page's heading: what was closed of what was asked for."""
    closed, ids = summary.closed.batches, summary.input.ids
    open_ = summary.verified.disagreeing if summary.verified else 0
    if not sum(summary.outcomes.values()):
        return "Nothing to do"
    if not closed:
        return "Closed no batch"
    but = f", but {open_:,} {'is' if open_ == 1 else 'are'} not closed" if open_ else ""
    if closed == ids:
        return f"{'Closed the batch' if ids == 1 else f'Closed all {ids:,} batches'}{but}"
    return f"Closed {closed:,} of {counted(ids, 'batch')}{but}"


def lead_of(summary: Summary) -> str:
    """The sentences under the heading, less those that the figures and alerts tell."""
    told = {f"Stopped early: {stopped(summary)}.", unfinished(summary), *proof(summary)}
    lines = (line.removeprefix("Nothing to do: ") for line in headline(summary))
    left = " ".join(line for line in lines if line not in told and not line.startswith("Closed "))
    return left[:1].upper() + left[1:]


def figures_of(summary: Summary) -> list[Named]:
    """The large figures."""
    closed, verified = summary.closed, summary.verified
    figures = [
        Named("batches closed", f"{closed.batches:,}"),
        Named("bills in them", f"{closed.bills:,}"),
        Named("in total", f"{closed.running_total:,.2f}"),
    ]
    if not closed.batches:
        return figures
    if verified is None:
        return [*figures, Named("proven closed afterwards", "none", "doubt")]
    agreeing = verified.batches - verified.disagreeing
    kind = "bad" if verified.disagreeing else "good" if agreeing == closed.batches else "doubt"
    return [*figures, Named("proven closed afterwards", f"{agreeing:,}", kind)]


def alerts_of(summary: Summary) -> list[Alert]:
    """A run that was stopped, and a proof that disagrees."""
    alerts = []
    if summary.verified is not None and summary.verified.disagreeing:
        text = "They were closed, and a read after the run shows them open or gone. See to them first."
        ids = "; ".join(_all_ids(each) for each in summary.problems if each.outcome is Outcome.CLOSED)
        alerts.append(Alert(proof(summary)[0], text, ids=ids))
    if summary.is_unfinished:
        first = advice_of(summary)[0]
        alerts.append(Alert(unfinished(summary), first.text, first.command))
    elif summary.stopped is not None:
        untried = summary.outcomes.get(Outcome.NOT_ATTEMPTED, 0)
        left = (
            f"{counted(untried, 'batch')} {'was' if untried == 1 else 'were'} not tried. " if untried else ""
        )
        first = advice_of(summary)[0]
        alerts.append(Alert(f"Stopped early: {stopped(summary)}", f"{left}{first.text}", first.command))
    return alerts


def _all_ids(problem: Problem) -> str:
    more = (
        f" and {problem.count - len(problem.first_ids):,} more"
        if problem.count > len(problem.first_ids)
        else ""
    )
    return f"{why(problem)}: {', '.join(map(str, problem.first_ids))}{more}"


def groups_of(summary: Summary) -> list[Group]:
    """What did not end fine, group by group; a disproved close first, then the largest."""
    return [
        Group(
            place=place,
            dot="bad" if problem.outcome is Outcome.CLOSED else problem.outcome.value,
            title=why(problem),
            entries=problem.count,
            message=printable(problem.message) if problem.message else None,
            remedy=remedy(problem),
            ids=", ".join(map(str, problem.first_ids[:10])),
            untold=problem.count - len(problem.first_ids[:10]) if problem.first_ids else 0,
        )
        for place, problem in enumerate(summary.problems)
    ]


def step_of(summary: Summary) -> Advice | None:
    """The command that takes up what is worth it, unless the alert of a stopped or unfinished run has it."""
    alerted = summary.stopped is not None or summary.is_unfinished
    steps = [] if alerted else advice_of(summary)
    return steps[0] if steps and steps[0].command else None


def facts_of(summary: Summary) -> list[Named]:
    """When, where, by whose key, from what input, at what cost."""
    counts = summary.input
    keys = [summary.key, *summary.other_keys]
    odd = [counted(counts.duplicates, "duplicate")] if counts.duplicates else []
    odd += [f"{counts.invalid:,} invalid"] if counts.invalid else []
    goes = f" in {counted(summary.sessions, 'session')}" if summary.sessions > 1 else ""
    return [
        Named("When", period(summary.started_at, summary.finished_at), f"{took(summary.duration_s)}{goes}"),
        Named("Where", printable(summary.base_url, None)),
        Named("Key", "; ".join(map(whose, keys)) if summary.key else "not asked, or the API did not say"),
        Named("Proof", " ".join(proof(summary)) or _unproven(summary)),
        Named("Input", ", ".join([counted(counts.ids, "distinct id"), *odd]), counted(counts.lines, "line")),
        Named("Effort", effort(summary).partition(": ")[2]),
        _exit(summary.exit_code),
    ]


def _exit(code: int | None) -> Named:
    if code is None:
        return Named("Exit code", "none yet", "it is unfinished")
    return Named("Exit code", str(code), _EXITS.get(code, ""))


_EXITS: Final = {
    0: "every batch ended fine",
    1: "the disk was full, or a fault of the program",
    3: "some batches did not end fine",
    4: "stopped early",
    5: "the key was refused, or the API not reached",
    130: "interrupted",
    143: "terminated",
}


def _unproven(summary: Summary) -> str:
    if not summary.closed.batches:
        return "There was nothing to read again."
    if summary.queue is None and (summary.stopped is not None or summary.is_unfinished):
        why_not = "is unfinished" if summary.is_unfinished else "was stopped"
        return f"Nothing was read again, for the run {why_not}; resume does it at the end."
    return "The closed batches were not read again afterwards."


def warnings_of(summary: Summary) -> list[tuple[str, str, int]]:
    """Guards that warned, what they find, and of how many batches."""
    return [(printable(name, 60), _GUARDS.get(name, ""), count) for name, count in summary.warnings.items()]


def period(from_at: float, until_at: float | None) -> str:
    """``25 Nov 2026, 21:36:47 to 21:36:54 UTC``; without an end ``25 Nov 2026, 21:36:47 UTC on``."""
    first = _date_and_time(from_at)
    if until_at is None:
        return f"{', '.join(first)} UTC on"
    last = _date_and_time(until_at)
    until = last[1] if first[0] == last[0] else ", ".join(last)
    return f"{', '.join(first)} to {until} UTC"


def _date_and_time(at: float) -> tuple[str, str]:
    text = instant(at)
    return f"{int(text[8:10])} {_MONTHS[int(text[5:7]) - 1]} {text[:4]}", text[11:19]
