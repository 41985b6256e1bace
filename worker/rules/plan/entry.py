"""One batch of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from worker.rules.period import period_of
from worker.rules.plan.fields import BatchId, MoneyText, PeriodText, Whole
from worker.rules.summary.forms import two_places
from worker.words.model import Batch, Person


class PlanDecision(StrEnum):
    """What a close would do with a batch, or with an input line that is no batch id."""

    CLOSE = "close"  # open, and no guard holds it
    HOLD = "hold"  # a guard keeps it from being closed
    ALREADY_CLOSED = "already_closed"
    NOT_FOUND = "not_found"  # the API says 404
    FORBIDDEN = "forbidden"  # 401 or 403 for this batch while the key itself works
    UNREADABLE = "unreadable"  # its state could not be read
    INVALID = "invalid"  # the input line is no batch id


@dataclass(frozen=True, slots=True)
class Owner:
    """Who created a batch, or whose the key is; None where it is not known."""

    user_id: Whole | None = None
    full_name: str | None = None

    def to_json_dict(self) -> dict[str, Any]:
        """The owner as plan.json holds it."""
        return {"user_id": self.user_id, "full_name": self.full_name}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """One batch of a plan, or an input line that is no batch id (the only kind without an id)."""

    batch_id: BatchId | None
    decision: PlanDecision
    reason: str | None = None  # a stable snake_case word; of a held batch the guard's name
    detail: str | None = None  # a sentence; of an invalid line its text
    warnings: tuple[str, ...] = ()  # names of guards
    batch_code: str | None = None
    batch_status: str | None = None
    bill_count: Whole | None = None
    running_total: MoneyText | None = None
    flag_count: Whole | None = None
    analyzing_count: Whole | None = None
    period: PeriodText | None = None
    owner: Owner | None = None
    source: str
    line: Whole  # from 1

    @classmethod
    def of(
        cls,
        batch: Batch,
        decision: PlanDecision,
        *,
        source: str,
        line: int,
        reason: str | None = None,
        detail: str | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Self:
        """The entry of a batch that was seen."""
        person = batch.created_by
        return cls(
            batch_id=batch.batch_id,
            decision=decision,
            reason=reason,
            detail=detail,
            warnings=warnings,
            batch_code=batch.batch_code,
            batch_status=batch.batch_status,
            bill_count=batch.bill_count,
            running_total=two_places(batch.running_total),
            flag_count=batch.flag_count,
            analyzing_count=batch.analyzing_count,
            period=period_of(batch),
            owner=Owner(person.user_id, person.full_name) if person else None,
            source=source,
            line=line,
        )

    def seen(self) -> Batch | None:
        """The batch as the plan saw it, for the guard ``changed``; None for a line that is no batch id."""
        if self.batch_id is None:
            return None
        owner, period = self.owner, self.period
        return Batch(
            batch_id=self.batch_id,
            batch_status=self.batch_status,
            batch_code=self.batch_code,
            bill_count=self.bill_count,
            running_total=self.running_total,
            flag_count=self.flag_count,
            analyzing_count=self.analyzing_count,
            account_period_year=period.year if period else None,
            account_period_number=period.month if period else None,
            created_by=Person(user_id=owner.user_id, full_name=owner.full_name) if owner else None,
        )

    def to_json_dict(self) -> dict[str, Any]:
        """The entry as plan.json holds it: money and account period as text."""
        total = two_places(self.running_total)
        return {
            "batch_id": self.batch_id,
            "decision": self.decision.value,
            "reason": self.reason,
            "detail": self.detail,
            "warnings": list(self.warnings),
            "batch_code": self.batch_code,
            "batch_status": self.batch_status,
            "bill_count": self.bill_count,
            "running_total": None if total is None else str(total),
            "flag_count": self.flag_count,
            "analyzing_count": self.analyzing_count,
            "period": None if self.period is None else str(self.period),
            "owner": self.owner.to_json_dict() if self.owner else None,
            "source": self.source,
            "line": self.line,
        }
