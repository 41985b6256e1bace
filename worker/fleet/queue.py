"""The queue as a worker sees it: leases, intents, results. ``engine.queue`` has what each verb promises."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from worker.engine.ports import Hindrance, Log
from worker.engine.queue import Lease
from worker.engine.stop import Stop
from worker.engine.terms import Care, Terms
from worker.fleet.header import Header, Lesson, fields_of, text_of
from worker.fleet.line import Line
from worker.fleet.meter import Meter
from worker.fleet.run_stop import RunStop
from worker.rules.abort import REMEMBERED, AbortRule, Counts, firing, kinds_of
from worker.rules.guards import GUARDS, Action, Bounds
from worker.rules.message import LARGEST, Message, Unfit, of_fields, standing_run
from worker.words.errors import ConfigurationError
from worker.words.model import Outcome, Planned, Result, Stopped

TOO_MANY: Final = "too_many_deliveries"
KEPT_S: Final = 30 * 86400
"""So long a run that is done can be asked about."""
_IDLE_S, _LONGEST_IDLE_S = 0.02, 0.4
_KEEP_AT_ONCE = 200
_CONTROL_ALONE = Care(
    bounds=Bounds(actions={guard.name: Action.IGNORE for guard in GUARDS if guard.name != "control"})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What a worker brings along."""

    name: str  # unique: a lease belongs to it
    base_url: str
    standing: str  # settings, as JSON, of messages that belong to no run
    lease_s: float
    max_deliveries: int
    rate_per_s: float | None  # as asked for; None: it sends nothing
    learn: Callable[[Header], Lesson]
    encode: Callable[[Result], bytes]  # a result as a line
    redact: Callable[[str], str]
    wall: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Run:
    session: int
    terms: Terms
    rules: tuple[AbortRule, ...]
    ok: frozenset[Outcome]
    stop: RunStop


