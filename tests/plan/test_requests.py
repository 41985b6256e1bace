"""How many requests a plan takes, and what it does where the API is not as documented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.support import a_batch, a_world
from tests.plan.support import Planner, faults
from worker.simulator.faults import Route
from worker.simulator.options import FilterCase, LetterCase, Nulls, Options, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import fault_plan
from worker.simulator.world import State, World

NONE_CLOSED = dict.fromkeys(range(1001, 1021), State.OPEN)
SOME_CLOSED = NONE_CLOSED | {1003: State.CLOSED, 1019: State.CLOSED}


def test_ten_thousand_open_batches_take_twelve_requests(planner: Planner) -> None:
    """One for the key, ten pages, one for what is released."""
    Path("ids.txt").write_text("".join(f"{batch_id}\n" for batch_id in range(1001, 11001)))
    with simulator_thread(world=a_world(10_000)) as simulator:
        planned = planner.plan(simulator, "ids.txt")
        assert planned.code == 0
        assert len(simulator.requests) <= 12
    assert "Would close 10,000 batches: 30,000 bills, 1,234,500.00 in total." in planned.out
    assert "This plan  12 requests" in planned.out
    assert "GL not asked" in planned.out


@pytest.mark.parametrize(
    ("ids", "world", "pages", "reads"),
    [
        ([1001, 1002], NONE_CLOSED, 0, 2),  # as many reads as a list and a look at the rest
        ([1001, 1002, 1003], NONE_CLOSED, 1, 0),
        ([1001, 1003, 1019, 77], SOME_CLOSED, 1, 3),  # what isn't listed is read
        ([1001, 4001, 4002], dict.fromkeys(range(1001, 5001), State.OPEN), 1, 2),  # three pages more for two
    ],
)
def test_the_cheaper_way_is_taken(
    planner: Planner, ids: list[int], world: dict[int, State], pages: int, reads: int
) -> None:
    """The list where it saves requests, single reads for what it doesn't show or where they are fewer."""
    with simulator_thread(world=a_world(world)) as simulator:
        planned = planner.plan(simulator, ids=ids)
        routes = simulator.requests.by_route()
    assert (routes[Route.LIST], routes[Route.GET], routes[Route.ME]) == (pages, reads, 1)
    assert list(planned.decisions) == ids
    assert "list.unavailable" not in planned.err


@pytest.mark.parametrize("nulls", Nulls)
@pytest.mark.parametrize("status_case", LetterCase)
@pytest.mark.parametrize("filter_case", FilterCase)
def test_whichever_letter_case_the_api_wants(
    planner: Planner, filter_case: FilterCase, status_case: LetterCase, nulls: Nulls
) -> None:
    """The filter is tried in each letter case until it does what it says; the decisions are the same."""
    unknowns = Unknowns(filter_case=filter_case, status_case=status_case, nulls=nulls)
    with simulator_thread(Options(unknowns=unknowns), world=a_world(SOME_CLOSED)) as simulator:
        planned = planner.plan(simulator, ids=[*SOME_CLOSED, 77])
        routes = simulator.requests.by_route()
    closed, missing = planned.decisions[1003], planned.decisions[77]
    assert (planned.decisions[1001], closed, missing) == ("close", "already_closed", "not_found")
    assert routes[Route.GET] == 3
    assert routes[Route.LIST] <= 3


@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("wanted", [2600, 5])
def test_paging_headers_may_be_missing(planner: Planner, headers: bool, wanted: int) -> None:
    """Then the end is where all are found, or a page brings nothing new; what it costs stays bounded."""
    states = dict.fromkeys(range(1001, 3501), State.OPEN) | dict.fromkeys(range(3501, 3601), State.CLOSED)
    ids = range(3601 - wanted, 3601)
    Path("ids.txt").write_text("".join(f"{batch_id}\n" for batch_id in ids))
    with simulator_thread(
        Options(unknowns=Unknowns(paging_headers=headers)), world=a_world(states)
    ) as simulator:
        planned = planner.plan(simulator, "ids.txt")
        routes = simulator.requests.by_route()
    assert sum(decision == "already_closed" for decision in planned.decisions.values()) == min(wanted, 100)
    assert routes[Route.GET] == min(wanted, 100)
    assert routes[Route.LIST] <= 4


