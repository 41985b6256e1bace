"""One pace for all who share a host and a key, on the clock of a real store."""

from __future__ import annotations

import asyncio
import secrets
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.engine.support import Ears
from worker.fleet import Ear, Line, SharedPacer, open_line, pace_key, parse_address
from worker.rules.pace import GROWTH_PER_S, STEP_SLOTS

Make = Callable[[float, int], Awaitable[tuple[SharedPacer, Ears, Line]]]


@asynccontextmanager
async def pacers(server: str) -> AsyncIterator[Make]:
    """Makes pacers as different workers have them: of one host and key, each with a line of its own."""
    key = pace_key("http://test", secrets.token_hex(8))
    async with AsyncExitStack() as stack:

        async def make(rate: float, burst: int) -> tuple[SharedPacer, Ears, Line]:
            ears = Ears()
            line = await stack.enter_async_context(open_line(parse_address(server), ears))
            clock = asyncio.get_running_loop().time
            pacer = SharedPacer(line, key, rate_per_s=rate, burst=burst, log=ears, clock=clock)
            ear, heard = Ear(line), asyncio.Event()
            pacer.listen(ear)
            ear.on("test-is-there", lambda told: heard.set())
            listening = asyncio.create_task(ear.listen())
            stack.push_async_callback(stopped, listening)
            stack.push_async_callback(pacer.close)
            await heard.wait()
            return pacer, ears, line

        yield make
        async with open_line(parse_address(server), Ears()) as line:
            await line.ask("DEL", key)


async def told(pacer: SharedPacer) -> None:
    """The store has learnt of every throttled request so far: of two told at once either may come first."""
    await asyncio.gather(*pacer._telling)


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1), (50, 1), (50, 4), (1000, 10)])
async def test_the_store_books_slots_one_after_the_other(server: str, rate: float, burst: int) -> None:
    """The burst at once, then one each 1/rate seconds; who books next comes next."""
    async with pacers(server) as make:
        pacer, _, line = await make(rate, burst)

        async def book(many: int) -> list[float]:
            reply = await line.script(
                "pace_book", repr(rate), burst, many, GROWTH_PER_S, STEP_SLOTS, key=pacer._key
            )
            return [float(wait_us) / 1e6 for wait_us in reply[2:]]

        waits = await book(20)
        expected = [max(number - burst + 1, 0) / rate for number in range(20)]
        assert waits == pytest.approx(expected, abs=3e-5)
        (later,) = await book(1)
        assert expected[-1] - 2.0 < later <= expected[-1] + 1 / rate + 1e-4


async def test_what_a_newcomer_will_wait_is_told_beforehand(server: str) -> None:
    """As long as those take who have booked here: others who book elsewhere can only make it longer."""
    async with pacers(server) as make:
        pacer, _, _ = await make(0.05, 1)
        clock = asyncio.get_running_loop().time
        assert pacer.wait_s == 0
        before = [asyncio.create_task(pacer.slot()) for _ in range(6)]
        while len(pacer._sleeping) < 5:  # the first has its slot at once
            await asyncio.sleep(0.001)
        told, asked_at = pacer.wait_s, clock()
        assert told == pytest.approx(5 / 0.05)
        newcomer = await pacer._bookings.book()
        assert newcomer.due_at - asked_at >= told
        pacer.pause(600.0, "http_429")
        assert 500.0 < pacer.wait_s <= 600.0
        await asyncio.gather(*map(stopped, before))


async def test_many_workers_never_exceed_the_rate(server: str) -> None:
    """Whatever the machine is busy with, no second sees more than rate + burst and 1 %."""
    rate, burst = 60.0, 3
    async with pacers(server) as make:
        fleet = [(await make(rate, burst))[0] for _ in range(4)]
        clock, instants = asyncio.get_running_loop().time, list[float]()
        end = clock() + 2.0

        async def take(pacer: SharedPacer) -> None:
            while clock() < end:
                await pacer.slot()
                instants.append(clock())

        await asyncio.gather(*(take(pacer) for pacer in fleet for _ in range(3)))
        busiest = max(index + 1 - bisect_left(instants, at - 1) for index, at in enumerate(instants))
        assert busiest <= (rate + burst) * 1.01
        assert len(instants) > 30


async def test_a_throttled_worker_pauses_and_slows_all(server: str) -> None:
    """Another's booking is void at once; after the pause all go on at seven tenths of the rate."""
    async with pacers(server) as make:
        (one, _, _), (other, ears, line) = await make(5.0, 1), await make(5.0, 1)
        clock = asyncio.get_running_loop().time
        await other.slot()
        waiting = asyncio.create_task(other.slot())  # in 0.2 s, were it not for the pause
        await asyncio.sleep(0.05)
        began = clock()
        one.throttled(began, 0.6, "http_429")
        await told(one)
        one.throttled(began - 10.0, 0.1, "http_429")  # one that was sent before: neither shorter nor slower
        await waiting
        assert clock() - began >= 0.59
        assert one.share == other.share == pytest.approx(0.7)
        await other.slot()
        assert clock() - began >= 0.59 + 1 / 3.5 - 0.01
        assert [change["rate_per_s"] for change in ears.named("run.rate_changed")] == [3.5]
        assert [pause["reason"] for pause in ears.named("run.paused")] == ["shared"]
        await line.ask("HINCRBYFLOAT", one._key, "changed", -5_000_000)
        await one.slot()
        assert 0.79 <= one.share <= 0.86  # five quiet seconds, and those of this test


def test_the_key_of_a_pace_tells_nothing_of_the_api_key() -> None:
    """The same host and key give the same, others give others, and the key is not in it."""
    first, again = pace_key("https://a", "secret"), pace_key("https://a", "secret")
    assert first == again
    assert len({first, pace_key("https://b", "secret"), pace_key("https://a", "other")}) == 3
    assert "secret" not in first