class RedisQueue:
    """A queue on Redis or Valkey Streams, for one worker."""

    def __init__(self, line: Line, worker: Worker, meter: Meter, log: Log) -> None:
        self._line = line
        self._worker = worker
        self._meter = meter
        self._log = log
        self._runs: dict[str, _Run] = {}
        self._cursor = "0-0"
        self._epoch: str | None = None
        self._tick = 0
        self._returns = 0  # of the store, that were looked at
        self._touches: dict[str, int] = {}  # by message: as known when its batch was last looked at
        self._idle_s = _IDLE_S
        self.on_run_stopped: Callable[[Stop], None] | None = None
        self._telling: set[asyncio.Task[None]] = set()
        line.on_lost = self._made_anew

    async def open(self, within_s: float) -> str:
        """Make the queue, or find it; give the environment that it is for, if that is known.

        Raises QueueError where the store can't be used, ConfigurationError where the queue is another API's.
        """
        line = self._line
        await line.first_call(line.redis.ping, within_s)
        _, base_url, epoch, environment = await self._bind()
        if base_url.decode() != self._worker.base_url:
            raise ConfigurationError(
                f"queue {line.address.shown} holds batches of {base_url.decode()}, and the base URL given is "
                f"{self._worker.base_url}: give that, or another queue (redis://...?queue=NAME)"
            )
        self._epoch = epoch.decode()
        return str(environment.decode())

    async def _bind(self) -> list[Any]:
        reply: list[Any] = await self._line.script("bind", self._worker.base_url, secrets.token_hex(8))
        return reply

    async def _made_anew(self) -> None:
        """The group is gone, so the store lost its data: say so, and go on with what comes from now on."""
        await self._line.first_call(self._bind, within_s=0)

    def _heard_epoch(self, epoch: str) -> None:
        if epoch != self._epoch:
            self._log.warning(
                "queue.lost",
                queue=self._line.address.shown,
                remedy="enqueue again what has no result; see that the broker keeps its data",
            )
            self._epoch = epoch
            self._runs.clear()
            self._tick = 0

    async def take(self, most: int) -> Sequence[Lease]:
        """Up to so many leases; none after a short wait."""
        worker = self._worker
        cursor, epoch, taken = await self._line.script(
            "take",
            worker.name,
            most,
            int(worker.lease_s * 1000),
            self._cursor,
            LARGEST,
            int(self._line.up_for_s >= worker.lease_s),  # else they had no chance to keep theirs
        )
        self._cursor = cursor.decode()
        self._heard_epoch(epoch.decode())
        if not taken:
            await asyncio.sleep(self._idle_s)
            self._idle_s = min(self._idle_s * 2, _LONGEST_IDLE_S)
            return ()
        self._idle_s = _IDLE_S
        messages: list[tuple[str, int, Message]] = []
        for mid, deliveries, size, *flat in taken:
            message = _read(int(size), flat)
            if isinstance(message, Unfit):
                await self._reject(mid.decode(), message)
            else:
                messages.append((mid.decode(), int(deliveries), message))
        return await self.leases_of(messages) if messages else ()

    async def leases_of(self, messages: Sequence[tuple[str, int, Message]]) -> Sequence[Lease]:
        """Leases of messages in hand (id, deliveries, content), with what is known of their batches."""
        arguments: list[object] = []
        for mid, _, message in messages:
            run_id = message.run_id or standing_run(_sent_at(mid))
            arguments += [run_id, mid, message.batch_id, int(message.run_id is None)]
        found = await self._line.script("open", self._worker.base_url, self._worker.standing, *arguments)
        leases = []
        for (mid, deliveries, message), (word, *told) in zip(messages, found, strict=True):
            run_id = message.run_id or standing_run(_sent_at(mid))
            run = await self._run(run_id, int(told[0])) if word == b"ok" else None
            if run is not None:
                self._touches[mid] = int(told[1])
                known = [each.decode() for each in told[2:]]
                leases.append(self._lease(mid, deliveries, message, run, known))
            elif word != b"done":
                text = f"batch_id={message.batch_id} run_id={message.run_id}"
                await self._reject(mid, Unfit("unknown_run", text))
        return leases

    def _lease(self, mid: str, deliveries: int, message: Message, run: _Run, told: list[str]) -> Lease:
        kind, by, intent = told
        if kind:
            run.stop.heard(Stopped(kind), by)
        attempts, first_at = intent.split() if intent else ("0", "")
        planned = Planned(
            seq=message.seq or 0,
            batch_id=message.batch_id,
            source=message.source,
            line=message.line,
            attempts=int(attempts),
            first_attempt_at=float(first_at) if first_at else None,
            controls=message.controls,
        )
        spent = TOO_MANY if deliveries > self._worker.max_deliveries else None
        terms = run.terms
        if terms.care is None and message.controls:  # what its producer expects holds in a run without looks
            terms = replace(terms, care=_CONTROL_ALONE)
        return Lease(mid, terms, planned, deliveries, spent)

    async def _run(self, run_id: str, session: int | None = None) -> _Run | None:
        """A run, as of its session: one that is taken up again has another stop, and perhaps settings."""
        known = self._runs.get(run_id)
        if known is None or session not in {None, known.session}:
            reply = await self._line.ask("HGETALL", self._line.names.run(run_id))
            if not reply:
                return None
            header = Header.of(text_of(reply))
            lesson = self._worker.learn(header)
            stop = RunStop(self._log, run_id, self._run_stopped)
            terms = Terms(run_id=run_id, stop=stop, care=lesson.care)
            self._runs[run_id] = _Run(header.session, terms, lesson.rules, lesson.ok, stop)
            if lesson.refusal is not None:
                stop.request(Stopped.ABORT, lesson.refusal)
        return self._runs[run_id]

    def _run_stopped(self, stop: RunStop, *, is_news: bool) -> None:
        if self.on_run_stopped is not None:
            self.on_run_stopped(stop)
        if is_news:
            rule = stop.by.partition("=")[0] if stop.kind is Stopped.ABORT and stop.by else ""
            self._later(self._line.script("stop", stop.run_id, stop.kind, stop.by, rule))

    def _later(self, telling: Awaitable[object]) -> None:
        async def tell() -> None:
            await telling

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def heard_stop(self, run_id: str | None) -> None:
        """A run was stopped by somebody; None: perhaps one was."""
        for known, run in list(self._runs.items()):
            if run_id in {None, known} and not run.stop.draining:
                self._later(self._ask_stop(known, run))

    async def _ask_stop(self, run_id: str, run: _Run) -> None:
        kind, by = await self._line.ask("HMGET", self._line.names.run(run_id), "stop_kind", "stop_by")
        if kind:
            run.stop.heard(Stopped(kind.decode()), (by or b"").decode())

    async def _reject(self, mid: str, unfit: Unfit) -> None:
        """Record a message that asks for nothing that can be done, and lay it aside."""
        run_id, standing = unfit.run_id, 0
        if run_id is None or await self._run(run_id) is None:
            run_id, standing = standing_run(_sent_at(mid)), 1
        text = self._worker.redact(unfit.text)
        result = Result(
            run_id=run_id,
            batch_id=None,
            outcome=Outcome.INVALID,
            reason=unfit.reason,
            settled_at=self._worker.wall(),
            source="queue",
            line=0,
            input=text,
        )
        recorded = await self._line.script(
            "reject",
            self._worker.name,
            mid,
            run_id,
            standing,
            self._worker.base_url,
            self._worker.standing,
            self._worker.encode(result),
            unfit.reason,
            text,
            KEPT_S,
        )
        if recorded == b"ok":
            self._log.warning(
                "queue.message_rejected", message_id=mid, run_id=run_id, reason=unfit.reason, input=text
            )

    async def is_empty(self) -> bool:
        """Whether nothing waits and nobody holds anything: what is settled is no longer in the stream."""
        return not await self._line.ask("XLEN", self._line.names.queue)

    async def keep(self, leases: Collection[Lease]) -> Collection[Lease]:
        """Prolong the leases; those that are lost."""
        tags, lost = [lease.tag for lease in leases], set[str]()
        for start in range(0, len(tags), _KEEP_AT_ONCE):
            epoch, *gone = await self._line.script(
                "keep", self._worker.name, *tags[start : start + _KEEP_AT_ONCE]
            )
            self._heard_epoch(epoch.decode())
            lost.update(tag.decode() for tag in gone)
        return [lease for lease in leases if lease.tag in lost]

    async def intend(self, lease: Lease, attempts: int, first_attempt_at: float) -> Hindrance | None:
        """Record that an attempt is about to be sent, unless something stands against it."""
        word, *told = await self._line.script(
            "intend",
            self._worker.name,
            lease.tag,
            lease.terms.run_id,
            lease.planned.batch_id,
            attempts,
            repr(first_attempt_at),
            self._touches.get(lease.tag, 0),
        )
        if word in {b"go", b"busy"}:
            self._touches[lease.tag] = int(told[-1])
        if word == b"go":
            self._heard_tick(int(told[0]))
        elif word == b"stopped":
            self._runs[lease.terms.run_id].stop.heard(Stopped(told[0].decode()), told[1].decode())
        return {b"lost": Hindrance.LOST, b"busy": Hindrance.BUSY}.get(word)

    def _heard_tick(self, tick: int) -> None:
        """The store counts what it records: if that goes back, it lost the last of it."""
        if self._returns != self._line.returns:
            self._returns = self._line.returns
            if tick <= self._tick:
                self._log.warning(
                    "queue.rolled_back", queue=self._line.address.shown, steps=self._tick - tick + 1
                )
                self._tick = tick
        self._tick = max(tick, self._tick)

    async def settle(self, lease: Lease, result: Result, *, final: bool) -> bool:
        """Record the result, acknowledge the message and count it, in one step."""
        run = self._runs.get(lease.terms.run_id)
        self._touches.pop(lease.tag, None)
        is_dead = lease.spent is not None and result.outcome in {Outcome.FAILED, Outcome.UNKNOWN}
        fine = run is not None and result.outcome in run.ok
        told = {
            "counted": result.outcome is not Outcome.HELD,
            "kinds": kinds_of(result.outcome),
            "row": "" if fine else f"{result.outcome} {result.reason}",
            "dead": lease.spent if is_dead else "",
            "text": f"deliveries={lease.deliveries} outcome={result.outcome}",
            "more": self._meter.taken(result, final=final),
            "slowest": self._meter.slowest_us,
            "remembered": REMEMBERED,
            "keep_s": KEPT_S,
            "rate": self._worker.rate_per_s,
        }
        word, *numbers = await self._line.script(
            "settle",
            self._worker.name,
            lease.tag,
            lease.terms.run_id,
            result.batch_id,
            int(final),
            self._worker.encode(result),
            result.outcome,
            lease.planned.seq or "",
            orjson.dumps(told),
        )
        if word != b"ok":
            self._unrecorded(word.decode(), result)
            return False
        if run is not None:
            self._judge(run, numbers)
        return True

    def _judge(self, run: _Run, numbers: list[bytes]) -> None:
        *counts, kind, by = numbers
        if kind:
            run.stop.heard(Stopped(kind.decode()), by.decode())
            return
        rule = firing(run.rules, Counts(*map(int, counts)))
        if rule is not None:
            run.stop.request(Stopped.ABORT, rule.text)

    def _unrecorded(self, word: str, result: Result) -> None:
        """The result is told at least in this worker's log."""
        why = {"lost": "another_has_it", "done": "has_a_result", "gone": "run_is_gone"}[word]
        self._log.warning("result.unrecorded", why=why, result=self._worker.encode(result).decode().rstrip())

    async def claim_environment(self, name: str) -> str:
        """Have the queue serve this environment alone, unless it serves one; that one."""
        meta = self._line.names.meta
        await self._line.ask("HSETNX", meta, "environment", name)
        return str((await self._line.ask("HGET", meta, "environment") or b"").decode())

    async def give_back(self, lease: Lease) -> None:
        """Leave the message to others at once."""
        self._touches.pop(lease.tag, None)
        await self._line.script("give_back", self._worker.name, lease.tag)

    async def leave(self, within_s: float) -> None:
        """Say good-bye, as far as that is possible within so many seconds."""
        if self._telling:
            await asyncio.wait(set(self._telling), timeout=within_s)
        for task in list(self._telling):
            task.cancel()
        try:
            async with asyncio.timeout(within_s):
                await self._line.script("leave", self._worker.name, 3_600_000)
        except TimeoutError:
            return


def _read(size: int, flat: list[Any]) -> Message | Unfit:
    found = of_fields(fields_of(flat))
    if size <= LARGEST:
        return found
    text = found.text if isinstance(found, Unfit) else str(fields_of(flat))
    return Unfit("too_large", f"{size} bytes: {text}"[:200])


def _sent_at(mid: str) -> float:
    """When a message was added: its id begins with that, in milliseconds."""
    return int(mid.partition("-")[0]) / 1000
