"""Who can send a write: a few verbs, through a single door."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import worker
from tests.e2e.support import QUICK, a_batch
from tests.guards.support import Looking, open_batches, world_of, written
from worker.cli.main import VERBS
from worker.energycap import EnergyCap, Reader
from worker.simulator.running import simulator_thread
from worker.simulator.world import State

WRITERS = {"close", "resume", "runs", "demo", "work"}  # of runs only retry
SETTINGS = ("--base-url", "{url}", *QUICK)
STATE = ("--state", "state")
READING: dict[str, list[tuple[str, ...]]] = {
    "plan": [
        ("plan", "1001", "1002", "1003", "1004", *SETTINGS),
        ("plan", "1001", *SETTINGS, "--json"),
        ("plan", "--open", *SETTINGS, "--ids", "ids.txt"),
    ],
    "check": [("check", "--base-url", "{url}", *STATE), ("check", "--json", "--base-url", "{url}", *STATE)],
    "enqueue": [
        ("enqueue", "1004", "--base-url", "{url}", *STATE),
        ("enqueue", "--list", "--base-url", "{url}", *STATE),
        ("enqueue", "--take-back", "1004", "--base-url", "{url}", *STATE),
    ],
    "runs": [
        ("runs", "list", *STATE),
        ("runs", "show", "run-1", *STATE),
        ("runs", "report", "run-1", *STATE),
        ("runs", "retry", "run-1", *STATE),  # without --yes, and no terminal to ask at
    ],
    "close": [
        ("close", "1004", *SETTINGS, *STATE),
        ("close", "--open", *SETTINGS, *STATE),
        ("close", "--plan", "plan.json", *SETTINGS, *STATE),
    ],
    "resume": [("resume", *STATE), ("resume", "run-1", *STATE)],  # nothing is unfinished
}


@pytest.mark.parametrize("verb", READING)
def test_what_only_reads(program: Looking, verb: str) -> None:
    """After a run, every verb that is no agreed close: the server sees nothing but GET."""
    batches = [*open_batches(1001, 3), a_batch(1004), a_batch(1005, State.PENDING)]
    with simulator_thread(world=world_of(*batches)) as simulator:
        program.plan(simulator, ids=[1004])
        program.close(simulator, ids=[1001, 1002, 1003, 1005, 77])
        before = written(simulator)
        assert sorted(map(str, before)) == ["1001", "1002", "1003"]
        for arguments in READING[verb]:
            asked = len(simulator.requests)
            ran = program.raw(*(word.format(url=simulator.url) for word in arguments))
            assert ran.code in {0, 2, 3}, ran.err
            reads = verb in {"plan", "check"}
            assert (len(simulator.requests) > asked) is reads, arguments
        assert written(simulator) == before
        assert simulator.world.batches[1004].state is State.OPEN


def test_every_verb_is_one_or_the_other() -> None:
    """A verb that is added must be tried above, or be known to write."""
    assert set(VERBS) <= WRITERS | set(READING) | {"simulate"}  # which sends no request at all


def _imports(file: Path) -> set[str]:
    """Full names of what a module imports, at its top or within its functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


ROOT = Path(worker.__file__).parent
WRITING = {
    f"worker.energycap{module}.{name}"
    for module in ("", ".connection", ".client")
    for name in ("connect", "EnergyCap", "*")
} | {"worker.energycap", "worker.energycap.client", "worker.energycap.connection"}


def test_a_single_door() -> None:
    """Outside the edge itself only the wiring of a run, and of a fleet's worker, imports what can write."""
    doors = {
        file.relative_to(ROOT).as_posix()
        for file in ROOT.rglob("*.py")
        if file.parent.name != "energycap" and _imports(file) & WRITING
    }
    assert doors == {"cli/session/wiring.py", "cli/fleet/work.py"}


def test_who_goes_through_it() -> None:
    """Only a session closes, only a sitting has one, and only the writing verbs sit."""
    users: dict[str, set[str]] = {}
    for file in ROOT.rglob("*.py"):
        for name in _imports(file):
            room = file.relative_to(ROOT / "cli") if file.is_relative_to(ROOT / "cli") else file
            users.setdefault(name, set()).add(room.with_suffix("").as_posix())
    assert users["worker.cli.session.wiring.close_all"] == {"session/steps"}
    assert users["worker.cli.session.steps.Session"] == {"session/sitting"}
    assert users["worker.cli.session.sitting.Sitting"] <= WRITERS | {"local/turns", "broker/turns"}
    assert users["worker.cli.local.turns.Turns"] == {"local/work", "broker/turns"}
    assert users["worker.cli.close.close_entries"] == {"runs"}


def test_the_reader_has_no_way_to_write() -> None:
    """What closes is a method that the client of the reading verbs does not have."""
    assert {name for name in vars(EnergyCap) if not name.startswith("_")} == {"close"}
    assert not hasattr(Reader, "close")
    calls = {
        node.attr
        for node in ast.walk(ast.parse((ROOT / "energycap" / "reader.py").read_bytes()))
        if isinstance(node, ast.Attribute)
    }
    assert not calls & {"put", "post", "patch", "delete", "request"}
