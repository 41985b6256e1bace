"""Bad options: one line, exit 2, no request, nothing written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.support import a_world
from tests.plan.support import Planner, one_line
from worker.simulator.running import Simulator, simulator_thread

MISTAKES = {
    "nothing named": ((), "--open"),
    "both": (("1001", "--open"), "--open"),
    "code without open": (("1001", "--code", "A*"), "--code"),
    "owner without open": (("1001", "--owner", "me"), "--owner"),
    "older without open": (("1001", "--older-than", "7d"), "--older-than"),
    "exclude without open": (("1001", "--exclude", "not.txt"), "--exclude"),
    "empty code": (("--open", "--code", " "), "--code"),
    "owner a name": (("--open", "--owner", "jane"), "'jane'"),
    "age": (("--open", "--older-than", "a week"), "'a week'"),
    "exclude missing": (("--open", "--exclude", "none.txt"), "none.txt"),
    "exclude no ids": (("--open", "--exclude", "words.txt"), "words.txt, line 2"),
    "period": (("1001", "--period", "2026-13"), "'2026-13'"),
    "guard unknown": (("1001", "--guard", "flag=hold"), "flags"),
    "guard without action": (("1001", "--guard", "flags"), "GUARD=ACTION"),
    "action unknown": (("1001", "--guard", "flags=stop"), "hold, warn, ignore"),
    "max total a word": (("1001", "--max-total", "much"), "--max-total"),
    "max total negative": (("1001", "--max-total=-1"), "--max-total"),
    "max total nan": (("1001", "--max-total", "nan"), "--max-total"),
    "out in no folder": (("1001", "--out", "none/plan.json"), "--out"),
    "out a folder": (("1001", "--out", "folder"), "--out"),
    "out empty": (("1001", "--out", ""), "--out"),
    "out the input": (("words.txt", "--out", "words.txt"), "is an input too"),
    "ids the input": (("words.txt", "--ids", "./words.txt"), "is an input too"),
    "ids where out is": (("1001", "--out", "same", "--ids", "same"), "--ids"),
    "rate": (("1001", "--rate", "0"), "limits.rate_per_s"),
    "target missing": (("none.txt",), "none.txt"),
    "closing flags": (("1001", "--yes"), "--yes"),
    "control letters": (("1001", "--guard", "\x1b[31m=hold"), "guard"),
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A server that is never to be called."""
    with simulator_thread(world=a_world(3)) as running:
        yield running


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake(planner: Planner, simulator: Simulator, name: str) -> None:
    """The line names what is wrong."""
    Path("folder").mkdir()
    Path("words.txt").write_text("1001\nn/a\n")
    arguments, word = MISTAKES[name]
    before = len(simulator.requests)
    planned = planner.plan(simulator, *arguments)
    assert planned.code == 2, planned.err
    assert word in one_line(planned)
    assert "\x1b" not in planned.err
    assert len(simulator.requests) == before
    assert Path("words.txt").read_text() == "1001\nn/a\n"


def test_no_key(planner: Planner, simulator: Simulator) -> None:
    """As everywhere: the line says where the key comes from."""
    planner.program.environment(ENERGYCAP_API_KEY=None)
    ran = planner.program.raw("plan", "1001", "--base-url", simulator.url)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "ENERGYCAP_API_KEY" in ran.err
