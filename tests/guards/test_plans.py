"""``close --plan``: just what the plan would close, less what changed since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.e2e.support import a_batch
from tests.guards.support import Looking, changing, open_batches, refusal, seen, world_of, written
from worker.simulator.faults import Route
from worker.simulator.options import Nulls, Options, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.world import State

OTHERS = [1002, 1003, 1004]


def test_just_what_was_planned(program: Looking) -> None:
    """Neither what it held, nor what was closed, missing or no id, nor what has become open since."""
    batches = [
        *open_batches(1001, 3),
        a_batch(1, analyzing=1),
        a_batch(2, State.PENDING),
        a_batch(3, State.CLOSED),
        a_batch(4, bill_count=0),
    ]
    Path("ids.txt").write_text("1003\n4\n1001\nn/a\n1\n2\n3\n77\n1001\n1002\n")
    with simulator_thread(world=world_of(*batches)) as simulator:
        plan = program.plan(simulator, "ids.txt")
        for batch in batches[3:6]:
            changing(batch, state=State.OPEN, analyzing=0)()
        before = len(simulator.requests)
        ran = program.close(simulator, "--plan", str(plan), "--concurrency", "1")
        assert written(simulator) == [1003, 4, 1001, 1002], "in its order"
        assert len(simulator.requests) - before == 4 + 3, "the key, the list, and the list as the proof"
    assert (ran.code, ran.summary["input"]["ids"]) == (0, 4)
    assert ran.by_id[4]["warnings"] == ["empty"]
    assert (ran.by_id[1001]["source"], ran.by_id[1001]["line"]) == ("ids.txt", 3)


STALE: dict[str, tuple[dict[str, Any], tuple[str, str | None], str]] = {
    "bills": ({"bill_count": 4}, ("held", "changed"), "bill count from 3 to 4"),
    "more money": ({"total_cents": 12_346}, ("held", "changed"), "running total from 123.45 to 123.46"),
    "less money": ({"total_cents": -12_345}, ("held", "changed"), "running total from 123.45 to -123.45"),
    "flags": ({"flags": 2}, ("held", "changed"), "flag count from 0 to 2"),
    "emptied": ({"bill_count": 0, "total_cents": 0}, ("held", "changed"), "bill count from 3 to 0"),
    "pending": ({"state": State.PENDING}, ("held", "pending"), ""),
    "analysis": ({"analyzing": 1}, ("held", "analyzing"), ""),
    "closed": ({"state": State.CLOSED, "closed_by": "them", "closed_at": 1.0}, ("already_closed", None), ""),
    "gone": ({"state": State.MISSING}, ("not_found", "http_404"), ""),
    "another code": ({"code": "GAS-1"}, ("closed", None), ""),
    "another note": ({"note": "seen"}, ("closed", None), ""),
}


@pytest.mark.parametrize(
    ("name", "look"), [*((name, "list") for name in STALE), ("bills", "each"), ("pending", "each")]
)
def test_stale(program: Looking, name: str, look: str) -> None:
    """What changed in what matters is held, and its line says so; the others are closed."""
    fields, told, words = STALE[name]
    others = [] if look == "each" else OTHERS
    batch, *rest = open_batches(1001, 1 + len(others))
    with simulator_thread(world=world_of(batch, *rest)) as simulator:
        plan = program.plan(simulator, ids=[1001, *others])
        changing(batch, **fields)()
        ran = program.close(simulator, "--plan", str(plan))
        assert set(written(simulator)) == {*others, *([1001] if told[0] == "closed" else [])}
    line = ran.by_id[1001]
    assert (line["outcome"], line["reason"]) == told
    assert words in (line["message"] or "")
    assert ran.code == (0 if told[0] in {"closed", "already_closed"} else 3)


@pytest.mark.parametrize(("action", "warnings"), [("warn", {"changed": 1}), ("ignore", {})])
def test_stale_and_closed_all_the_same(program: Looking, action: str, warnings: dict[str, int]) -> None:
    """The guard ``changed`` has its settings here too."""
    batch, *rest = open_batches(1001, 3)
    with simulator_thread(world=world_of(batch, *rest)) as simulator:
        plan = program.plan(simulator, ids=[1001, 1002, 1003])
        batch.bill_count = 9
        ran = program.close(simulator, "--plan", str(plan), "--guard", f"changed={action}")
        assert len(written(simulator)) == 3
    assert (ran.code, ran.summary["warnings"]) == (0, warnings)


def test_what_the_api_never_told_can_not_have_changed(program: Looking) -> None:
    """A plan of an API that shows but id and status closes what is still open."""
    batch, *rest = open_batches(1001, 3)
    with simulator_thread(
        Options(unknowns=Unknowns(nulls=Nulls.BARE)), world=world_of(batch, *rest)
    ) as simulator:
        plan = program.plan(simulator, ids=[1001, 1002, 1003])
        batch.bill_count = 9
        assert program.close(simulator, "--plan", str(plan)).code == 0


def test_bounds_and_guards_hold_beside_the_plan(program: Looking) -> None:
    """What is asked for at the close holds, whatever the plan was told."""
    batches = [a_batch(1001), a_batch(1002, flags=1), a_batch(1003, total_cents=99)]
    with simulator_thread(world=world_of(*batches)) as simulator:
        plan = program.plan(simulator, ids=[1001, 1002, 1003])
        told = ("--guard", "flags=hold", "--max-total", "1")
        ran = program.close(simulator, "--plan", str(plan), *told)
        assert written(simulator) == [1003]
    assert {line["reason"] for line in ran.results if line["outcome"] == "held"} == {"total", "flags"}


def test_no_plan_of_more_batches_than_meant(program: Looking) -> None:
    """``--max-batches`` counts what the plan would close."""
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        plan = program.plan(simulator, ids=[1001, 1002, 1003])
        assert program.close(simulator, "--plan", str(plan), "--max-batches", "2").code == 2
        assert written(simulator) == []


def test_a_plan_that_closes_nothing(program: Looking) -> None:
    """Nothing to do is exit 0, and no request can change anything."""
    with simulator_thread(world=world_of(a_batch(1001, State.PENDING))) as simulator:
        plan = program.plan(simulator, ids=[1001])
        ran = program.close(simulator, "--plan", str(plan))
        assert (ran.code, ran.summary["input"]["ids"], written(simulator)) == (0, 0, [])


def test_a_plan_twice(program: Looking) -> None:
    """The second time everything is closed already: fine, and nothing is sent for it."""
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        plan = program.plan(simulator, ids=[1001, 1002, 1003])
        assert program.close(simulator, "--plan", str(plan)).code == 0
        ran = program.close(simulator, "--plan", str(plan))
        assert seen(simulator, Route.PUT) == 3
    assert (ran.code, ran.summary["outcomes"]["already_closed"]) == (0, 3)


def _damaged(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def _foreign(file: Path) -> None:
    file.write_bytes(b'[{"batch_id": 1001}]')


def _with(file: Path, **fields: object) -> None:
    file.write_bytes(orjson.dumps(orjson.loads(file.read_bytes()) | fields))


def _entry(file: Path, **fields: object) -> None:
    document = orjson.loads(file.read_bytes())
    document["entries"][0] |= fields
    file.write_bytes(orjson.dumps(document))


UNUSABLE: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "damaged": (_damaged, (), "is no plan"),
    "foreign": (_foreign, (), "is no plan"),
    "empty": (lambda file: file.write_bytes(b""), (), "is no plan"),
    "gone": (Path.unlink, (), "can't be read"),
    "a folder": (lambda file: (file.unlink(), file.mkdir()), (), "can't be read"),
    "newer": (lambda file: _with(file, version=2), (), "version 2"),
    "another program's": (lambda file: _with(file, kind="terraform plan"), (), "is no plan"),
    "another host's": (lambda file: _with(file, base_url="https://app.energycap.com"), (), "app.energycap"),
    "another environment's": (lambda file: _with(file, environment="live"), (), "'live'"),
    "not the one expected": (lambda _: None, ("--expect-environment", "live"), "'live'"),
    "an id twice": (lambda file: _entry(file, batch_id=1002), (), "twice"),
    "no id": (lambda file: _entry(file, batch_id=None), (), "batch_id"),
    "an odd id": (lambda file: _entry(file, batch_id="1001"), (), "entries.0.batch_id"),
    "an odd decision": (lambda file: _entry(file, decision="shut"), (), "entries.0.decision"),
    "an odd total": (lambda file: _entry(file, running_total=1.5), (), "entries.0.running_total"),
    "with targets": (lambda _: None, ("1001",), "--plan says what is to be closed"),
    "with a selection": (lambda _: None, ("--open",), "--plan says what is to be closed"),
    "with half a selection": (lambda _: None, ("--code", "U*"), "--plan says what is to be closed"),
    "unseen": (lambda _: None, ("--no-snapshot",), "--no-snapshot"),
}


def test_a_plan_that_can_not_be_used(program: Looking) -> None:
    """One line that says why; nothing is closed, and no run is left behind."""
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        plan = program.plan(simulator, ids=[1001, 1002, 1003])
        for name, (spoil, told, words) in UNUSABLE.items():
            file = program.folder / f"{name}.json"
            file.write_bytes(plan.read_bytes())
            spoil(file)
            assert words in refusal(program.close(simulator, "--plan", str(file), *told)), name
        assert written(simulator) == []
    assert program.raw("runs", "list", "--json", "--state", str(program.state)).out.strip() == "[]"