def test_where_listing_is_forbidden_each_is_read_and_it_is_said_once(planner: Planner) -> None:
    """The same decisions by single reads; one line says why it takes longer."""
    with simulator_thread(Options(unknowns=Unknowns(listing=False)), world=a_world(SOME_CLOSED)) as simulator:
        planned = planner.plan(simulator, "--log-level", "warning", ids=SOME_CLOSED)
        routes = simulator.requests.by_route()
    assert planned.code == 0
    assert (routes[Route.LIST], routes[Route.GET]) == (1, 20)
    assert planned.err.count("list.unavailable") == planned.err.count("\n") == 1
    assert "http_403" in planned.err


def test_a_list_that_is_no_list_is_read_around(planner: Planner) -> None:
    """400 for each letter case, a redirect, 401 for the list alone: single reads."""
    for kinds, pages in (("400,400,400", 3), ("redirect", 1), ("401", 1)):
        with simulator_thread(Options(faults=faults(list=kinds)), world=a_world(3)) as simulator:
            planned = planner.plan(simulator, "--log-level", "warning", ids=[1001, 1002, 1003])
            routes = simulator.requests.by_route()
        assert set(planned.decisions.values()) == {"close"}
        assert (routes[Route.LIST], routes[Route.GET]) == (pages, 3)
        assert planned.err.count("list.unavailable") == 1


@pytest.mark.parametrize(
    "kinds",
    [
        "500",
        "429:0",
        "503:0",
        "drop_before",
        "truncated",
        "html",
        "garbage",
        "empty",
        "408",
        "500,429:0,html,500",
    ],
)
def test_a_page_that_fails_is_asked_for_again(planner: Planner, kinds: str) -> None:
    """Throttling and failures of the list are waited out as in a run."""
    with simulator_thread(Options(faults=faults(list=kinds)), world=a_world(3)) as simulator:
        planned = planner.plan(simulator, ids=[1001, 1002, 1003])
        routes = simulator.requests.by_route()
    assert set(planned.decisions.values()) == {"close"}
    assert (routes[Route.LIST], routes[Route.GET]) == (1 + len(kinds.split(",")), 0)
    assert "list.unavailable" not in planned.err


@pytest.mark.parametrize("kinds", ["500", "429:0", "drop_after", "html", "wrong_id", "503:0,500,empty"])
def test_a_single_read_that_fails_is_made_again(planner: Planner, kinds: str) -> None:
    """The decision is that of the true answer; a wrong batch is not taken for the right one."""
    with simulator_thread(
        Options(faults=fault_plan(at=[f"1001:get={kinds}"])), world=a_world(2)
    ) as simulator:
        planned = planner.plan(simulator, ids=[1001])
    assert planned.decisions == {1001: "close"}


def test_what_can_not_be_learned_is_said_to_be_unknown(planner: Planner) -> None:
    """No identity and no export setting: the plan stands, and says so."""
    options = Options(unknowns=Unknowns(me=404), faults=faults(export="404,403"))
    with simulator_thread(options, world=a_world(2)) as simulator:
        planned = planner.plan(simulator, ids=[1001])
    assert planned.code == 0
    assert "the API does not say whose it is" in planned.out
    assert "AP not known; GL not known" in planned.out
    assert planned.document["key_owner"] is None


def test_a_401_that_nothing_explains_is_not_called_forbidden(planner: Planner) -> None:
    """Where ``me`` can't tell whether the key works, the batch is unreadable; where it works, forbidden."""
    plan = fault_plan(at=["1001:get=" + ",".join(["401"] * 9)])
    with simulator_thread(Options(faults=plan, unknowns=Unknowns(me=404)), world=a_world(1)) as simulator:
        assert planner.plan(simulator, ids=[1001]).entry(1001)["reason"] == "key_unclear"
    with simulator_thread(Options(faults=plan), world=a_world(1)) as simulator:
        assert planner.plan(simulator, ids=[1001]).decisions == {1001: "forbidden"}


def test_rows_of_others_and_changes_meanwhile_do_no_harm(planner: Planner) -> None:
    """A list of more than what is asked for brings nothing else into the plan."""
    world = World({i: a_batch(i) for i in range(1, 1500)}, [])
    options = replace(Options(), unknowns=Unknowns())
    with simulator_thread(options, world=world) as simulator:
        planned = planner.plan(simulator, ids=[5, 1400, 7])
    assert list(planned.decisions) == [5, 1400, 7]
