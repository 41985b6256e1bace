"""What a close would do with a batch, from what was seen of it."""

from __future__ import annotations

from typing import Final, NamedTuple

from worker.rules.guards import Bounds, judge_all
from worker.rules.plan.entry import PlanDecision, PlanEntry
from worker.rules.summary.forms import printable
from worker.words.answer import Answer
from worker.words.model import Batch, BatchState, Control, Outcome, Rejected

OUTCOMES: Final = {
    PlanDecision.CLOSE: Outcome.CLOSED,
    PlanDecision.HOLD: Outcome.HELD,
    PlanDecision.ALREADY_CLOSED: Outcome.ALREADY_CLOSED,
    PlanDecision.NOT_FOUND: Outcome.NOT_FOUND,
    PlanDecision.FORBIDDEN: Outcome.FORBIDDEN,
    PlanDecision.UNREADABLE: Outcome.UNKNOWN,
    PlanDecision.INVALID: Outcome.INVALID,
}
"""The outcome in which each decision would end."""

_BY_STATUS: Final = {
    401: PlanDecision.FORBIDDEN,
    403: PlanDecision.FORBIDDEN,
    404: PlanDecision.NOT_FOUND,
}
KEY_UNCLEAR: Final = "key_unclear"
"""The reason where a 401 came and nothing tells whether the key works."""


class Wanted(NamedTuple):
    """A batch that the input or the selection names."""

    batch_id: int
    source: str
    line: int  # from 1
    controls: tuple[Control, ...] = ()  # more than one where the input has it twice
    before: Batch | None = None  # as a plan saw it

    def with_controls(self, controls: tuple[Control, ...]) -> Wanted:
        """The same with what another line expects of it: every line has to be right."""
        new = tuple(control for control in controls if control not in self.controls)
        return self._replace(controls=(*self.controls, *new))


def decide_seen(batch: Batch, wanted: Wanted, bounds: Bounds, now: float) -> PlanEntry:
    """The entry of a batch whose record was read at that instant (Unix time)."""
    if batch.state is BatchState.CLOSED:
        return _entry(batch, PlanDecision.ALREADY_CLOSED, wanted)
    if batch.state is BatchState.UNCLEAR:
        shown = printable(batch.batch_status or "", 40)
        detail = f"its batchStatus is {shown!r}" if shown else "it has no batchStatus"
        return _entry(batch, PlanDecision.UNREADABLE, wanted, reason="unclear_status", detail=detail)
    held, found = judge_all(batch, wanted.controls, bounds, now, wanted.before)
    warnings = tuple(finding.guard for finding in found)
    if held is not None:
        return _entry(
            batch, PlanDecision.HOLD, wanted, reason=held.guard, detail=held.detail, warnings=warnings
        )
    return _entry(batch, PlanDecision.CLOSE, wanted, warnings=warnings)


def decide_unseen(answer: Answer, wanted: Wanted) -> PlanEntry:
    """The entry of a batch whose record could not be read."""
    decision = _BY_STATUS.get(answer.status or 0, PlanDecision.UNREADABLE)
    if answer.reason == KEY_UNCLEAR:
        decision = PlanDecision.UNREADABLE
    return PlanEntry(
        batch_id=wanted.batch_id,
        decision=decision,
        reason=answer.reason,
        detail=printable(answer.message) if answer.message else None,
        source=wanted.source,
        line=wanted.line,
    )


def invalid(rejected: Rejected) -> PlanEntry:
    """The entry of an input line that is no batch id."""
    return PlanEntry(
        batch_id=None,
        decision=PlanDecision.INVALID,
        reason="not_a_batch_id",
        detail=printable(rejected.text),
        source=rejected.source,
        line=rejected.line,
    )


def _entry(
    batch: Batch,
    decision: PlanDecision,
    wanted: Wanted,
    *,
    reason: str | None = None,
    detail: str | None = None,
    warnings: tuple[str, ...] = (),
) -> PlanEntry:
    return PlanEntry.of(
        batch,
        decision,
        source=wanted.source,
        line=wanted.line,
        reason=reason,
        detail=detail,
        warnings=warnings,
    )
