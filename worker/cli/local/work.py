"""Closing what waits in the queue in the state folder: a run at a time, each as ``close`` would."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from worker.cli.close import checked_run_id
from worker.cli.here import host_of, make_log
from worker.cli.local.turns import Due, Turn, Turns
from worker.cli.options import state_folder
from worker.cli.queues import WorkOrder
from worker.cli.serving.gear import Source, geared
from worker.cli.signals import Ears, number_of
from worker.ledger import Holder, RunLock, open_ledger
from worker.rules.working import Next, next_after, pause_s, worst_of
from worker.telemetry import Log
from worker.words.errors import LedgerError, LockedError

if TYPE_CHECKING:
    from worker.telemetry.port_metrics import Metrics

_NAP_S: Final = 0.2
_STOPPED_EARLY: Final = 4


def work(order: WorkOrder) -> int:
    """Serve the queue of this state folder and base URL; return the exit code.

    Raises LockedError where another worker does.
    """
    if order.run_id is not None:
        checked_run_id(order.run_id)
    state = state_folder(order.settings)
    ears = Ears()
    ears.open()
    log = make_log(order.settings)
    try:
        with (
            RunLock(state, host_of(order.settings.api.base_url), Holder.here(), what="worker"),
            geared(order, log, ears, _source(state, order.settings.api.base_url)) as gear,
        ):
            return Worker(order, Turns(order, state, log, ears, gear), log, ears).perform()
    finally:
        log.close()


def _source(state: Path, base_url: str) -> Source:
    """The queue in the state folder, as the port shows it."""

    def waiting() -> float:
        try:
            with open_ledger(state) as store:
                return store.queue(base_url).waiting().ids
        except LedgerError:
            return float("nan")

    def show(metrics: Metrics) -> None:
        metrics.gauge("queue_messages", "Batches that wait.", waiting)

    return Source(lambda: 0, lambda: True, show)


class Worker:
    """Performs what there is to do, turn by turn. Its lock is held.

    The lock of runs is held only while one is under way, so that others may close meanwhile.
    """

    def __init__(self, order: WorkOrder, turns: Turns, log: Log, ears: Ears) -> None:
        self._once = order.once
        self._as_json = order.as_json
        self._base_url = order.settings.api.base_url
        self._poll_s = order.settings.queue.poll_s
        self._log = log
        self._ears = ears
        self._turns = turns
        self._codes: list[int] = []
        self._failures = 0
        self._is_locked_out = False

    def perform(self) -> int:
        """Work until nothing waits (once), or until there is a reason to end; return the exit code."""
        self._log.info("work.started", base_url=self._base_url, once=self._once, pid=os.getpid())
        code: int | None = None
        while code is None:
            code = self._step()
        self._log.info("work.finished", base_url=self._base_url, runs=len(self._codes), exit_code=code)
        return code

    def _step(self) -> int | None:
        """One turn, or one rest; the exit code where that was the last."""
        due = self._turns.next()
        if due is None and self._once:
            self._say_nothing_waits()
            return worst_of(self._codes)
        if due is not None and self._codes:
            self._rest(self._turns.breath_s())
        if self._ears.heard is not None:
            return 128 + (number_of(self._ears.heard) or 0)
        if due is None:
            self._rest(self._poll_s)
            return None
        if self._turns.left_s() == 0.0:
            self._log.warning("work.deadline", base_url=self._base_url)
            return worst_of([*self._codes, _STOPPED_EARLY])
        turn = self._perform(due)
        return None if turn is None else self._after(turn)

    def _perform(self, due: Due) -> Turn | None:
        """Perform what is due; None where there is nothing to do after all, or somebody closes by hand."""
        try:
            turn = self._turns.perform(due)
        except LockedError as error:
            if self._once:
                raise
            if not self._is_locked_out:
                self._log.warning("work.waits", run_id=due.run_id, reason="locked", error=str(error))
            self._is_locked_out = True
            self._rest(self._poll_s)
            return None
        self._is_locked_out = False
        return turn

    def _after(self, turn: Turn) -> int | None:
        self._codes.append(turn.exit_code)
        then = next_after(turn.stopped, once=self._once)
        if then is Next.LEAVE:
            self._turns.leave(turn.run_id)
        if not self._turns.goes_on_after(then) or turn.exit_code == 1:
            return worst_of(self._codes) if self._once else turn.exit_code
        self._failures = self._failures + 1 if then is Next.PAUSE else 0
        if then is Next.PAUSE:
            wait_s = pause_s(self._poll_s, self._failures)
            self._log.warning("work.waits", run_id=turn.run_id, reason="unreachable", wait_s=wait_s)
            self._rest(wait_s)
        return None

    def _rest(self, seconds: float) -> None:
        """Do nothing for so long, or until a signal comes."""
        until_s = time.monotonic() + seconds
        while self._ears.heard is None and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _NAP_S))

    def _say_nothing_waits(self) -> None:
        if self._codes:
            return
        click.echo("\n".join(self._turns.nothing_waits()), err=self._as_json)
