"""One pace over the look before, the closes and the proof: the API counts them together."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from tests.e2e.support import a_batch
from tests.engine.support import Ears
from tests.guards.support import Looking, open_batches, world_of
from tests.plan.support import faults
from worker.cli.session.phases import Phases
from worker.cli.settings.tree import LimitSettings
from worker.simulator.faults import Route
from worker.simulator.options import Options
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.world import State, World

THREE = world_of(*open_batches(1001, 3))
PHASES = [Route.ME, Route.LIST, *[Route.PUT] * 3, Route.LIST]

LAG_S = 0.03
"""Half a slot may be made up for after a late timer; and so late may the server note an arrival."""


def arrivals(simulator: Simulator, *routes: Route) -> list[float]:
    """When the requests arrived, in order."""
    return [request.at for request in simulator.requests if request.route in (routes or tuple(Route))]


@pytest.mark.parametrize(
    ("rate", "world", "routes"),
    [
        (4, THREE, PHASES),
        (0.5, world_of(a_batch(1001, State.CLOSED)), [Route.ME, Route.GET]),
    ],
)
def test_the_rate_holds_from_phase_to_phase(
    program: Looking, rate: float, world: World, routes: list[Route]
) -> None:
    """No second sees more than rate + burst and 1 %, nor do two requests come much closer than a slot."""
    with simulator_thread(world=world) as simulator:
        program.close(simulator, "--rate", str(rate), "--burst", "1", ids=world.targets)
        assert [request.route for request in simulator.requests] == routes
        assert simulator.max_seen_per_second() <= (rate + 1) * 1.01
        at = arrivals(simulator)
    assert min(after - before for before, after in pairwise(at)) >= 0.5 / rate - LAG_S
    assert at[-1] - at[0] >= (len(at) - 1 - 0.5) / rate - LAG_S


def test_the_burst_is_for_the_whole_session(program: Looking) -> None:
    """What the look took of it is not there for the closes: all together are the burst and then the rate."""
    world = world_of(*open_batches(1001, 8))
    with simulator_thread(world=world) as simulator:
        program.close(simulator, "--rate", "5", "--burst", "6", ids=world.targets)
        at = arrivals(simulator)
    assert len(at) == 1 + 1 + 8 + 1
    assert at[-1] - at[0] >= (11 - 6 - 0.5) / 5 - LAG_S


def test_a_lowered_rate_is_kept(program: Looking) -> None:
    """Throttled while it looked, the run closes more slowly than it was told."""
    world = world_of(*open_batches(1001, 12))
    with simulator_thread(Options(faults=faults(list="429")), world=world) as simulator:
        ran = program.close(simulator, "--rate", "20", "--burst", "1", ids=world.targets)
        puts = arrivals(simulator, Route.PUT)
    assert ran.summary["requests"]["throttled"] == 1
    assert len(puts) / (puts[-1] - puts[0]) < 18


def test_a_pause_outlives_its_phase() -> None:
    """What the API asked of the one phase holds for the next, which tells it at once."""
    told: list[float] = []

    async def wait() -> float:
        await phases.pacer.slot()
        return asyncio.get_running_loop().time()

    async def be_told_to_wait() -> tuple[float, float]:
        clock = asyncio.get_running_loop().time
        before = clock()
        phases.pacer.pause(0.3, "http_429")
        return before + 0.3, clock() + 0.3

    with Phases.open(LimitSettings(rate_per_s=1000), Ears()) as phases:
        phases.run(wait())
        earliest, latest = phases.run(be_told_to_wait())
        phases.pacer.tell_pauses(told.append)
        assert phases.run(wait()) >= earliest - 0.001
    assert [earliest <= each <= latest for each in told] == [True]
