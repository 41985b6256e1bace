"""What a guard is told and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import NamedTuple

from worker.rules.period import Period
from worker.words.errors import ConfigurationError
from worker.words.model import Batch


class Action(StrEnum):
    """What an objection of a guard leads to."""

    HOLD = "hold"  # the batch is not closed
    WARN = "warn"  # it is closed, and the warning is counted
    IGNORE = "ignore"  # the guard is off


class Facts(NamedTuple):
    """What is known of one batch before its close."""

    batch: Batch  # as last seen
    now: float  # Unix time
    expected_bills: int | None = None  # control totals of the input
    expected_total: Decimal | None = None
    before: Batch | None = None  # as seen earlier: by the plan, or by the first of two looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the run was told. Raises ConfigurationError for a bound that nothing can be compared with."""

    actions: Mapping[str, Action] = field(default_factory=dict)  # by guard; a missing one does its default
    period: Period | None = None
    max_total: Decimal | None = None  # of one batch, either sign
    quiet_for_s: float | None = None
    user_id: int | None = None  # whose the key is
    may_manage: bool | None = None  # may the key close others' batches; None: not known

    def __post_init__(self) -> None:
        if self.max_total is not None and not (self.max_total.is_finite() and self.max_total >= 0):
            raise ConfigurationError(f"max total {self.max_total} can't be used: write a sum of 0 or more")
        if self.quiet_for_s is not None and not (isfinite(self.quiet_for_s) and self.quiet_for_s >= 0):
            raise ConfigurationError(f"quiet time {self.quiet_for_s} can't be used: write seconds, 0 or more")


class Finding(NamedTuple):
    """A guard's objection to a batch."""

    guard: str
    detail: str  # one short sentence, printable


class Judgement(NamedTuple):
    """What all guards say of a batch: the first one that holds it, and every warning."""

    held: Finding | None
    warnings: tuple[Finding, ...]


class Guard(NamedTuple):
    """One reason not to close a batch."""

    name: str
    default: Action
    help: str  # one line
    objects: Callable[[Facts, Bounds], str | None]  # the objection in one sentence, None where there is none
