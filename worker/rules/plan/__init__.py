"""Plans: what a close would do, as data that can be written, read again and added up."""

from worker.rules.plan.decide import (
    KEY_UNCLEAR,
    OUTCOMES,
    Wanted,
    decide_seen,
    decide_unseen,
    invalid,
)
from worker.rules.plan.entry import Owner, PlanDecision, PlanEntry
from worker.rules.plan.record import PLAN_KIND, PLAN_VERSION, Plan
from worker.rules.plan.tally import Amount, PlanTally

__all__ = [
    "KEY_UNCLEAR",
    "OUTCOMES",
    "PLAN_KIND",
    "PLAN_VERSION",
    "Amount",
    "Owner",
    "Plan",
    "PlanDecision",
    "PlanEntry",
    "PlanTally",
    "Wanted",
    "decide_seen",
    "decide_unseen",
    "invalid",
]
