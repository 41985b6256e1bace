"""The kinds of fault, read from text and picked for a request."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.simulator.faults import BY_NAME, OK, Content, FaultPlan, Route, Wire, fault, pick
from worker.simulator.scripts import fault_plan, script, scripted
from worker.words.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "acts", "status", "retry_after"),
    [
        ("500", False, 500, None),
        ("429:2", False, 429, "2"),
        ("503:date", False, 503, "date"),
        ("429:soon", False, 429, "soon"),
        ("close_then_502", True, 502, None),
        ("close_then_503:1", True, 503, "1"),
    ],
)
def test_status_words_say_status_retry_after_and_whether_it_is_done(
    text: str, acts: bool, status: int, retry_after: str | None
) -> None:
    """A status is a fault by itself; close_then_ puts the close before it."""
    read = fault(text)
    assert (read.acts, read.content, read.status, read.retry_after) == (
        acts,
        Content.STATUS,
        status,
        retry_after,
    )


def test_timed_words() -> None:
    """slow and drop_late carry their seconds."""
    assert fault("slow:0.5").delay_s == 0.5
    late = fault("drop_late:2")
    assert (late.late_s, late.acts, late.wire) == (2.0, False, Wire.DROP)


@pytest.mark.parametrize(
    "text", ["", "200", "399", "600", "slow", "slow:x", "slow:-1", "nonsense", "close_then_200", "ok:1"]
)
def test_other_words_are_refused_by_name(text: str) -> None:
    """A word that is no fault is named in the error."""
    with pytest.raises(ConfigurationError, match="unknown fault"):
        fault(text)


@given(st.text(max_size=30))
def test_any_text_is_a_fault_or_a_configuration_error(text: str) -> None:
    """Reading never fails in another way."""
    for read in (lambda: fault(text), lambda: fault_plan(shares=[text]), lambda: fault_plan(at=[text])):
        with suppress(ConfigurationError):
            read()


def test_shares_apply_to_closes_and_reads_unless_a_route_is_named() -> None:
    """500=5% is for both, put:429:2=10% for closes alone."""
    plan = fault_plan(shares=["500=5%", "put:429:2=0.1"])
    assert [(kind.name, share) for kind, share in plan.shares[Route.PUT]] == [("500", 0.05), ("429:2", 0.1)]
    assert [(kind.name, share) for kind, share in plan.shares[Route.GET]] == [("500", 0.05)]


def test_scripts_are_read_by_id_and_route() -> None:
    """A script names a batch and a route, or a route that has no batch."""
    plan = fault_plan(at=["1017:put=500,drop_after", "1017:get=slow:1", "me=401"])
    assert [kind.name for kind in plan.scripts[Route.PUT, 1017]] == ["500", "drop_after"]
    assert [kind.name for kind in plan.scripts[Route.GET, 1017]] == ["slow:1"]
    assert [kind.name for kind in plan.scripts[Route.ME, None]] == ["401"]


@pytest.mark.parametrize("text", ["500", "500=", "500=110%", "500=nan", "500=-1", "what=5%"])
def test_a_bad_share_is_refused(text: str) -> None:
    """A share must be a number from 0 to 1 of a known fault."""
    with pytest.raises(ConfigurationError):
        fault_plan(shares=[text])


@pytest.mark.parametrize("text", ["1017", "1017=500", "x:put=500", "1017:push=500", "1017:put=", "other=500"])
def test_a_bad_script_is_refused(text: str) -> None:
    """A script must name an id, a route and faults."""
    with pytest.raises(ConfigurationError):
        fault_plan(at=[text])


def test_shares_above_one_together_are_refused() -> None:
    """More than all requests can't get a fault."""
    with pytest.raises(ConfigurationError, match="at most 100%"):
        fault_plan(shares=["500=60%", "503=60%"])


def test_a_script_is_followed_in_order_and_then_all_is_well() -> None:
    """Each request of the batch takes the next word; shares do not touch it."""
    plan = FaultPlan(
        scripts=scripted(by_id={7: script(put=["500", "drop_after"])}).scripts,
        shares={Route.PUT: ((BY_NAME["hang"], 1.0),)},
    )
    assert [pick(plan, Route.PUT, 7, turn).name for turn in range(3)] == ["500", "drop_after", "ok"]
    assert pick(plan, Route.PUT, 8, 0).name == "hang"
    assert pick(plan, Route.GET, 7, 0) is OK


def test_shares_come_out_as_asked() -> None:
    """Over many requests each fault gets its share, and the rest is well."""
    plan = fault_plan(shares=["put:500=20%", "put:hang=5%"], seed=3)
    names = [pick(plan, Route.PUT, batch_id, turn).name for batch_id in range(5000) for turn in range(4)]
    assert names.count("500") == pytest.approx(4000, rel=0.1)
    assert names.count("hang") == pytest.approx(1000, rel=0.15)


@given(st.integers(0, 2**31), st.integers(1, 2**31 - 1), st.integers(0, 50))
def test_the_choice_depends_on_seed_batch_and_turn_alone(seed: int, batch_id: int, turn: int) -> None:
    """The same seed gives the same faults, in whatever order the requests arrive."""
    first = pick(fault_plan(shares=["500=50%"], seed=seed), Route.PUT, batch_id, turn)
    pick(fault_plan(shares=["500=50%"], seed=seed), Route.PUT, batch_id + 1, turn)
    assert pick(fault_plan(shares=["500=50%"], seed=seed), Route.PUT, batch_id, turn) == first


def test_seeds_differ() -> None:
    """Another seed gives other faults."""
    chosen = [
        [pick(fault_plan(shares=["500=50%"], seed=seed), Route.PUT, i, 0).name for i in range(64)]
        for seed in (1, 2)
    ]
    assert chosen[0] != chosen[1]
