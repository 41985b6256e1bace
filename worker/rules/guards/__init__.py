"""Guards: what keeps a batch from being closed, or warns of closing it. One list of them, pure functions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from worker.rules.guards import objections
from worker.rules.guards.record import Action, Bounds, Facts, Finding, Guard, Judgement
from worker.rules.summary.forms import printable
from worker.words.errors import ConfigurationError
from worker.words.model import Batch, Control

__all__ = [
    "GUARDS",
    "Action",
    "Bounds",
    "Facts",
    "Finding",
    "Guard",
    "Judgement",
    "judge",
    "judge_all",
    "parse_action",
]

GUARDS: Final = (
    Guard("pending", Action.HOLD, "the batch is pending, not open", objections.pending),
    Guard("analyzing", Action.HOLD, "bills are still being analysed", objections.analyzing),
    Guard("kickouts", Action.WARN, "an import into it had kickouts", objections.kickouts),
    Guard("flags", Action.WARN, "it has unresolved flags", objections.flags),
    Guard("empty", Action.WARN, "it has no bills", objections.empty),
    Guard("owner", Action.HOLD, "another user's, and the key may not manage those", objections.owner),
    Guard("period", Action.HOLD, "its account period is not the one asked for", objections.period),
    Guard("total", Action.HOLD, "its total is above the largest asked for", objections.total),
    Guard("changed", Action.HOLD, "it changed since it was seen before", objections.changed),
    Guard("control", Action.HOLD, "the input expects other bills or another total", objections.control),
)
"""All guards, in the order in which they are asked."""

_LONGEST_DETAIL: Final = 240


def judge(facts: Facts, bounds: Bounds) -> Judgement:
    """Ask every guard that isn't ignored: the first one that holds wins, all warnings are kept."""
    held: Finding | None = None
    warnings: list[Finding] = []
    for guard in GUARDS:
        action = bounds.actions.get(guard.name, guard.default)
        if action is Action.IGNORE or (objection := guard.objects(facts, bounds)) is None:
            continue
        finding = Finding(guard.name, printable(objection, _LONGEST_DETAIL))
        if action is Action.WARN:
            warnings.append(finding)
        else:
            held = held or finding
    return Judgement(held, tuple(warnings))


def judge_all(
    batch: Batch, controls: Collection[Control], bounds: Bounds, now: float, before: Batch | None = None
) -> Judgement:
    """Judge a batch by what every line of the input expects of it; a guard warns only once."""
    each = [judge(Facts(batch, now, *control, before=before), bounds) for control in controls or (Control(),)]
    held = next((judgement.held for judgement in each if judgement.held is not None), None)
    warnings = {finding.guard: finding for judgement in each for finding in judgement.warnings}
    return Judgement(held, tuple(warnings.values()))


def parse_action(text: str) -> tuple[str, Action]:
    """Read ``GUARD=ACTION``, as ``flags=hold``.

    Raises ConfigurationError, naming what is wrong and what is known.
    """
    name, equals, word = (part.strip().lower() for part in text.partition("="))
    shown = printable(text, 60)
    if not equals:
        raise ConfigurationError(f"guard {shown!r} can't be used: write GUARD=ACTION, as flags=hold")
    names = [guard.name for guard in GUARDS]
    if name not in names:
        raise ConfigurationError(f"guard {shown!r} can't be used: the guards are {', '.join(names)}")
    if word not in set(Action):
        raise ConfigurationError(f"guard {shown!r} can't be used: the actions are {', '.join(Action)}")
    return name, Action(word)
