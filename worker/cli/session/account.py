"""The books of a run: all its sessions together, from the ledger."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from worker.cli.signals import number_of
from worker.engine.stop import Stop
from worker.ledger import Line, RunRow, Store
from worker.report import parse_line
from worker.rules.proof import Proof
from worker.rules.summary import (
    Counters,
    InputCounts,
    KeyOwner,
    Latency,
    Pauses,
    Rate,
    Span,
    Summary,
    Tally,
    exit_code_of,
)
from worker.words.model import Outcome, Rejected, Result, Stopped


@dataclass(slots=True)
class Meters:
    """What a session counts; kept in the ledger with each commit, so that a killed session's are not lost."""

    counters: Counters = field(default_factory=Counters)
    latency: Latency = field(default_factory=Latency)
    pauses: Pauses = field(default_factory=Pauses)
    key: KeyOwner | None = None

    def to_json(self, at: float) -> bytes:
        """The form the ledger keeps, with the instant it was true."""
        kept = {"requests": self.counters.to_json_dict(), "latency": self.latency.to_json_dict(), "at": at}
        key = None if self.key is None else self.key._asdict()
        kept |= {"pauses": self.pauses.cut(at).to_json_dict(), "key": key}
        return orjson.dumps(kept, option=orjson.OPT_NON_STR_KEYS)

    def add_json(self, text: bytes) -> float:
        """Add what another session kept; return its instant."""
        kept: dict[str, Any] = orjson.loads(text)
        self.counters.merge(Counters.from_json_dict(kept["requests"]))
        self.latency.merge(Latency.from_json_dict(kept["latency"]))
        if pauses := kept.get("pauses"):
            self.pauses.merge(Pauses.from_json_dict(pauses))
        if key := kept.get("key"):
            self.key = KeyOwner(**key)
        return float(kept["at"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a session ended: the instant, and why it stopped where it did not finish."""

    at: float
    stopped: Stopped | None = None
    by: str | None = None
    signal_number: int | None = None
    batch_ids: tuple[int, ...] = ()


def ending_by(stop: Stop) -> Ending:
    """How a session ended that was, or was not, stopped."""
    return Ending(
        at=time.time(),
        stopped=stop.kind,
        by=stop.by,
        signal_number=number_of(stop.by),
        batch_ids=stop.batch_ids,
    )


class Account:
    """Totals of a run: what earlier sessions kept, and what is added now."""

    def __init__(self, store: Store, run: RunRow, ok: Collection[Outcome]) -> None:
        self.run = run
        self.started_at = run.started_at
        self.tally = Tally(ok)
        self.session = Meters()
        self.sessions = 0
        self._ok = ok
        self._earlier = Meters()
        self._earlier_s = 0.0
        self._keys: list[KeyOwner] = []
        self._worked: list[Span] = []
        for session in store.sessions(run):
            self.sessions += 1
            self.started_at = self.started_at or session.started_at
            last_at = session.finished_at or session.started_at
            if session.counters:
                last_at = max(last_at, self._earlier.add_json(session.counters))
            self._earlier_s += last_at - session.started_at
            self._keys += [self._earlier.key] if self._earlier.key else []
            self._worked.append(Span(session.started_at, last_at))

    def summary(
        self, ending: Ending, *, rate_per_s: float, session_s: float, proof: Proof | None = None
    ) -> Summary:
        """The record of the run, as it stands after ``session_s`` seconds of this session."""
        run, tally = self.run, self.tally
        requests, latency, pauses = Counters(), Latency(), Pauses()
        for meters in (self._earlier, self.session):
            requests.merge(meters.counters)
            latency.merge(meters.latency)
            pauses.merge(meters.pauses.cut(ending.at))
        keys = [*self._keys, *([self.session.key] if self.session.key else [])]
        worked = self._worked
        if session_s and worked:
            worked = [*worked[:-1], worked[-1]._replace(until_at=ending.at)]
        duration_s = self._earlier_s + session_s
        verified = None if proof is None else proof.verified
        return Summary(
            run_id=run.run_id,
            sessions=self.sessions,
            started_at=self.started_at or ending.at,
            finished_at=ending.at,
            duration_s=duration_s,
            base_url=run.base_url,
            exit_code=exit_code_of(tally.outcomes, self._ok, ending.stopped, ending.signal_number, verified),
            stopped=ending.stopped,
            stopped_by=ending.by,
            stopped_by_ids=ending.batch_ids,
            input=InputCounts(run.lines, run.ids, run.duplicates, run.invalid),
            outcomes=tally.outcomes,
            confirmed_by=tally.confirmed_by,
            closed=tally.closed,
            verified=verified,
            warnings=tally.warnings,
            untold=tally.untold,
            requests=requests,
            rate=Rate(rate_per_s, round(requests.total / duration_s, 3) if duration_s > 0 else 0.0),
            latency_ms=latency.in_ms(),
            problems=tally.problems if proof is None else (*proof.problems, *tally.problems),
            key=keys[-1] if keys else None,
            other_keys=tuple(each for each in dict.fromkeys(keys) if each != keys[-1]),
            worked=tuple(worked),
            pauses=pauses,
            latency_buckets=latency.buckets(),
        )


def results_of(store: Store, run: RunRow, ending: Ending) -> Iterator[Result]:
    """Every line of the run's input as a result, in input order, whatever is recorded of it."""
    for line in store.results(run):
        yield derive(line, run, ending)


def final_results_of(store: Store, run: RunRow) -> Iterator[Result]:
    """What is final of a run, in input order: invalid lines and settled batches."""
    for line in store.results(run):
        if isinstance(line.entry, Rejected) or line.final:
            yield derive(line, run, Ending(at=run.created_at))


def derive(line: Line, run: RunRow, ending: Ending) -> Result:
    """A line of the input as a result.

    Without a record the batch was not tried; or, where an intent is recorded, nobody knows.
    """
    entry = line.entry
    if isinstance(entry, Rejected):
        return Result(
            run_id=run.run_id,
            batch_id=None,
            outcome=Outcome.INVALID,
            reason="not_a_batch_id",
            settled_at=run.created_at,
            source=entry.source,
            line=entry.line,
            input=entry.text,
        )
    if line.record is not None:
        return parse_line(line.record)
    touched = entry.first_attempt_at is not None
    untried = f"stopped_by_{ending.stopped}" if ending.stopped else "interrupted"
    return Result(
        run_id=run.run_id,
        batch_id=entry.batch_id,
        outcome=Outcome.UNKNOWN if touched else Outcome.NOT_ATTEMPTED,
        reason="interrupted" if touched else untried,
        attempts=entry.attempts,
        first_attempt_at=entry.first_attempt_at,
        settled_at=ending.at,
        source=entry.source,
        line=entry.line,
    )
