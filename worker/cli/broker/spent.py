"""Messages that were handed out too often: their batches are looked at, and no more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from worker.cli.looks.reading import Reading
from worker.cli.queues import WorkOrder
from worker.cli.serving.gear import Gear
from worker.cli.session.phases import Phases
from worker.cli.signals import Ears
from worker.engine.asking import Asking
from worker.engine.survey import Survey
from worker.rules.summary import Counters
from worker.rules.verdict import Sight, of_look_up
from worker.telemetry import Log
from worker.words.answer import Answer
from worker.words.model import Batch, Outcome, Result

TOO_MANY: Final = "too_many_deliveries"
_OUTCOMES: Final = {
    Sight.CLOSED: Outcome.ALREADY_CLOSED,
    Sight.OPEN: Outcome.FAILED,
    Sight.NOT_FOUND: Outcome.NOT_FOUND,
}


class Looking(NamedTuple):
    """With what they are looked at."""

    order: WorkOrder
    log: Log
    ears: Ears
    gear: Gear
    source: str  # of the messages


def look_at(batch_ids: Sequence[int], looking: Looking) -> dict[int, Result]:
    """How the batches end, as a read shows them; none of those that a stop came before.

    Whoever had them before may have closed them and not told: the ledger of that worker knows.
    """
    order, log, ears, gear, source = looking
    found: dict[int, Result] = {}

    def read(batch_id: int, answer: Answer, batch: Batch | None) -> None:
        outcome = _OUTCOMES.get(of_look_up(answer), Outcome.UNKNOWN)
        found[batch_id] = Result(
            run_id="",
            batch_id=batch_id,
            outcome=outcome,
            reason=None if outcome is Outcome.NOT_FOUND else TOO_MANY,
            message=answer.message,
            http_status=answer.status,
            batch_code=batch.batch_code if batch else None,
            bill_count=batch.bill_count if batch else None,
            running_total=batch.running_total if batch else None,
            end_date=batch.end_date if batch else None,
            settled_at=time.time(),
            source=source,
            line=0,
        )

    async def look(asking: Asking) -> None:
        await Survey(asking).read_each(batch_ids, order.settings.limits.concurrency, read)

    with Phases.open(order.settings.limits, log, gear) as phases:
        reading = Reading(settings=order.settings, key=order.key, log=log, ears=ears, phases=phases)
        stop = reading.perform(look, Counters())
    return {} if stop is not None else found
