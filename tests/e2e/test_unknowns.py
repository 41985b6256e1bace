"""Whichever way the API's undocumented answers turn out, the report is the truth."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.laws import check_laws, outcomes_of, visits_of
from tests.e2e.pairs import pairwise
from tests.e2e.support import Program, Ran, a_batch
from worker.simulator.faults import Route
from worker.simulator.options import Block, EndDate, ErrorBody, LetterCase, Nulls, Options, Unknowns
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import script, scripted
from worker.simulator.world import SimBatch, State, World

FACTORS: dict[str, tuple[object, ...]] = {
    "already_closed": (200, 400, 404, 409, 422, 500),
    "end_date": tuple(EndDate),
    "utc_offset_minutes": (-720, -300, 0, 330, 840),
    "error_body": tuple(ErrorBody),
    "status_case": tuple(LetterCase),
    "nulls": tuple(Nulls),
    "pending_closes": (False, True),
    "pending_is_open": (False, True),
    "blocked_by": (frozenset(), frozenset(Block)),
    "refusal": (400, 409, 500),
    "foreign": (200, 401, 403, 404),
    "me": (200, 403, 404),
    "clock_offset_s": (0.0, 3600.0, -3600.0),
}
ROWS = pairwise(FACTORS, seed=2)
RECENT_S = 2 * 3600.0 + 450  # between two quarters of an hour: no zone makes a naive end date fit our PUT
FAULTS = ("ok", "500", "close_then_500", "drop_after")


def the_batches(now: float) -> dict[int, SimBatch]:
    """Each fate of a batch, and each of them once for every fault."""
    fates: dict[int, dict[str, Any]] = {
        10: {},
        20: {"state": State.CLOSED},
        30: {"state": State.CLOSED, "closed_at": now - RECENT_S},
        40: {"state": State.PENDING},
        50: {"flags": 2, "analyzing": 1, "kickouts": True},
        60: {"owner": 1},
        70: {"state": State.MISSING},
    }
    return {
        first + turn: a_batch(first + turn, now=now, **fate)
        for first, fate in fates.items()
        for turn in range(len(FAULTS))
    }


@pytest.mark.parametrize("row", ROWS, ids=[f"row{i}" for i in range(len(ROWS))])
def test_every_unknown(program: Program, row: dict[str, Any]) -> None:
    """Each two of the possible answers together, on batches of each fate, with and without a fault."""
    batches = the_batches(time.time())
    faults = scripted(by_id={i: script(put=[FAULTS[i % 10]]) for i in batches})
    options = Options(unknowns=Unknowns(**row), faults=faults)
    with simulator_thread(options, world=World(batches)) as simulator:
        ran = program.close(simulator, "--abort", "none", ids=batches)
        check_laws(simulator, ran)
        check_row(simulator, ran, row)


def check_row(simulator: Simulator, ran: Ran, row: dict[str, Any]) -> None:
    """Every batch's outcome is the truth, or one of the two documented exceptions."""
    visits, by_id, wrong = visits_of(list(simulator.requests)), ran.by_id, []
    for batch_id, batch in simulator.world.batches.items():
        line, seen = by_id[batch_id], visits[batch_id]
        may = outcomes_of(batch.state, seen, 5, by_us=batch.closed_by == "us")
        unasked = row["me"] == 404 and any(each.status == 401 for each in seen)
        if unasked:
            may |= {"failed"}  # nobody can say whether the key or the batch was refused
        if batch.closed_by == "them" and coarse(batch_id, row) and settled_after_doubt(seen, row):
            may |= {"closed"}
            if line["outcome"] == "closed" and line["confirmed_by"] == "lookup":
                assert str(line["reason"]).startswith("end_date_"), line
        if line["outcome"] not in may:
            story = " ".join(f"{each.route}:{each.fault}:{each.status}" for each in seen)
            wrong.append(f"{batch_id} {batch.state} {batch.closed_by} told {line}; may be {may}: {story}")
        message = line["message"] or ""
        assert "<" not in message
        assert len(message) <= 300
    assert not wrong, "\n".join(wrong)


def coarse(batch_id: int, row: dict[str, Any]) -> bool:
    """Whether the end date can't tell a close before the run from one in it."""
    if row["nulls"] is Nulls.BARE or row["end_date"] is EndDate.NULL:
        return True
    return row["end_date"] is EndDate.DATE and batch_id // 10 == 3


def settled_after_doubt(seen: list[Any], row: dict[str, Any]) -> bool:
    """Whether one of our PUTs may have closed it, as far as answers tell."""
    clear = {400, 404, 409, 422} & {row["already_closed"]}
    return not clear or any(each.fault != "ok" for each in seen if each.route is Route.PUT)
