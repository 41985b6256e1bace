"""Traces of a session, where OpenTelemetry's environment asks for them; else nothing, at no cost."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from worker.engine.run import Edges
from worker.rules.summary import Summary
from worker.telemetry.traces.asked import is_asked, not_installed
from worker.words.errors import ConfigurationError

if TYPE_CHECKING:
    from worker.cli.settings.tree import Settings
    from worker.notify.sending import Sending
    from worker.telemetry.traces.export import Traces


@dataclass(frozen=True, slots=True)
class Tracing:
    """A session's trace, or none."""

    traces: Traces | None

    @classmethod
    def of(cls, settings: Settings, api_host: str) -> Tracing:
        """Raises ConfigurationError where traces are asked for and can't be had."""
        if not is_asked(os.environ):
            return cls(None)
        try:
            from worker.telemetry.traces.export import Traces
        except ImportError:
            raise not_installed(os.environ) from None
        try:
            return cls(Traces(api_host, settings.output.fine))
        except (ValueError, OSError) as error:
            raise ConfigurationError(
                f"traces can't be exported as the OTEL_ variables say ({type(error).__name__}): "
                "mend them, or set OTEL_SDK_DISABLED=true (nothing was sent)"
            ) from None

    def begun(self, run_id: str, started_at: float) -> None:
        """A session begins."""
        if self.traces is not None:
            self.traces.begin(run_id, started_at)

    def observed(self, edges: Edges) -> Edges:
        """The engine's edges, watched if there is a trace."""
        if self.traces is None:
            return edges
        from worker.telemetry.traces.watching import watched

        return watched(edges, self.traces)

    def ended(self, summary: Summary, exit_code: int) -> None:
        """The session ended."""
        if self.traces is None:
            return
        facts: dict[str, int | str] = {"exit_code": exit_code, "session": summary.sessions}
        facts |= {f"outcomes.{outcome}": count for outcome, count in summary.outcomes.items() if count}
        if summary.stopped is not None:
            facts["stopped"] = summary.stopped.value
        self.traces.end(facts, ended_at=summary.last_at, good=exit_code == 0)

    def close(self) -> None:
        """Begin to export what is left."""
        if self.traces is not None:
            self.traces.close()

    def sendings(self, within_s: float) -> list[Sending]:
        """The wait for spans to arrive, which can be given up like any other."""
        if self.traces is None:
            return []
        from worker.notify.aside import in_thread
        from worker.notify.sending import Sending

        return [Sending("traces", partial(in_thread, partial(_lost, self.traces, within_s)))]


def _lost(traces: Traces, within_s: float) -> str | None:
    lost = traces.lost(within_s)
    return f"{lost} spans did not arrive" if lost else None
