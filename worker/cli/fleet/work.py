"""``work --queue redis://...``: one worker of a fleet."""

from __future__ import annotations

import asyncio
import os
import platform
import random
import secrets
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import anyio
import click
import orjson

from worker.cli.fleet.lessons import lesson_of, standing_settings
from worker.cli.here import make_log
from worker.cli.queues import WorkOrder
from worker.cli.session.wiring import connection_of
from worker.cli.settings.tree import fixed
from worker.cli.signals import Ears, number_of
from worker.energycap import connect
from worker.engine.asking import Asking
from worker.engine.ports import Clocks
from worker.engine.requests import Requests, RetryPolicy
from worker.engine.shift import Hours, Shift
from worker.engine.stop import Stop
from worker.fleet import (
    Ear,
    Header,
    Lesson,
    Line,
    Meter,
    RedisQueue,
    SharedPacer,
    Worker,
    open_line,
    pace_key,
    parse_address,
    trouble_with_persistence,
)
from worker.report import line_of
from worker.report.advice import counted
from worker.rules.retry import RetryBudget
from worker.rules.summary import exit_code_of, printable
from worker.telemetry import Log
from worker.words.answer import Identity
from worker.words.errors import BatchCloserError, ConfigurationError
from worker.words.model import Outcome, Result, Stopped

if TYPE_CHECKING:
    from worker.telemetry.port_metrics import Metrics

FIRST_CONNECT_S: Final = 10.0


def work(order: WorkOrder) -> int:
    """Serve a queue on Redis or Valkey until told to stop, or once until it is empty; return the exit code.

    Raises BatchCloserError where the work can't begin.
    """
    if order.run_id is not None:
        raise ConfigurationError("--run-id is for the state folder's queue: here the runs have their names")
    if order.settings.queue.limiter is not None:
        raise ConfigurationError(
            "--limiter is for other queues: all workers of a queue in Redis are paced by its store already"
        )
    log, ears = make_log(order.settings), Ears()
    ears.open()
    try:
        return asyncio.run(_Worker(order, log, ears).perform())
    except BaseExceptionGroup as several:  # a task group wraps what is raised in it
        raise _ours(several) from None
    finally:
        log.close()


