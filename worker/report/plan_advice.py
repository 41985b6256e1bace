"""What to do after a plan."""

from __future__ import annotations

from typing import Final, NamedTuple

from worker.report.advice import Advice, quoted
from worker.rules.plan import PlanDecision, PlanTally

_HARMLESS: Final = frozenset(
    {PlanDecision.CLOSE, PlanDecision.ALREADY_CLOSED, PlanDecision.NOT_FOUND, PlanDecision.INVALID}
)
_PER_DECISION: Final = {
    PlanDecision.HOLD: "held: put right in EnergyCAP what the guard names, or tell it otherwise (--guard).",
    PlanDecision.NOT_FOUND: "not_found: check these ids; the API knows no such batch, or not for this key.",
    PlanDecision.FORBIDDEN: "forbidden: use the key of a user who may see these batches.",
    PlanDecision.UNREADABLE: "unreadable: plan again; what these batches are is not known.",
    PlanDecision.INVALID: "invalid: mend these input lines; plan.json names file and line of each.",
}


class Again(NamedTuple):
    """How the command line of this plan would be written for what may come next; words are quoted."""

    close: str | None  # the close of the same input; None where there is no such thing
    plan: str  # this plan
    settings: str  # the settings given as flags, for a close of other input
    ids: str | None = None  # the file in which the ids to close were written


def next_steps(tally: PlanTally, again: Again) -> list[Advice]:
    """The next steps, the most useful first."""
    steps = _closing(tally, again) if tally.to_close.batches else []
    return steps + [Advice(text) for decision, text in _PER_DECISION.items() if tally.decisions[decision]]


def _closing(tally: PlanTally, again: Again) -> list[Advice]:
    if again.ids is not None:
        return [Advice("Close what would be closed, and nothing else:", _close(again.ids, again.settings))]
    others = sum(count for decision, count in tally.decisions.items() if decision not in _HARMLESS)
    if again.close is not None and not others:
        return [Advice("Close them:", again.close)]
    first = "Write the ids of those that would be closed into a file:"
    if others and again.close is not None:
        first = f"Closing the whole input would try the {others:,} others too. {first}"
    return [
        Advice(first, f"{again.plan} --ids to-close.txt"),
        Advice("Then close that file:", _close("to-close.txt", again.settings)),
    ]


def _close(file: str, settings: str) -> str:
    return f"batch-closer close {quoted(file)}{settings}"
