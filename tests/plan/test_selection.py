"""``--open``: a selection instead of a list."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.support import a_batch, a_world
from tests.plan.support import Planner, faults, one_line
from worker.simulator.faults import Route
from worker.simulator.options import FilterCase, Options, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.world import State, World

DAY_S = 86400.0


def _world() -> World:
    now = time.time()
    batches = [
        a_batch(1, now=now, year=2026, month=10, code="UTIL-1"),
        a_batch(2, now=now, year=2026, month=11, code="UTIL-2", owner=1),
        a_batch(3, now=now, year=2026, month=10, code="GAS-3", created_at=now - 2 * DAY_S),
        a_batch(4, State.PENDING, now=now, year=2026, month=10),
        a_batch(5, State.CLOSED, now=now, year=2026, month=10),
        a_batch(6, now=now, year=2026, month=10, code="util-6", analyzing=1),
    ]
    return World({batch.batch_id: batch for batch in batches}, [batch.batch_id for batch in batches])


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), [1, 2, 3, 6]),
        (("--period", "2026-10"), [1, 3, 6]),
        (("--code", "UTIL-*"), [1, 2, 6]),
        (("--owner", "me"), [1, 3, 6]),
        (("--owner", "12"), [2]),
        (("--older-than", "7d"), [1, 2, 6]),
        (("--exclude", "not.txt"), [2, 6]),
        (("--period", "2026-10", "--code", "util-?", "--owner", "me", "--older-than", "7d"), [1, 6]),
        (("--code", "NONE*"), []),
    ],
)
def test_what_is_selected(planner: Planner, flags: tuple[str, ...], expected: list[int]) -> None:
    """Open batches alone, narrowed by each flag and by all together; the guards are asked about those."""
    Path("not.txt").write_text("3\n1\n")
    with simulator_thread(world=_world()) as simulator:
        planned = planner.plan(simulator, "--open", *flags)
        routes = simulator.requests.by_route()
    assert list(planned.decisions) == expected
    assert routes[Route.GET] == 0
    assert planned.decisions.get(6) in {"hold", None}
    assert planned.code == (3 if 6 in expected else 0)


def test_the_next_step_of_a_selection(planner: Planner) -> None:
    """The plan is closed, or the ids that were written: just what was planned."""
    with simulator_thread(world=_world()) as simulator:
        first = planner.plan(simulator, "--open", "--code", "UTIL-*")
        assert "    batch-closer close --plan plan.json --base-url" in first.out
        assert "--code" not in first.out, "the plan is selected already"
        told = planner.plan(simulator, "--open", "--code", "UTIL-*", "--ids", "to-close.txt")
        assert "    batch-closer close to-close.txt --base-url" in told.out
    assert Path("to-close.txt").read_text() == "1\n2\n"


@pytest.mark.parametrize("headers", [True, False])
def test_every_page_is_read(planner: Planner, headers: bool) -> None:
    """With paging headers and without; the filter's letter case is found out as for a list of ids."""
    unknowns = Unknowns(paging_headers=headers, filter_case=FilterCase.UPPER)
    states = dict.fromkeys(range(1, 2501), State.OPEN) | {2501: State.CLOSED}
    with simulator_thread(Options(unknowns=unknowns), world=a_world(states)) as simulator:
        planned = planner.plan(simulator, "--open")
    assert len(planned.decisions) == 2500
    assert planned.code == 0
    assert "plan again" not in planned.out


def test_a_list_that_is_not_whole_is_told(planner: Planner) -> None:
    """What the list counts and does not show, as when it changes between two pages, is said."""
    world = a_world(dict.fromkeys(range(1, 1501), State.OPEN))
    with simulator_thread(world=world) as simulator, pytest.MonkeyPatch.context() as patch:
        patch.setitem(world.batches, 7, world.batches[8])  # a row that comes twice, another not at all
        planned = planner.plan(simulator, "--open")
    assert len(planned.decisions) == 1499
    assert "up to 1 batch may be missing; plan again" in " ".join(planned.out.split())


@pytest.mark.parametrize(
    ("kinds", "code", "words"),
    [("403", 2, "name the batches instead"), (",".join(["500"] * 9), 5, "try again later")],
)
def test_without_a_list_there_is_no_selection(planner: Planner, kinds: str, code: int, words: str) -> None:
    """One line says why; nothing is written."""
    with simulator_thread(Options(faults=faults(list=kinds)), world=_world()) as simulator:
        planned = planner.plan(simulator, "--open")
    assert planned.code == code
    assert words in one_line(planned)


def test_a_filter_that_does_nothing_is_found_out(planner: Planner) -> None:
    """Where the API ignores the filter, closed batches give it away: no selection is made of that."""
    with simulator_thread(world=_world()) as simulator, pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.simulator.api.predicate", lambda *_: lambda _: True)
        planned = planner.plan(simulator, "--open")
    assert planned.code == 2
    assert "filter_not_understood" in one_line(planned)


def test_me_must_be_known(planner: Planner) -> None:
    """``--owner me`` where the API doesn't say whose the key is: one line, exit 2."""
    with simulator_thread(Options(unknowns=Unknowns(me=403)), world=_world()) as simulator:
        planned = planner.plan(simulator, "--open", "--owner", "me")
    assert planned.code == 2
    assert "--owner me" in one_line(planned)
