"""What to do after a plan."""

from __future__ import annotations

from typing import Final, NamedTuple

from worker.report.advice import Advice
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
    """The commands that may come next, words quoted."""

    close: str | None  # the close of the same input; None where there is no such thing
    plan: str  # the close of the plan
    ids: str | None = None  # the close of the file in which the ids to close were written


def next_steps(tally: PlanTally, again: Again, most: int | None) -> list[Advice]:
    """The next steps, the most useful first; a close of more than ``most`` batches is refused."""
    steps = _closing(tally, again) if tally.to_close.batches else []
    if most is not None and tally.to_close.batches > most:
        steps = [
            Advice(
                f"Check what is asked for, or raise --max-batches: a close of more than {most:,} is refused."
            )
        ]
    return steps + [Advice(text) for decision, text in _PER_DECISION.items() if tally.decisions[decision]]


def _closing(tally: PlanTally, again: Again) -> list[Advice]:
    others = sum(count for decision, count in tally.decisions.items() if decision not in _HARMLESS)
    steps = [Advice("Close what would be closed, less what changes until then:", again.plan)]
    if again.ids is not None:
        steps.append(Advice("Or its ids, whatever they are by then:", again.ids))
    elif again.close is not None and not others:
        steps.append(Advice("Or the whole input, as it is by then:", again.close))
    return steps
