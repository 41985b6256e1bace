"""What a worker on a broker's queue does next: messages become a run, and its results their answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from worker.brokers import Received
from worker.cli.broker.intake import Intake
from worker.cli.broker.spent import TOO_MANY, Looking, look_at
from worker.cli.close import new_run, new_run_id
from worker.cli.local.turns import Due, Turn, Turns
from worker.cli.queues import WorkOrder
from worker.cli.serving.gear import Gear
from worker.cli.session.sitting import Sitting
from worker.cli.settings.tree import Settings
from worker.cli.signals import Ears
from worker.cli.taken import refuse_taken
from worker.ledger import RunRow, Store, open_ledger
from worker.report import line_of
from worker.rules.message import Message, Unfit, of_json
from worker.rules.working import Next
from worker.sources import Listed
from worker.telemetry import Log
from worker.words.model import Outcome, Rejected, Result

WINDOW_S: Final = 60.0
"""A run is made of what can be closed in about this time, so that no answer is long in coming."""
_LEAST, _MOST = 10, 1000
_ONCE_S: Final = 1.0


class BrokerTurns(Turns):
    """Runs that were cut short first, then a new one of the messages that are there.

    A message is answered once its batch's result is in the ledger. One that comes again, after a crash or
    a lost connection, is answered from there, and its batch is left alone.
    """

    def __init__(
        self, order: WorkOrder, state: Path, log: Log, ears: Ears, gear: Gear, *, intake: Intake
    ) -> None:
        super().__init__(order, state, log, ears, gear)
        self._source = intake.source
        self._intake = intake
        self._asked: list[tuple[Received, Message | Unfit]] = []
        self._secret = order.key.get_secret_value()

    def next(self) -> Due | None:
        """What is to be performed; None where no message came for a while."""
        with open_ledger(self._state) as store:
            run = self._to_continue(store)
        if run is not None:
            return Due(run.run_id, run)
        while not self._asked:
            received = self._intake.receive(self._window(), _ONCE_S if self._order.once else self._poll_s())
            if not received and self._is_over():
                return None
            self._asked = self._new_of([(each, of_json(each.body)) for each in received])
        return Due(new_run_id(time.time()), None)

    def perform(self, due: Due) -> Turn | None:
        """Perform what is due, and answer what has its result."""
        turn = super().perform(due)
        if due.begun is None and turn is not None:
            asked, self._asked = self._asked, []
            self._answer_unfit(asked, due.run_id)
            left = self._answer_recorded([pair for pair in asked if isinstance(pair[1], Message)])
            self._intake.give_back([received for received, _ in left])
        return turn

    def _is_over(self) -> bool:
        """Whether to look no longer: a message may be in the hand of a worker that is dead already."""
        return not self._order.once or self._ears.heard is not None or self._intake.is_empty()

    def goes_on_after(self, then: Next) -> bool:
        """Whether to go on. Not after an aborted run: its messages would come again and again."""
        return then is not Next.LEAVE

    def nothing_waits(self) -> list[str]:
        """What to say where there was nothing to do."""
        return [f"Nothing waits in {self._source}."]

    def _window(self) -> int:
        return max(_LEAST, min(_MOST, int(self._settings.limits.rate_per_s * WINDOW_S)))

    def _poll_s(self) -> float:
        return self._settings.queue.poll_s

    def _new_of(
        self, asked: Sequence[tuple[Received, Message | Unfit]]
    ) -> list[tuple[Received, Message | Unfit]]:
        """Those that a run is to be made of: neither told already nor handed out too often."""
        again = [(received, what) for received, what in asked if received.deliveries > 1]
        first = [pair for pair in asked if pair[0].deliveries <= 1]
        unread = [pair for pair in again if isinstance(pair[1], Unfit)]
        left = self._answer_recorded([pair for pair in again if isinstance(pair[1], Message)])
        most = self._settings.queue.max_deliveries
        spent = [pair for pair in left if pair[0].deliveries > most]
        self._bury_spent(spent)
        return [*first, *unread, *(pair for pair in left if pair[0].deliveries <= most)]

    def _answer_recorded(
        self, asked: Sequence[tuple[Received, Message | Unfit]]
    ) -> list[tuple[Received, Message]]:
        """Answer those whose batch has its result in the ledger; the others."""
        messages = [(received, what) for received, what in asked if isinstance(what, Message)]
        if not messages:
            return []
        with open_ledger(self._state) as store:
            known = store.delivered(self._source, self._base_url).recorded(
                {what.batch_id for _, what in messages}
            )
        told = [(received, what) for received, what in messages if what.batch_id in known]
        self._intake.answer(
            [(received, _body(known[what.batch_id], received, what)) for received, what in told]
        )
        return [(received, what) for received, what in messages if what.batch_id not in known]

    def _answer_unfit(self, asked: Sequence[tuple[Received, Message | Unfit]], run_id: str) -> None:
        for number, (received, what) in enumerate(asked, start=1):
            if isinstance(what, Unfit):
                result = Result(
                    run_id=run_id,
                    batch_id=None,
                    outcome=Outcome.INVALID,
                    reason=what.reason,
                    settled_at=time.time(),
                    source=self._source,
                    line=number,
                    input=self._redacted(what.text),
                )
                self._intake.bury(received, what.reason, _body(line_of(result), received, what))

    def _bury_spent(self, spent: Sequence[tuple[Received, Message]]) -> None:
        if not spent:
            return
        look = Looking(self._order, self._log, self._ears, self._gear, self._source)
        results = look_at([what.batch_id for _, what in spent], look)
        for received, what in spent:
            result = results.get(what.batch_id)
            if result is None:  # a stop came first
                self._intake.give_back([received])
            elif result.outcome in {Outcome.FAILED, Outcome.UNKNOWN}:
                self._intake.bury(received, TOO_MANY, _body(line_of(result), received, what))
            else:
                self._intake.answer([(received, _body(line_of(result), received, what))])

    def _redacted(self, text: str) -> str:
        return text.replace(self._secret, "***")

    def _to_continue(self, store: Store) -> RunRow | None:
        unfinished = store.delivered(self._source, self._base_url).unfinished()
        return self._first_fit(unfinished)

    def _taken(self, sitting: Sitting, name: str, settings: Settings) -> RunRow | None:
        """A run of the messages in hand."""
        refuse_taken(sitting.store, sitting.folder(name), name)
        sitting.lookout().expect()
        return sitting.store.plan(new_run(name, settings), self._entries())

    def _entries(self) -> list[Listed | Rejected]:
        entries: list[Listed | Rejected] = []
        for number, (_, what) in enumerate(self._asked, start=1):
            if isinstance(what, Unfit):
                entries.append(Rejected(self._source, number, self._redacted(what.text)))
            else:
                bills, total = what.controls[0] if what.controls else (None, None)
                entries.append(Listed(what.batch_id, self._source, number, bills, total))
        return entries


def _body(line: bytes, received: Received, what: Message | Unfit) -> bytes:
    """A result as it is sent: the line of results.jsonl, and which message it answers."""
    fields: dict[str, Any] = orjson.loads(line)
    return orjson.dumps(fields | {"message_name": received.name, "message_run_id": what.run_id})
