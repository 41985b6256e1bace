"""What the simulator is told to be. Every group has usable defaults; a bad value is a ConfigurationError."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite

from worker.simulator.faults import FaultPlan
from worker.words.errors import ConfigurationError
from worker.words.model import MAX_BATCH_ID, MIN_BATCH_ID


class ErrorBody(StrEnum):
    """The shape of an error's body, which the API does not document."""

    OBJECT = "object"  # a JSON object with a message
    ODD = "odd"  # JSON nobody would expect
    PROBLEM = "problem"  # application/problem+json
    TEXT = "text"
    HTML = "html"
    EMPTY = "empty"


class EndDate(StrEnum):
    """The form of ``endDate``: documented as a date-time, shown in the sample as a bare date."""

    UTC = "utc"  # 2026-10-03T04:05:06.789Z
    OFFSET = "offset"  # 2026-10-02T23:05:06.789-05:00
    NAIVE_UTC = "naive-utc"  # 2026-10-03T04:05:06.789
    NAIVE_LOCAL = "naive-local"  # 2026-10-02T23:05:06.789, the server's local time
    DATE = "date"  # 2026-10-02, the server's local date
    NULL = "null"


class LetterCase(StrEnum):
    """How a word of ``batchStatus`` is written."""

    LOWER = "lower"
    TITLE = "title"
    UPPER = "upper"

    def write(self, word: str) -> str:
        """The word in this letter case."""
        return {"lower": word.lower(), "title": word.title(), "upper": word.upper()}[self.value]


class FilterCase(StrEnum):
    """Which letter case a ``batchStatus`` filter must be written in to find anything."""

    ANY = "any"
    LOWER = "lower"
    TITLE = "title"
    UPPER = "upper"


class Nulls(StrEnum):
    """How a key without a value is shown."""

    NULL = "null"
    MISSING = "missing"
    BARE = "bare"  # only batchId and batchStatus are ever present


class RetryAfter(StrEnum):
    """What the server's own rate limit says in Retry-After."""

    SECONDS = "seconds"
    DATE = "date"
    NONE = "none"


class Block(StrEnum):
    """What may keep the server from closing a batch."""

    FLAGS = "flags"
    ANALYZING = "analyzing"
    KICKOUTS = "kickouts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The batches to start with: how many, from which seed, and the share of each fate (0 to 1)."""

    batches: int = 100
    first_id: int = 1001
    seed: int = 0
    closed: float = 0.10  # already closed by someone else, hours to weeks ago
    missing: float = 0.05  # an id among the targets that the server does not know
    pending: float = 0.05
    flagged: float = 0.05
    analyzing: float = 0.03
    kickouts: float = 0.02
    empty: float = 0.02  # no bills
    foreign: float = 0.10  # created by another user than the key's owner

    def __post_init__(self) -> None:
        if self.batches < 0:
            raise ConfigurationError(f"batches must be 0 or more, not {self.batches}")
        if not MIN_BATCH_ID <= self.first_id <= MAX_BATCH_ID - self.batches + 1:
            raise ConfigurationError(f"first id {self.first_id} leaves no room for {self.batches} batch ids")
        for name in ("closed", "missing", "pending", "flagged", "analyzing", "kickouts", "empty", "foreign"):
            _share(f"share {name}", getattr(self, name))
        if self.closed + self.missing + self.pending > 1:
            raise ConfigurationError("the shares closed, missing and pending add up to more than 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknowns:
    """Which of the possible answers to give where the API's is not documented."""

    already_closed: int = 400  # status of a close of a closed batch; 200 answers with the batch
    pending_closes: bool = False  # a close takes a pending batch
    pending_is_open: bool = False  # isOpen of a pending batch
    foreign: int = 200  # status of a close of another user's batch; 200 closes it
    blocked_by: frozenset[Block] = frozenset()
    refusal: int = 400  # status of a close that pending or blocked_by refuses
    error_body: ErrorBody = ErrorBody.OBJECT
    end_date: EndDate = EndDate.UTC
    utc_offset_minutes: int = -300  # the server's local time, for the forms of endDate that use it
    status_case: LetterCase = LetterCase.LOWER
    filter_case: FilterCase = FilterCase.ANY
    nulls: Nulls = Nulls.NULL
    listing: bool = True  # False: GET /api/v3/batch answers 403
    paging_headers: bool = True
    me: int = 200  # 404 or 403: GET /api/v3/me can't be asked
    clock_offset_s: float = 0.0  # the server's clock ahead of ours, in Date, endDate and startDate

    def __post_init__(self) -> None:
        for name in ("already_closed", "foreign", "me"):
            value = getattr(self, name)
            if value != 200:
                _status(name, value)
        _status("refusal", self.refusal)
        if abs(self.utc_offset_minutes) > 14 * 60:
            raise ConfigurationError(f"UTC offset {self.utc_offset_minutes} min is beyond 14 hours")
        if not isfinite(self.clock_offset_s):
            raise ConfigurationError(f"clock offset must be a number of seconds, not {self.clock_offset_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How quick the server is, and how much it takes."""

    latency_s: tuple[float, float] = (0.0, 0.0)  # uniform between the two
    effect_at: float = 0.5  # the part of the latency after which a write has taken effect, 0 to 1
    rate_per_s: float | None = None  # more than this answers 429
    burst: int = 0  # this many above the rate are let through in a window
    retry_after: RetryAfter = RetryAfter.SECONDS

    def __post_init__(self) -> None:
        low, high = self.latency_s
        if not (0 <= low <= high and isfinite(high)):
            raise ConfigurationError(f"latency {low} to {high} s is no range of seconds from 0")
        _share("effect_at", self.effect_at)
        if self.rate_per_s is not None and not (self.rate_per_s > 0 and isfinite(self.rate_per_s)):
            raise ConfigurationError(f"rate limit must be above 0 per second, not {self.rate_per_s}")
        if self.burst < 0:
            raise ConfigurationError(f"burst must be 0 or more, not {self.burst}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything the simulator is told."""

    key: str = "simulator-key"
    population: Population = field(default_factory=Population)
    unknowns: Unknowns = field(default_factory=Unknowns)
    pace: Pace = field(default_factory=Pace)
    faults: FaultPlan = field(default_factory=FaultPlan)
    redirect_to: str = "http://127.0.0.1:9"  # the other origin that a redirect names
    huge_bytes: int = 20_000_000  # size of a huge body, and of a gzip bomb once inflated
    can_export: str = "after batch"  # canExport of GET /api/v3/workflow/export


def _share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigurationError(f"{name} must be between 0 and 1, not {value}")


def _status(name: str, value: int) -> None:
    if not 400 <= value <= 599:
        raise ConfigurationError(f"{name} must be 200 or a status from 400 to 599, not {value}")
