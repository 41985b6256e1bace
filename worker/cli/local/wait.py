"""Waiting until a worker has settled what was put into the state folder's queue."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

import click
import orjson

from worker.cli.here import host_of
from worker.cli.output import command_for, print_summary
from worker.cli.settings.tree import Settings
from worker.cli.signals import Ears, number_of
from worker.ledger import Holder, RunLock, RunRow, RunState, Store, open_ledger
from worker.rules.summary import Summary
from worker.rules.working import is_over
from worker.telemetry import Log, Progress
from worker.words.errors import ConfigurationError
from worker.words.model import Outcome

LOOK_EVERY_S: Final = 0.5
NO_WORKER_AFTER_S: Final = 1.0


def wait(state: Path, settings: Settings, arrival: int, log: Log, *, as_json: bool) -> int:
    """Show how far it is until the run that took the arrival is over; print its summary, return its code."""
    ears = Ears()
    ears.open()
    look = _Lookers(state, settings, log)
    with open_ledger(state) as store:
        queue = store.queue(settings.api.base_url)
        while (run := queue.run_of(arrival)) is None:
            if not queue.anything() and queue.run_of(arrival) is None:
                raise ConfigurationError("what was added was taken back, so there is nothing to wait for")
            look.for_worker()
            if _told_to_stop(ears):
                return _gone(ears, "what was added stays in the queue")
        run = _follow(store, run, look, ears)
        if run is None:
            return _gone(ears, "the run goes on without this")
    if run.summary is None or run.exit_code is None:
        raise AssertionError("a run that is over has a summary")
    summary = Summary.from_json_dict(orjson.loads(run.summary))
    print_summary(summary, state / "runs" / run.run_id, settings.output.state, as_json=as_json)
    return run.exit_code


class _Lookers:
    """Says, once for each time, that nobody works on what is waited for."""

    def __init__(self, state: Path, settings: Settings, log: Log) -> None:
        self.log = log
        self._remedy = command_for("work", settings.output.state)
        host = host_of(settings.api.base_url)
        holder = Holder.here()
        self._locks = [RunLock(state, host, holder, what=what) for what in ("worker", "run")]
        self._missing_since: float | None = None
        self._told = False

    def for_worker(self) -> None:
        """Look whether a worker, or somebody who resumes the run, is there."""
        if not all(lock.is_free() for lock in self._locks):
            self._missing_since, self._told = None, False
            return
        now = time.monotonic()
        self._missing_since = self._missing_since or now
        if not self._told and now - self._missing_since >= NO_WORKER_AFTER_S:
            self._told = True
            self.log.warning("queue.no_worker", remedy=f"start one with {self._remedy}")


def _follow(store: Store, run: RunRow, look: _Lookers, ears: Ears) -> RunRow | None:
    """Show the run's progress until it is over; None where a signal came first."""
    seen: dict[Outcome, int] = store.tally(run)
    terminal = sys.stderr if sys.stderr.isatty() else None
    with Progress(run.ids, look.log, terminal, before=seen) as progress:
        while True:
            found = store.run(run.run_id)
            if found is None:
                raise AssertionError("a run that was begun stays in the ledger")
            counts = store.tally(run)
            for outcome, count in counts.items():
                for _ in range(count - seen.get(outcome, 0)):
                    progress.settled(outcome)
            seen = {outcome: max(seen.get(outcome, 0), counts.get(outcome, 0)) for outcome in Outcome}
            finished = found.state is RunState.FINISHED
            if is_over(finished=finished, ended=found.finished_at is not None, stopped=found.stopped):
                return found
            progress.tick()
            look.for_worker()
            if _told_to_stop(ears):
                return None


def _told_to_stop(ears: Ears) -> bool:
    """Wait a little, and say whether a signal came."""
    if ears.heard is None:
        time.sleep(LOOK_EVERY_S)
    return ears.heard is not None


def _gone(ears: Ears, what: str) -> int:
    click.echo(f"batch-closer: stopped waiting ({ears.heard}); {what}", err=True)
    return 128 + (number_of(ears.heard) or 0)