def _ours(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that a user is to be told of, if there is one."""
    known = several.subgroup(BatchCloserError)
    found: BaseException = known or several
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


@dataclass(slots=True)
class _Count:
    """What this worker settled."""

    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    last_at: float = 0.0


class _Worker:
    """One worker: the engine wired to the queue, the API, the log and the port."""

    def __init__(self, order: WorkOrder, log: Log, ears: Ears) -> None:
        self._order = order
        self._settings = fixed(order.settings)
        self._log = log
        self._ears = ears
        self._name = f"{platform.node() or 'worker'}-{os.getpid()}-{secrets.token_hex(3)}"
        self._count = _Count()
        self._meter = Meter()
        self._identity: Identity | None = None
        self._quiet = {*self._settings.output.fine, Outcome.NOT_ATTEMPTED}
        self._stop = Stop(log)
        self._metrics: Metrics | None = None
        assert order.queue.url is not None
        self._address = parse_address(order.queue.url)

    async def perform(self) -> int:
        """Do all of it; the exit code."""
        settings = self._settings
        connection = connection_of(settings, settings.api.base_url, self._order.key)
        async with open_line(self._address, self._log) as line, connect(connection) as api:
            with self._ears.listening(self._stop.signalled):
                queue = await self._open_queue(line)
                clocks = Clocks(time.time, asyncio.get_running_loop().time, random.random)
                ear, pacer = Ear(line), self._pacer(line, clocks)
                pacer.listen(ear)
                ear.on(line.names.stops, queue.heard_stop)
                requests = Requests(
                    api=api,
                    pacer=pacer,
                    policy=RetryPolicy(**settings.retry.model_dump()),
                    budget=RetryBudget.of(settings.limits.concurrency),
                    tallies=self._meter.counters,
                    on_latency=self._answered,
                    clocks=clocks,
                )
                async with anyio.create_task_group() as group:
                    group.start_soon(ear.listen)
                    try:
                        await self._ask_identity(requests, clocks, queue)
                        if not self._stop.draining:
                            await self._serve(line, queue, requests, pacer, clocks)
                    finally:
                        with anyio.CancelScope(shield=True):
                            await queue.leave(2.0)
                            await pacer.close()
                        group.cancel_scope.cancel()
        return self._end()

    async def _open_queue(self, line: Line) -> RedisQueue:
        settings, secret = self._settings, self._order.key.get_secret_value()
        worker = Worker(
            name=self._name,
            base_url=settings.api.base_url,
            standing=standing_settings(settings),
            lease_s=settings.queue.lease_s,
            max_deliveries=settings.queue.max_deliveries,
            rate_per_s=settings.limits.rate_per_s,
            learn=self._learn,
            encode=line_of,
            redact=lambda text: text.replace(secret, "***"),
            wall=time.time,
        )
        queue = RedisQueue(line, worker, self._meter, self._log)
        line.on_refused = lambda error: self._stop.request(Stopped.QUEUE, str(error))
        await queue.open(FIRST_CONNECT_S)
        if (trouble := await trouble_with_persistence(line)) is not None:
            self._log.warning("queue.not_durable", queue=self._address.shown, reason=trouble)
        return queue

    def _learn(self, header: Header) -> Lesson:
        return lesson_of(header, self._identity)

    def _pacer(self, line: Line, clocks: Clocks) -> SharedPacer:
        settings = self._settings
        return SharedPacer(
            line,
            pace_key(settings.api.base_url, self._order.key.get_secret_value()),
            rate_per_s=settings.limits.rate_per_s,
            burst=settings.limits.burst,
            log=self._log,
            clock=clocks.steady,
        )

    def _answered(self, elapsed_s: float) -> None:
        self._meter.latency.add(elapsed_s)
        if self._metrics is not None:
            self._metrics.answered(elapsed_s)

    async def _ask_identity(self, requests: Requests, clocks: Clocks, queue: RedisQueue) -> None:
        """Whose the key is, before anything is taken; a queue serves one environment alone."""
        asking = Asking(requests, self._stop, self._log, clocks)
        trouble: ConfigurationError | None = None

        async def ask() -> None:
            nonlocal trouble
            self._identity = await asking.identity()
            found = self._identity.environment if self._identity else None
            if found is None:
                return
            served = await queue.claim_environment(found)
            if served != found:
                trouble = ConfigurationError(
                    f"queue {self._address.shown} serves environment {printable(served, 60)!r}, and the "
                    f"key's is {printable(found, 60)!r}: give a key of that one, or another queue"
                )

        await asking.until_stopped(ask, deadline_s=None, stall_s=self._settings.limits.stall_s)
        if trouble is not None:
            raise trouble

    async def _serve(
        self, line: Line, queue: RedisQueue, requests: Requests, pacer: SharedPacer, clocks: Clocks
    ) -> None:
        settings = self._settings
        hours = Hours(
            concurrency=settings.limits.concurrency,
            grace_s=settings.limits.grace_s,
            lease_s=settings.queue.lease_s,
            once=self._order.once,
        )
        shift = Shift(
            hours,
            queue=queue,
            requests=requests,
            stop=self._stop,
            log=self._log,
            clocks=clocks,
            on_recorded=self._recorded,
        )
        queue.tell_stops(shift.run_stopped)
        async with AsyncExitStack() as stack:
            if settings.queue.port is not None:
                from worker.cli.fleet.port import serve_port

                watched = serve_port(
                    settings,
                    line=line,
                    shift=shift,
                    pacer=pacer,
                    meter=self._meter,
                    stop=self._stop,
                    log=self._log,
                )
                self._metrics = await stack.enter_async_context(watched)
            self._log.info("worker.started", **self._facts())
            await shift.perform()

    def _recorded(self, result: Result) -> None:
        self._count.outcomes[result.outcome] += 1
        self._log.settled(line_of(result), fine=result.outcome in self._quiet)
        if self._metrics is not None:
            self._metrics.settled(result)

    def _facts(self) -> dict[str, object]:
        settings, identity = self._settings, self._identity
        return {
            "worker": self._name,
            "queue": self._address.shown,
            "base_url": settings.api.base_url,
            "user": identity.user_code if identity else None,
            "environment": identity.environment if identity else None,
            "settings": settings.kept(),
        }

    def _end(self) -> int:
        """Show what this worker did; the exit code."""
        stop, counts, settings = self._stop, self._count.outcomes, self._settings
        number = number_of(stop.by)
        code = exit_code_of(counts if self._order.once else {}, settings.output.fine, stop.kind, number)
        told = {outcome.value: count for outcome, count in counts.items() if count}
        facts: dict[str, Any] = {
            "worker": self._name,
            "queue": self._address.shown,
            "settled": sum(told.values()),
            "outcomes": told,
            "requests": self._meter.counters.to_json_dict(),
            "stopped": stop.kind,
            "stopped_by": stop.by,
            "exit_code": code,
        }
        self._log.info("worker.finished", **facts)
        if self._order.as_json:
            click.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
        else:
            each = ", ".join(f"{count:,} {name}" for name, count in told.items())
            click.echo(f"This worker settled {counted(facts['settled'], 'batch')}{each and f': {each}'}.")
        if stop.kind in {Stopped.KEY, Stopped.UNREACHABLE, Stopped.QUEUE}:
            click.echo(f"batch-closer: stopped: {_WHY[stop.kind]} ({stop.by})", err=True)
        return code


_WHY: Final = {
    Stopped.KEY: "the API refused the key; give a valid one",
    Stopped.UNREACHABLE: "the API could not be reached; check the base URL and the network",
    Stopped.QUEUE: "the queue can't be used any more",
}
