"""Messages that ask for nothing that can be done: recorded, and laid aside as dead letters."""

from __future__ import annotations

from worker.engine.ports import Log
from worker.fleet.known_runs import KnownRuns
from worker.fleet.line import Line
from worker.fleet.worker import KEPT_S, Worker
from worker.rules.message import Unfit, standing_run
from worker.words.model import Outcome, Result


class Rejecter:
    """Lays messages aside."""

    def __init__(self, line: Line, worker: Worker, runs: KnownRuns, log: Log) -> None:
        self._line = line
        self._worker = worker
        self._runs = runs
        self._log = log

    async def reject(self, mid: str, unfit: Unfit) -> None:
        """Record a message as invalid, in its run if there is one, else in that of its day."""
        run_id, standing = unfit.run_id, 0
        if run_id is None or await self._runs.learn(run_id) is None:
            run_id, standing = standing_run(sent_at(mid)), 1
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


def sent_at(mid: str) -> float:
    """When a message was added: its id begins with that, in milliseconds."""
    return int(mid.partition("-")[0]) / 1000
