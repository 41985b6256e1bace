"""What a worker on the state folder's queue does next, and one such run from its taking to its summary."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import orjson

from worker.cli.close import new_run, new_run_id
from worker.cli.output import command_for, show
from worker.cli.queues import WorkOrder
from worker.cli.serving.gear import Gear
from worker.cli.session.sitting import Sitting
from worker.cli.settings.tree import Settings, fixed
from worker.cli.signals import Ears
from worker.cli.taken import refuse_taken
from worker.cli.unseen import refuse_run_unseen, refuse_unseen
from worker.ledger import RunRow, Store, Waiting, open_ledger
from worker.report.advice import counted
from worker.rules.working import Next, is_continued
from worker.telemetry import Log
from worker.words.errors import ConfigurationError
from worker.words.model import Stopped


class Due(NamedTuple):
    """A run that is to be performed; ``begun`` where it was, else it is to be made of what waits."""

    run_id: str
    begun: RunRow | None


class Turn(NamedTuple):
    """A run that was performed, and how it ended."""

    run_id: str
    exit_code: int
    stopped: Stopped | None


class Turns:
    """Runs that were cut short first, then a new one of all that waits."""

    def __init__(self, order: WorkOrder, state: Path, log: Log, ears: Ears, gear: Gear) -> None:
        self._order = order
        self._gear = gear
        self._settings = order.settings
        self._base_url = order.settings.api.base_url
        self._state = state
        self._log = log
        self._ears = ears
        self._began_s = time.monotonic()
        self._left: set[str] = set()
        self._took = False

    def next(self) -> Due | None:
        """What is to be performed; None where there is nothing."""
        with open_ledger(self._state) as store:
            run = self._to_continue(store)
            if run is not None:
                return Due(run.run_id, run)
            is_done = self._took and self._order.once  # what arrived since waits for the next time
            if is_done or not store.queue(self._base_url).anything():
                return None
        return Due(self._order.run_id or new_run_id(time.time()), None)

    def leave(self, name: str) -> None:
        """Leave a run to a person, and say so."""
        self._left.add(name)
        resume = command_for(f"resume {name}", self._settings.output.state)
        self._log.warning("work.run_left", run_id=name, remedy=f"{resume} continues it")

    def left_s(self) -> float | None:
        """What is left of the deadline where it is that of one pass: seconds, 0 when it has passed."""
        deadline_s = self._settings.limits.deadline_s
        if deadline_s is None or not self._order.once:
            return None
        return max(0.0, deadline_s - (time.monotonic() - self._began_s))

    def perform(self, due: Due) -> Turn | None:
        """Perform what is due; None where nothing is left to do of it.

        Raises LockedError while another run is under way, and what a close raises.
        """
        order, (name, begun) = self._order, due
        settings = fixed(self._settings) if begun is None else self._settings_of(begun)
        now = _with_deadline(settings, self.left_s())
        with Sitting.open(
            now, order.key, self._state, self._base_url, name, ears=self._ears, gear=self._gear
        ) as sitting:
            run = self._taken(sitting, name, settings) if begun is None else self._again(sitting.store, name)
            if run is None:
                return None
            refuse_run_unseen(settings, sitting.store, run)
            looked = sitting.lookout().before(run, asks=False)
            ended = sitting.perform(run, looked)
            code = show(ended, sitting.folder(name), settings.output.state, as_json=order.as_json)
        return Turn(name, code, ended.summary.stopped)

    def goes_on_after(self, then: Next) -> bool:
        """Whether the worker goes on after a run; it is to leave an aborted one to a person."""
        return then is not Next.END

    def nothing_waits(self) -> list[str]:
        """What to say where there was nothing to do."""
        with open_ledger(self._state) as store:
            others = store.queue(self._base_url).elsewhere()
        lines = [f"Nothing waits for {self._base_url}."]
        return lines + [f"{counted(count, 'batch')} for {url} left alone." for url, count in others.items()]

    def breath_s(self) -> float:
        """How long to wait between two runs, each of which may begin with a burst: seconds."""
        limits = self._settings.limits
        return limits.burst / limits.rate_per_s

    def _to_continue(self, store: Store) -> RunRow | None:
        return self._first_fit(store.queue(self._base_url).unfinished())

    def _first_fit(self, unfinished: Iterable[RunRow]) -> RunRow | None:
        for run in unfinished:
            if run.run_id in self._left:
                continue
            if is_continued(run.stopped):
                return run
            self.leave(run.run_id)
        return None

    def _settings_of(self, run: RunRow) -> Settings:
        """The run's own settings hold, where the worker was not told otherwise."""
        return fixed(self._order.continuing(orjson.loads(run.settings)))

    def _again(self, store: Store, name: str) -> RunRow | None:
        """The run as it is now that nobody else can be at it."""
        run = self._to_continue(store)
        return run if run is not None and run.run_id == name else None

    def _taken(self, sitting: Sitting, name: str, settings: Settings) -> RunRow | None:
        """A run of all that waits. Raises ConfigurationError, and takes nothing, where it must not begin."""
        store = sitting.store
        refuse_taken(store, sitting.folder(name), name)
        sitting.lookout().expect()
        taken = store.queue(self._base_url).take(
            new_run(name, settings), at=time.time(), refuse=lambda waiting: _refuse(waiting, settings)
        )
        self._took = True
        return None if taken is None else store.run(taken)


def _with_deadline(settings: Settings, left_s: float | None) -> Settings:
    if left_s is None:
        return settings
    limits = settings.limits.model_copy(update={"deadline_s": left_s})
    return settings.model_copy(update={"limits": limits})


def _refuse(waiting: Waiting, settings: Settings) -> None:
    most = settings.bounds.max_batches
    if most is not None and waiting.ids > most:
        raise ConfigurationError(
            f"{counted(waiting.ids, 'batch')} wait, and --max-batches allows {most:,}: "
            "check what was put in, or raise it (nothing was sent)"
        )
    refuse_unseen(settings, *(["what an input expects of its batches"] if waiting.expects else []))
