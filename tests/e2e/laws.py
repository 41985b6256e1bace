"""What must hold of any run: the report against the server's truth and its journal of requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from tests.e2e.support import Ran
from worker.simulator.faults import Route
from worker.simulator.journal import Request
from worker.simulator.options import Nulls
from worker.simulator.running import Simulator

_TRUE = ("ok", "slow", "rival")
"""Faults that give the true answer all the same."""
_CUT = ("truncated", "huge")


def check_laws(simulator: Simulator, ran: Ran, max_attempts: int = 5, *, resumed: bool = False) -> None:
    """Sums, one line per batch, no blind second PUT, no PUT too many, counts as the server's.

    In a resumed run the attempt that met the dead key, or was recorded and never sent, need not fit.
    """
    summary, journal = ran.summary, list(simulator.requests)
    lines = [line["batch_id"] for line in ran.results if line["batch_id"] is not None]
    assert len(lines) == len(set(lines)) == summary["input"]["ids"]
    assert summary["input"]["ids"] + summary["input"]["invalid"] == sum(summary["outcomes"].values())
    assert Counter(line["outcome"] for line in ran.results) == Counter(summary["outcomes"])
    by_route = Counter(request.route for request in journal)
    sent = {kind: summary["requests"][kind] for kind in ("put", "get", "me")}
    assert sent == {kind: by_route[Route(kind)] for kind in sent}
    assert summary["requests"]["total"] == len(journal)
    _check_money(simulator, ran)
    visits, by_id = visits_of(journal), ran.by_id
    assert set(visits) <= set(lines), "only what was asked for is touched"
    for batch_id, seen in visits.items():
        _check_visits(batch_id, seen, by_id[batch_id], max_attempts, resumed=resumed)


def visits_of(journal: list[Request]) -> dict[int, list[Request]]:
    """Each batch's requests, in the order they arrived."""
    visits = defaultdict(list)
    for request in journal:
        if request.batch_id is not None:
            visits[request.batch_id].append(request)
    return visits


def _check_money(simulator: Simulator, ran: Ran) -> None:
    truth = simulator.world.truth()
    ours = [truth[i] for i, line in ran.by_id.items() if line["outcome"] == "closed"]
    cents = sum(round(float(str(row["running_total"])) * 100) for row in ours)
    bills = sum(int(str(row["bill_count"])) for row in ours)
    if simulator.options.unknowns.nulls is Nulls.BARE:
        cents = bills = 0  # the API told of neither
    assert ran.summary["closed"] == {
        "batches": len(ours),
        "bills": bills,
        "running_total": f"{cents / 100:.2f}",
    }


def _check_visits(
    batch_id: int, seen: list[Request], line: dict[str, Any], max_attempts: int, *, resumed: bool
) -> None:
    puts = [request for request in seen if request.route is Route.PUT]
    throttled = sum(is_throttled(request) for request in puts)
    assert len(puts) <= max_attempts + throttled, (batch_id, seen)
    beside = abs(line["attempts"] - (len(puts) - throttled))
    assert beside <= (1 if resumed else 0), (batch_id, line, seen)
    for before, after in pairwise(seen):
        if before.route is after.route is Route.PUT:
            # What tells that nothing was done: "too many", and a 401 of a dead key.
            assert before.status == 429 or (resumed and before.status == 401), (batch_id, seen)


def is_throttled(request: Request) -> bool:
    """Whether it was answered 429, which costs no attempt."""
    return request.status == 429


def check_truth(simulator: Simulator, ran: Ran, max_attempts: int = 5) -> None:
    """Every line says what is so, and how it is known."""
    truth, visits = simulator.world.truth(), visits_of(list(simulator.requests))
    wrong = []
    for batch_id, line in ran.by_id.items():
        state, by_us = str(truth[batch_id]["state"]), bool(truth[batch_id]["closed_by_us"])
        seen = visits[batch_id]
        told = line["outcome"], line["reason"], line["confirmed_by"]
        story = f"{batch_id} is {state}, by us: {by_us}; told: {told}; " + " ".join(
            f"{each.route}:{each.fault}" for each in seen
        )
        how = None
        if line["outcome"] == "closed":
            how = "response" if seen[-1].route is Route.PUT else "lookup"
        may = outcomes_of(state, seen, max_attempts, by_us=by_us)
        if line["outcome"] not in may or line["confirmed_by"] != how:
            wrong.append(f"{story}; may be: {may}, {how}")
    assert not wrong, "\n".join(wrong[:40])


def outcomes_of(state: str, seen: list[Request], max_attempts: int, *, by_us: bool) -> set[str]:
    """What may be said of a batch: one outcome, or ``unknown`` where the last read was made impossible."""
    puts = [request for request in seen if request.route is Route.PUT]
    last, put = seen[-1], puts[-1]
    if last.route is Route.GET and not _tells(last):
        return {"unknown"} | _clear_refusal(put)
    if last.route is Route.PUT and last.status != 200:  # the API's own word
        return _clear_refusal(put)
    if state == "closed":
        return {"closed"} if by_us else {"already_closed"}
    if state == "missing":
        return {"not_found"}
    if refusal := _refusal(put):
        return refusal
    assert len(puts) == max_attempts, seen
    return {"failed"}


def _tells(read: Request) -> bool:
    """Whether a read's answer was the true one; of one cut short, a 404 still counts."""
    return read.fault.startswith(_TRUE) or (read.fault in _CUT and read.status == 404)


def _clear_refusal(put: Request) -> set[str]:
    """What an answer proves without a read."""
    if put.status == 404:
        return {"not_found"}
    if put.status in {401, 403}:
        return {"forbidden"}
    return {"rejected"} if put.status == 302 else set()


def _refusal(put: Request) -> set[str]:
    if put.status is None or put.status == 408 or not 300 <= put.status < 500:
        return set()
    if put.status == 404:
        return {"not_found"}
    return {"forbidden"} if put.status in {401, 403} else {"rejected"}
