"""What a verb that closes holds while it works: the lock, the ledger, the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from worker.cli.here import host_of, make_log
from worker.cli.looks.lookout import Looked, Lookout
from worker.cli.looks.reading import Reading
from worker.cli.plan_output import ended_early
from worker.cli.serving.gear import Gear
from worker.cli.session.phases import Phases
from worker.cli.session.steps import Ended, Session
from worker.cli.settings.tree import Settings
from worker.cli.signals import Ears
from worker.cli.telling.call import Call, Telling
from worker.engine.stop import Stop
from worker.ledger import Holder, RunLock, RunRow, Store, open_ledger


def _forget_unbegun(store: Store, host: str) -> None:
    """A run that ended before it was agreed to must not be there for ``resume``. The lock is held."""
    for run in store.runs():
        if run.started_at is None and run.host == host:
            store.discard(run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """The lock is held and the ledger open for as long as this is."""

    state: Path
    store: Store
    reading: Reading
    telling: Telling

    @classmethod
    @contextmanager
    def open(
        cls,
        settings: Settings,
        key: SecretStr,
        state: Path,
        base_url: str,
        run_id: str,
        *,
        ears: Ears | None = None,
        gear: Gear | None = None,
        agreed: bool = True,
    ) -> Iterator[Sitting]:
        """Take the lock and open the ledger. Once they are let go, operators are told how it went.

        ``ears`` are those that listen already, if any do; ``gear`` is what a worker brings along.

        Raises LockedError, LedgerError, or ConfigurationError where the CA file can't be used, or nobody
        can be told as the settings say.
        """
        if settings.api.ca_file is not None:
            from worker.energycap.connection import trust

            trust(settings.api.ca_file)
        host = host_of(base_url)
        holder = Holder.here(run_id)
        call = Call(settings=settings, key=key, api_host=host, run_id=run_id, agreed=agreed)
        with (
            closing(make_log(settings)) as log,
            Telling(call, log) as telling,
            RunLock(state, host, holder),
            open_ledger(state) as store,
            Phases.open(settings.limits, log, gear) as phases,
        ):
            telling.reads(store)
            _forget_unbegun(store, host)
            reading = Reading(settings=settings, key=key, log=log, ears=ears or Ears(), phases=phases)
            yield cls(state=state, store=store, reading=reading, telling=telling)

    def folder(self, run_id: str) -> Path:
        """The folder of a run's files."""
        return self.state / "runs" / run_id

    def lookout(self) -> Lookout:
        """What looks at batches for this sitting."""
        return Lookout(self.reading, self.store)

    def ended_early(self, stop: Stop) -> int:
        """Say why the run did not begin; the exit code."""
        exit_code = ended_early(stop, "nothing was closed")
        self.telling.stopped_early(stop, exit_code)
        return exit_code

    def perform(self, run: RunRow, looked: Looked) -> Ended:
        """Perform what is left of the run."""
        session = Session(
            store=self.store,
            run=run,
            reading=self.reading,
            folder=self.folder(run.run_id),
            looked=looked,
            telling=self.telling,
        )
        ended = session.perform()
        self.telling.ended(ended, self.folder(run.run_id))
        return ended
