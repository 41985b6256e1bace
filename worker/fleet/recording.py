"""Results on their way into the store: recorded, counted and acknowledged in one step, and only once."""

from __future__ import annotations

import orjson

from worker.engine.ports import Log
from worker.engine.queue import Lease
from worker.fleet.known_runs import KnownRun, KnownRuns
from worker.fleet.line import Line
from worker.fleet.meter import Meter
from worker.fleet.worker import KEPT_S, Worker
from worker.rules.abort import REMEMBERED, Counts, firing, kinds_of
from worker.words.model import Outcome, Result, Stopped


class Recorder:
    """Records results for one worker, and judges each run by the fleet's counts."""

    def __init__(self, line: Line, worker: Worker, runs: KnownRuns, *, meter: Meter, log: Log) -> None:
        self._line = line
        self._worker = worker
        self._runs = runs
        self._meter = meter
        self._log = log

    async def record(self, lease: Lease, result: Result, *, final: bool) -> bool:
        """Record a result; False where the store refuses it, which is told in the log."""
        run = self._runs.met(lease.terms.run_id)
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
            lease.deliveries,
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
            _judge(run, numbers)
        return True

    def _unrecorded(self, word: str, result: Result) -> None:
        """The result is told at least in this worker's log."""
        why = {"lost": "another_has_it", "done": "has_a_result", "gone": "run_is_gone"}[word]
        self._log.warning("result.unrecorded", why=why, result=self._worker.encode(result).decode().rstrip())


def _judge(run: KnownRun, numbers: list[bytes]) -> None:
    *counts, kind, by = numbers
    if kind:
        run.stop.heard(Stopped(kind.decode()), by.decode())
        return
    rule = firing(run.rules, Counts(*map(int, counts)))
    if rule is not None:
        run.stop.request(Stopped.ABORT, rule.text)
