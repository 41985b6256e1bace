"""The seeded batches, and what may happen to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.simulator.options import Pace, Population, Unknowns
from worker.simulator.seeding import seed_world
from worker.simulator.world import State
from worker.words.errors import ConfigurationError

from .talking import NOW


@given(st.integers(0, 10**9), st.integers(0, 60))
def test_the_same_seed_gives_the_same_batches(seed: int, batches: int) -> None:
    """A world depends on population and instant alone."""
    population = Population(batches=batches, seed=seed)
    assert seed_world(population, NOW) == seed_world(population, NOW)


def test_shares_of_fates_are_exact() -> None:
    """Each fate gets its rounded share, the rest is open."""
    world = seed_world(Population(batches=200, closed=0.1, missing=0.05, pending=0.02), NOW)
    assert world.counts() == {State.CLOSED: 20, State.MISSING: 10, State.PENDING: 4, State.OPEN: 166}
    assert world.ids() == list(range(1001, 1201))
    assert len(world.ids(State.PENDING)) == 4


def test_closed_ones_were_closed_by_others_hours_to_weeks_ago() -> None:
    """An already closed batch has its closing behind it and its creation before that."""
    world = seed_world(Population(batches=300, closed=1, missing=0, pending=0), NOW)
    for batch in world.batches.values():
        assert batch.closed_at is not None
        assert batch.closed_by == "them"
        assert NOW - 43 * 86400 < batch.closed_at <= NOW - 7200
        assert batch.created_at < batch.closed_at


def test_codes_totals_and_counts_look_real() -> None:
    """Codes are unique and carry the period; totals go with bills."""
    world = seed_world(Population(batches=300, missing=0), NOW)
    batches = list(world.batches.values())
    assert len({batch.code for batch in batches}) == 300
    assert all(f"-{batch.year}-{batch.month:02d}-" in batch.code for batch in batches)
    assert all((batch.total_cents > 0) == (batch.bill_count > 0) for batch in batches)


def test_a_close_happens_once() -> None:
    """Only an open or pending batch is closed, and the first closer stays."""
    world = seed_world(Population(batches=3, closed=0, missing=0, pending=0), NOW)
    assert world.close(1001, NOW, "them")
    assert not world.close(1001, NOW + 1, "us")
    assert not world.close(999, NOW, "us")
    assert world.truth()[1001]["closed_by_us"] is False
    assert world.truth()[999]["state"] == "missing"


@pytest.mark.parametrize(
    "given_",
    [
        {"batches": -1},
        {"first_id": 0},
        {"first_id": 2**31 - 1, "batches": 2},
        {"closed": 1.1},
        {"closed": float("nan")},
        {"closed": 0.5, "missing": 0.6},
    ],
)
def test_impossible_populations_are_refused(given_: dict[str, float]) -> None:
    """A population that can't be is one clear line."""
    with pytest.raises(ConfigurationError):
        Population(**given_)  # type: ignore[arg-type] # any field, by name


@pytest.mark.parametrize(
    "make",
    [
        lambda: Unknowns(already_closed=302),
        lambda: Unknowns(refusal=200),
        lambda: Unknowns(me=99),
        lambda: Unknowns(utc_offset_minutes=900),
        lambda: Unknowns(clock_offset_s=float("inf")),
        lambda: Pace(latency_s=(2, 1)),
        lambda: Pace(latency_s=(-1, 1)),
        lambda: Pace(effect_at=2),
        lambda: Pace(rate_per_s=0),
        lambda: Pace(burst=-1),
    ],
)
def test_impossible_settings_are_refused(make: type) -> None:
    """So is any other setting that makes no sense."""
    with pytest.raises(ConfigurationError):
        make()
