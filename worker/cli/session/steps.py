"""One session of a run, step by step: take up what is left, settle it, write the files."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from worker.cli.here import who
from worker.cli.looks.lookout import Looked, Lookout
from worker.cli.looks.reading import Reading
from worker.cli.session.account import Account, Ending, derive, ending_by, final_results_of, results_of
from worker.cli.session.recorder import Settled, Shown
from worker.ledger import Line, RunEnd, RunRow, Store
from worker.report import ResultsFile, write_reports, write_results
from worker.report.files import summary_json
from worker.report.results import private_folder
from worker.rules.proof import Proof
from worker.rules.summary import Summary, Verified
from worker.telemetry import Progress
from worker.telemetry.terminal import draws
from worker.words.errors import BatchCloserError, ConfigurationError
from worker.words.model import Outcome, Result

if TYPE_CHECKING:
    from worker.cli.telling.call import Telling


class Ended(NamedTuple):
    """A session's summary, and what kept its files from being written, if anything did."""

    summary: Summary
    fault: str | None = None

    @property
    def exit_code(self) -> int:
        """The program's: a run whose files can't be written did not go well."""
        return self.summary.ended_with if self.fault is None else 1


class Session:
    """Performs what is left of a run. The caller holds the run's lock and has checked the settings."""

    def __init__(
        self,
        *,
        store: Store,
        run: RunRow,
        reading: Reading,
        folder: Path,
        looked: Looked,
        telling: Telling,
    ) -> None:
        self._store = store
        self._run = run
        self._settings = reading.settings
        self._reading = reading
        self._folder = folder
        self._log = reading.log
        self._ok = reading.settings.output.fine
        self._provisional: set[int] = set()
        self._looked = looked
        self._telling = telling
        self._lookout = Lookout(reading, store)

    def perform(self) -> Ended:
        """Settle what can be settled and write the run's files.

        Raises BatchCloserError where the session can't begin; then nothing was sent.
        """
        started_at = time.time() - self._looked.took_s
        self._reading.ears.open()
        store, run = self._store, self._run
        _make(self._folder)
        self._log.add_file(self._folder / "log.jsonl")
        store.drop_provisional(run)
        number = store.start_session(run, started_at=started_at, pid=os.getpid(), who=who())
        account = Account(store, run, self._ok)
        account.session.counters.merge(self._looked.requests)
        account.session.key = self._looked.key_owner
        self._log.info("run.started", **self._facts(account))
        self._telling.begun(account, started_at)
        self._begin_results(account)
        with ResultsFile(self._folder / "results.jsonl") as results:
            ending = self._settle(account, number, results)
        proof = self._prove(account, ending)
        session_s = time.time() - started_at
        rate_per_s = self._settings.limits.rate_per_s
        summary = account.summary(ending, rate_per_s=rate_per_s, session_s=session_s, proof=proof)
        fault = self._finish(account, number, summary, ending)
        self._log.info("run.finished", **_last_words(summary))
        return Ended(summary, fault)

    def _prove(self, account: Account, ending: Ending) -> Proof | None:
        """Read again what the whole run closed, once nothing is left to close."""
        if ending.stopped is not None or not self._settings.api.snapshot:
            return None
        closed = account.tally.outcomes[Outcome.CLOSED]
        if not closed:
            return Proof(Verified(0, 0))
        return self._lookout.after(self._run, closed, self._looked, account.session.counters)

    def _begin_results(self, account: Account) -> None:
        """Bring results.jsonl to what is final, and count that; a new run has only invalid lines."""
        if account.sessions == 1 and not self._run.invalid:
            return
        results = final_results_of(self._store, self._run)
        write_results(self._folder / "results.jsonl", self._counted(account, results))

    def _counted(self, account: Account, results: Iterator[Result]) -> Iterator[Result]:
        for result in results:
            account.tally.add(result)
            if result.outcome is Outcome.INVALID and account.sessions == 1:
                self._log.warning(
                    "input.line_rejected", source=result.source, line=result.line, input=result.input
                )
            yield result

    def _facts(self, account: Account) -> dict[str, object]:
        run = self._run
        counts = {"lines": run.lines, "ids": run.ids, "duplicates": run.duplicates, "invalid": run.invalid}
        return {
            "run_id": run.run_id,
            "base_url": run.base_url,
            "who": who(),
            "pid": os.getpid(),
            "session": account.sessions,
            "input": counts,
            "settings": self._settings.kept(),
        }

    def _settle(self, account: Account, number: int, results: ResultsFile) -> Ending:
        done = {outcome: count for outcome, count in account.tally.outcomes.items() if count}
        total = self._run.ids + self._run.invalid
        terminal = sys.stderr if draws(sys.stderr) else None
        with Progress(total, self._log, terminal, before=done) as progress:
            if sum(done.values()) == total:
                return Ending(at=time.time())
            watch = self._reading.phases.watch
            shown = Shown(account, results, self._log, progress, self._ok, on_shown=watch.settled)
            stop = self._looked.stop
            ending = ending_by(stop) if stop else self._close_all(account, number, shown, progress)
            if ending.stopped is not None:
                self._show_untried(shown, ending)
        return ending

    def _close_all(self, account: Account, number: int, shown: Shown, progress: Progress) -> Ending:
        from worker.cli.session.wiring import close_all

        phases = self._reading.phases

        def paused(until_s: float) -> None:
            now = time.time()
            account.session.pauses.add(now, now + phases.pacer.paused_for_s)
            progress.paused(until_s)

        phases.pacer.tell_pauses(paused)
        with phases.watch.counting(account.session.counters):
            return phases.run(
                close_all(
                    store=self._store,
                    account=account,
                    session=number,
                    settings=self._settings,
                    care=self._looked.care(self._settings),
                    spent_s=self._looked.took_s,
                    key=self._reading.key,
                    pacer=phases.pacer,
                    shown=shown,
                    provisional=self._provisional,
                    log=self._log,
                    ears=self._reading.ears,
                    observed=self._telling.observed,
                    on_latency=phases.watch.answered,
                )
            )

    def _show_untried(self, shown: Shown, ending: Ending) -> None:
        """Give every batch that the stopped run did not take up its line too."""
        after = 0
        while page := self._store.pending(self._run, after_seq=after, limit=1000):
            after = page[-1].seq
            untried = [
                derive(Line(planned), self._run, ending)
                for planned in page
                if planned.seq not in self._provisional
            ]
            shown.show(Settled(0, result) for result in untried)

    def _finish(self, account: Account, number: int, summary: Summary, ending: Ending) -> str | None:
        """Record the end and write the files; a failure is told, for the summary must be shown anyway."""
        store, run = self._store, self._run
        end = RunEnd(
            finished_at=ending.at,
            exit_code=summary.ended_with,
            stopped=ending.stopped,
            stopped_by=ending.by,
            summary=summary_json(summary).decode(),
        )
        counters = account.session.to_json(ending.at)
        steps: tuple[Callable[[], object], ...] = (
            lambda: store.finish_session(number, finished_at=ending.at, counters=counters),
            lambda: write_reports(self._folder, summary, results_of(store, run, ending), self._ok),
            # Last: a run killed while its files are written is unfinished, and `resume` writes them.
            lambda: store.finish_run(run, end),
        )
        faults = [fault for step in steps if (fault := _fault_of(step)) is not None]
        return faults[0] if faults else None


def _fault_of(step: Callable[[], object]) -> str | None:
    try:
        step()
    except BatchCloserError as error:
        return str(error)
    return None


def _make(folder: Path) -> None:
    try:
        private_folder(folder)
    except OSError as error:
        raise ConfigurationError(f"folder {folder} can't be made: {error.strerror}") from None


def _last_words(summary: Summary) -> dict[str, object]:
    return {
        "run_id": summary.run_id,
        "exit_code": summary.exit_code,
        "stopped": summary.stopped,
        "stopped_by": summary.stopped_by,
        "duration_s": round(summary.duration_s, 3),
        "outcomes": {outcome.value: count for outcome, count in summary.outcomes.items() if count},
    }
