"""Pages of made-up runs, written by the same code as those of real ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from worker.report.files import write_reports
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
    Verified,
)
from worker.words.model import FINE_BY_DEFAULT, ConfirmedBy, Outcome, Result, Stopped

START = 1_796_180_400.0  # 2026-12-02T03:00:00Z
KEY = KeyOwner(11, "batch.closer", "Batch Closer", "acme")


def result(number: int, outcome: Outcome = Outcome.CLOSED, **given: Any) -> Result:
    """An entry, made from its number alone; ``given`` stands instead."""
    told = outcome in {Outcome.CLOSED, Outcome.ALREADY_CLOSED, Outcome.HELD, Outcome.REJECTED}
    made = Result(
        run_id="month-end",
        batch_id=None if outcome is Outcome.INVALID else 1000 + number,
        outcome=outcome,
        confirmed_by=ConfirmedBy.RESPONSE if outcome is Outcome.CLOSED else None,
        attempts=0 if outcome in {Outcome.HELD, Outcome.NOT_ATTEMPTED, Outcome.INVALID} else 1,
        batch_code=f"UTIL-{number:05d}" if told else None,
        bill_count=number % 40 if told else None,
        running_total=Decimal(number * 7919 % 900_000) / 100 if told else None,
        account_period=("2026-10", "2026-11")[number % 2] if told else None,
        first_attempt_at=START + number / 40,
        settled_at=START + number / 40 + 0.1,
        elapsed_s=0.1,
        source="november.csv",
        line=number + 1,
        input="n/a" if outcome is Outcome.INVALID else None,
    )
    return made._replace(**given)


def mixed(many: int) -> Iterator[Result]:
    """So many entries, of which some end in each way."""
    for number in range(1, many + 1):
        match number % 25:
            case 3:
                yield result(
                    number,
                    Outcome.NOT_FOUND,
                    http_status=404,
                    message=f"Batch {1000 + number} was not found.",
                )
            case 7:
                yield result(number, Outcome.HELD, reason="pending", message="the batch is pending")
            case 11:
                yield result(number, Outcome.ALREADY_CLOSED)
            case 19:
                yield result(number, warnings=("flags",))
            case _:
                yield result(number)


def summary_of(results: Iterable[Result], proof: Proof | None = None, **given: Any) -> Summary:
    """The summary of a run with these results; ``given`` stands instead of what is made of them."""
    tally, latency, pauses = Tally(FINE_BY_DEFAULT), Latency(), Pauses()
    for each in results:
        tally.add(each)
        latency.add(0.02 + (each.line * 37 % 97) / 1000)
    many, invalid = sum(tally.outcomes.values()), tally.outcomes[Outcome.INVALID]
    length_s = many / 40 + 0.2
    pauses.add(START + length_s * 0.4, START + length_s * 0.45)
    closed = tally.closed.batches
    verified = proof.verified if proof else Verified(closed, 0)
    made = Summary(
        run_id="month-end",
        started_at=START,
        finished_at=START + length_s,
        duration_s=length_s,
        base_url="https://app.energycap.com",
        exit_code=0,
        input=InputCounts(many, many - invalid, 0, invalid),
        outcomes=tally.outcomes,
        confirmed_by=tally.confirmed_by,
        closed=tally.closed,
        verified=verified,
        warnings=tally.warnings,
        requests=Counters(put=closed),
        rate=Rate(40, 39.2),
        latency_ms=latency.in_ms(),
        problems=(*(proof.problems if proof else ()), *tally.problems),
        key=KEY,
        worked=(Span(START, START + length_s),),
        pauses=pauses,
        latency_buckets=latency.buckets(),
    )
    return replace(made, **given)


def write_page(folder: Path, summary: Summary, results: Iterable[Result]) -> Path:
    """Write the files of a run; the page's path."""
    write_reports(folder, summary, results, FINE_BY_DEFAULT)
    return folder / "report.html"


def page_of(folder: Path, results: list[Result], proof: Proof | None = None, **given: Any) -> Path:
    """The page of a run with these results."""
    return write_page(folder, summary_of(results, proof, **given), results)


def stopped_run() -> tuple[list[Result], dict[str, Any]]:
    """A run that its deadline stopped: its results, and what its summary says of that."""
    results = list(mixed(60)) + [
        result(n, Outcome.NOT_ATTEMPTED, reason="stopped_by_deadline", first_attempt_at=None)
        for n in range(61, 101)
    ]
    return results, {
        "stopped": Stopped.DEADLINE,
        "stopped_by": "deadline=2",
        "exit_code": 4,
        "verified": None,
    }
