"""What operators are told of a call that closes: metrics, traces, and news of its end.

All of it is beside the work: it is checked before anything is sent, and from then on nothing that
fails here is raised, or changes what the run did or how the program exits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import orjson
from pydantic import SecretStr

from worker.cli.session.account import Account
from worker.cli.telling.tracing import Tracing
from worker.engine.run import Edges
from worker.engine.stop import Stop
from worker.ledger import RunRow, Store
from worker.rules.notice import End
from worker.rules.summary import Summary
from worker.telemetry import Log
from worker.words.errors import BatchCloserError

if TYPE_CHECKING:
    from worker.cli.session.steps import Ended
    from worker.cli.settings.tree import Settings
    from worker.cli.telling.news import News
    from worker.cli.telling.outlets import Outlets
    from worker.notify import Delivery
    from worker.telemetry.metrics import Keeper, Standing

TRACES_WITHIN_S: Final = 10.0
_START_WITHIN_S: Final = 10.0  # it bounds itself, to less than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is being done, as far as it is known beforehand."""

    settings: Settings
    key: SecretStr
    api_host: str
    run_id: str
    agreed: bool  # if not, a person sees why it does not begin, and nobody else is told


class Telling:
    """Entered before the lock is taken, left after it is let go: the next run need not wait for slow news."""

    def __init__(self, call: Call, log: Log) -> None:
        """Check where everything is to go. Raises ConfigurationError."""
        self._call = call
        self._log = log
        self._outlets = _outlets_of(call.settings)
        self._metrics_file = _metrics_file_of(call.settings)
        self.tracing = Tracing.of(call.settings, call.api_host)
        self._keeper: Keeper | None = None
        self._standing: Standing | None = None
        self._before: End | None = None
        self._begun = False
        self._news: News | None = None
        self._start: threading.Thread | None = None
        self._deliveries: list[Delivery] = []

    def reads(self, store: Store) -> None:
        """Learn from the ledger how the runs before this one ended."""
        if self._outlets is None and self._metrics_file is None:
            return
        host = self._call.api_host
        last, success = store.last_ended(host), store.last_ended(host, exit_code=0)
        summary = _summary_of(last)
        if last is not None and last.exit_code is not None and summary is not None:
            self._before = End.of(summary, last.exit_code)
        if self._metrics_file is not None:
            from worker.telemetry.metrics import Keeper, Standing

            self._standing = Standing(
                api_host=host,
                exit_code=None if last is None else last.exit_code,
                last=summary,
                success_at=None if success is None else success.finished_at,
            )
            self._keeper = Keeper(self._metrics_file, self._standing)

    def begun(self, account: Account, started_at: float) -> None:
        """A session begins, whose totals are in ``account``."""
        self._begun = True
        run, tally = account.run, account.tally
        if self._keeper is not None:
            with self._beside("metrics"):
                self._keeper.begin(run.ids + run.invalid, lambda: sum(tally.outcomes.values()))
        with self._beside("traces"):
            self.tracing.begun(run.run_id, started_at)
        if self._outlets is not None:
            with self._beside("ping"):
                self._start = threading.Thread(
                    target=self._tell_start, args=(self._outlets,), name="ping", daemon=True
                )
                self._start.start()

    def _tell_start(self, outlets: Outlets) -> None:
        self._deliveries = outlets.tell_start()

    def observed(self, edges: Edges) -> Edges:
        """The engine's edges, watched where traces are asked for."""
        return self.tracing.observed(edges)

    def ended(self, ended: Ended, folder: Path) -> None:
        """It ended. The metrics are written at once, news are sent on leaving."""
        call = self._call
        self._metrics(ended.summary, ended.exit_code)
        with self._beside("traces"):
            self.tracing.ended(ended.summary, ended.exit_code)
        if self._outlets is not None:
            with self._beside("news"):
                from worker.cli.telling.news import News

                output = call.settings.output
                self._news = News.of_run(call.api_host, ended, folder, output.state, output.fine)

    def stopped_early(self, stop: Stop, exit_code: int) -> None:
        """The run was stopped while its batches were looked for: it did not begin."""
        self._failed(f"stopped before it began: {stop.kind} ({stop.by})", exit_code)

    def _failed(self, line: str, exit_code: int) -> None:
        """There is no summary. Where another run holds the lock, the metrics are that run's matter."""
        if not self._call.agreed and not self._begun:
            return
        self._metrics(None, exit_code)
        if self._outlets is not None:
            from worker.cli.telling.news import News

            line = line.replace(self._call.key.get_secret_value(), "***")
            self._news = News.of_failure(
                self._call.api_host, self._call.run_id, line, exit_code, at=time.time(), begun=self._begun
            )

    def _metrics(self, summary: Summary | None, exit_code: int) -> None:
        keeper, standing = self._keeper, self._standing
        if keeper is None or standing is None:
            return
        with self._beside("metrics"):
            keeper.end(standing.ended(summary, exit_code))
            if keeper.failure is not None:
                self._log.warning("notify.failed", to="metrics", reason=keeper.failure)
        self._keeper = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._beside("news"):
            if isinstance(error, BatchCloserError):
                self._failed(str(error), error.exit_code)
            elif isinstance(error, Exception):
                self._failed(f"internal error: {type(error).__name__}", 1)
            elif error is not None and self._begun:
                self._metrics(None, 130)
        with self._beside("traces"):
            self.tracing.close()
        with self._beside("news"):
            self._send()

    def _send(self) -> None:
        if self._start is not None:
            self._start.join(_START_WITHIN_S)
        sendings = self.tracing.sendings(TRACES_WITHIN_S)
        if self._outlets is not None and self._news is not None:
            sendings += self._outlets.sendings(self._news, self._before)
        if not sendings:
            return
        from worker.cli.telling.outlets import send_all

        for each in [*self._deliveries, *send_all(sendings)]:
            if each.failure is None:
                self._log.info("notify.sent", to=each.to)
            else:
                self._log.warning("notify.failed", to=each.to, reason=each.failure)

    @contextmanager
    def _beside(self, to: str) -> Iterator[None]:
        """Nothing that fails in here concerns the run."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - see above; the error's own text may hold a secret
            self._log.warning("notify.failed", to=to, reason=type(error).__name__)


def check_telling(settings: Settings) -> None:
    """Raise ConfigurationError where operators can't be told as the settings say."""
    _outlets_of(settings)
    _metrics_file_of(settings)
    Tracing.of(settings, "").close()


def _outlets_of(settings: Settings) -> Outlets | None:
    if not settings.notify.is_set:
        return None
    from worker.cli.telling.outlets import Outlets

    return Outlets.of(settings)


def _metrics_file_of(settings: Settings) -> Path | None:
    path = settings.output.metrics_file
    if path is not None:
        from worker.telemetry.metrics import check_place

        check_place(path)
    return path


def _summary_of(run: RunRow | None) -> Summary | None:
    if run is None or run.summary is None:
        return None
    with suppress(ValueError):  # of a version that wrote it otherwise
        return Summary.from_json_dict(orjson.loads(run.summary))
    return None
