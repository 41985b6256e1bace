"""The record of a run that every report is rendered from, and the exit code it means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter

from worker.rules.summary.counters import Counters, LatencyMs
from worker.rules.summary.forms import instant
from worker.rules.summary.problems import Problem
from worker.rules.summary.spans import Instant, Pauses, Span
from worker.rules.summary.tally import Closed
from worker.words.model import ConfirmedBy, Outcome, Stopped


class InputCounts(NamedTuple):
    """What the input held."""

    lines: int
    ids: int  # distinct
    duplicates: int
    invalid: int


class Verified(NamedTuple):
    """The proof after a run: closed batches that were read again."""

    batches: int
    disagreeing: int  # of those: not closed when they were read


class Rate(NamedTuple):
    """Requests of any kind per second."""

    limit_per_s: float
    achieved_per_s: float


class KeyOwner(NamedTuple):
    """Whose the key is, as ``GET /api/v3/me`` says (source: SDK). None: not told."""

    user_id: int | None = None
    user_code: str | None = None
    full_name: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run, all its sessions together: the one record that every report is rendered from."""

    run_id: str
    sessions: int = 1
    started_at: Instant
    finished_at: Instant | None  # None: it is under way, or was killed
    duration_s: float
    base_url: str
    queue: str | None = None  # of a run that a fleet of workers did, without user and password
    exit_code: int | None  # None as above
    stopped: Stopped | None = None
    stopped_by: str | None = None  # the rule or the signal
    stopped_by_ids: tuple[int, ...] = ()  # the last batches that made a rule fire
    input: InputCounts
    outcomes: Mapping[Outcome, int]
    confirmed_by: Mapping[ConfirmedBy, int]
    closed: Closed
    verified: Verified | None = None  # None: nothing was read again
    warnings: Mapping[str, int] = field(default_factory=dict)  # batches by the guard that warned of them
    untold: int = 0  # closed batches that are not in its sums, for the API told no bills or no total
    requests: Counters
    rate: Rate
    latency_ms: LatencyMs
    problems: tuple[Problem, ...] = ()
    key: KeyOwner | None = None  # of the last session that asked; None: none did, or the API does not say
    other_keys: tuple[KeyOwner, ...] = ()  # of earlier sessions, where they were others'
    worked: tuple[Span, ...] = ()  # the sessions
    pauses: Pauses = field(default_factory=Pauses)
    latency_buckets: Mapping[float, int] = field(default_factory=dict)  # answers by milliseconds at most

    @property
    def is_unfinished(self) -> bool:
        """Whether its last session has not come to an end: it is under way, or was killed."""
        return self.finished_at is None

    @property
    def last_at(self) -> float:
        """When it ended; of one that has not, until when it is known to have worked."""
        worked = max((span.until_at for span in self.worked), default=self.started_at)
        return worked if self.finished_at is None else self.finished_at

    @property
    def ended_with(self) -> int:
        """The exit code of a run that came to its end."""
        if self.exit_code is None:
            raise AssertionError("a run that came to its end has an exit code")
        return self.exit_code

    @property
    def unsettled(self) -> int:
        """Batches of an unfinished run that have no result yet."""
        return sum(each.count for each in self.problems if _is_cut_off(each))

    def to_json_dict(self) -> dict[str, Any]:
        """What summary.json holds, in its order."""
        data = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in ("input", "rate", "latency_ms"):
            data[name] = data[name]._asdict()
        data["verified"] = None if self.verified is None else self.verified._asdict()
        data["warnings"] = dict(self.warnings)
        return data | {
            "started_at": instant(self.started_at),
            "finished_at": None if self.finished_at is None else instant(self.finished_at),
            "duration_s": round(self.duration_s, 3),
            "outcomes": {outcome.value: self.outcomes.get(outcome, 0) for outcome in Outcome},
            "confirmed_by": {how.value: self.confirmed_by.get(how, 0) for how in ConfirmedBy},
            "closed": self.closed._asdict() | {"running_total": f"{self.closed.running_total:.2f}"},
            "requests": self.requests.to_json_dict(),
            "problems": [asdict(each) | {"first_ids": list(each.first_ids)} for each in self.problems],
            "key": None if self.key is None else self.key._asdict(),
            "other_keys": [each._asdict() for each in self.other_keys],
            "worked": [each.to_json_dict() for each in self.worked],
            "pauses": self.pauses.to_json_dict(),
            "latency_buckets": {f"{up_to:g}": count for up_to, count in self.latency_buckets.items()},
        }

    @classmethod
    def from_json_dict(cls, data: Mapping[str, Any]) -> Summary:
        """What ``to_json_dict`` wrote. Raises ValueError if it is something else."""
        return TypeAdapter(cls).validate_python(dict(data))


def _is_cut_off(problem: Problem) -> bool:
    touched = problem.outcome is Outcome.UNKNOWN and problem.reason in {"interrupted", "under_way"}
    return touched or problem.outcome is Outcome.NOT_ATTEMPTED


_STOPPED_CODES: Final = {
    Stopped.DEADLINE: 4,
    Stopped.ABORT: 4,
    Stopped.KEY: 5,
    Stopped.UNREACHABLE: 5,
    Stopped.DISK: 1,
    Stopped.QUEUE: 1,
}


def exit_code_of(
    outcomes: Mapping[Outcome, int],
    ok: Collection[Outcome],
    stopped: Stopped | None,
    signal_number: int | None = None,
    verified: Verified | None = None,
) -> int:
    """The exit code of a run that got as far as having outcomes.

    ``signal_number`` is that of the signal it was stopped by (2 gives 130, 15 gives 143).
    """
    if stopped is Stopped.SIGNAL:
        return 128 + (signal_number or 2)
    if stopped is not None:
        return _STOPPED_CODES[stopped]
    if verified is not None and verified.disagreeing:
        return 3
    return 3 if any(count and outcome not in ok for outcome, count in outcomes.items()) else 0
