"""The runs that a worker has met in the queue, and their stops, which all workers share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from worker.engine.ports import Log
from worker.engine.stop import Stop
from worker.engine.terms import Terms
from worker.fleet.header import Header, text_of
from worker.fleet.line import Line
from worker.fleet.run_stop import RunStop
from worker.fleet.worker import Worker
from worker.rules.abort import AbortRule
from worker.words.model import Outcome, Stopped


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run, as of one of its sessions."""

    session: int
    terms: Terms
    rules: tuple[AbortRule, ...]
    ok: frozenset[Outcome]
    stop: RunStop


class KnownRuns:
    """Learns runs from the store, tells it of their stops and hears of others'."""

    def __init__(self, line: Line, worker: Worker, log: Log) -> None:
        self._line = line
        self._worker = worker
        self._log = log
        self._known: dict[str, KnownRun] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self.on_stopped: Callable[[Stop], None] | None = None

    def met(self, run_id: str) -> KnownRun | None:
        """A run of which this worker had a lease; None where the queue lost it since."""
        return self._known.get(run_id)

    async def learn(self, run_id: str, session: int | None = None) -> KnownRun | None:
        """A run, as of its session: one that is taken up again has another stop, and perhaps settings.

        None where the queue has no such run.
        """
        known = self._known.get(run_id)
        if known is None or session not in {None, known.session}:
            reply = await self._line.ask("HGETALL", self._line.names.run(run_id))
            if not reply:
                return None
            header = Header.of(text_of(reply))
            lesson = self._worker.learn(header)
            stop = RunStop(self._log, run_id, self._stopped)
            terms = Terms(run_id=run_id, stop=stop, care=lesson.care)
            self._known[run_id] = KnownRun(header.session, terms, lesson.rules, lesson.ok, stop)
            if lesson.refusal is not None:
                stop.request(Stopped.ABORT, lesson.refusal)
        return self._known[run_id]

    def forget(self) -> None:
        """The store lost them all."""
        self._known.clear()

    def _stopped(self, stop: RunStop, *, is_news: bool) -> None:
        if self.on_stopped is not None:
            self.on_stopped(stop)
        if is_news:
            rule = stop.by.partition("=")[0] if stop.kind is Stopped.ABORT and stop.by else ""
            self._later(self._line.script("stop", stop.run_id, stop.kind, stop.by, rule))

    def heard_stop(self, run_id: str | None) -> None:
        """A run was stopped by somebody; None: perhaps one was."""
        for known, run in list(self._known.items()):
            if run_id in {None, known} and not run.stop.draining:
                self._later(self._ask_stop(known, run))

    async def _ask_stop(self, run_id: str, run: KnownRun) -> None:
        kind, by = await self._line.ask("HMGET", self._line.names.run(run_id), "stop_kind", "stop_by")
        if kind:
            run.stop.heard(Stopped(kind.decode()), (by or b"").decode())

    def _later(self, telling: Awaitable[object]) -> None:
        async def tell() -> None:
            await telling

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def told(self, within_s: float) -> None:
        """Wait until the store knows of all stops, or time is up; then it learns no more."""
        if self._telling:
            await asyncio.wait(set(self._telling), timeout=within_s)
        for task in list(self._telling):
            task.cancel()
