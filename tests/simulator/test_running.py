"""Start and stop, in the loop and in a thread."""

from __future__ import annotations

import socket
import threading
import urllib.request
from urllib.error import HTTPError

import pytest

from worker.simulator.running import Simulator, simulate, simulator_thread
from worker.simulator.scripts import script, scripted
from worker.simulator.seeding import seed_world
from worker.simulator.world import Closer, World

from .talking import ALL_OPEN, FIRST, NOW, close, open_batches


def _close(simulator: Simulator, batch_id: int) -> int:
    headers = {"ECI-ApiKey": simulator.key, "Content-Type": "application/json"}
    url = f"{simulator.url}/api/v3/batch/close/{batch_id}"
    request = urllib.request.Request(url, method="PUT", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as refused:
        with refused:
            return refused.code


def test_a_thread_serves_a_synchronous_test() -> None:
    """Real requests from the outside, the truth from the inside, and no thread left."""
    with simulator_thread(open_batches(faults=scripted(by_id={FIRST: script(put=["500"])}))) as simulator:
        assert [_close(simulator, FIRST) for _ in range(3)] == [500, 200, 400]
        assert simulator.world.batches[FIRST].puts == 3
    assert not [thread for thread in threading.enumerate() if thread.name == "simulator"]


def test_a_thread_that_cant_start_says_why() -> None:
    """A port that is taken is an OSError where the thread was asked for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="address"), simulator_thread(port=port):
            pass


async def test_a_world_can_be_handed_in() -> None:
    """A test may prepare the batches itself."""
    world = seed_world(ALL_OPEN, NOW)
    world.close(FIRST, NOW, "them")
    async with simulate(world=world) as simulator:
        assert simulator.world is world
        assert (await close(simulator)).status == 400


async def test_a_failure_of_the_simulator_itself_is_raised_at_the_end() -> None:
    """A test must not pass on a server that broke: its own exception comes out of the block."""

    class Broken(World):
        def close(self, batch_id: int, at: float, by: Closer) -> bool:
            raise ZeroDivisionError

    prepared = seed_world(ALL_OPEN, NOW)
    with pytest.raises(ZeroDivisionError):
        async with simulate(world=Broken(prepared.batches, prepared.targets)) as simulator:
            assert (await close(simulator)).status == 500


async def test_nothing_late_happens_after_the_block() -> None:
    """A close that was to come late does not come once the server has stopped."""
    options = open_batches(faults=scripted(by_id={FIRST: script(put=["drop_late:60"])}))
    async with simulate(options) as simulator:
        await close(simulator)
        (timer,) = simulator._server._late
        assert not timer.cancelled()
    assert timer.cancelled()


async def test_after_the_block_nobody_listens() -> None:
    """The port is free again."""
    async with simulate() as simulator:
        url = simulator.url
    host, port = url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
