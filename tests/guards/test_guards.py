"""Every guard in every setting, in a real run: held is not touched, a warning is told, ignored is closed."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import Ran, a_batch
from tests.guards.support import Looking, seen, world_of, written
from worker.rules.guards import GUARDS
from worker.simulator import api
from worker.simulator.faults import Route
from worker.simulator.options import Options, Unknowns
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.world import SimBatch, State

FIT = 1001
CLEAN: dict[str, Any] = {"year": 2026, "month": 10}
SOON_S = 3600.0  # a server's clock may be ahead


@dataclass(frozen=True)
class Trouble:
    """What a guard objects to, and what the run has to be told for that."""

    batch_id: int
    given: Mapping[str, object] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    expected_bills: str = ""


TROUBLES = {
    "pending": Trouble(1, {"state": State.PENDING}),
    "analyzing": Trouble(2, {"analyzing": 2}),
    "kickouts": Trouble(3, {"kickouts": True}),
    "flags": Trouble(4, {"flags": 2}),
    "empty": Trouble(5, {"bill_count": 0}),
    "owner": Trouble(6, {"owner": 1}),
    "period": Trouble(7, {"month": 9}, ("--period", "2026-10")),
    "total": Trouble(8, {"total_cents": -10_000_01}, ("--max-total", "10000")),
    "changed": Trouble(9, {"created_at": SOON_S}, ("--quiet-for", "0.05")),
    "control": Trouble(10, expected_bills="4"),
}
DEFAULTS = {guard.name: guard.default.value for guard in GUARDS}
ACTIONS = ("hold", "warn", "ignore")
UNKNOWNS = {"list": Unknowns(pending_closes=True), "refused": Unknowns(pending_closes=True, listing=False)}


def by_flag(_: Looking, actions: Mapping[str, str]) -> list[str]:
    return [word for name, action in actions.items() for word in ("--guard", f"{name}={action}")]


def by_environment(program: Looking, actions: Mapping[str, str]) -> list[str]:
    program.environment(**{f"BATCH_CLOSER_GUARD_{name.upper()}": a for name, a in actions.items()})
    return []


def by_toml(program: Looking, actions: Mapping[str, str]) -> list[str]:
    lines = [f'{name} = "{action}"\n' for name, action in actions.items()]
    (program.folder / "settings.toml").write_text("".join(["[guards]\n", *lines]))
    return ["--config", "settings.toml"]


WAYS = (by_flag, by_environment, by_toml)
Way = Callable[[Looking, Mapping[str, str]], list[str]]


@pytest.fixture(autouse=True)
def _may_not_manage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key's user may close nobody else's batches."""
    monkeypatch.setitem(api._PERMISSIONS, "manage", False)


def batch_of(trouble: Trouble, now: float) -> SimBatch:
    given: dict[str, Any] = {**CLEAN, **trouble.given}
    if "created_at" in given:
        given["created_at"] += now
    return a_batch(trouble.batch_id, given.pop("state", State.OPEN), now=now, **given)


def close(program: Looking, simulator: Simulator, names: list[str], *more: str) -> Ran:
    """Close a fit batch, and those that the guards object to."""
    lines = ["id,expected_bills", f"{FIT},"]
    lines += [f"{TROUBLES[name].batch_id},{TROUBLES[name].expected_bills}" for name in names]
    Path("input.csv").write_text("\n".join([*lines, ""]))
    told = [word for name in names for word in TROUBLES[name].told]
    return program.close(simulator, "input.csv", *told, *more)


def world_for(names: list[str]) -> Any:
    now = time.time()
    return world_of(a_batch(FIT, now=now, **CLEAN), *(batch_of(TROUBLES[name], now) for name in names))


def check(simulator: Simulator, ran: Ran, actions: Mapping[str, str]) -> None:
    """Each batch ended as the setting of its guard says, and the server agrees."""
    by_id, put = ran.by_id, written(simulator)
    with (ran.folder / "results.csv").open(newline="") as file:
        rows = {int(row["batch_id"]): row for row in csv.DictReader(file)}
    for name, action in actions.items():
        batch_id = TROUBLES[name].batch_id
        line, held, warns = by_id[batch_id], action == "hold", [name] if action == "warn" else []
        told = line["outcome"], line["reason"], line["warnings"], line["attempts"]
        assert told == (("held", name, [], 0) if held else ("closed", None, warns, 1)), line
        assert bool(line["message"]) is held
        assert put.count(batch_id) == (0 if held else 1)
        assert rows[batch_id]["warnings"] == " ".join(warns)
        assert (simulator.world.batches[batch_id].closed_by == "us") is not held
    kept = [name for name, action in actions.items() if action == "hold"]
    assert ran.summary["outcomes"]["held"] == len(kept)
    assert ran.summary["warnings"] == {name: 1 for name, action in actions.items() if action == "warn"}
    assert by_id[FIT]["outcome"] == "closed"
    assert ran.code == (3 if kept else 0)


