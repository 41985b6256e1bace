"""Messages become leases: what each asks for, and what is known of its batch."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from typing import Any, Final

from worker.engine.queue import Lease
from worker.engine.terms import Care
from worker.fleet.header import fields_of
from worker.fleet.known_runs import KnownRun, KnownRuns
from worker.fleet.line import Line
from worker.fleet.losses import Losses
from worker.fleet.rejecting import Rejecter, sent_at
from worker.fleet.worker import Worker
from worker.rules.guards import GUARDS, Action, Bounds
from worker.rules.message import LARGEST, Message, Unfit, of_fields, standing_run
from worker.words.model import Planned, Stopped

TOO_MANY: Final = "too_many_deliveries"
_IDLE_S, _LONGEST_IDLE_S = 0.02, 0.4
_CONTROL_ALONE = Care(
    bounds=Bounds(actions={guard.name: Action.IGNORE for guard in GUARDS if guard.name != "control"})
)


Delivery = tuple[str, int]
"""Message id, and how often it was delivered: together they are one lease."""


class Taker:
    """Takes messages for one worker. ``touches``: of each lease, as known when its batch was last seen."""

    def __init__(
        self,
        line: Line,
        worker: Worker,
        runs: KnownRuns,
        *,
        losses: Losses,
        rejecter: Rejecter,
        touches: MutableMapping[Delivery, int],
    ) -> None:
        self._line = line
        self._worker = worker
        self._runs = runs
        self._losses = losses
        self._rejecter = rejecter
        self._touches = touches
        self._cursor = "0-0"
        self._idle_s = _IDLE_S

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
            lambda: int(self._line.up_for_s >= worker.lease_s),  # else they had no chance to keep theirs
        )
        self._cursor = cursor.decode()
        self._losses.heard_epoch(epoch.decode())
        if not taken:
            await asyncio.sleep(self._idle_s)
            self._idle_s = min(self._idle_s * 2, _LONGEST_IDLE_S)
            return ()
        self._idle_s = _IDLE_S
        messages: list[tuple[str, int, Message]] = []
        for mid, deliveries, size, *flat in taken:
            message = _read(int(size), flat)
            if isinstance(message, Unfit):
                await self._rejecter.reject(mid.decode(), message)
            else:
                messages.append((mid.decode(), int(deliveries), message))
        return await self.leases_of(messages) if messages else ()

    async def leases_of(self, messages: Sequence[tuple[str, int, Message]]) -> Sequence[Lease]:
        """Leases of messages in hand (id, deliveries, content), with what is known of their batches."""
        arguments: list[object] = []
        for mid, _, message in messages:
            arguments += [_run_of(mid, message), mid, message.batch_id, int(message.run_id is None)]
        found = await self._line.script("open", self._worker.base_url, self._worker.standing, *arguments)
        leases = []
        for (mid, deliveries, message), (word, *told) in zip(messages, found, strict=True):
            run = None
            if word == b"ok":
                run = await self._runs.learn(_run_of(mid, message), int(told[0]))
            if run is not None:
                self._touches[mid, deliveries] = int(told[1])
                known = [each.decode() for each in told[2:]]
                leases.append(self._lease(mid, deliveries, message, run, known))
            elif word != b"done":
                text = f"batch_id={message.batch_id} run_id={message.run_id}"
                await self._rejecter.reject(mid, Unfit("unknown_run", text))
        return leases

    def _lease(self, mid: str, deliveries: int, message: Message, run: KnownRun, told: list[str]) -> Lease:
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


def _run_of(mid: str, message: Message) -> str:
    return message.run_id or standing_run(sent_at(mid))


def _read(size: int, flat: list[Any]) -> Message | Unfit:
    found = of_fields(fields_of(flat))
    if size <= LARGEST:
        return found
    text = found.text if isinstance(found, Unfit) else str(fields_of(flat))
    return Unfit("too_large", f"{size} bytes: {text}"[:200])
