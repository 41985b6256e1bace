"""The limit of an exchange, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.virtual_time import VirtualLoop, run
from worker.energycap.limit import TimeLimit


async def waited(limit: TimeLimit, begin_s: float, take_s: float) -> tuple[str, float]:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(begin_s)
    begun = loop.time()
    try:
        with limit.wait():
            await asyncio.sleep(take_s)
    except TimeoutError:
        return "too long", round(loop.time() - begun, 3)
    return "done", round(loop.time() - begun, 3)


def test_each_has_its_own_time() -> None:
    """Whoever began when, only what takes longer than the limit is ended, and at the limit."""

    async def main(_: VirtualLoop) -> list[tuple[str, float]]:
        limit = TimeLimit(10.0)
        takes = [(0.0, 3.0), (1.0, 99.0), (2.0, 9.5), (2.5, 99.0), (40.0, 10.5), (41.0, 1.0)]
        return await asyncio.gather(*(waited(limit, *each) for each in takes))

    ended = [("done", 3.0), ("too long", 10.0), ("done", 9.5)]
    assert run(main) == [*ended, ("too long", 10.0), ("too long", 10.0), ("done", 1.0)]


def test_who_is_cancelled_stays_so() -> None:
    """A cancellation that comes from outside, or from both sides at once, is no time-out."""

    async def main(loop: VirtualLoop) -> None:
        limit = TimeLimit(10.0)
        for cancel_after_s in (5.0, 10.0):
            task = asyncio.create_task(waited(limit, 0.0, 99.0))
            await asyncio.sleep(0)
            task.get_loop().call_at(loop.time() + cancel_after_s, task.cancel)
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main)


def test_nothing_is_left_behind() -> None:
    """Once all have ended no timer is set again, and the task is as it was."""

    async def main(_: VirtualLoop) -> int:
        limit = TimeLimit(1.0)
        assert await waited(limit, 0.0, 9.0) == ("too long", 1.0)
        await asyncio.sleep(5.0)
        assert limit._timer is None
        assert not limit._waits
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert run(main) == 0