def test_every_guard_has_its_trouble() -> None:
    """A guard that is added has to be tried here."""
    assert [guard.name for guard in GUARDS] == list(TROUBLES)


@pytest.mark.parametrize(
    ("action", "way", "look"),
    [
        *((action, way, "list") for action in ACTIONS for way in WAYS),
        *((action, way, "refused") for action, way in zip(ACTIONS, WAYS, strict=True)),
    ],
)
def test_every_guard_at_once(program: Looking, action: str, way: Way, look: str) -> None:
    """By flag, environment and file; whether the list showed the batches, or each was read."""
    actions = dict.fromkeys(TROUBLES, action)
    with simulator_thread(Options(unknowns=UNKNOWNS[look]), world=world_for([*TROUBLES])) as simulator:
        ran = close(program, simulator, [*TROUBLES], *way(program, actions))
        check(simulator, ran, actions)
        # Before, and for the proof; a single closed batch is read again without a list.
        assert seen(simulator, Route.LIST) == (1 if action == "hold" else 2)


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("name", TROUBLES)
def test_each_guard_alone(program: Looking, name: str, default: bool) -> None:
    """Its setting is its own, and without one it does its default; two batches are read one by one."""
    turn = list(TROUBLES).index(name)
    action = next(each for each in ACTIONS[turn % 3 :] + ACTIONS if each != DEFAULTS[name])
    told, way = {} if default else {name: action}, WAYS[turn // 3 % 3]
    with simulator_thread(Options(unknowns=UNKNOWNS["list"]), world=world_for([name])) as simulator:
        ran = close(program, simulator, [name], *way(program, told))
        check(simulator, ran, {name: DEFAULTS[name]} | told)
        assert seen(simulator, Route.LIST) == 0


def test_flag_before_environment_before_file(program: Looking) -> None:
    """A guard that is set in several places does what the nearest one says."""
    names = ["kickouts", "flags", "empty"]
    with simulator_thread(world=world_for(names)) as simulator:
        program.environment(BATCH_CLOSER_GUARD_FLAGS="ignore", BATCH_CLOSER_GUARD_KICKOUTS="ignore")
        told = by_toml(program, dict.fromkeys(names, "warn"))
        ran = close(program, simulator, names, *told, "--guard", "flags=warn", "--guard", "flags=hold")
        check(simulator, ran, {"kickouts": "ignore", "flags": "hold", "empty": "warn"})


def test_held_may_be_fine(program: Looking) -> None:
    """``--ok held`` counts what was held as fine for the exit code, and nothing else changes."""
    with simulator_thread(world=world_for(["flags"])) as simulator:
        ran = close(program, simulator, ["flags"], "--guard", "flags=hold", "--ok", "held")
        assert written(simulator) == [FIT]
    assert (ran.code, ran.summary["outcomes"]["held"]) == (0, 1)


@pytest.mark.parametrize("listing", [True, False])
def test_what_is_held_stops_no_run(program: Looking, listing: bool) -> None:
    """That the run keeps its own rules is no sign of trouble: no abort rule counts it."""
    held = [a_batch(batch_id, flags=1) for batch_id in range(1, 41)]
    options = Options(unknowns=Unknowns(listing=listing))
    with simulator_thread(options, world=world_of(*held, a_batch(FIT))) as simulator:
        told = ("--guard", "flags=hold", "--abort", "same=3", "--abort", "failed=2")
        ran = program.close(simulator, *told, "--concurrency", "1", ids=[*range(1, 41), FIT])
        assert written(simulator) == [FIT]
    assert (ran.code, ran.summary["stopped"]) == (3, None)
    assert (ran.summary["outcomes"]["held"], ran.summary["outcomes"]["closed"]) == (40, 1)


@pytest.mark.parametrize(
    ("told", "environment"),
    [
        (("--guard", "flag=hold"), {}),
        (("--guard", "flags=stop"), {}),
        (("--guard", "flags"), {}),
        ((), {"BATCH_CLOSER_GUARD_FLAGS": "stop"}),
        (("--config", "settings.toml"), {}),
    ],
)
def test_a_setting_that_is_none(program: Looking, told: tuple[str, ...], environment: dict[str, str]) -> None:
    """An unknown guard or action is one line that names it, and nothing is sent."""
    Path("settings.toml").write_text('[guards]\nflagged = "hold"\n')
    program.environment(**environment)
    with simulator_thread(world=world_for([])) as simulator:
        ran = program.close(simulator, *told, ids=[FIT])
        assert not len(simulator.requests)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "guard" in ran.err
