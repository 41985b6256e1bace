"""The records that pass between the rooms, one line of meaning for each name.

Seconds are floats named ``_s``, instants are Unix times (UTC seconds) named ``_at``,
rates are named ``_per_s``, and money is Decimal.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

MIN_BATCH_ID = 1
MAX_INT32 = 2_147_483_647
MAX_BATCH_ID = MAX_INT32
"""``batchId`` is an int32 (inferred from the API's documentation)."""


class Outcome(StrEnum):
    """How a batch, or an input line that is no batch id, ended. Exactly one each."""

    CLOSED = "closed"  # this run closed it
    ALREADY_CLOSED = "already_closed"  # it was closed before this run touched it
    NOT_FOUND = "not_found"  # the API says 404
    HELD = "held"  # a guard kept it from being closed
    FORBIDDEN = "forbidden"  # 401 or 403 for this batch while the key itself works
    REJECTED = "rejected"  # refused for good, and a read shows it not closed
    FAILED = "failed"  # attempts ran out, and a read shows it not closed
    UNKNOWN = "unknown"  # attempts ran out, and its state could not be read
    NOT_ATTEMPTED = "not_attempted"  # the run stopped before it was tried
    INVALID = "invalid"  # the input line is no batch id


FINE_BY_DEFAULT = frozenset({Outcome.CLOSED, Outcome.ALREADY_CLOSED})
WORTH_RETRYING = frozenset({Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED})
"""The outcomes whose ids go into ``retry.txt``."""


class ConfirmedBy(StrEnum):
    """How it is known that this run closed a batch."""

    RESPONSE = "response"  # the call answered 200 and its body says closed
    LOOKUP = "lookup"  # an answer was lost or unclear, and a read shows it closed by us


class Stopped(StrEnum):
    """Why a run ended before every batch was settled."""

    DEADLINE = "deadline"
    ABORT = "abort"  # an abort rule, or a stall
    KEY = "key"  # the API says the key is not valid
    UNREACHABLE = "unreachable"  # no request of this session ever reached the API
    SIGNAL = "signal"
    DISK = "disk"  # the ledger could not be written
    QUEUE = "queue"  # the queue's broker could not be used any more


class BatchState(StrEnum):
    """What ``batchStatus`` says, read without regard to letter case."""

    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"
    UNCLEAR = "unclear"  # missing, or a word the documentation does not know


_STATES = {state.value: state for state in BatchState}

_CENT = Decimal("0.01")


def to_money(value: object) -> object:
    """Bring the API's double to Decimal with two places, so that shown lines add up to the total."""
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        try:
            return Decimal(repr(value)).quantize(_CENT, ROUND_HALF_EVEN)
        except ArithmeticError:
            return None  # infinite, or beyond any sum of money
    return value


Money = Annotated[Decimal, BeforeValidator(to_money)]


class Person(BaseModel):
    """``createdBy`` of a batch: the only person on the record."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    full_name: str | None = None
    user_code: str | None = None
    user_id: int | None = None


class Batch(BaseModel):
    """A BatchResponse (documented), the same on close, get and list.

    Which keys may be null is not documented, so every one but the id may be.
    ``end_date`` stays text: its form and time zone are not documented either.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    batch_id: int
    batch_status: str | None = None
    batch_code: str | None = None
    bill_count: Annotated[int, Field(ge=0, le=MAX_INT32)] | None = None
    running_total: Money | None = None
    end_date: str | None = None
    is_open: bool | None = None
    analyzing_count: int | None = None
    flag_count: int | None = None
    has_imports_with_kickout: bool | None = None
    account_period_name: str | None = None
    account_period_number: int | None = None
    account_period_year: int | None = None
    created_by: Person | None = None
    start_date: str | None = None

    @property
    def state(self) -> BatchState:
        """The batch's state, from ``batchStatus`` alone (``isOpen`` of a pending batch is not documented)."""
        word = self.batch_status or ""
        return _STATES.get(word) or _STATES.get(word.strip().casefold(), BatchState.UNCLEAR)


class Control(NamedTuple):
    """What an input line expects of a batch; None expects nothing."""

    bills: int | None = None
    total: Decimal | None = None


class Look(NamedTuple):
    """A batch as it was read, and when (Unix time)."""

    batch: Batch
    at: float


class Planned(NamedTuple):
    """A batch that a run was asked to close, and where the input named it."""

    seq: int  # the ledger's own number for it; ascending in input order
    batch_id: int
    source: str  # a file's name as given, "stdin" or "arguments"
    line: int  # from 1
    attempts: int = 0  # attempts an earlier session of the run recorded before its PUTs
    first_attempt_at: float | None = None  # when the first of them was about to be sent
    controls: tuple[Control, ...] = ()  # more than one where the input has it twice
    before: Batch | None = None  # as the plan saw it that the run is closing
    look: Look | None = None  # what this session saw of it


class Rejected(NamedTuple):
    """An input line that is no batch id."""

    source: str
    line: int
    text: str  # what stood there, shortened and without control characters


class Result(NamedTuple):
    """A settled batch with its evidence, or an input line that is no batch id."""

    run_id: str
    batch_id: int | None
    outcome: Outcome
    settled_at: float
    source: str
    line: int
    confirmed_by: ConfirmedBy | None = None
    reason: str | None = None  # a stable snake_case word
    message: str | None = None  # the API's own words, shortened
    http_status: int | None = None  # of the answer that decided
    attempts: int = 0
    first_attempt_at: float | None = None
    elapsed_s: float = 0.0
    warnings: tuple[str, ...] = ()  # guards that warned of closing it
    batch_code: str | None = None
    bill_count: int | None = None
    running_total: Decimal | None = None
    end_date: str | None = None
    account_period: str | None = None  # 2026-10, or its name where that is no month
    input: str | None = None  # an invalid line's text
