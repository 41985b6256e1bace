"""Whichever way the API's undocumented answers turn out: nothing unfit is closed, and the report is true."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.pairs import pairwise
from tests.e2e.support import a_batch
from tests.guards.support import Looking, open_batches, seen, world_of, written
from tests.plan.support import faults
from worker.simulator import api
from worker.simulator.faults import Route
from worker.simulator.options import (
    Block,
    EndDate,
    ErrorBody,
    FilterCase,
    LetterCase,
    Nulls,
    Options,
    Unknowns,
)
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.world import SimBatch, State

FACTORS: dict[str, tuple[object, ...]] = {
    "filter_case": tuple(FilterCase),
    "status_case": tuple(LetterCase),
    "paging_headers": (True, False),
    "listing": (True, False),
    "nulls": tuple(Nulls),
    "end_date": (EndDate.UTC, EndDate.NAIVE_LOCAL, EndDate.DATE, EndDate.NULL),
    "pending_closes": (False, True),
    "pending_is_open": (False, True),
    "blocked_by": (frozenset(), frozenset(Block)),
    "refusal": (400, 409, 500),
    "foreign": (200, 401, 403),
    "me": (200, 403, 404),
    "already_closed": (200, 400, 404, 500),
    "error_body": (ErrorBody.OBJECT, ErrorBody.HTML, ErrorBody.EMPTY),
    "clock_offset_s": (0.0, 3600.0, -3600.0),
}
ROWS = pairwise(FACTORS, seed=4)
OPEN, CLOSED, GONE, PENDING, ANALYZING, FOREIGN = range(1, 7)
EACH = 3


def the_batches(now: float) -> list[SimBatch]:
    """Three of each fate: batch 20 + OPEN is the second open one."""
    fates: dict[int, dict[str, Any]] = {
        OPEN: {},
        CLOSED: {"state": State.CLOSED},
        GONE: {"state": State.MISSING},
        PENDING: {"state": State.PENDING},
        ANALYZING: {"analyzing": 2},
        FOREIGN: {"owner": 1},
    }
    return [
        a_batch(10 * turn + fate, now=now, **given)
        for turn in range(1, EACH + 1)
        for fate, given in fates.items()
    ]


def expected(fate: int, row: dict[str, Any]) -> set[str]:
    """How a batch must end."""
    may = {OPEN: "closed", CLOSED: "already_closed", GONE: "not_found", PENDING: "held", ANALYZING: "held"}
    if fate == ANALYZING and row["nulls"] is Nulls.BARE:  # nobody is told; the server may know better
        return {"failed" if row["refusal"] == 500 else "rejected"} if row["blocked_by"] else {"closed"}
    if fate == FOREIGN:
        if row["foreign"] == 200:
            return {"closed"}
        # Where `me` can't be asked, nobody can say whether a 401 means the key or the batch.
        return {"failed"} if (row["foreign"], row["me"]) == (401, 404) else {"forbidden"}
    return {may[fate]}


@pytest.mark.parametrize("row", ROWS, ids=[f"row{i}" for i in range(len(ROWS))])
def test_every_unknown(program: Looking, row: dict[str, Any]) -> None:
    """Each two of the possible answers together, on batches of each fate."""
    world = world_of(*the_batches(time.time()))
    with simulator_thread(Options(unknowns=Unknowns(**row)), world=world) as simulator:
        ran = program.close(simulator, "--abort", "none", ids=world.targets)
        check_truth(simulator, ran.by_id)
        for batch_id, line in ran.by_id.items():
            assert line["outcome"] in expected(batch_id % 10, row), line
        assert len(ran.events("list.unavailable")) == (not row["listing"])
        assert ran.summary["requests"]["total"] == len(simulator.requests)
    closed = ran.summary["outcomes"]["closed"]
    assert ran.summary["verified"] == {"batches": closed, "disagreeing": 0}


def check_truth(simulator: Simulator, by_id: dict[int, dict[str, Any]]) -> None:
    """Every line against what the server knows, and what it saw."""
    for batch_id, truth in simulator.world.truth().items():
        line, state = by_id[batch_id], str(truth["state"])
        so = {
            "closed": truth["closed_by_us"],
            "already_closed": state == "closed" and not truth["closed_by_us"],
            "not_found": state == "missing",
            "held": state in {"open", "pending"} and not truth["puts"],
        }
        assert so.get(line["outcome"], state in {"open", "pending"} and truth["puts"]), (line, truth)
        assert bool(truth["puts"]) is (line["attempts"] > 0), (line, truth)


@pytest.mark.parametrize(("closes", "outcome"), [(True, "closed"), (False, "rejected")])
@pytest.mark.parametrize("is_open", [True, False])
def test_a_pending_batch_that_is_let_through(
    program: Looking, closes: bool, outcome: str, is_open: bool
) -> None:
    """With the guard off it is tried; whether the API takes it is told as it was."""
    unknowns = Unknowns(pending_closes=closes, pending_is_open=is_open)
    world = world_of(a_batch(1, State.PENDING), *open_batches(1001, 2))
    with simulator_thread(Options(unknowns=unknowns), world=world) as simulator:
        ran = program.close(simulator, "--guard", "pending=ignore", ids=[1, 1001, 1002])
        check_truth(simulator, ran.by_id)
    assert ran.by_id[1]["outcome"] == outcome


@pytest.mark.parametrize(
    ("kinds", "reason", "lists"),
    [
        ("403", "http_403", 1),
        ("401", "http_401", 1),
        ("redirect", "http_302", 1),
        ("404", "http_404", 1),
        ("400,400,400", "http_400", 3),
        (",".join(["500"] * 5), "http_500", 5),
        (",".join(["html"] * 5), "not_a_list", 5),
    ],
)
def test_a_list_that_is_no_list_is_said_once(program: Looking, kinds: str, reason: str, lists: int) -> None:
    """Then each batch is read before its close, and one warning says why that takes longer."""
    world = world_of(*open_batches(1001, 4), a_batch(1, analyzing=1))
    with simulator_thread(Options(faults=faults(list=kinds)), world=world) as simulator:
        ran = program.close(simulator, ids=world.targets)
        before = next(i for i, request in enumerate(simulator.requests) if request.route is Route.PUT)
        routes = [request.route for request in simulator.requests]
        assert routes[:before].count(Route.LIST) == lists
        assert written(simulator).count(1) == 0
        assert len(written(simulator)) == 4
    (event,) = ran.events("list.unavailable")
    assert (event["level"], event["reason"], event["instead"]) == ("warning", reason, "single reads")


def test_a_filter_that_does_nothing_is_found_out(program: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that shows closed batches too is not relied on: neither before the run, nor as its proof."""
    monkeypatch.setattr(api, "predicate", lambda *_: lambda _: True)
    world = world_of(a_batch(1, State.CLOSED, now=time.time()), *open_batches(1001, 3))
    with simulator_thread(world=world) as simulator:
        ran = program.close(simulator, ids=[1001, 1002, 1003, 1])
        assert (seen(simulator, Route.LIST), seen(simulator, Route.GET)) == (6, 4 + 3)
        check_truth(simulator, ran.by_id)
    (event,) = ran.events("list.unavailable")
    assert event["reason"] == "filter_not_understood"
    assert (ran.code, ran.summary["verified"]) == (0, {"batches": 3, "disagreeing": 0})


def test_a_list_that_changes_while_it_is_read(program: Looking) -> None:
    """What it did not show is read: a batch that slipped between two pages is closed all the same."""
    world = world_of(*open_batches(1001, 1020))
    hidden = world.batches.pop(1500)

    def show() -> float:
        if len(simulator.requests) >= 4:  # the key, two pages, and the first single request after them
            world.batches[1500] = hidden
        return time.time()

    with simulator_thread(world=world, clock=show) as simulator:
        ran = program.close(simulator, ids=range(1001, 2021))
        assert written(simulator).count(1500) == 1
    assert ran.summary["outcomes"]["closed"] == 1020
