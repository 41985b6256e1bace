"""A run's report against what the server knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from worker.simulator.faults import Route
from worker.simulator.running import Simulator
from worker.words.model import Outcome

Lines = Sequence[Mapping[str, Any]]


def check_report(simulator: Simulator, lines: Lines, summary: Mapping[str, Any]) -> None:
    """Assert that every line is true, every total is the sum of its lines, and nothing is missing."""
    ids = [line["batch_id"] for line in lines if line["batch_id"] is not None]
    assert len(ids) == len(set(ids)) == summary["input"]["ids"]
    truth = simulator.world.truth()
    lies = [line for line in lines if not is_true(line, truth.get(line["batch_id"], {}))]
    assert not lies, lies
    check_totals(lines, summary)
    check_order_of_requests(simulator)


def is_true(line: Mapping[str, Any], truth: Mapping[str, Any]) -> bool:
    """Whether the outcome agrees with what the server knows of the batch."""
    match line["outcome"]:
        case "closed":
            bills, total = truth["bill_count"], truth["running_total"]
            held = line["bill_count"] == bills and Decimal(line["running_total"]) == Decimal(total)
            return bool(truth["closed_by_us"]) and held
        case "already_closed":
            return truth["state"] == "closed" and truth["closed_by_us"] is False
        case "not_found":
            return bool(truth["state"] == "missing")
        case "rejected" | "failed" | "held":
            return truth["state"] in {"open", "pending"}
        case "not_attempted":
            return not truth["closed_by_us"]
        case "invalid":
            return not truth
        case "unknown":
            return True
    return False


def check_totals(lines: Lines, summary: Mapping[str, Any]) -> None:
    """Assert that summary.json is the fold of results.jsonl, and that the sum check holds."""
    outcomes = Counter(line["outcome"] for line in lines)
    assert summary["outcomes"] == {outcome.value: outcomes[outcome.value] for outcome in Outcome}
    assert summary["input"]["ids"] + summary["input"]["invalid"] == sum(summary["outcomes"].values())
    confirmed = Counter(line["confirmed_by"] for line in lines)
    assert summary["confirmed_by"] == {how: confirmed[how] for how in ("response", "lookup")}
    closed = [line for line in lines if line["outcome"] == "closed"]
    assert summary["closed"] == {
        "batches": len(closed),
        "bills": sum(line["bill_count"] or 0 for line in closed),
        "running_total": f"{sum((Decimal(line['running_total']) for line in closed), Decimal(0)):.2f}",
    }


def check_order_of_requests(simulator: Simulator) -> None:
    """Assert that no PUT followed one that may have worked without a read that succeeded between them."""
    doubtful: set[int | None] = set()
    for request in simulator.requests:
        if request.route is Route.PUT:
            assert request.batch_id not in doubtful, f"a second blind PUT for {request.batch_id}"
            if request.status != 429:
                doubtful.add(request.batch_id)
        elif request.route is Route.GET and request.status == 200:
            doubtful.discard(request.batch_id)


def puts_seen(simulator: Simulator) -> int:
    """How many closes the server saw."""
    return simulator.requests.by_route()[Route.PUT]


def closed_by_us(simulator: Simulator) -> set[int]:
    """The batches that a close of ours closed."""
    return {i for i, batch in simulator.world.batches.items() if batch.closed_by == "us"}


def of_outcome(lines: Iterable[Mapping[str, Any]], outcome: str) -> set[int]:
    """The ids that ended so."""
    return {line["batch_id"] for line in lines if line["outcome"] == outcome}
