"""An API that knows little more than the close itself, or whose list of batches is none."""

from __future__ import annotations

import pytest

from tests.e2e.support import QUICK, Ran
from tests.guards.small_server import SmallServer, served
from tests.guards.support import Looking

NO_LIST = {
    "404": "http_404",
    "405": "http_405",
    "HTML": "not_a_list",
    "an object": "not_a_list",
    "no ids": "no_batches_in_list",
    "closed ones": "filter_not_understood",
}


def called(program: Looking, server: SmallServer, *arguments: str) -> Ran:
    """A close by this server."""
    program.environment(ENERGYCAP_API_KEY="key")
    told = ("--base-url", server.url, "--state", str(program.state), "--run-id", "r", "--yes", *QUICK)
    ran = program.raw("close", *arguments, *told, "--burst", "2000")
    return Ran(ran.code, ran.out, ran.err, program.state / "runs" / "r")


@pytest.mark.parametrize("kind", NO_LIST)
def test_without_a_list_everything_is_closed_and_proven(program: Looking, kind: str) -> None:
    """Each batch is read, closed and read again; why that takes so many requests is said once."""
    with served(kind, 4) as server:
        ran = called(program, server, "1", "2", "3", "4", "77")
        assert (server.open, server.seen["put"], server.seen["get"]) == (set(), 4, 5 + 4)
    assert [event["reason"] for event in ran.events("list.unavailable")] == [NO_LIST[kind]]
    assert ran.summary["verified"] == {"batches": 4, "disagreeing": 0}
    assert (ran.code, ran.by_id[77]["outcome"]) == (3, "not_found")


@pytest.mark.parametrize("kind", NO_LIST)
def test_without_a_list_there_is_no_selection(program: Looking, kind: str) -> None:
    """One line that says why, and nothing is closed."""
    with served(kind, 4) as server:
        ran = called(program, server, "--open")
        assert server.seen["put"] == 0
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert NO_LIST[kind] in ran.err


def test_the_same_page_for_ever(program: Looking) -> None:
    """What never turns the page may have more than it shows: the rest is read, no selection made of it."""
    with served("the same page", 260) as server:
        assert "pages_repeat" in called(program, server, "--open").err
        assert server.seen["put"] == 0
        ran = called(program, server, *map(str, range(1, 261)))
        assert (server.open, server.seen["get"]) == (set(), 10)
    assert [event["reason"] for event in ran.events("list.unavailable")] == ["pages_repeat"]
    assert ran.summary["verified"] == {"batches": 260, "disagreeing": 0}


@pytest.mark.parametrize(("count", "verified"), [(4, {"batches": 4, "disagreeing": 0}), (101, None)])
def test_a_list_of_nothing(program: Looking, count: int, verified: dict[str, int] | None) -> None:
    """A list that has never shown an open batch proves nothing: each is read again, up to a hundred."""
    with served("nothing", count) as server:
        ran = called(program, server, *map(str, range(1, count + 1)))
        assert (server.open, server.seen["get"]) == (set(), count + (count if verified else 0))
    assert (ran.code, ran.summary["verified"]) == (0, verified)
    assert [event["reason"] for event in ran.events("proof.unavailable")] == [
        *([] if verified else ["list_is_empty"])
    ]


def test_a_list_that_knows_no_pages(program: Looking) -> None:
    """A few open batches, however often the list shows them, are all there are."""
    with served("the same page", 20) as server:
        ran = called(program, server, "--open")
        assert (server.open, server.seen["put"], server.seen["get"]) == (set(), 20, 0)
    assert (ran.code, ran.summary["verified"]) == (0, {"batches": 20, "disagreeing": 0})
