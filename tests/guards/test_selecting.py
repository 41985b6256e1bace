"""``close --open``: the month-end run without a list."""

from __future__ import annotations

import time
from itertools import dropwhile
from pathlib import Path

import pytest

from tests.e2e.support import a_batch
from tests.guards.support import Looking, open_batches, refusal, seen, world_of, written
from tests.plan.support import faults
from worker.simulator.faults import Route
from worker.simulator.options import FilterCase, LetterCase, Options, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.world import State, World

DAY_S = 86400.0


def _world() -> World:
    now = time.time()
    return world_of(
        a_batch(1, now=now, year=2026, month=10, code="UTIL-1"),
        a_batch(2, now=now, year=2026, month=11, code="UTIL-2", owner=1),
        a_batch(3, now=now, year=2026, month=10, code="GAS-3", created_at=now - 2 * DAY_S),
        a_batch(4, State.PENDING, now=now, year=2026, month=10),
        a_batch(5, State.CLOSED, now=now, year=2026, month=10),
        a_batch(6, now=now, year=2026, month=10, code="util-6", analyzing=1),
    )


@pytest.mark.parametrize(
    ("flags", "closed", "held"),
    [
        ((), [1, 2, 3], [6]),
        (("--period", "2026-10"), [1, 3], [6]),
        (("--code", "UTIL-*"), [1, 2], [6]),
        (("--code", "UTIL-?", "--owner", "12"), [2], []),
        (("--owner", "me"), [1, 3], [6]),
        (("--older-than", "7d"), [1, 2], [6]),
        (("--older-than", "1d"), [1, 2, 3], [6]),
        (("--exclude", "not.txt"), [2], [6]),
        (("--period", "2026-10", "--code", "UTIL-*", "--owner", "me", "--older-than", "7d"), [1], [6]),
        (("--period", "2026-10", "--exclude", "not.txt", "--code", "GAS*"), [], []),
        (("--period", "1999-01"), [], []),
    ],
)
def test_what_is_selected_is_closed(
    program: Looking, flags: tuple[str, ...], closed: list[int], held: list[int]
) -> None:
    """Open batches alone, narrowed by every flag; what a guard holds is held, the rest is not even named."""
    Path("not.txt").write_text("3\n1\n99\n")
    with simulator_thread(world=_world()) as simulator:
        ran = program.close(simulator, "--open", *flags)
        assert sorted(map(int, filter(None, written(simulator)))) == closed
        assert len(written(simulator)) == len(closed)
    outcomes = {batch_id: line["outcome"] for batch_id, line in ran.by_id.items()}
    assert outcomes == dict.fromkeys(closed, "closed") | dict.fromkeys(held, "held")
    assert ran.code == (3 if held else 0)
    assert all(line["source"] == "--open" for line in ran.results)


@pytest.mark.parametrize("headers", [True, False])
def test_all_ids_are_collected_before_the_first_close(program: Looking, headers: bool) -> None:
    """Closing while the list is read would skip rows: every page comes before every close."""
    options = Options(unknowns=Unknowns(paging_headers=headers))
    with simulator_thread(options, world=world_of(*open_batches(1001, 1010))) as simulator:
        ran = program.close(simulator, "--open", "--concurrency", "16", "--burst", "500")
        routes = [request.route for request in simulator.requests]
        from_first_put = list(dropwhile(lambda route: route is not Route.PUT, routes))
        assert routes[: len(routes) - len(from_first_put)].count(Route.LIST) == (2 if headers else 3)
        assert Route.LIST not in from_first_put[:1010]
        assert set(written(simulator)) == set(range(1001, 2011))
    assert (ran.code, ran.summary["verified"]) == (0, {"batches": 1010, "disagreeing": 0})


def test_nothing_is_selected(program: Looking) -> None:
    """Nothing to do is exit 0, with a summary that says so; the key and the list were asked."""
    with simulator_thread(world=world_of(a_batch(1, State.CLOSED))) as simulator:
        ran = program.close(simulator, "--open")
        assert len(simulator.requests) == 2
    assert (ran.code, ran.summary["input"]["ids"]) == (0, 0)
    assert ran.summary["verified"] == {"batches": 0, "disagreeing": 0}


@pytest.mark.parametrize(("case", "shown"), [*zip(FilterCase, [*LetterCase, LetterCase.TITLE], strict=True)])
def test_whichever_letter_case_is_wanted(program: Looking, case: FilterCase, shown: LetterCase) -> None:
    """No closed or pending batch is selected, whatever the filter does."""
    options = Options(unknowns=Unknowns(filter_case=case, status_case=shown))
    with simulator_thread(options, world=_world()) as simulator:
        ran = program.close(simulator, "--open", "--ok", "held")
        assert sorted(map(str, written(simulator))) == ["1", "2", "3"]
    assert ran.code == 0


@pytest.mark.parametrize(
    ("kinds", "code", "words"),
    [
        ("403", 2, "http_403"),
        ("redirect", 2, "http_302"),
        ("400,400,400", 2, "http_400"),
        (",".join(["500"] * 9), 5, "http_500"),
    ],
)
def test_without_a_list_there_is_no_selection(program: Looking, kinds: str, code: int, words: str) -> None:
    """One line, nothing closed, and no run that could be resumed by mistake."""
    with simulator_thread(Options(faults=faults(list=kinds)), world=_world()) as simulator:
        ran = program.close(simulator, "--open")
        assert written(simulator) == []
    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert words in ran.err
    assert "no unfinished run" in program.raw("resume", "--state", str(program.state)).err


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (("--open", "1"), "--open"),
        (("1", "--code", "U*"), "--code"),
        (("--open", "--code", " "), "--code"),
        (("--open", "--owner", "bob"), "--owner"),
        (("--open", "--owner", "0"), "--owner '0' can't be used: write me, or the number of a user (1 to "),
        (("--open", "--owner", "2147483648"), "--owner"),
        (("--open", "--older-than", "7 weeks"), "7 weeks"),
        (("--open", "--exclude", "gone.txt"), "gone.txt"),
        (("--open", "--exclude", "odd.txt"), "line 2"),
        ((), "no batch is named"),
    ],
)
def test_a_selection_that_is_none(program: Looking, told: tuple[str, ...], words: str) -> None:
    """One line that names what is wrong; nothing is sent."""
    Path("odd.txt").write_text("1\ntwo\n")
    with simulator_thread(world=_world()) as simulator:
        assert words in refusal(program.close(simulator, *told))
        assert not len(simulator.requests)


def test_me_must_be_known(program: Looking) -> None:
    """``--owner me`` where the API does not say who that is: nothing is closed."""
    with simulator_thread(Options(unknowns=Unknowns(me=404)), world=_world()) as simulator:
        assert "--owner me" in refusal(program.close(simulator, "--open", "--owner", "me"))
        assert seen(simulator, Route.PUT) == 0
