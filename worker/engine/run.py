"""A run: many closers over one agenda, until all is settled or something stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from worker.engine.agenda import Agenda
from worker.engine.closer import Closer
from worker.engine.ports import Api, Clocks, Log, Pacing, RunMemory, Tallies
from worker.engine.requests import Requests, RetryPolicy
from worker.engine.stop import Stop
from worker.engine.terms import Care, Terms
from worker.rules.abort import AbortRule, AbortWatch
from worker.rules.retry import RetryBudget
from worker.words.model import Outcome, Result, Stopped

__all__ = ["Care", "Edges", "Limits", "Order", "Run"]

UNREACHABLE_AFTER_S = 40.0
"""Give up on an API that no request has reached after this; a connect in flight may take 10 s more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast, how many at once and how long."""

    rate_per_s: float = 5.0
    burst: int = 1
    concurrency: int = 8
    deadline_s: float | None = None
    spent_s: float = 0.0  # of the deadline, before the run
    grace_s: float = 30.0
    stall_s: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run is to do and within which bounds."""

    run_id: str
    limits: Limits
    retry: RetryPolicy
    abort: tuple[AbortRule, ...]
    ok: frozenset[Outcome]
    care: Care | None = None  # None: the closes are sent straight away


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """The foreign things a run works with."""

    api: Api
    pacer: Pacing
    memory: RunMemory
    log: Log
    tallies: Tallies
    clocks: Clocks
    on_latency: Callable[[float], None]  # seconds that the answer to a PUT took


class Run:
    """One session of a run. ``await perform()`` once."""

    def __init__(self, order: Order, edges: Edges) -> None:
        self._order = order
        self._edges = edges
        clocks, log, limits = edges.clocks, edges.log, order.limits
        self.stop = Stop(log)
        self._watch = AbortWatch(order.abort, order.ok)
        terms = Terms(run_id=order.run_id, stop=self.stop, care=order.care)
        self._agenda = Agenda(edges.memory.pending, terms, clocks)
        self._requests = Requests(
            api=edges.api,
            pacer=edges.pacer,
            policy=order.retry,
            budget=RetryBudget.of(limits.concurrency),
            tallies=edges.tallies,
            on_latency=edges.on_latency,
            clocks=clocks,
        )
        self._closer = Closer(
            agenda=self._agenda,
            requests=self._requests,
            memory=edges.memory,
            stop=self.stop,
            policy=order.retry,
            on_settled=self._settled,
            on_progress=self._progressed,
            log=log,
            clocks=clocks,
        )
        self._last_settled_at = clocks.steady()

    async def perform(self) -> Stop:
        """Settle what can be settled; the Stop says whether and why that was not all."""
        async with anyio.create_task_group() as watchers:
            watchers.start_soon(self._watch_time)
            watchers.start_soon(self._watch_stop)
            async with anyio.create_task_group() as closers:
                watchers.start_soon(self._end_at_once, closers.cancel_scope)
                for _ in range(self._order.limits.concurrency):
                    closers.start_soon(self._closer.work)
            watchers.cancel_scope.cancel()
        self._closer.give_up()
        for job in self._agenda.leftovers():
            self._closer.end(job)
        return self.stop

    def _progressed(self) -> None:
        self._last_settled_at = self._edges.clocks.steady()

    def _settled(self, result: Result) -> None:
        if result.outcome is not Outcome.UNKNOWN:
            self._progressed()
        if result.batch_id is None:
            return
        fired = self._watch.settle(result.batch_id, result.outcome, result.reason)
        if fired is not None:
            self.stop.request(Stopped.ABORT, fired.rule, fired.batch_ids)

    async def _watch_stop(self) -> None:
        await self.stop.requested.wait()
        self._agenda.close()
        self._closer.drain()
        await asyncio.sleep(self._order.limits.grace_s)
        self.stop.at_once.set()

    async def _end_at_once(self, closers: anyio.CancelScope) -> None:
        await self.stop.at_once.wait()
        closers.cancel()

    async def _watch_time(self) -> None:
        """Deadline, stall, and an API that nothing reaches: looked at when one of them may be due."""
        steady, limits = self._edges.clocks.steady, self._order.limits
        began = steady()
        # At a slow rate nothing can settle within fewer than a few slots.
        stall_s = max(limits.stall_s, 3 / limits.rate_per_s)
        while not self.stop.draining:
            now = steady()
            stalled_at = max(self._last_settled_at, self._agenda.rested_until) + stall_s
            due = [stalled_at]
            if limits.deadline_s is not None:
                deadline_at = began - limits.spent_s + limits.deadline_s
                due.append(deadline_at)
                if now >= deadline_at:
                    self.stop.request(Stopped.DEADLINE, f"deadline={limits.deadline_s:g}")
            if now >= stalled_at:
                self.stop.request(Stopped.ABORT, f"stall={limits.stall_s:g}")
            if not self._requests.reached:
                due.append(began + UNREACHABLE_AFTER_S)
                if now >= began + UNREACHABLE_AFTER_S and self._requests.last_error:
                    self.stop.request(Stopped.UNREACHABLE, self._requests.last_error)
            await asyncio.sleep(min(max(min(due) - now, 0.05), 60.0))
