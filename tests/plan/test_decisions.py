"""What is decided for each batch, and how it is told."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from tests.e2e.support import a_batch, a_world
from tests.plan.support import Planner
from worker.simulator import api
from worker.simulator.faults import Route
from worker.simulator.options import Options
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import fault_plan
from worker.simulator.world import SimBatch, State, World

MIXED = {1001: State.OPEN, 1002: State.CLOSED, 1003: State.MISSING, 1004: State.PENDING, 1005: State.OPEN}


def _world(*batches: SimBatch) -> World:
    return World({batch.batch_id: batch for batch in batches}, [batch.batch_id for batch in batches])


def test_every_kind_of_batch_is_told_apart(planner: Planner) -> None:
    """Open, closed, missing, pending, forbidden, unreadable and no id at all, in input order, once each."""
    states = MIXED | {1006: State.CLOSED, 1007: State.CLOSED}
    plan = fault_plan(at=["1006:get=403", "1007:get=" + ",".join(["500"] * 9)])
    with simulator_thread(Options(faults=plan), world=a_world(states)) as simulator:
        planned = planner.plan(simulator, "-", stdin=b"1001\n1002\nx y\n1003\n1004\n1005\n1006\n1001\n1007\n")
    assert planned.code == 3
    assert [(entry["batch_id"], entry["decision"], entry["line"]) for entry in planned.entries] == [
        (1001, "close", 1),
        (1002, "already_closed", 2),
        (None, "invalid", 3),
        (1003, "not_found", 4),
        (1004, "hold", 5),
        (1005, "close", 6),
        (1006, "forbidden", 7),
        (1007, "unreadable", 9),
    ]
    assert planned.entry(1004)["reason"] == "pending"
    assert planned.entry(1007)["reason"] == "http_500"
    assert "Would close 2 batches: 6 bills, 246.90 in total." in planned.out
    assert "1 is closed already. 5 of 8 would not be closed. 1 duplicate" in planned.out
    for words in ("pending: the batch is pending", "not_found, HTTP 404", "stdin line 3: 'x y'", "forbidden"):
        assert words in planned.out


def test_what_is_fine_is_0(planner: Planner) -> None:
    """Open and closed batches make exit code 0; ``--ok`` takes others up."""
    with simulator_thread(world=a_world(MIXED)) as simulator:
        assert planner.plan(simulator, ids=[1001, 1002]).code == 0
        assert planner.plan(simulator, ids=[1001, 1003]).code == 3
        assert planner.plan(simulator, "--ok", "not_found", ids=[1001, 1003]).code == 0


def test_no_batch_at_all_asks_nothing(planner: Planner) -> None:
    """An empty input is planned without a request; lines that are no ids too, with exit code 3."""
    with simulator_thread(world=a_world(MIXED)) as simulator:
        planned = planner.plan(simulator, "-")
        assert (planned.code, planned.entries) == (0, [])
        assert "Nothing to do" in planned.out
        assert planner.plan(simulator, "-", stdin=b"a\nb\n").code == 3
        assert len(simulator.requests) == 0


GUARDED: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "pending": ({"state": State.PENDING}, (), "hold"),
    "analyzing": ({"analyzing": 2}, (), "hold"),
    "kickouts": ({"kickouts": True}, (), "warn"),
    "flags": ({"flags": 1}, (), "warn"),
    "empty": ({"bill_count": 0, "total_cents": 0}, (), "warn"),
    "period": ({"year": 2026, "month": 9}, ("--period", "2026-10"), "hold"),
    "total": ({"total_cents": 500_01}, ("--max-total", "500"), "hold"),
}


@pytest.mark.parametrize("action", [None, "hold", "warn", "ignore"])
@pytest.mark.parametrize("guard", GUARDED)
def test_each_guard_in_each_setting(planner: Planner, guard: str, action: str | None) -> None:
    """It holds, warns or is silent, as its default or ``--guard`` says; a batch without fault is closed."""
    wrong, flags, default = GUARDED[guard]
    given: dict[str, Any] = {"year": 2026, "month": 10, "total_cents": 500_00}
    batches = [a_batch(1001, **given), a_batch(1002, **(given | wrong))]
    told = flags if action is None else (*flags, "--guard", f"{guard}={action}")
    with simulator_thread(world=_world(*batches)) as simulator:
        planned = planner.plan(simulator, *told, ids=[1001, 1002])
    expected = action or default
    found = planned.entry(1002)
    assert planned.decisions[1001] == "close"
    assert found["decision"] == ("hold" if expected == "hold" else "close")
    assert found["warnings"] == ([guard] if expected == "warn" else [])
    assert planned.code == (3 if expected == "hold" else 0)
    assert (f"{guard}: " in planned.out) is (expected != "ignore")


@pytest.mark.parametrize("manage", [True, False, None])
def test_anothers_batch_is_held_if_the_key_may_not_manage(planner: Planner, manage: bool | None) -> None:
    """The identity decides; where it says nothing of the right, nothing is held."""
    world = _world(a_batch(1001), a_batch(1002, owner=1))
    with simulator_thread(world=world) as simulator, pytest.MonkeyPatch.context() as patch:
        patch.setitem(cast("dict[str, bool | None]", api._PERMISSIONS), "manage", manage)
        planned = planner.plan(simulator, ids=[1001, 1002])
    assert planned.decisions == {1001: "close", 1002: "hold" if manage is False else "close"}
    assert planned.entry(1002)["reason"] == ("owner" if manage is False else None)


def test_control_totals_hold_what_differs(planner: Planner) -> None:
    """A batch whose bills or total are not those of the input is held; every line about it must be right."""
    rows = ["1001,3,123.45", "1002,4,", "1003,,123.46", "1004,3,123.45", "1004,,1.00", "1005,,"]
    Path("in.csv").write_text("batchId,expected_bills,expected_total\n" + "\n".join(rows) + "\n")
    with simulator_thread(world=a_world(5)) as simulator:
        planned = planner.plan(simulator, "in.csv")
    assert planned.decisions == {1001: "close", 1002: "hold", 1003: "hold", 1004: "hold", 1005: "close"}
    assert {entry["reason"] for entry in planned.entries} == {None, "control"}
    assert "expected 4" in planned.entry(1002)["detail"]


def test_the_money_is_shown_by_period_and_owner(planner: Planner) -> None:
    """Batches, bills and money of what would be closed."""
    world = _world(
        a_batch(1, year=2026, month=10),
        a_batch(2, year=2026, month=11, owner=1),
        a_batch(3, year=2026, month=11),
    )
    with simulator_thread(world=world) as simulator:
        planned = planner.plan(simulator, ids=[1, 2, 3])
    rows = [" ".join(line.split()) for line in planned.out.splitlines()]
    assert "2026-10 1 batch 3 bills 123.45" in rows
    assert "2026-11 2 batches 6 bills 246.90" in rows
    assert "Batch Closer (11) 2 batches 6 bills 246.90" in rows
    assert "Bill Import (12) 1 batch 3 bills 123.45" in rows


def test_key_environment_release_and_cost_are_shown(planner: Planner) -> None:
    """Who the key is and where, what a close releases, the requests and time it takes."""
    with simulator_thread(world=a_world(3)) as simulator:
        planned = planner.plan(simulator, "--rate", "2", ids=[1001])
    assert "Batch Closer (11), environment simulator" in planned.out
    assert "AP after batch (closing releases the bills)" in planned.out
    assert "1 request or more, 0.5 s at 2 per second" in planned.out
    document = planned.document
    assert document["environment"] == "simulator"
    assert document["key_owner"] == {"user_id": 11, "full_name": "Batch Closer"}
    assert document["can_export"] == {"AP": "after batch", "GL": "after batch"}


def test_the_next_step_closes_what_was_planned(planner: Planner) -> None:
    """The plan, always; the whole input too if nothing is held, and the ids if they were written."""
    with simulator_thread(world=a_world(MIXED)) as simulator:
        fine = planner.plan(simulator, ids=[1001, 1002])
        assert "    batch-closer close --plan plan.json --base-url" in fine.out
        assert "    batch-closer close 1001 1002 --base-url" in fine.out
        held = planner.plan(simulator, ids=list(MIXED))
        assert "batch-closer close 1001" not in held.out
        assert "    batch-closer close --plan plan.json --base-url" in held.out
        told = planner.plan(simulator, "--ids", "to close.txt", ids=list(MIXED))
        assert "batch-closer close 'to close.txt' --base-url" in told.out
        ran = planner.program.close(simulator, "to close.txt")
        assert ran.summary["outcomes"]["closed"] == ran.summary["input"]["ids"] == 2


def test_no_close_is_offered_that_would_be_refused(planner: Planner) -> None:
    """More batches than ``--max-batches`` allows are shown, and what to do about it."""
    with simulator_thread(world=a_world(3)) as simulator:
        for most, refused in (("1", True), ("2", False)):
            planned = planner.plan(simulator, "--max-batches", most, ids=[1001, 1002])
            assert ("a close of more than 1 is" in planned.out) is refused
            assert ("batch-closer close" in planned.out) is not refused


def test_json_is_the_file(planner: Planner) -> None:
    """``--json`` prints the document and nothing else; the file is written too."""
    with simulator_thread(world=a_world(MIXED)) as simulator:
        planned = planner.plan(simulator, "--json", ids=list(MIXED))
    assert planned.out == planned.file.read_text()
    assert planned.code == 3


def test_the_file_is_private_and_replaced_as_a_whole(planner: Planner) -> None:
    """Mode 0600, no temporary file is left, and what stood there is gone; ``--out`` names another."""
    Path("plan.json").write_text("old")
    with simulator_thread(world=a_world(1)) as simulator:
        planner.plan(simulator, ids=[1001])
        planned = planner.plan(simulator, "--out", "other.json", ids=[1001])
    assert sorted(os.listdir()) == ["other.json", "plan.json"]  # noqa: PTH208 - names alone
    assert planned.document["kind"] == "batch-closer plan"
    if os.name != "nt":
        assert stat.S_IMODE(planned.file.stat().st_mode) == 0o600


def test_untrusted_text_is_made_safe(planner: Planner) -> None:
    """Escapes in names, codes, messages and lines reach neither the text nor ``--json``; 80 columns hold."""
    evil = "\x1b[31m\x9b2J\u202e" + "wide" * 40
    world = _world(a_batch(1001, code=evil), a_batch(1002, state=State.PENDING, code=evil))
    options = Options(can_export=evil)
    with simulator_thread(options, world=world) as simulator:
        shown = planner.plan(simulator, "-", ids=[1001, 1002], stdin=f"{evil}\n".encode()).out
        as_json = planner.plan(simulator, "--json", ids=[1001, 1002]).out
    lines = [line for line in shown.splitlines() if "batch-closer " not in line]
    assert all(line.isprintable() and len(line) <= 80 for line in lines)
    assert all(line.isprintable() for line in as_json.splitlines())
    assert "\\u009b" in as_json


def test_the_key_is_shown_nowhere(planner: Planner) -> None:
    """Not even if a server echoes it or the input holds it."""
    plan = fault_plan(at=["1001:get=echo_key"])
    with simulator_thread(Options(faults=plan, key="secret-key-4711"), world=a_world(2)) as simulator:
        planned = planner.plan(simulator, "-", ids=[1001], stdin=b"secret-key-4711\n")
    assert planned.decisions == {1001: "unreadable", None: "invalid"}
    assert "4711" not in planned.out + planned.err + planned.file.read_text()


def test_a_batch_in_an_unknown_state_is_unreadable(planner: Planner) -> None:
    """A word that the documentation doesn't know is not taken for open, and is not asked for again."""
    world = a_world(1)
    with simulator_thread(world=world) as simulator, pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.simulator.options.LetterCase.write", lambda *_: "archived")
        planned = planner.plan(simulator, ids=[1001])
        assert simulator.requests.by_route()[Route.GET] == 1
    assert planned.entry(1001)["reason"] == "unclear_status"
    assert "'archived'" in planned.entry(1001)["detail"]


def test_a_run_under_way_is_no_hindrance(planner: Planner) -> None:
    """A plan takes no lock: the state folder of a run is not even looked at."""
    from worker.ledger import Holder, RunLock

    state = planner.folder / "locked"
    with simulator_thread(world=a_world(1)) as simulator:
        holder = Holder(pid=os.getpid(), host="here", run="r", since=0.0)
        with RunLock(state, simulator.url.removeprefix("http://"), holder):
            planned = planner.plan(simulator, "--state", str(state), ids=[1001])
    assert planned.code == 0
    assert f"--state {state}" in planned.out
