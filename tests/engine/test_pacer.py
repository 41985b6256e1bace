"""The pacer in virtual time: it reaches the rate, never exceeds it, and gives way."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import Callable

import pytest

from tests.engine.support import Ears
from tests.engine.virtual_time import VirtualLoop, run
from worker.engine.pacer import Pacer

RATES = [0.5, 1, 3, 5, 17.5, 50, 200, 1000]


def busiest_second(instants: list[float]) -> int:
    """The most slots in any half-open second."""
    return max(index + 1 - bisect_left(instants, at - 1 + 1e-9) for index, at in enumerate(instants))


def pacer(loop: VirtualLoop, rate: float, burst: int = 1) -> Pacer:
    return Pacer(rate, burst, Ears(), loop.time)


async def slots(loop: VirtualLoop, subject: Pacer, count: int, waiters: int = 8) -> list[float]:
    """The instants of ``count`` slots that so many waiters take in turn."""
    instants: list[float] = []

    async def wait() -> None:
        while len(instants) < count:
            await subject.slot()
            instants.append(loop.time())

    await asyncio.gather(*(wait() for _ in range(waiters)))
    return instants


def late_by(most_s: float, seed: int) -> Callable[[float], float]:
    draw = random.Random(seed)
    return lambda when: draw.uniform(0, most_s)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("burst", [1, 10])
def test_on_time_timers_give_the_rate_exactly(rate: float, burst: int) -> None:
    """Over any run the rate is reached, and no second sees more than rate + burst."""
    count = min(int(rate * 20), 4000) + 20
    instants = run(lambda loop: slots(loop, pacer(loop, rate, burst), count))
    took = instants[-1] - instants[0]
    assert (len(instants) - burst) / took >= rate * 0.999
    assert busiest_second(instants) <= rate * 1.01 + burst


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate <= 200])
@pytest.mark.parametrize("seed", range(3))
def test_late_timers_cost_no_rate(rate: float, seed: int) -> None:
    """Timers up to 1.5 ms late: 99 % of the rate and more, and never more than rate + burst and 1 %."""
    count = min(int(rate * 20), 4000) + 20
    instants = run(lambda loop: slots(loop, pacer(loop, rate), count), late_by(0.0015, seed))
    took = instants[-1] - instants[0]
    assert (len(instants) - 1) / took >= rate * 0.99
    assert busiest_second(instants) <= rate * 1.01 + 1


def test_late_timers_at_a_thousand_per_second() -> None:
    """At 1000 per second, where a timer is as late as a slot is long, at least 98 % is reached."""
    instants = run(lambda loop: slots(loop, pacer(loop, 1000), 6_000), late_by(0.0012, 1))
    took = instants[-1] - instants[0]
    assert (len(instants) - 1) / took >= 980
    assert busiest_second(instants) <= 1011


@pytest.mark.parametrize("rate", [5, 50, 1000])
def test_a_stall_of_the_process_is_not_made_up_for(rate: float) -> None:
    """After half a second in which nothing ran, no second sees more than rate + burst."""

    async def main(loop: VirtualLoop) -> list[float]:
        subject = pacer(loop, rate)
        before = await slots(loop, subject, int(rate * 2))
        loop.stall(0.5)
        return before + await slots(loop, subject, int(rate * 2))

    assert busiest_second(run(main)) <= rate * 1.01 + 1


@pytest.mark.parametrize("rate", [0.5, 5, 50])
@pytest.mark.parametrize("burst", [1, 4])
def test_after_a_quiet_time_only_the_burst_goes_at_once(rate: float, burst: int) -> None:
    """A quiet minute lets ``burst`` requests go at once and no more."""

    async def main(loop: VirtualLoop) -> list[float]:
        subject = pacer(loop, rate, burst)
        await slots(loop, subject, 5)
        loop.stall(60)
        return await slots(loop, subject, int(rate * 3) + 3 * burst)

    instants = run(main)
    assert sum(1 for at in instants if at == instants[0]) <= burst
    assert busiest_second(instants) <= rate * 1.01 + burst


def test_a_pause_stops_everyone_until_it_ends() -> None:
    """After a pause of 30 s no slot is given for 30 s, and then at the rate, not in a volley."""

    async def main(loop: VirtualLoop) -> tuple[float, list[float]]:
        subject = pacer(loop, 10)
        taking = asyncio.create_task(slots(loop, subject, 60))
        await asyncio.sleep(1.05)
        subject.pause(30, "http_429")
        return loop.time(), await taking

    paused_at, instants = run(main)
    assert not [at for at in instants if paused_at < at < paused_at + 30]
    assert busiest_second(instants) <= 11.1


def test_a_pause_is_never_shortened() -> None:
    """A second, shorter Retry-After does not end the first."""

    async def main(loop: VirtualLoop) -> float:
        subject = pacer(loop, 10)
        began = loop.time()
        subject.pause(20, "http_429")
        subject.pause(5, "http_429")
        await subject.slot()
        return loop.time() - began

    assert run(main) == pytest.approx(20)


def test_throttling_lowers_the_rate_and_quiet_raises_it_again() -> None:
    """A throttled request lowers the rate for all; without more of them it comes back to what was asked."""

    async def main(loop: VirtualLoop) -> tuple[list[float], Ears]:
        ears = Ears()
        subject = Pacer(20, 1, ears, loop.time)
        subject.slow_down(loop.time())
        return await slots(loop, subject, 2000), ears

    instants, ears = run(main)
    first = [at for at in instants if at < instants[0] + 2]
    last = [at for at in instants if at > instants[-1] - 2]
    assert len(first) / 2 <= 15
    assert len(last) / 2 >= 19
    rates = [change["rate_per_s"] for change in ears.named("run.rate_changed")]
    assert rates[0] == 14
    assert rates[-1] == 20
    assert busiest_second(instants) <= 21.2


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("burst", [1, 10])
@pytest.mark.parametrize("waiters", [0, 1, 12, 100])
def test_what_a_newcomer_will_wait_is_told_beforehand(rate: float, burst: int, waiters: int) -> None:
    """Never more than it then waits; with many before it, no less than that but for the bucket."""

    async def main(loop: VirtualLoop) -> tuple[float, float]:
        subject = pacer(loop, rate, burst)
        before = [asyncio.create_task(subject.slot()) for _ in range(waiters)]
        await asyncio.sleep(0)
        told, asked_at = subject.wait_s, loop.time()
        await subject.slot()
        await asyncio.gather(*before)
        assert subject.wait_s == 0
        return told, loop.time() - asked_at

    told, waited = run(main)
    assert told <= waited + 1e-6
    assert told >= waited - (burst + 2 + 0.003 * rate) / rate


def test_a_pause_is_part_of_what_a_newcomer_will_wait() -> None:
    """Nothing is given before it ends."""

    async def main(loop: VirtualLoop) -> float:
        subject = pacer(loop, 10)
        subject.pause(30, "http_429")
        return subject.wait_s

    assert run(main) == pytest.approx(30)


def test_slots_are_given_in_order() -> None:
    """Whoever waits longest is next, whatever the number of waiters."""

    async def main(loop: VirtualLoop) -> list[int]:
        subject, order = pacer(loop, 100), list[int]()

        async def wait(number: int) -> None:
            await subject.slot()
            order.append(number)

        await asyncio.gather(*(wait(number) for number in range(50)))
        return order

    assert run(main) == list(range(50))


def test_a_cancelled_wait_takes_no_slot() -> None:
    """Those who give up leave their place to the next."""

    async def main(loop: VirtualLoop) -> float:
        subject = pacer(loop, 1)
        await subject.slot()
        began = loop.time()
        quitter = asyncio.create_task(subject.slot())
        patient = asyncio.create_task(subject.slot())
        await asyncio.sleep(0.5)
        quitter.cancel()
        await patient
        return loop.time() - began

    assert run(main) == pytest.approx(1.0, abs=0.02)
